use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use super::LayoutError;

/// A run of bits in a frame's data, as Vector's DBC files write it: `16|12@1- (0.1,0)`, which is start bit, length,
/// byte order (1 little endian, 0 big endian), sign, and what the number is multiplied with and what is added.
///
/// Bit `n` is bit `n % 8` of byte `n / 8`, the lowest being 0. A little-endian signal starts at its lowest bit and goes
/// up; a big-endian one starts at its highest, goes down to bit 0 of the byte, and on at bit 7 of the next.
///
/// ```
/// use rig_can::layout::Signal;
/// let signal: Signal = "16|12@1- (0.1,0)".parse()?;
/// let mut data = [0; 8];
/// signal.put(&mut data, -12);
/// assert_eq!(data, [0, 0, 0x88, 0x0F, 0, 0, 0, 0]);
/// assert_eq!(signal.get(&data), Some(-12));
/// assert_eq!("7|16@0+".parse::<Signal>()?.to_string(), "7|16@0+");
/// # Ok::<(), rig_can::layout::LayoutError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Signal {
    start: u16,
    length: u8,
    big_endian: bool,
    signed: bool,
    factor: f64,
    offset: f64,
}

/// Bits of the longest frame.
const BITS: u16 = 64 * 8;

impl Signal {
    /// The value that data carries, rounded to a whole number, and clamped where 64 bits do not hold it; `None` where
    /// the data is too short.
    #[must_use]
    pub fn get(&self, data: &[u8]) -> Option<i64> {
        let mut raw = 0_i128;
        for (byte, bit) in self.bits() {
            raw = raw << 1 | i128::from(data.get(byte)? >> bit & 1);
        }
        if self.signed && raw > self.most() {
            raw -= 1 << self.length;
        }
        let value = if self.is_plain() { raw } else { rounded(raw as f64 * self.factor + self.offset) };
        Some(clamped(value))
    }

    /// Writes a value, rounded to a number that the signal has, and clamped where its bits do not hold it. Bits outside
    /// of the data are not written.
    pub fn put(&self, data: &mut [u8], value: i64) {
        let raw = if self.is_plain() { i128::from(value) } else { rounded((value as f64 - self.offset) / self.factor) };
        let raw = raw.clamp(self.least(), self.most());
        for (index, (byte, bit)) in (0..self.length).rev().zip(self.bits()) {
            if let Some(byte) = data.get_mut(byte) {
                *byte = *byte & !(1 << bit) | u8::from(raw >> index & 1 == 1) << bit;
            }
        }
    }

    /// Its bits from the highest to the lowest, each as its byte and its place in that.
    pub(super) fn bits(self) -> impl Iterator<Item = (usize, u16)> {
        (0..u16::from(self.length)).map(move |index| {
            if self.big_endian {
                // Counted from the highest bit of the first byte, a big-endian signal is one run.
                let bit = (self.start ^ 7) + index;
                (usize::from(bit / 8), 7 - bit % 8)
            } else {
                let bit = self.start + u16::from(self.length) - 1 - index;
                (usize::from(bit / 8), bit % 8)
            }
        })
    }

    /// Bytes of the shortest data that holds it.
    #[must_use]
    pub fn size(&self) -> usize {
        usize::from((self.first() + u16::from(self.length)).div_ceil(8))
    }

    /// Where its run begins, in the count of its byte order.
    fn first(self) -> u16 {
        if self.big_endian { self.start ^ 7 } else { self.start }
    }

    /// Whether values are its numbers as they are, without the loss that arithmetic on floating-point numbers has.
    #[expect(clippy::float_cmp, reason = "exactly these, as they were written")]
    fn is_plain(self) -> bool {
        self.factor == 1.0 && self.offset == 0.0
    }

    fn least(self) -> i128 {
        if self.signed { -(1 << (self.length - 1)) } else { 0 }
    }

    fn most(self) -> i128 {
        if self.signed { (1 << (self.length - 1)) - 1 } else { (1 << self.length) - 1 }
    }
}

/// The nearest whole number; halves go away from zero. Casts saturate, so any number has one.
#[expect(clippy::cast_possible_truncation, reason = "it saturates, and what it cuts is looked at")]
fn rounded(number: f64) -> i128 {
    let whole = number as i128;
    let rest = number - whole as f64;
    if rest >= 0.5 {
        whole.saturating_add(1)
    } else if rest <= -0.5 {
        whole.saturating_sub(1)
    } else {
        whole
    }
}

fn clamped(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = u8::from(!self.big_endian);
        let sign = if self.signed { '-' } else { '+' };
        write!(f, "{}|{}@{order}{sign}", self.start, self.length)?;
        if self.is_plain() { Ok(()) } else { write!(f, " ({},{})", self.factor, self.offset) }
    }
}

impl FromStr for Signal {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let signal = read(text).ok_or_else(|| {
            LayoutError(alloc::format!(
                "`{}` is no signal: write start bit, length, byte order and sign, such as 16|12@1- or 16|12@1- (0.1,0)",
                text.escape_default()
            ))
        })?;
        let wrong = |problem: &str| Err(LayoutError(alloc::format!("the signal {signal} {problem}")));
        if !(1..=64).contains(&signal.length) {
            wrong("has a length that cannot be: choose 1 to 64 bits")
        } else if signal.start >= BITS || signal.size() > usize::from(BITS / 8) {
            wrong("does not fit 64 bytes: start it earlier or make it shorter")
        } else if !(signal.factor.is_finite() && signal.offset.is_finite()) || signal.factor == 0.0 {
            wrong("has a factor or offset that cannot be: choose numbers, and a factor other than 0")
        } else {
            Ok(signal)
        }
    }
}

fn read(text: &str) -> Option<Signal> {
    let (start, rest) = text.trim().split_once('|')?;
    let (length, rest) = rest.split_once('@')?;
    let (big_endian, rest) = match rest.split_at_checked(1)? {
        ("0", rest) => (true, rest),
        ("1", rest) => (false, rest),
        _ => return None,
    };
    let (signed, rest) = match rest.split_at_checked(1)? {
        ("+", rest) => (false, rest),
        ("-", rest) => (true, rest),
        _ => return None,
    };
    let (factor, offset) = match rest.trim() {
        "" => (1.0, 0.0),
        scale => {
            let (factor, offset) = scale.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
            (factor.trim().parse().ok()?, offset.trim().parse().ok()?)
        }
    };
    Some(Signal {
        start: number(start)?,
        length: u8::try_from(number(length)?).ok()?,
        big_endian,
        signed,
        factor,
        offset,
    })
}

fn number(digits: &str) -> Option<u16> {
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl TryFrom<String> for Signal {
    type Error = LayoutError;

    fn try_from(text: String) -> Result<Self, LayoutError> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        alloc::format!("{signal}")
    }
}
