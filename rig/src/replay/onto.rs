//! Where a recording is played.

use std::path::PathBuf;
use std::str::FromStr;

use rig_can::lawicel::BIT_RATES;

/// A bus, as a command line names it: `can:vcan0`, `slcan:/dev/ttyACM0@500000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onto {
    /// A network interface of the kernel.
    SocketCan(String),
    /// An adapter on a serial port that speaks LAWICEL's protocol.
    Slcan {
        /// The port.
        port: PathBuf,
        /// Bits per second.
        bitrate: u32,
    },
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
                let (port, bitrate) = rest.rsplit_once('@').filter(|(port, _)| !port.is_empty()).ok_or(how)?;
                let bitrate = bitrate.parse().ok().filter(|bitrate| BIT_RATES.contains(bitrate));
                let rates = || format!("the bit rate is one of {}", BIT_RATES.map(|rate| rate.to_string()).join(", "));
                Ok(Self::Slcan { port: port.into(), bitrate: bitrate.ok_or_else(rates)? })
            }
            _ => Err(how.to_owned()),
        }
    }
}
