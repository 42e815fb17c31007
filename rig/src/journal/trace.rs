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
use rig_can::candump::Seen;
use rig_can::socketcan::{LINK_TYPE, to_packet};

use crate::event::Start;

use super::{Passed, Traffic};

/// `LINKTYPE_RTAC_SERIAL` of the tcpdump.org registry.
const RTAC_SERIAL: u32 = 250;
/// `if_tsresol`: units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;
/// RTAC serial event types: "data transmit start" and "data receive start".
const TRANSMIT: u8 = 1;
const RECEIVE: u8 = 2;
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
    /// Writes the head of a session's trace. The session clock's 0 was at `wall`, a time since 1970.
    pub fn start(sink: W, start: &Start, wall: Duration) -> io::Result<Self> {
        let simulated = if start.simulated { ", simulated" } else { "" };
        let options = vec![
            SectionHeaderOption::UserApplication(Cow::Owned(format!("rig {}", start.rig))),
            SectionHeaderOption::Comment(Cow::Owned(format!("session {}{simulated}", start.session))),
        ];
        let section = SectionHeaderBlock { endianness: Endianness::Little, options, ..Default::default() };
        let writer = PcapNgWriter::with_section_header(sink, section).map_err(io_error)?;
        let labels = start.plan.edges().map(|(id, _)| start.plan.label(id)).collect();
        Ok(Self { writer, wall, links: Vec::new(), labels })
    }

    /// Writes one packet; for the first of a link, its interface before it.
    pub fn write(&mut self, traffic: &Traffic) -> io::Result<()> {
        let timestamp = self.wall + Duration::from_nanos(traffic.at);
        let (kind, data) = match &traffic.what {
            Passed::Bytes(bytes) => (RTAC_SERIAL, rtac(timestamp, traffic.outbound, bytes)),
            Passed::Frame(frame) => (LINK_TYPE, to_packet(&Seen::Frame(*frame))),
            Passed::Error { class, data } => (LINK_TYPE, to_packet(&Seen::Error(*class, *data))),
        };
        let interface_id = self.interface(&traffic.link, kind)?;
        let flags = if traffic.outbound { OUTBOUND } else { INBOUND };
        let mut options = vec![EnhancedPacketOption::Flags(flags)];
        options.extend(self.comment(traffic).map(|text| EnhancedPacketOption::Comment(text.into())));
        let original_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let packet = EnhancedPacketBlock { interface_id, timestamp, original_len, data: data.into(), options };
        self.writer.write_pcapng_block(packet).map(drop).map_err(io_error)
    }

    /// The sink.
    pub fn sink(&mut self) -> &mut W {
        self.writer.get_mut()
    }

    /// The sink, and nothing more is written.
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

fn io_error(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
