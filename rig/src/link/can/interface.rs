use std::collections::BTreeMap;
use std::fs;

use rig_can::bits::Rate;
use socketcan::CanInterface;
use socketcan::nl::{CanBitTiming, CanState, InterfaceDetails, Mtu};

use super::error::CanError;
use super::trouble::of_state;
use crate::event::Trouble;
use crate::link::device::Device;
use crate::link::{USB_FRAME, shown};
use crate::stamp::Nanos;

/// `ARPHRD_CAN` of `linux/if_arp.h`.
const CAN: &str = "280";

/// A CAN interface of the kernel that fits the fixture.
pub(super) struct Interface {
    /// How long a received frame may lie in the adapter before the kernel stamps it.
    pub(super) hold: Nanos,
    /// Whether it shows an own frame when that was on the bus. Else the kernel shows it when it hands it to the driver.
    pub(super) echoes: bool,
    /// The trouble that its controller is in.
    pub(super) found: Option<Trouble>,
    /// What the kernel tells of it, in words.
    pub(super) obtained: BTreeMap<String, String>,
}

impl Interface {
    /// Looks at an interface before it is used.
    pub(super) fn inspect(name: &str, rate: Rate) -> Result<Self, CanError> {
        let interface = || shown(name);
        let details = CanInterface::open(name)
            .map_err(|_| CanError::Missing { interface: interface(), present: present() })?
            .details()
            .map_err(|error| CanError::Io {
                interface: interface(),
                source: std::io::Error::other(error.to_string()),
            })?;
        if sys(name, "type").is_some_and(|kind| kind != CAN) {
            return Err(CanError::NotCan { interface: interface() });
        }
        // Only real controllers have a state.
        let is_virtual = details.can.state.is_none();
        let rates = Rates::of(&details);
        let command = setting(name, rate);
        let wrong = |found, phase, wanted| CanError::BitRate {
            interface: interface(),
            found,
            phase,
            wanted,
            command: command.clone(),
        };
        if let Some(found) = rates.nominal.known().filter(|found| *found != rate.nominal) {
            return Err(wrong(found, "", rate.nominal));
        }
        if let (Some(found), Some(wanted)) = (rates.data.known(), rate.data)
            && found != wanted
        {
            return Err(wrong(found, " in the data phase", wanted));
        }
        if !details.is_up {
            let command = if is_virtual { format!("sudo ip link set {name} up") } else { command };
            return Err(CanError::Down { interface: interface(), command });
        }
        if rate.data.is_some() && !matches!(details.mtu, Some(Mtu::Fd)) {
            let mtu = sys(name, "mtu").unwrap_or_else(|| "16".into());
            let command = if is_virtual { format!("sudo ip link set {name} mtu 72") } else { command };
            return Err(CanError::NotFd { interface: interface(), mtu, command });
        }
        let device = Device::of_interface(name);
        // An interface that is made of a tty has no device. What its adapter holds back is that of USB.
        let is_held = device.as_ref().map_or(!is_virtual, Device::is_on_usb);
        let hold = if is_held { USB_FRAME } else { 0 };
        let echoes = echoes(name) || is_virtual;
        let mut obtained = obtained(name, &details, rates, rate);
        if let Some(driver) = device.and_then(|device| device.driver()) {
            obtained.insert("driver".into(), driver);
        }
        if hold > 0 {
            obtained.insert("adapter-hold".into(), "up to 1 ms, a frame of USB".into());
        }
        if !echoes {
            obtained.insert("echo".into(), "none: when a frame left is not seen".into());
        }
        Ok(Self { hold, echoes, found: details.can.state.and_then(of_state), obtained })
    }
}

/// What an interface counts of frames that it received and gave to no socket, since it was made.
pub(super) fn lost(name: &str) -> u64 {
    /// Frames for which the kernel, the driver or the controller had no room (`struct rtnl_link_stats64` of
    /// `linux/if_link.h`). vcan's own are dropped in the queue of a processor.
    const COUNTS: [&str; 4] = ["rx_dropped", "rx_over_errors", "rx_fifo_errors", "rx_missed_errors"];
    let count = |count: &&str| sys(name, &format!("statistics/{count}"))?.parse::<u64>().ok();
    COUNTS.iter().filter_map(count).fold(0, u64::saturating_add)
}

/// The bit rates of an interface: those of `untold` where the kernel tells none, as of a virtual interface, or of one
/// that is not there.
pub(crate) fn rate_of(name: &str, untold: Rate) -> Rate {
    let details = CanInterface::open(name).and_then(|interface| interface.details());
    rate_in(&details.unwrap_or_default(), untold)
}

/// A data phase is only where the interface takes FD frames.
fn rate_in(details: &InterfaceDetails, untold: Rate) -> Rate {
    let Rates { nominal, data } = Rates::of(details);
    let fd = matches!(details.mtu, Some(Mtu::Fd));
    Rate { nominal: nominal.known().unwrap_or(untold.nominal), data: data.known().or(untold.data).filter(|_| fd) }
}

