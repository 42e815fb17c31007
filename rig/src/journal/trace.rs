//! The raw traffic as pcapng (IETF draft-ietf-opsawg-pcapng): one interface a link, RTAC serial packets, nanoseconds.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::event::Start;
use crate::plan::EdgeId;
use crate::stamp::Nanos;

/// Bytes that passed over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The link's name: the device's or instrument's.
    pub link: Arc<str>,
    /// Whether rig sent them.
    pub outbound: bool,
    /// When: the first byte handed to the kernel, or the last one received.
    pub at: Nanos,
    /// The bytes.
    pub bytes: Box<[u8]>,
    /// The edge whose payload they are, where that is known.
    pub note: Option<EdgeId>,
    /// The trial.
    pub trial: Option<u32>,
}

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
    links: Vec<Arc<str>>,
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
        let interface_id = self.interface(&traffic.link)?;
        let timestamp = self.wall + Duration::from_nanos(traffic.at);
        let data = rtac(timestamp, traffic);
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

    fn interface(&mut self, link: &Arc<str>) -> io::Result<u32> {
        let known = self.links.iter().position(|known| known == link);
        let index = known.unwrap_or(self.links.len());
        if known.is_none() {
            let options = vec![
                InterfaceDescriptionOption::IfName(Cow::Owned(link.to_string())),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ];
            let interface = InterfaceDescriptionBlock { linktype: DataLink::from(RTAC_SERIAL), snaplen: 0, options };
            self.writer.write_pcapng_block(interface).map_err(io_error)?;
            self.links.push(Arc::clone(link));
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
fn rtac(timestamp: Duration, traffic: &Traffic) -> Vec<u8> {
    let mut data = Vec::with_capacity(12 + traffic.bytes.len());
    // The field has 32 bits, which last until 2106.
    data.extend(u32::try_from(timestamp.as_secs()).unwrap_or(u32::MAX).to_be_bytes());
    data.extend(timestamp.subsec_micros().to_be_bytes());
    data.extend([if traffic.outbound { TRANSMIT } else { RECEIVE }, 0, 0, 0]);
    data.extend(&traffic.bytes);
    data
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
