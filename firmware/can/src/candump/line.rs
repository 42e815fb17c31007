use super::{CLASSES, ERROR, LineError, PASSIVE, Record, SWITCH, Seen};
use crate::{Frame, Id};

/// The most characters of an interface's name. The kernel's have 15; logs of other programs name serial ports.
const LONGEST_NAME: usize = 255;

/// Reads a line, without its end.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &str) -> Result<Record, LineError> {
    let mut words = line.split_ascii_whitespace();
    let at = words.next().and_then(time).ok_or(LineError::Time)?;
    let interface = words.next().filter(|word| is_name(word)).ok_or(LineError::Interface)?;
    let seen = words.next().and_then(seen).ok_or(LineError::Frame)?;
    let sent = match words.next() {
        None => None,
        Some("T") => Some(true),
        Some("R") => Some(false),
        Some(_) => return Err(LineError::Rest),
    };
    match words.next() {
        None => Ok(Record { at, interface: interface.into(), seen, sent }),
        Some(_) => Err(LineError::Rest),
    }
}

fn is_name(word: &str) -> bool {
    word.len() <= LONGEST_NAME && word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Seconds and microseconds; newer logs with nanoseconds are read down to the microsecond.
fn time(word: &str) -> Option<u64> {
    let (seconds, fraction) = word.strip_prefix('(')?.strip_suffix(')')?.split_once('.')?;
    let microseconds = match fraction.len() {
        6 => decimal(fraction)?,
        9 => decimal(fraction)? / 1000,
        _ => return None,
    };
    decimal(seconds)?.checked_mul(1_000_000)?.checked_add(microseconds)
}

fn decimal(digits: &str) -> Option<u64> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

fn seen(word: &str) -> Option<Seen> {
    let (id, data) = word.split_once('#')?;
    match (id.len(), hexadecimal(id)?) {
        (8, number) if number & !CLASSES == ERROR => {
            let mut bytes = [0; 8];
            (read(data, &mut bytes)?.len() == 8).then_some(Seen::Error(number & CLASSES, bytes))
        }
        (8, number) => frame(Id::extended(number)?, data).map(Seen::Frame),
        (3, number) => frame(Id::standard(u16::try_from(number).ok()?)?, data).map(Seen::Frame),
        _ => None,
    }
}

fn frame(id: Id, data: &str) -> Option<Frame> {
    let mut bytes = [0; 64];
    if let Some(length) = data.strip_prefix(['R', 'r']) {
        let length = if length.is_empty() { 0 } else { decimal(length)? };
        return Frame::remote(id, u8::try_from(length).ok()?);
    }
    let Some(fd) = data.strip_prefix('#') else {
        return Frame::classic(id, read(data, &mut bytes)?);
    };
    let (flags, data) = fd.split_at_checked(1)?;
    let flags = hexadecimal(flags)?;
    let is_set = |flag: u8| flags & u32::from(flag) != 0;
    Frame::fd(id, read(data, &mut bytes)?, is_set(SWITCH)).map(|frame| frame.sent_passively(is_set(PASSIVE)))
}

/// Bytes of two hexadecimal digits, which dots may separate; as many as there is room for, or none.
fn read<'a>(text: &str, bytes: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut rest = text;
    let mut length = 0;
    while !rest.is_empty() {
        let (byte, after) = rest.strip_prefix('.').filter(|_| length > 0).unwrap_or(rest).split_at_checked(2)?;
        *bytes.get_mut(length)? = u8::try_from(hexadecimal(byte)?).ok()?;
        length += 1;
        rest = after;
    }
    Some(&bytes[..length])
}

fn hexadecimal(digits: &str) -> Option<u32> {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}
