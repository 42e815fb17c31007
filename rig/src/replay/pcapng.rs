//! Packets of pcapng files (IETF draft-ietf-opsawg-pcapng).

use std::io::{self, Read};

use pcap_file::pcapng::PcapNgReader;
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::{Endianness, PcapError};
use rig_can::candump::Seen;
use rig_can::socketcan;

use super::ReplayError;
use super::recording::{Entry, LinkType, MOST, Recording, Unit, What};
use crate::stamp::Nanos;

/// The type of the first block, a section's head, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = SECTION.to_be_bytes();
/// What files of the older pcap format begin with: microseconds or nanoseconds, in both byte orders.
pub(super) const OLDER: [[u8; 4]; 4] =
    [[0xA1, 0xB2, 0xC3, 0xD4], [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0x3C, 0x4D], [0x4D, 0x3C, 0xB2, 0xA1]];

/// Types of blocks.
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const PACKET: u32 = 6;

/// The most interfaces of a section, with traffic or without.
const MOST_DESCRIBED: usize = 1000;

/// Reads a file. Every packet is counted, and those of interfaces that are not CAN are no entries.
pub(super) fn read(source: impl Read, cannot: impl Fn(io::Error) -> ReplayError) -> Result<Recording, ReplayError> {
    let mut recording = Recording::new(Unit::Packet);
    let broken = |after: u64, error| match error {
        PcapError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => cannot(error),
        source => ReplayError::Pcapng { after, source },
    };
    let mut reader = PcapNgReader::new(source).map_err(|error| broken(0, error))?;
    let mut order = reader.section().endianness;
    let mut described: Vec<Described> = Vec::new();
    let mut number = 0;
    while let Some(block) = reader.next_raw_block() {
        let block = block.map_err(|error| broken(number, error))?;
        match block.type_ {
            SECTION => {
                order = reader.section().endianness;
                described.clear();
            }
            INTERFACE if described.len() == MOST_DESCRIBED => return Err(ReplayError::ManyInterfaces),
            INTERFACE => {
                let number = described.len();
                described.extend(reader.interfaces().last().map(|block| Described::new(block, number)));
            }
            OBSOLETE_PACKET | SIMPLE_PACKET | PACKET => {
                number += 1;
                if number > MOST {
                    return Err(ReplayError::Large { unit: Unit::Packet });
                }
                let packet = if block.type_ == PACKET { Packet::read(&block.body, order) } else { None };
                let entry = entry(&mut recording, number, &mut described, packet)?;
                recording.entries.extend(entry);
            }
            _ => {}
        }
    }
    Ok(recording)
}

fn entry(
    recording: &mut Recording,
    number: u64,
    described: &mut [Described],
    packet: Option<Packet<'_>>,
) -> Result<Option<Entry>, ReplayError> {
    let unreadable = |interface, why| Entry { number, interface, at: 0, sent: None, what: What::Unreadable(why) };
    let Some(packet) = packet else {
        return Ok(Some(unreadable(None, "another form than that of an enhanced packet")));
    };
    let Some(described) = described.get_mut(packet.interface) else {
        return Ok(Some(unreadable(None, "an interface that the file does not describe")));
    };
    // What the file describes and has no traffic of needs no choice.
    let interface = match described.index {
        Some(index) => index,
        None => *described.index.insert(recording.interface(&described.name, described.link)?),
    };
    if described.link != LinkType::CAN {
        return Ok(None);
    }
    let interface = Some(interface);
    let Some(at) = described.time.nanos(packet.ticks) else {
        return Ok(Some(unreadable(interface, "a time before 1970 or after 2500")));
    };
    let what = match socketcan::from_packet(packet.data) {
        Some(Seen::Frame(frame)) => What::Frame(frame),
        Some(Seen::Error(..)) => What::Error,
        None => What::Unreadable("no whole frame"),
    };
    Ok(Some(Entry { number, interface, at, sent: packet.sent, what }))
}

