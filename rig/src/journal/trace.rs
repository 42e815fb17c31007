//! The raw traffic as pcapng (IETF draft-ietf-opsawg-pcapng): one interface a link, nanoseconds; RTAC serial packets for
//! bytes, SocketCAN packets for the frames of a bus.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use rig_can::{Format, Frame};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::event::Start;
use crate::plan::EdgeId;
use crate::stamp::Nanos;

/// What passed over a link, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The link's name: the device's, the instrument's or the bus's.
    pub link: Arc<str>,
    /// Whether rig sent it.
    pub outbound: bool,
    /// When: the first byte handed to the kernel, or the last one received; a frame's stamp.
    pub at: Nanos,
    /// What it was.
    pub what: Passed,
    /// The edge whose payload it is, where that is known.
    pub note: Option<EdgeId>,
    /// The trial.
    pub trial: Option<u32>,
}

/// What can pass over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Bytes, on a serial line or a connection.
    Bytes(Box<[u8]>),
    /// A frame, on a CAN bus.
    Frame(rig_can::Frame),
    /// An error frame: no frame of the bus, but what the kernel tells of it (`linux/can/error.h`).
    Error {
        /// The class bits, which stand in place of an identifier, without `CAN_ERR_FLAG`.
        class: u32,
        /// What is known more closely.
        data: [u8; 8],
    },
}

/// `LINKTYPE_RTAC_SERIAL` of the tcpdump.org registry.
const RTAC_SERIAL: u32 = 250;
/// `if_tsresol`: units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;
/// RTAC serial event types: "data transmit start" and "data receive start".
const TRANSMIT: u8 = 1;
const RECEIVE: u8 = 2;
/// `LINKTYPE_CAN_SOCKETCAN` of the tcpdump.org registry, and the flags of its packets: of the identifier (extended,
/// remote, error), and of FD frames (bit rate switch, error state indicator, FD format).
const CAN_SOCKETCAN: u32 = 227;
const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const ERROR: u32 = 0x2000_0000;
const SWITCH: u8 = 0x01;
const PASSIVE: u8 = 0x02;
const FD: u8 = 0x04;
/// Bits 0 and 1 of the `epb_flags` option.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// A trace being written.
pub(super) struct Trace<W: Write> {
    writer: PcapNgWriter<W>,
    wall: Duration,
    links: Vec<(Arc<str>, u32)>,
    labels: Vec<String>,
}

impl<W: Write> Trace<W> {
    /// Writes the head of a session's trace.
    pub fn start(sink: W, start: &Start) -> io::Result<Self> {
        let simulated = if start.simulated { ", simulated" } else { "" };
        let options = vec![
            SectionHeaderOption::UserApplication(Cow::Owned(format!("rig {}", start.rig))),
            SectionHeaderOption::Comment(Cow::Owned(format!("session {}{simulated}", start.session))),
        ];
        let section = SectionHeaderBlock { endianness: Endianness::Little, options, ..Default::default() };
        let writer = PcapNgWriter::with_section_header(sink, section).map_err(io_error)?;
        let labels = start.plan.edges().map(|(id, _)| start.plan.label(id)).collect();
        Ok(Self { writer, wall: since_1970(&start.wall), links: Vec::new(), labels })
    }

    /// Writes one packet; for the first of a link, its interface before it.
    pub fn write(&mut self, traffic: &Traffic) -> io::Result<()> {
        let timestamp = self.wall + Duration::from_nanos(traffic.at);
        let (kind, data) = match &traffic.what {
            Passed::Bytes(bytes) => (RTAC_SERIAL, rtac(timestamp, traffic.outbound, bytes)),
            Passed::Frame(frame) => (CAN_SOCKETCAN, of_frame(frame)),
            Passed::Error { class, data } => (CAN_SOCKETCAN, socketcan(class | ERROR, 8, 0, data)),
        };
        let interface_id = self.interface(&traffic.link, kind)?;
        let flags = if traffic.outbound { OUTBOUND } else { INBOUND };
        let mut options = vec![EnhancedPacketOption::Flags(flags)];
        options.extend(self.comment(traffic).map(|text| EnhancedPacketOption::Comment(text.into())));
        let original_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let packet = EnhancedPacketBlock { interface_id, timestamp, original_len, data: data.into(), options };
        self.writer.write_pcapng_block(packet).map(drop).map_err(io_error)
    }

    /// Hands everything to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }

    /// The sink.
    pub fn into_inner(self) -> W {
        self.writer.into_inner()
    }

    fn interface(&mut self, link: &Arc<str>, kind: u32) -> io::Result<u32> {
        let known = self.links.iter().position(|(known, of)| known == link && *of == kind);
        let index = known.unwrap_or(self.links.len());
        if known.is_none() {
            let options = vec![
                InterfaceDescriptionOption::IfName(Cow::Owned(link.to_string())),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ];
            let interface = InterfaceDescriptionBlock { linktype: DataLink::from(kind), snaplen: 0, options };
            self.writer.write_pcapng_block(interface).map_err(io_error)?;
            self.links.push((Arc::clone(link), kind));
        }
        u32::try_from(index).map_err(io::Error::other)
    }

    fn comment(&self, traffic: &Traffic) -> Option<String> {
        let label = traffic.note.and_then(|edge| self.labels.get(usize::from(edge.0)));
        match (label, traffic.trial) {
            (Some(label), Some(trial)) => Some(format!("{label}, trial {trial}")),
            (Some(label), None) => Some(label.clone()),
            (None, Some(trial)) => Some(format!("trial {trial}")),
            (None, None) => None,
        }
    }
}

/// The 12 bytes of an RTAC serial header, integers big endian, and the data (Wireshark, packet-rtacser.c: seconds,
/// microseconds, event type, control lines, two bytes of footer).
fn rtac(timestamp: Duration, outbound: bool, bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(12 + bytes.len());
    // The field has 32 bits, which last until 2106.
    data.extend(u32::try_from(timestamp.as_secs()).unwrap_or(u32::MAX).to_be_bytes());
    data.extend(timestamp.subsec_micros().to_be_bytes());
    data.extend([if outbound { TRANSMIT } else { RECEIVE }, 0, 0, 0]);
    data.extend(bytes);
    data
}

fn of_frame(frame: &Frame) -> Vec<u8> {
    let extended = if frame.id().is_extended() { EXTENDED } else { 0 };
    let (remote, flags) = match frame.format() {
        Format::Classic => (0, 0),
        Format::Remote => (REMOTE, 0),
        Format::Fd { switch, passive } => (0, FD | if switch { SWITCH } else { 0 } | if passive { PASSIVE } else { 0 }),
    };
    socketcan(frame.id().number() | extended | remote, frame.length(), flags, frame.data())
}

/// The 8 bytes of a SocketCAN header, the identifier big endian, and the data (tcpdump.org, `LINKTYPE_CAN_SOCKETCAN`:
/// identifier and its flags, length, flags of FD, two reserved bytes).
fn socketcan(id: u32, length: u8, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(8 + data.len());
    packet.extend(id.to_be_bytes());
    packet.extend([length, flags, 0, 0]);
    packet.extend(data);
    packet
}

/// A wall time as the time since 1970; 0 where it cannot be.
fn since_1970(wall: &str) -> Duration {
    let nanos = OffsetDateTime::parse(wall, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