/// Bits per second of an interface.
#[derive(Clone, Copy)]
struct Rates {
    nominal: Bitrate,
    data: Bitrate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bitrate {
    /// The interface has no bits, or no second rate for them.
    None,
    /// Its adapter was set up by another program, which did not tell the kernel.
    Unknown,
    Known(u32),
}

impl Rates {
    fn of(details: &InterfaceDetails) -> Self {
        let [nominal, data] = [details.can.bit_timing, details.can.data_bit_timing];
        let read = |timing: Option<CanBitTiming>| match timing.map_or(0, |timing| timing.bitrate) {
            0 => Bitrate::None,
            // `CAN_BITRATE_UNKNOWN` of `linux/can/bittiming.h`.
            u32::MAX => Bitrate::Unknown,
            rate => Bitrate::Known(rate),
        };
        Self { nominal: read(nominal), data: read(data) }
    }
}

impl Bitrate {
    fn known(self) -> Option<u32> {
        match self {
            Self::Known(rate) => Some(rate),
            Self::None | Self::Unknown => None,
        }
    }

    fn in_words(self, asked: u32) -> String {
        match self {
            Self::None => format!("none: the interface has no bits; load is counted at {asked}"),
            Self::Unknown => format!("not told by the interface; taken for {asked}"),
            Self::Known(rate) => rate.to_string(),
        }
    }
}

/// The command that sets an interface's bit rates.
fn setting(name: &str, rate: Rate) -> String {
    let fd = rate.data.map_or(String::new(), |data| format!(" dbitrate {data} fd on"));
    format!("sudo ip link set {name} up type can bitrate {}{fd}", rate.nominal)
}

fn obtained(name: &str, details: &InterfaceDetails, rates: Rates, asked: Rate) -> BTreeMap<String, String> {
    let mut obtained =
        BTreeMap::from([("interface".into(), shown(name)), ("bitrate".into(), rates.nominal.in_words(asked.nominal))]);
    if let Some(asked) = asked.data {
        obtained.insert("data-bitrate".into(), rates.data.in_words(asked));
    }
    if let Some(state) = details.can.state {
        obtained.insert("state".into(), word(state).into());
    }
    obtained
}

fn word(state: CanState) -> &'static str {
    match state {
        CanState::ErrorActive => "error-active",
        CanState::ErrorWarning => "error-warning",
        CanState::ErrorPassive => "error-passive",
        CanState::BusOff => "bus-off",
        CanState::Stopped => "stopped",
        CanState::Sleeping => "sleeping",
    }
}

/// Whether the driver shows an own frame when it was on the bus (`IFF_ECHO` of `linux/if.h`).
fn echoes(name: &str) -> bool {
    const ECHO: u32 = 1 << 18;
    let flags = sys(name, "flags").and_then(|flags| u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok());
    flags.is_some_and(|flags| flags & ECHO != 0)
}

fn sys(name: &str, file: &str) -> Option<String> {
    // The fixture's check keeps names from leading anywhere else.
    fs::read_to_string(format!("/sys/class/net/{name}/{file}")).ok().map(|text| text.trim().to_owned())
}

/// The CAN interfaces that are there.
fn present() -> String {
    const MOST: usize = 20;
    let mut names: Vec<_> = fs::read_dir("/sys/class/net")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| sys(name, "type").is_some_and(|kind| kind == CAN))
        .map(|name| shown(&name))
        .take(MOST)
        .collect();
    names.sort();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTOLD: Rate = Rate { nominal: 500_000, data: Some(2_000_000) };

    fn rate(mtu: Mtu, nominal: u32, data: u32) -> Rate {
        let timing = |bitrate| Some(CanBitTiming { bitrate, ..CanBitTiming::default() });
        let mut details = InterfaceDetails { mtu: Some(mtu), ..InterfaceDetails::default() };
        (details.can.bit_timing, details.can.data_bit_timing) = (timing(nominal), timing(data));
        rate_in(&details, UNTOLD)
    }

    #[test]
    fn an_interface_has_the_bit_rates_that_the_kernel_tells() {
        assert_eq!(rate(Mtu::Fd, 250_000, 5_000_000), Rate { nominal: 250_000, data: Some(5_000_000) });
        assert_eq!(rate(Mtu::Standard, 250_000, 0), Rate { nominal: 250_000, data: None });
    }

    #[test]
    fn a_bit_rate_that_the_kernel_does_not_know_is_not_told() {
        assert_eq!(rate(Mtu::Fd, 0, 0), UNTOLD);
        assert_eq!(rate(Mtu::Fd, u32::MAX, u32::MAX), UNTOLD);
    }
}
