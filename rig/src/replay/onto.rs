//! Where a recording is played.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use rig_can::bits::Rate;
use rig_can::lawicel::BIT_RATES;

use crate::fixture::{Adapter, Bus, Flow, Listen, Parity, Port, Serial};

/// A bus, as a command line names it: `can:can0`, `slcan:/dev/ttyACM0@500000`, `slcan:/dev/ttyACM0@500000/2000000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onto {
    /// A network interface of the kernel, at the bit rates that it has.
    SocketCan(String),
    /// An adapter on a serial port that speaks LAWICEL's protocol.
    Slcan {
        /// The port.
        port: PathBuf,
        /// Bits per second; those of the data phase make it a bus of FD frames.
        rate: Rate,
    },
}

/// What an adapter's port runs at; nearly all are USB devices, to which it means nothing.
const BAUD: u32 = 115_200;

impl Onto {
    /// The bus as a fixture would describe it.
    #[must_use]
    pub fn bus(&self) -> Bus {
        match self {
            Self::SocketCan(interface) => {
                Bus { adapter: Adapter::SocketCan(interface.clone()), rate: rate_of(interface), listen: Listen::All }
            }
            Self::Slcan { port, rate } => {
                let serial = Serial {
                    port: Port::Path(port.clone()),
                    baud: BAUD,
                    parity: Parity::None,
                    stop_bits: 1,
                    flow: Flow::None,
                    rs485_echo: false,
                };
                Bus { adapter: Adapter::Slcan(serial), rate: *rate, listen: Listen::All }
            }
        }
    }
}

/// The bit rates of an interface of which the kernel tells none.
const UNTOLD: Rate = Rate { nominal: 500_000, data: Some(2_000_000) };

#[cfg(target_os = "linux")]
fn rate_of(interface: &str) -> Rate {
    crate::link::can::rate_of(interface, UNTOLD)
}

#[cfg(not(target_os = "linux"))]
fn rate_of(_: &str) -> Rate {
    Rate { data: None, ..UNTOLD }
}

impl fmt::Display for Onto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SocketCan(interface) => write!(f, "can:{interface}"),
            Self::Slcan { port, rate: Rate { nominal, data } } => {
                write!(f, "slcan:{}@{nominal}", port.display())?;
                data.map_or(Ok(()), |data| write!(f, "/{data}"))
            }
        }
    }
}

impl FromStr for Onto {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let how = "write can:INTERFACE or slcan:PORT@BITRATE";
        match text.split_once(':') {
            Some(("can", interface)) => {
                // What Linux can name an interface (`dev_valid_name`).
                let fits = (1..16).contains(&interface.len())
                    && !interface.contains(['/', ':'])
                    && !interface.contains(char::is_whitespace)
                    && !interface.starts_with('.');
                fits.then(|| Self::SocketCan(interface.to_owned()))
                    .ok_or_else(|| "no interface has such a name; see `ip link show type can`".to_owned())
            }
            Some(("slcan", rest)) => {
                let (port, rate) = rest.rsplit_once('@').filter(|(port, _)| !port.is_empty()).ok_or(how)?;
                Ok(Self::Slcan { port: port.into(), rate: slcan_rate(rate)? })
            }
            _ => Err(how.to_owned()),
        }
    }
}

/// The bit rates that LAWICEL's protocol has, and CANable's for the data phase.
fn slcan_rate(text: &str) -> Result<Rate, String> {
    let (nominal, data) = text.split_once('/').map_or((text, None), |(nominal, data)| (nominal, Some(data)));
    let nominal = nominal
        .parse()
        .ok()
        .filter(|rate| BIT_RATES.contains(rate))
        .ok_or_else(|| format!("the bit rate is one of {}", BIT_RATES.map(|rate| rate.to_string()).join(", ")))?;
    let millions = |text: &str| text.parse().ok().filter(|rate| (1..=8).any(|millions| millions * 1_000_000 == *rate));
    let data = data.map(|text| millions(text).ok_or("the data phase has a bit rate from 1000000 to 8000000"));
    Ok(Rate { nominal, data: data.transpose()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_is_named_by_its_kind() {
        let slcan = |port: &str, nominal, data| Onto::Slcan { port: port.into(), rate: Rate { nominal, data } };
        assert_eq!("can:vcan0".parse(), Ok(Onto::SocketCan("vcan0".into())));
        assert_eq!("slcan:/dev/ttyACM0@500000".parse(), Ok(slcan("/dev/ttyACM0", 500_000, None)));
        assert_eq!("slcan:COM3@125000/5000000".parse(), Ok(slcan("COM3", 125_000, Some(5_000_000))));
        assert_eq!("slcan:a@b@10000".parse(), Ok(slcan("a@b", 10_000, None)));
    }

    #[test]
    fn a_bus_is_shown_as_it_is_named() {
        for text in ["can:vcan0", "slcan:/dev/ttyACM0@500000", "slcan:COM3@125000/5000000"] {
            assert_eq!(text.parse::<Onto>().map(|onto| onto.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_names_no_bus_is_told_how() {
        let texts =
            ["vcan0", "can:", "can:a name", "slcan:@500000", "slcan:/dev/x", "slcan:x@500001", "slcan:x@500000/1"];
        let errors = texts.map(|text| format!("{text}: {}", text.parse::<Onto>().expect_err("no bus")));
        insta::assert_snapshot!(errors.join("\n"), @r"
        vcan0: write can:INTERFACE or slcan:PORT@BITRATE
        can:: no interface has such a name; see `ip link show type can`
        can:a name: no interface has such a name; see `ip link show type can`
        slcan:@500000: write can:INTERFACE or slcan:PORT@BITRATE
        slcan:/dev/x: write can:INTERFACE or slcan:PORT@BITRATE
        slcan:x@500001: the bit rate is one of 10000, 20000, 50000, 100000, 125000, 250000, 500000, 800000, 1000000
        slcan:x@500000/1: the data phase has a bit rate from 1000000 to 8000000
        ");
    }
}