/// An interface as the section describes it.
struct Described {
    name: String,
    link: LinkType,
    time: Time,
    /// Its place in the recording, once there is traffic of it.
    index: Option<usize>,
}

impl Described {
    fn new(block: &InterfaceDescriptionBlock, number: usize) -> Self {
        let name = block.options.iter().find_map(|option| match option {
            InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
            _ => None,
        });
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| number.to_string());
        Self { name, link: LinkType(block.linktype.into()), time: Time::new(block), index: None }
    }
}

/// How an interface counts time.
struct Time {
    /// Ticks of a second; `None` for more than can be told apart in nanoseconds or with 128 bits.
    ticks: Option<u128>,
    /// Seconds to be added.
    offset: i64,
}

impl Time {
    fn new(block: &InterfaceDescriptionBlock) -> Self {
        let mut time = Self { ticks: Some(1_000_000), offset: 0 };
        for option in &block.options {
            match *option {
                InterfaceDescriptionOption::IfTsResol(resolution) => {
                    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
                    time.ticks = base.checked_pow(u32::from(resolution & 0x7F));
                }
                InterfaceDescriptionOption::IfTsOffset(offset) => time.offset = offset.cast_signed(),
                _ => {}
            }
        }
        time
    }

    fn nanos(&self, ticks: u64) -> Option<Nanos> {
        let nanos = u128::from(ticks) * 1_000_000_000 / self.ticks?;
        let nanos = i128::try_from(nanos).ok()? + i128::from(self.offset) * 1_000_000_000;
        nanos.try_into().ok()
    }
}

/// An enhanced packet.
struct Packet<'a> {
    interface: usize,
    ticks: u64,
    data: &'a [u8],
    sent: Option<bool>,
}

impl<'a> Packet<'a> {
    /// Reads a block's body. The crate's own reader takes the ticks of every interface for nanoseconds, and a comment
    /// that is no text for the end of the file.
    fn read(body: &'a [u8], order: Endianness) -> Option<Self> {
        let word = |bytes| match order {
            Endianness::Big => u32::from_be_bytes(bytes),
            Endianness::Little => u32::from_le_bytes(bytes),
        };
        let (head, rest) = body.split_first_chunk::<20>()?;
        let (words, _) = head.as_chunks();
        let [interface, high, low, captured, _] = [words[0], words[1], words[2], words[3], words[4]].map(word);
        let captured = usize::try_from(captured).ok()?;
        let data = rest.get(..captured)?;
        let options = rest.get(captured.next_multiple_of(4)..).unwrap_or_default();
        let ticks = u64::from(high) << 32 | u64::from(low);
        // Bits 0 and 1 of the `epb_flags` option: inbound or outbound.
        let sent = match flags(options, order).unwrap_or_default() & 3 {
            1 => Some(false),
            2 => Some(true),
            _ => None,
        };
        Some(Self { interface: usize::try_from(interface).ok()?, ticks, data, sent })
    }
}

/// The `epb_flags` among a packet's options.
fn flags(mut options: &[u8], order: Endianness) -> Option<u32> {
    const END: u16 = 0;
    const FLAGS: u16 = 2;
    let short = |bytes| match order {
        Endianness::Big => u16::from_be_bytes(bytes),
        Endianness::Little => u16::from_le_bytes(bytes),
    };
    loop {
        let (&[a, b, c, d], rest) = options.split_first_chunk()?;
        let length = usize::from(short([c, d]));
        match (short([a, b]), rest.get(..length)?) {
            (END, _) => return None,
            (FLAGS, &[a, b, c, d]) => {
                return Some(match order {
                    Endianness::Big => u32::from_be_bytes([a, b, c, d]),
                    Endianness::Little => u32::from_le_bytes([a, b, c, d]),
                });
            }
            _ => options = rest.get(length.next_multiple_of(4)..)?,
        }
    }
}
