use std::io;

use thiserror::Error;

/// Why a CAN bus cannot be opened.
#[derive(Debug, Error)]
pub enum CanError {
    /// Not on this system.
    #[error(
        "{interface}: CAN interfaces of the kernel exist only on Linux, and this is {os}; use an adapter on a serial port \
         (port = …), or play the session on Linux"
    )]
    Unsupported {
        /// The interface.
        interface: String,
        /// The system.
        os: &'static str,
    },
    /// The kernel has no CAN.
    #[error("{interface}: this kernel has no CAN; load it with `sudo modprobe can-raw`, or use a kernel that has it")]
    NoCan {
        /// The interface.
        interface: String,
    },
    /// The interface does not exist.
    #[error(
        "{interface}: no such interface; the CAN interfaces here are {present}. Check the adapter's cable and driver; a \
         virtual one is made by `sudo ip link add {interface} type vcan`"
    )]
    Missing {
        /// The interface.
        interface: String,
        /// Those that are there.
        present: String,
    },
    /// The interface is of another kind.
    #[error("{interface}: this is no CAN interface; see `ip link show type can`")]
    NotCan {
        /// The interface.
        interface: String,
    },
    /// The interface is down.
    #[error("{interface}: the interface is down; bring it up with `{command}`")]
    Down {
        /// The interface.
        interface: String,
        /// What brings it up.
        command: String,
    },
    /// The interface runs at another bit rate.
    #[error(
        "{interface}: the interface runs at {found} bit/s{phase}, and the fixture says {wanted}; set it with \
         `sudo ip link set {interface} down` and `{command}`, or correct the fixture"
    )]
    BitRate {
        /// The interface.
        interface: String,
        /// Its rate.
        found: u32,
        /// Which of an FD bus's two rates.
        phase: &'static str,
        /// The fixture's rate.
        wanted: u32,
        /// What sets it.
        command: String,
    },
    /// FD frames cannot be sent there.
    #[error(
        "{interface}: this is a classic interface (MTU {mtu}), and the fixture has FD frames on it (data-bitrate); switch \
         FD on with `{command}`, or leave `data-bitrate` out"
    )]
    NotFd {
        /// The interface.
        interface: String,
        /// Its MTU.
        mtu: String,
        /// What switches FD on.
        command: String,
    },
    /// The interface's permissions forbid it.
    #[error("{interface}: permission denied; this user or sandbox may not open CAN sockets (AF_CAN)")]
    Denied {
        /// The interface.
        interface: String,
    },
    /// Nothing at the port answers as an adapter.
    #[error(
        "{port}: nothing there answers as an adapter of LAWICEL's protocol; check the port, its baud rate ({baud}), and \
         that the adapter has slcan firmware"
    )]
    NoAdapter {
        /// The port.
        port: String,
        /// Its baud rate.
        baud: u32,
    },
    /// The adapter refuses a command.
    #[error("{port}: the adapter refuses {command}; {help}")]
    Refused {
        /// The port.
        port: String,
        /// The command, in words.
        command: String,
        /// What to do.
        help: &'static str,
    },
    /// Anything else that the system says.
    #[error("{interface}: {source}; see `ip -details link show {interface}` and `dmesg`")]
    Io {
        /// The interface.
        interface: String,
        /// What the system said.
        source: io::Error,
    },
}
