use alloc::vec::Vec;

use super::frame::{self, read_digits, write_digits};
use super::{BELL, CR, Flags, STAMP_WRAP};
use crate::Frame;

/// What an adapter tells a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A frame was received; with time stamps on, at this millisecond of 60000.
    Frame(Frame, Option<u16>),
    /// `z` or `Z`: a frame was accepted for sending.
    Accepted,
    /// A command was done.
    Done,
    /// A command was not done: BELL.
    Refused,
    /// `F`: the status flags.
    Flags(Flags),
    /// `V`: hardware and software version, two digits each.
    Version([u8; 4]),
    /// `N`: serial number.
    Serial([u8; 4]),
}

impl Reply {
    /// Appends the reply's line.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Frame(frame, stamp) => {
                frame::write(frame, out);
                if let Some(stamp) = stamp {
                    write_digits(u32::from(stamp % STAMP_WRAP), 4, out);
                }
            }
            Self::Accepted => out.push(b'z'),
            Self::Done => {}
            Self::Refused => return out.push(BELL),
            Self::Flags(flags) => {
                out.push(b'F');
                write_digits(u32::from(flags.0), 2, out);
            }
            Self::Version(text) => write_text(b'V', *text, out),
            Self::Serial(text) => write_text(b'N', *text, out),
        }
        out.push(CR);
    }

    /// Reads a line without its end, a carriage return; `None` where it is no reply. A frame's line has a time stamp
    /// where it is four digits longer than its data length code says.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        Some(match *line {
            [] => Self::Done,
            [b'z' | b'Z'] => Self::Accepted,
            [b'F', ref digits @ ..] if digits.len() == 2 => {
                Self::Flags(Flags(u8::try_from(read_digits(&mut &*digits, 2)?).ok()?))
            }
            [b'V', a, b, c, d] => Self::Version(printable([a, b, c, d])?),
            [b'N', a, b, c, d] => Self::Serial(printable([a, b, c, d])?),
            _ => {
                let mut rest = line;
                let frame = frame::read(&mut rest)?;
                Self::Frame(frame, if rest.is_empty() { None } else { Some(stamp(rest)?) })
            }
        })
    }
}

fn stamp(digits: &[u8]) -> Option<u16> {
    let stamp = u16::try_from(read_digits(&mut &*digits, 4)?).ok()?;
    (digits.len() == 4 && stamp < STAMP_WRAP).then_some(stamp)
}

fn printable(text: [u8; 4]) -> Option<[u8; 4]> {
    text.iter().all(u8::is_ascii_graphic).then_some(text)
}

/// What is not printable would end or break the line.
fn write_text(letter: u8, text: [u8; 4], out: &mut Vec<u8>) {
    out.push(letter);
    out.extend(text.map(|character| if character.is_ascii_graphic() { character } else { b'?' }));
}
