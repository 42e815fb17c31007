//! Log lines of candump (`candump -L`, `candump -l`), which canplayer reads: `(1436509052.249713) vcan0 123#C0FFEE T`.
//!
//! ```text
//! 123#C0FFEE   00000123#C0FFEE   standard and extended identifier
//! 123#R        123#R4            remote frame, without and with a length
//! 123##1C0FFEE                   FD frame; bit 0 of its digit is the bit rate switch, bit 1 an error passive sender
//! 20000004#0004000000000000      error frame of the kernel
//! ```
//!
//! A data length code over 8 of a classic frame (`123#1122334455667788_9`) is not read.

mod line;

use alloc::string::String;
use core::fmt::{self, Write};

use crate::{Format, Frame};

pub use line::parse;

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

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Time => "the line does not begin with a time such as (1436509052.249713)",
            Self::Interface => "no name of an interface follows the time",
            Self::Frame => "no frame such as 123#C0FFEE follows the interface",
            Self::Rest => "something else than T or R follows the frame",
        })
    }
}

impl core::error::Error for LineError {}

/// What tells an identifier that it is an error frame's (`CAN_ERR_FLAG` of `linux/can.h`).
const ERROR: u32 = 0x2000_0000;
/// The bits of error classes (`CAN_ERR_MASK`).
const CLASSES: u32 = 0x1FFF_FFFF;
/// Flags of FD frames (`CANFD_BRS` and `CANFD_ESI`).
const SWITCH: u8 = 1;
const PASSIVE: u8 = 2;

impl fmt::Display for Record {
    /// The line, without its end. In the interface's name, what is not printable is written as `_`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:010}.{:06}) ", self.at / 1_000_000, self.at % 1_000_000)?;
        if self.interface.is_empty() {
            f.write_char('_')?;
        }
        for character in self.interface.chars() {
            f.write_char(if character.is_ascii_graphic() { character } else { '_' })?;
        }
        write!(f, " {}", self.seen)?;
        f.write_str(match self.sent {
            Some(true) => " T",
            Some(false) => " R",
            None => "",
        })
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = match self {
            Self::Error(classes, bytes) => {
                write!(f, "{:08X}#", ERROR | classes & CLASSES)?;
                &bytes[..]
            }
            Self::Frame(frame) => {
                write!(f, "{}#", frame.id())?;
                match frame.format() {
                    Format::Classic => {}
                    Format::Remote if frame.length() == 0 => f.write_char('R')?,
                    Format::Remote => write!(f, "R{}", frame.length())?,
                    Format::Fd { switch, passive } => {
                        write!(f, "#{:X}", SWITCH * u8::from(switch) + PASSIVE * u8::from(passive))?;
                    }
                }
                frame.data()
            }
        };
        data.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
