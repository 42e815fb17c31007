//! Log lines of candump (`candump -L`, `candump -l`), which canplayer reads: `(1436509052.249713) vcan0 123#C0FFEE T`.

use alloc::string::String;

use crate::Frame;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Microseconds since 1970.
    pub at: u64,
    /// The interface's name.
    pub interface: String,
    /// What was on the bus.
    pub seen: Seen,
    /// Whether it was sent (`T`) or received (`R`); old logs do not tell.
    pub sent: Option<bool>,
}

/// What a log line tells of the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A frame.
    Frame(Frame),
    /// An error frame of the kernel: its class bits and eight bytes (`linux/can/error.h`).
    Error(u32, [u8; 8]),
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineError {
    /// No time in brackets at its beginning.
    Time,
    /// No name of an interface after it.
    Interface,
    /// No frame after that.
    Frame,
    /// Something else after the frame.
    Rest,
}

/// Reads a line, without its end.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &str) -> Result<Record, LineError> {
    let _ = line;
    todo!()
}

impl core::fmt::Display for Record {
    /// The line, without its end.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let _ = f;
        todo!()
    }
}
