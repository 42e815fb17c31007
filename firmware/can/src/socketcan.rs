//! Frames as Linux lays them out in bytes: identifier and its flags, length, flags of FD, two reserved bytes, data.
//!
//! | layout | identifier | how long it is |
//! | --- | --- | --- |
//! | `struct can_frame` and `struct canfd_frame` (`linux/can.h`) | in the machine's byte order | always [`CLASSIC_SIZE`] or [`FD_SIZE`], which tells them apart |
//! | packets of `LINKTYPE_CAN_SOCKETCAN` (tcpdump.org) | big endian | to the end of the data, or as the kernel's |

use alloc::vec::Vec;

use crate::candump::Seen;
use crate::{Format, Frame, Id};

/// The number of the link type `LINKTYPE_CAN_SOCKETCAN`.
pub const LINK_TYPE: u32 = 227;
/// The size of `struct can_frame`.
pub const CLASSIC_SIZE: usize = 16;
/// The size of `struct canfd_frame`.
pub const FD_SIZE: usize = 72;

/// The flags of an identifier.
const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const ERROR: u32 = 0x2000_0000;
const NUMBER: u32 = 0x1FFF_FFFF;
/// The flags of FD: bit rate switch, error state indicator, FD format.
const SWITCH: u8 = 0x01;
const PASSIVE: u8 = 0x02;
const FD: u8 = 0x04;
/// In the length's byte: the frame is one of CAN XL, whose header is another one.
const XL: u8 = 0x80;

/// A frame as a socket of the kernel takes it.
#[must_use]
pub fn to_kernel(frame: &Frame) -> Vec<u8> {
    let fields = Fields::of(frame);
    let mut bytes = fields.after(fields.word.to_ne_bytes());
    bytes.resize(if frame.is_fd() { FD_SIZE } else { CLASSIC_SIZE }, 0);
    bytes
}

/// What a socket of the kernel tells of the bus; `None` where it is no frame that rig knows.
#[must_use]
pub fn from_kernel(bytes: &[u8]) -> Option<Seen> {
    let (word, fields) = bytes.split_first_chunk()?;
    Fields::read(u32::from_ne_bytes(*word), fields)?.seen(bytes.len() == FD_SIZE)
}

/// What was on the bus as a packet, no longer than its data.
#[must_use]
pub fn to_packet(seen: &Seen) -> Vec<u8> {
    let fields = match seen {
        Seen::Frame(frame) => Fields::of(frame),
        Seen::Error(class, data) => Fields { word: class & NUMBER | ERROR, length: 8, flags: 0, data },
    };
    fields.after(fields.word.to_be_bytes())
}

/// What a packet tells of the bus; `None` where it is cut off, or holds no frame that rig knows.
#[must_use]
pub fn from_packet(packet: &[u8]) -> Option<Seen> {
    let (word, fields) = packet.split_first_chunk()?;
    let fields = Fields::read(u32::from_be_bytes(*word), fields)?;
    // Older kernels did not flag FD frames.
    let fd = fields.flags & FD != 0 || fields.length > 8 || packet.len() == FD_SIZE;
    fields.seen(fd)
}

/// What both layouts hold.
struct Fields<'a> {
    word: u32,
    length: u8,
    flags: u8,
    /// What follows, which may be longer than the data.
    data: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(frame: &'a Frame) -> Self {
        let extended = if frame.id().is_extended() { EXTENDED } else { 0 };
        let (remote, flags) = match frame.format() {
            Format::Classic => (0, 0),
            Format::Remote => (REMOTE, 0),
            Format::Fd { switch, passive } => {
                (0, FD | if switch { SWITCH } else { 0 } | if passive { PASSIVE } else { 0 })
            }
        };
        Self { word: frame.id().number() | extended | remote, length: frame.length(), flags, data: frame.data() }
    }

    fn read(word: u32, rest: &'a [u8]) -> Option<Self> {
        let (&[length, flags, _, _], data) = rest.split_first_chunk()?;
        (length & XL == 0).then_some(Self { word, length, flags, data })
    }

    fn after(&self, word: [u8; 4]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FD_SIZE);
        bytes.extend(word);
        bytes.extend([self.length, self.flags, 0, 0]);
        bytes.extend(self.data);
        bytes
    }

    fn seen(&self, fd: bool) -> Option<Seen> {
        if self.word & ERROR != 0 {
            return Some(Seen::Error(self.word & NUMBER, *self.data.first_chunk()?));
        }
        let number = self.word & NUMBER;
        let extended = self.word & EXTENDED != 0;
        let id = if extended { Id::extended(number) } else { Id::standard(number.try_into().ok()?) }?;
        let data = || self.data.get(..usize::from(self.length));
        let frame = if fd {
            Frame::fd(id, data()?, self.flags & SWITCH != 0)?.sent_passively(self.flags & PASSIVE != 0)
        } else if self.word & REMOTE != 0 {
            Frame::remote(id, self.length)?
        } else {
            Frame::classic(id, data()?)?
        };
        Some(Seen::Frame(frame))
    }
}
