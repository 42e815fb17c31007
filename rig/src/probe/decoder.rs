use std::path::PathBuf;

use defmt_decoder::{DecodeError, Encoding, Frame, Locations, Table};
use probe_rs::Core;
use probe_rs::rtt::{self, Rtt, ScanRegion};

use super::line::{self, LogLine, nanoseconds};
use super::{Image, ProbeError};
use crate::visible::visible_up_to;

/// The most bytes that wait for the end of their line.
const UNFINISHED: usize = 16 * 1024;
/// The most lines that are told at once.
const MOST_LINES: usize = 256;
/// The most characters of a location.
const LOCATION: usize = 100;
/// defmt's channel: the first.
const CHANNEL: usize = 0;

/// Reads a program's log: defmt over RTT.
pub(super) struct Decoder {
    path: PathBuf,
    /// Address of RTT's control block.
    block: u64,
    table: Table,
    locations: Locations,
    /// Where the program's log is, once it has started.
    rtt: Option<Rtt>,
    bytes: Vec<u8>,
}

/// What was found in a log.
pub(super) struct Harvest {
    /// Whether the program keeps a log now.
    pub(super) kept: bool,
    pub(super) lines: Vec<LogLine>,
    /// Whether nothing was left.
    pub(super) emptied: bool,
    /// Pieces that made no line.
    pub(super) garbled: u32,
}

impl Decoder {
    /// A decoder of what a program logs.
    ///
    /// # Errors
    /// Where it logs nothing, or not by defmt over RTT.
    pub(super) fn new(image: &Image) -> Result<Self, ProbeError> {
        let no_log = |cause: String| ProbeError::NoLog { path: image.path().to_owned(), cause };
        let block = image.symbol("_SEGGER_RTT").ok_or_else(|| no_log("it has no RTT control block".to_owned()))?;
        let table = Table::parse(image.bytes()).map_err(|error| no_log(visible_up_to(&format!("{error:#}"), 300)))?;
        let table = table.ok_or_else(|| no_log("it does not log by defmt".to_owned()))?;
        // Without debugging information there are no locations, and the log is as good.
        let locations = table.get_locations(image.bytes()).unwrap_or_default();
        Ok(Self { path: image.path().to_owned(), block, table, locations, rtt: None, bytes: Vec::new() })
    }

    /// Forgets a log of before a reset, on the target too: what is there then was written after it.
    pub(super) fn clear(&mut self, core: &mut Core<'_>) -> Result<(), probe_rs::Error> {
        self.rtt = None;
        self.bytes.clear();
        match Rtt::clear_control_block(core, &ScanRegion::Exact(self.block)) {
            Err(rtt::Error::Probe(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads what has been logged since the last time.
    pub(super) fn read(&mut self, core: &mut Core<'_>) -> Result<Harvest, ProbeError> {
        let nothing = Harvest { kept: false, lines: Vec::new(), emptied: true, garbled: 0 };
        // More on top of lines that wait would have no bound.
        if self.has_more() {
            let (lines, garbled) = self.take_lines();
            return Ok(Harvest { kept: true, lines, emptied: false, garbled });
        }
        let mut rtt = match self.rtt.take() {
            Some(rtt) => rtt,
            None => match Rtt::attach_region(core, &ScanRegion::Exact(self.block)) {
                Ok(rtt) => rtt,
                Err(rtt::Error::Probe(error)) => return Err(error.into()),
                // It has not started yet.
                Err(_) => return Ok(nothing),
            },
        };
        let Some(channel) = rtt.up_channel(CHANNEL) else {
            return Err(ProbeError::NoLog { path: self.path.clone(), cause: "its RTT has no channel".to_owned() });
        };
        let mut buffer = [0; 4096];
        let count = match channel.read(core, &mut buffer) {
            Ok(count) => count,
            Err(rtt::Error::Probe(error)) => return Err(error.into()),
            // It was reset, and begins anew: what it had begun to say does not go on.
            Err(_) => {
                self.bytes.clear();
                return Ok(Harvest { kept: true, emptied: false, ..nothing });
            }
        };
        self.rtt = Some(rtt);
        self.bytes.extend_from_slice(&buffer[..count]);
        let (lines, garbled) = self.take_lines();
        Ok(Harvest { kept: true, lines, emptied: count < buffer.len() && !self.has_more(), garbled })
    }

    /// Whether lines wait that were too many to be told at once.
    fn has_more(&self) -> bool {
        match self.table.encoding() {
            Encoding::Rzcobs => self.bytes.contains(&0),
            _ => self.table.decode(&self.bytes).is_ok(),
        }
    }

    /// Takes whole lines from the bytes.
    fn take_lines(&mut self) -> (Vec<LogLine>, u32) {
        let (mut lines, mut garbled) = (Vec::new(), 0);
        while lines.len() < MOST_LINES {
            let (piece, taken) = match self.table.encoding() {
                Encoding::Rzcobs => {
                    let Some(end) = self.bytes.iter().position(|byte| *byte == 0) else { break };
                    let mut decoder = self.table.new_stream_decoder();
                    decoder.received(&self.bytes[..=end]);
                    (decoder.decode().map(|frame| self.line(&frame)), end + 1)
                }
                _ => match self.table.decode(&self.bytes) {
                    Ok((frame, taken)) => (Ok(self.line(&frame)), taken),
                    Err(DecodeError::UnexpectedEof) => break,
                    // Without frames nothing says where the next line starts.
                    Err(error) => (Err(error), self.bytes.len()),
                },
            };
            match piece {
                Ok(line) => lines.push(line),
                // Nothing between two separators.
                Err(DecodeError::UnexpectedEof) => {}
                Err(DecodeError::Malformed) => garbled += 1,
            }
            self.bytes.drain(..taken);
        }
        if self.bytes.len() > UNFINISHED && !self.has_more() {
            self.bytes.clear();
            garbled += 1;
        }
        (lines, garbled)
    }

    fn line(&self, frame: &Frame<'_>) -> LogLine {
        let location = self.locations.get(&frame.index());
        LogLine {
            level: frame.level().map(|level| level.as_str().to_owned()).unwrap_or_default(),
            text: bounded(&frame.display_message().to_string(), line::LONGEST),
            stamp: frame.display_timestamp().and_then(|stamp| nanoseconds(&stamp.to_string())),
            location: location.map(|at| bounded(&format!("{}:{}", at.file.display(), at.line), LOCATION)),
        }
    }
}

fn bounded(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
