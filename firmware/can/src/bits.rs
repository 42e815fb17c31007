//! How long a frame is on the wire (ISO 11898-1:2015, 10.4 and 10.5).

use crate::{Format, Frame, Id};

/// Bits per second of a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rate {
    /// Of arbitration, and of all of a classic frame.
    pub nominal: u32,
    /// Of the data phase of FD frames with bit rate switch; `None` on a classic bus.
    pub data: Option<u32>,
}

/// Bits of a frame, its stuff bits and the three of intermission after it included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    /// At the nominal rate.
    pub nominal: u32,
    /// At the rate of the data phase.
    pub data: u32,
}

/// Bits after the CRC delimiter: ACK slot and delimiter, end of frame, intermission.
const TAIL: u32 = 2 + 7 + 3;
/// The CRC delimiter of both formats.
const DELIMITER: u32 = 1;
/// The CRC field of FD frames up to 16 bytes: stuff count with its parity, CRC-17, and a fixed stuff bit before them
/// and after every four of them.
const CRC_17_FIELD: u32 = 4 + 17 + 6;
/// The same with CRC-21, of longer frames.
const CRC_21_FIELD: u32 = 4 + 21 + 7;
/// Generator polynomial of CRC-15 (10.4.2.6), without its highest term.
const CRC_15: u16 = 0x4599;

/// The bits of a frame, exactly: its stuff bits follow from its contents.
///
/// The rate switches within the BRS bit and back within the CRC delimiter, each time at the sample point. Where both
/// rates have theirs at the same share of a bit, the two halves make one bit of each rate; so the BRS bit counts as
/// nominal and the delimiter as data.
#[must_use]
pub fn of(frame: &Frame) -> Bits {
    match frame.format() {
        Format::Classic | Format::Remote => Bits { nominal: classic(frame), data: 0 },
        Format::Fd { switch, passive } => fd(frame, switch, passive),
    }
}

/// Nanoseconds that a frame takes on a bus, rounded up. A bus without a data rate sends all of it at the nominal one.
#[must_use]
pub fn time(frame: &Frame, rate: Rate) -> u64 {
    let bits = of(frame);
    // A rate of 0 is no rate; 1 keeps the division whole.
    let nominal = u128::from(rate.nominal.max(1));
    let data = u128::from(rate.data.unwrap_or(rate.nominal).max(1));
    let scaled = u128::from(bits.nominal) * data + u128::from(bits.data) * nominal;
    u64::try_from((scaled * 1_000_000_000).div_ceil(nominal * data)).unwrap_or(u64::MAX)
}

fn classic(frame: &Frame) -> u32 {
    let mut bits = Stuffed::default();
    bits.push_identifier(frame.id());
    // RTR; the FD format bit, and IDE or a reserved bit, are dominant.
    bits.push(u32::from(frame.format() == Format::Remote), 1);
    bits.push(0, 2);
    bits.push(u32::from(frame.length()), 4);
    bits.push_bytes(frame.data());
    bits.push(u32::from(bits.crc), 15);
    bits.count + bits.stuff + DELIMITER + TAIL
}

fn fd(frame: &Frame, switch: bool, passive: bool) -> Bits {
    let mut bits = Stuffed::default();
    bits.push_identifier(frame.id());
    // RRS, and after a standard identifier IDE, both dominant; FD format recessive, reserved dominant, BRS.
    bits.push(0, if matches!(frame.id(), Id::Standard(_)) { 2 } else { 1 });
    bits.push(0b10, 2);
    bits.push(u32::from(switch), 1);
    // A stuff bit that the BRS bit calls for comes after it, in the data phase.
    let arbitration = bits.count + bits.stuff - u32::from(bits.run == 5);
    bits.push(u32::from(passive), 1);
    bits.push(frame.length_code(), 4);
    bits.push_bytes(frame.data());
    // Where the data ends with five equal bits there is only the fixed stuff bit of the CRC field (10.5).
    let stuffed = bits.count + bits.stuff - u32::from(bits.run == 5);
    let crc = if frame.length() <= 16 { CRC_17_FIELD } else { CRC_21_FIELD };
    let data = stuffed - arbitration + crc + DELIMITER;
    if switch {
        Bits { nominal: arbitration + TAIL, data }
    } else {
        Bits { nominal: arbitration + data + TAIL, data: 0 }
    }
}

/// Counts bits as they are stuffed: after five equal ones, one of the other value, which counts for the next five.
#[derive(Default)]
struct Stuffed {
    count: u32,
    stuff: u32,
    crc: u16,
    last: bool,
    /// How many bits at the end are equal; 5 where a stuff bit follows, which `stuff` already counts.
    run: u8,
}

impl Stuffed {
    /// The low `length` bits of `value`, the highest first.
    fn push(&mut self, value: u32, length: u32) {
        for index in (0..length).rev() {
            self.push_bit(value >> index & 1 == 1);
        }
    }

    /// Start of frame and the identifier; an extended one in two parts, with SRR and IDE between them.
    fn push_identifier(&mut self, id: Id) {
        self.push(0, 1);
        match id {
            Id::Standard(id) => self.push(u32::from(id), 11),
            Id::Extended(id) => {
                self.push(id >> 18, 11);
                self.push(0b11, 2);
                self.push(id, 18);
            }
        }
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.push(u32::from(*byte), 8);
        }
    }

    fn push_bit(&mut self, bit: bool) {
        if self.run == 5 {
            self.last = !self.last;
            self.run = 1;
        }
        self.run = if bit == self.last { self.run + 1 } else { 1 };
        self.last = bit;
        self.count += 1;
        self.stuff += u32::from(self.run == 5);
        let feedback = bit != (self.crc >> 14 & 1 == 1);
        self.crc = (self.crc << 1 & 0x7FFF) ^ if feedback { CRC_15 } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of parametrised CRC algorithms, CRC-15/CAN.
    #[test]
    fn the_checksum_is_crc_15_can() {
        let mut bits = Stuffed::default();
        bits.push_bytes(b"123456789");
        assert_eq!(bits.crc, 0x059E);
    }

    /// The example of ISO 11898-1: every fifth bit, then every fourth, as stuff bits count too.
    #[test]
    fn stuff_bits_count_for_the_next_ones() {
        for (value, length, stuff) in [
            (0b0_0000, 5, 1),
            (0b1_1111, 5, 1),
            (0b0_0001, 5, 0),
            (0b0_0000_1111, 9, 2),
            (0b0_0000_1111_0000, 13, 3),
            (0b0_0000_0000, 9, 1),
            (0b00_0000_0000, 10, 2),
            (0b0101_0101, 8, 0),
        ] {
            let mut bits = Stuffed::default();
            bits.push(value, length);
            assert_eq!((bits.count, bits.stuff), (length, stuff), "{value:b}");
        }
    }
}
