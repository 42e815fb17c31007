use alloc::vec::Vec;

use super::{BIT_RATES, CR, frame};
use crate::Frame;

/// What a host tells an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `Sn`: one of the nine standard bit rates.
    BitRate(u8),
    /// `Yn`: CANable's bit rates of the data phase, in Mbit/s.
    DataBitRate(u8),
    /// `O`.
    Open,
    /// `L`: open, and never acknowledge.
    ListenOnly,
    /// `C`.
    Close,
    /// `t`, `T`, `r`, `R`, and CANable's `d`, `D`, `b`, `B` for FD frames.
    Transmit(Frame),
    /// `F`: read the status flags.
    Flags,
    /// `Zn`: time stamps on or off.
    Stamps(bool),
    /// `V`: hardware and software version.
    Version,
    /// `N`: serial number.
    Serial,
}

impl Command {
    /// Appends the command's line.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::BitRate(number) => write_number(b'S', *number, out),
            Self::DataBitRate(number) => write_number(b'Y', *number, out),
            Self::Open => out.push(b'O'),
            Self::ListenOnly => out.push(b'L'),
            Self::Close => out.push(b'C'),
            Self::Transmit(frame) => frame::write(frame, out),
            Self::Flags => out.push(b'F'),
            Self::Stamps(on) => write_number(b'Z', u8::from(*on), out),
            Self::Version => out.push(b'V'),
            Self::Serial => out.push(b'N'),
        }
        out.push(CR);
    }

    /// Reads a line without its end; `None` where it is no command.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        Some(match line {
            b"O" => Self::Open,
            b"L" => Self::ListenOnly,
            b"C" => Self::Close,
            b"F" => Self::Flags,
            b"Z0" => Self::Stamps(false),
            b"Z1" => Self::Stamps(true),
            b"V" => Self::Version,
            b"N" => Self::Serial,
            [b'S', digit @ b'0'..=b'9'] if usize::from(digit - b'0') < BIT_RATES.len() => Self::BitRate(digit - b'0'),
            [b'Y', digit @ b'0'..=b'9'] => Self::DataBitRate(digit - b'0'),
            _ => {
                let mut rest = line;
                let frame = frame::read(&mut rest)?;
                return rest.is_empty().then_some(Self::Transmit(frame));
            }
        })
    }
}

/// A number over 9 has no command; an adapter refuses what is written for it.
fn write_number(letter: u8, number: u8, out: &mut Vec<u8>) {
    out.push(letter);
    out.extend_from_slice(alloc::format!("{number}").as_bytes());
}
