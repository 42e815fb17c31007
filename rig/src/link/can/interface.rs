use std::collections::BTreeMap;
use std::fs;

use rig_can::bits::Rate;
use socketcan::CanInterface;
use socketcan::nl::{InterfaceDetails, Mtu};

use super::error::CanError;
use crate::link::shown;
use crate::stamp::Nanos;

/// `ARPHRD_CAN` of `linux/if_arp.h`.
const CAN: &str = "280";
/// One frame of full-speed USB: an adapter is asked once in it (USB 2.0, section 5.3).
const USB_FRAME: Nanos = 1_000_000;

/// A CAN interface of the kernel that fits the fixture.
pub(super) struct Interface {
    /// How long a received frame may lie in the adapter before the kernel stamps it.
    pub(super) hold: Nanos,
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
        let bit_rate = details.can.bit_timing.map(|timing| timing.bitrate).filter(|rate| *rate > 0);
        let data_rate = details.can.data_bit_timing.map(|timing| timing.bitrate).filter(|rate| *rate > 0);
        let command = setting(name, rate);
        let wrong = |found, phase, wanted| CanError::BitRate {
            interface: interface(),
            found,
            phase,
            wanted,
            command: command.clone(),
        };
        if let Some(found) = bit_rate.filter(|found| *found != rate.nominal) {
            return Err(wrong(found, "", rate.nominal));
        }
        if let (Some(found), Some(wanted)) = (data_rate, rate.data)
            && found != wanted
        {
            return Err(wrong(found, " in the data phase", wanted));
        }
        if !details.is_up {
            let virtual_one = bit_rate.is_none() && sys(name, "device/uevent").is_none();
            let command = if virtual_one { format!("sudo ip link set {name} up") } else { command };
            return Err(CanError::Down { interface: interface(), command });
        }
        if rate.data.is_some() && !matches!(details.mtu, Some(Mtu::Fd)) {
            let mtu = sys(name, "mtu").unwrap_or_else(|| "16".into());
            let command = if bit_rate.is_some() { command } else { format!("sudo ip link set {name} mtu 72") };
            return Err(CanError::NotFd { interface: interface(), mtu, command });
        }
        let hold = if is_usb(name) { USB_FRAME } else { 0 };
        Ok(Self { hold, obtained: obtained(name, &details, (bit_rate, data_rate), rate) })
    }
}

/// The command that sets an interface's bit rates.
fn setting(name: &str, rate: Rate) -> String {
    let fd = rate.data.map_or(String::new(), |data| format!(" dbitrate {data} fd on"));
    format!("sudo ip link set {name} up type can bitrate {}{fd}", rate.nominal)
}

fn obtained(
    name: &str,
    details: &InterfaceDetails,
    (bit_rate, data_rate): (Option<u32>, Option<u32>),
    asked: Rate,
) -> BTreeMap<String, String> {
    let words = |found: Option<u32>, asked: u32| {
        found.map_or_else(
            || format!("none: the interface has no bits; load is counted at {asked}"),
            |rate| rate.to_string(),
        )
    };
    let mut obtained =
        BTreeMap::from([("interface".into(), shown(name)), ("bitrate".into(), words(bit_rate, asked.nominal))]);
    if let Some(asked) = asked.data {
        obtained.insert("data-bitrate".into(), words(data_rate, asked));
    }
    if let Some(state) = details.can.state {
        obtained.insert("state".into(), format!("{state:?}").to_lowercase());
    }
    if let Ok(driver) = fs::read_link(format!("/sys/class/net/{name}/device/driver")) {
        let driver = driver.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        obtained.insert("driver".into(), shown(&driver));
    }
    if is_usb(name) {
        obtained.insert("adapter-hold".into(), "up to 1 ms, a frame of USB".into());
    }
    obtained
}

fn is_usb(name: &str) -> bool {
    let device = fs::canonicalize(format!("/sys/class/net/{name}/device"));
    device.is_ok_and(|bus| bus.components().any(|part| part.as_os_str().to_string_lossy().starts_with("usb")))
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
