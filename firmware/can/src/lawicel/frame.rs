use alloc::vec::Vec;

use crate::{Format, Frame, Id, frame::fd_length_of};

/// Characters of the longest frame's line: kind, identifier, data length code and 64 bytes of data.
pub(super) const LONGEST: usize = 1 + 8 + 1 + 2 * 64;

/// Appends a frame's line without its end.
pub(super) fn write(frame: &Frame, out: &mut Vec<u8>) {
    let kind = match frame.format() {
        Format::Classic => b't',
        Format::Remote => b'r',
        Format::Fd { switch: false, .. } => b'd',
        Format::Fd { switch: true, .. } => b'b',
    };
    match frame.id() {
        Id::Standard(id) => {
            out.push(kind);
            write_digits(u32::from(id), 3, out);
        }
        Id::Extended(id) => {
            out.push(kind.to_ascii_uppercase());
            write_digits(id, 8, out);
        }
    }
    write_digits(frame.length_code(), 1, out);
    for byte in frame.data() {
        write_digits(u32::from(*byte), 2, out);
    }
}

/// Reads the frame that a line begins with, and leaves what follows it.
pub(super) fn read(line: &mut &[u8]) -> Option<Frame> {
    let (kind, rest) = line.split_first()?;
    *line = rest;
    let id = if kind.is_ascii_uppercase() {
        Id::extended(read_digits(line, 8)?)?
    } else {
        Id::standard(u16::try_from(read_digits(line, 3)?).ok()?)?
    };
    let code = read_digits(line, 1)?;
    let mut data = [0; 64];
    match kind.to_ascii_lowercase() {
        b't' => Frame::classic(id, read_bytes(line, data.get_mut(..usize::try_from(code).ok()?)?)?),
        b'r' => Frame::remote(id, u8::try_from(code).ok()?),
        b'd' => Frame::fd(id, read_bytes(line, &mut data[..fd_length_of(code)?])?, false),
        b'b' => Frame::fd(id, read_bytes(line, &mut data[..fd_length_of(code)?])?, true),
        _ => None,
    }
}

pub(super) fn write_digits(number: u32, count: u32, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend((0..count).rev().map(|index| DIGITS[(number >> (4 * index) & 0xF) as usize]));
}

/// Reads as many hexadecimal digits, at most 8, in either case.
pub(super) fn read_digits(line: &mut &[u8], count: usize) -> Option<u32> {
    let (digits, rest) = line.split_at_checked(count)?;
    *line = rest;
    digits.iter().try_fold(0, |number, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

fn read_bytes<'a>(line: &mut &[u8], bytes: &'a mut [u8]) -> Option<&'a [u8]> {
    for byte in &mut *bytes {
        *byte = u8::try_from(read_digits(line, 2)?).ok()?;
    }
    Some(bytes)
}
