use std::io;
use std::time::Duration;

use thiserror::Error;

use super::can::CanError;

/// Why a link cannot be opened.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The port does not exist.
    #[error("{port}: no such port; check the cable and the adapter's power; /dev/serial/by-id holds {present}")]
    Missing {
        /// The port.
        port: String,
        /// The serial ports that are there.
        present: String,
    },
    /// Another program holds the port.
    #[error("{port}: another program uses the port; see which with `fuser {port}` and end it")]
    Busy {
        /// The port.
        port: String,
    },
    /// The port's permissions forbid it.
    #[error("{port}: permission denied; join the group dialout (`sudo usermod -aG dialout $USER`) and log in again")]
    Denied {
        /// The port.
        port: String,
    },
    /// The path is there and is no serial port.
    #[error("{port}: this is no serial port; name a tty, best by its path in /dev/serial/by-id")]
    NotSerial {
        /// The path.
        port: String,
    },
    /// The port does not take the settings.
    #[error("{port}: {reason}; correct the port's settings in the fixture")]
    Settings {
        /// The port.
        port: String,
        /// What is wrong with which setting.
        reason: String,
    },
    /// The fixture names a port of a virtual bench and has none.
    #[error("bench:{name}: no virtual bench runs; add a [bench] table to the fixture or name a path")]
    NoBench {
        /// The port's name.
        name: String,
    },
    /// The virtual bench has no such port.
    #[error("bench:{name}: the virtual bench has no such port; it has {has}")]
    NoBenchPort {
        /// The port's name.
        name: String,
        /// The ports that it has.
        has: String,
    },
    /// The TCP peer cannot be reached.
    #[error("{address}: {source}; check that the peer runs and that address and port are right")]
    Tcp {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The TCP peer does not answer.
    #[error("{address}: no answer within {within:?}; check the network and that the peer is switched on")]
    NoAnswer {
        /// The address.
        address: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// A device is on a bus that is none of the fixture's.
    #[error("there is no CAN bus {name}; add a [bus.{name}] table to the fixture")]
    NoBus {
        /// The bus's name.
        name: String,
    },
    /// A CAN bus cannot be opened.
    #[error(transparent)]
    Can(#[from] CanError),
    /// Anything else that the system says.
    #[error("{port}: {source}; unplug the adapter and plug it in again, and see `dmesg`")]
    Io {
        /// The port.
        port: String,
        /// What the system said.
        source: io::Error,
    },
}

impl LinkError {
    /// The error of opening a port, from what the system said.
    pub(super) fn of_io(port: &str, source: io::Error) -> Self {
        let port = shown(port);
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { port, present: present() },
            io::ErrorKind::PermissionDenied => Self::Denied { port },
            io::ErrorKind::ResourceBusy => Self::Busy { port },
            _ => Self::Io { port, source },
        }
    }

    /// The error of opening a serial port, from what the serial library said.
    pub(super) fn of_serial(port: &str, error: tokio_serial::Error) -> Self {
        use tokio_serial::ErrorKind;
        match error.kind {
            // The library's word for a port that is locked: by TIOCEXCL (EBUSY) or by flock.
            ErrorKind::NoDevice => Self::Busy { port: shown(port) },
            ErrorKind::InvalidInput => Self::Settings { port: shown(port), reason: error.description },
            ErrorKind::Io(kind) => Self::of_io(port, io::Error::new(kind, error.description)),
            ErrorKind::Unknown => Self::of_io(port, io::Error::other(error.description)),
        }
    }
}

/// Other people's text (names in fixtures, what instruments say), for people: without control characters, and not at
/// any length.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 200;
    let mut shown = String::new();
    for character in text.chars().take(MOST) {
        match character {
            '\'' | '"' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// The stable paths of the serial ports that are plugged in.
fn present() -> String {
    const MOST: usize = 20;
    let mut names: Vec<_> = std::fs::read_dir("/dev/serial/by-id")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| shown(&entry.file_name().to_string_lossy()))
        .take(MOST)
        .collect();
    names.sort();
    if names.is_empty() { "nothing: no USB serial adapter is plugged in".into() } else { names.join(", ") }
}
