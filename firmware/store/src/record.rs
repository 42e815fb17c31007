use crc::{CRC_32_ISO_HDLC, Crc};
use rig_device::Memory;

/// What every bit of erased flash reads as.
pub(crate) const ERASED: u32 = u32::MAX;

/// Version of the record's layout.
const LAYOUT: u8 = 1;
/// The word with the CRC.
const CHECK: usize = Record::WORDS - 1;
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A memory as it lies in flash: 6 words of 32 bits.
///
/// ```text
/// 0 sequence │ 1 boots, last setting │ 2 setting │ 3 trips, capped, layout │ 4 energy │ 5 CRC-32 over words 0 to 4
/// ```
///
/// Words are little endian, and so are the bytes that the CRC covers. The CRC is programmed last and is never the
/// erased word, so that a record that was cut short is never whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Counts the records of a store from 1.
    pub sequence: u32,
    /// What is kept.
    pub memory: Memory,
}

impl Record {
    /// Words of a record.
    pub const WORDS: usize = 6;

    /// The record's words, in the order in which they are programmed.
    #[must_use]
    pub fn words(&self) -> [u32; Self::WORDS] {
        let memory = &self.memory;
        let [trips_low, trips_high] = memory.trips.to_le_bytes();
        let mut words = [
            self.sequence,
            u32::from(memory.boots) | u32::from(memory.last_setting) << 16,
            memory.setting.cast_unsigned(),
            u32::from_le_bytes([trips_low, trips_high, u8::from(memory.capped), LAYOUT]),
            memory.energy_wh,
            ERASED,
        ];
        words[CHECK] = check(&words);
        words
    }

    /// The record of its words; `None` where they are not those of a whole record.
    #[must_use]
    pub fn from_words(words: [u32; Self::WORDS]) -> Option<Self> {
        if check(&words) != words[CHECK] {
            return None;
        }
        let [sequence, counts, setting, flags, energy_wh, _] = words;
        let [boots_low, boots_high, last_low, last_high] = counts.to_le_bytes();
        let [trips_low, trips_high, capped, layout] = flags.to_le_bytes();
        let memory = Memory {
            boots: u16::from_le_bytes([boots_low, boots_high]),
            last_setting: u16::from_le_bytes([last_low, last_high]),
            setting: setting.cast_signed(),
            capped: capped != 0,
            trips: u16::from_le_bytes([trips_low, trips_high]),
            energy_wh,
        };
        (layout == LAYOUT).then_some(Self { sequence, memory })
    }
}

fn check(words: &[u32; Record::WORDS]) -> u32 {
    let mut digest = CHECKSUM.digest();
    for word in &words[..CHECK] {
        digest.update(&word.to_le_bytes());
    }
    match digest.finalize() {
        ERASED => !ERASED,
        check => check,
    }
}
