//! Logs of candump's.

use std::io::{self, BufRead, Read};

use rig_can::candump::{self, LineError, Seen};

use super::ReplayError;
use super::recording::{Entry, LinkType, MOST, Recording, Unit, What};

/// The most bytes of a line, its end included; an FD frame's has some 200.
const LONGEST_LINE: u64 = 4096;

/// Reads a log. Empty lines are no entries, all others are.
pub(super) fn read(
    mut source: impl BufRead,
    cannot: impl Fn(io::Error) -> ReplayError,
) -> Result<Recording, ReplayError> {
    let mut recording = Recording::new(Unit::Line);
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes).map_err(&cannot)? == 0 {
            break;
        }
        if bytes.len() as u64 == LONGEST_LINE {
            return Err(ReplayError::LongLine { line: number });
        }
        if number > MOST {
            return Err(ReplayError::Large { unit: Unit::Line });
        }
        let line = bytes.trim_ascii();
        if !line.is_empty() {
            let entry = entry(&mut recording, number, line)?;
            recording.entries.push(entry);
        }
    }
    Ok(recording)
}

fn entry(recording: &mut Recording, number: u64, line: &[u8]) -> Result<Entry, ReplayError> {
    let unreadable = |why| Entry { number, interface: None, at: 0, sent: None, what: What::Unreadable(why) };
    let Ok(line) = str::from_utf8(line) else { return Ok(unreadable("bytes that are no text")) };
    let record = match candump::parse(line) {
        Ok(record) => record,
        Err(LineError::Time) => return Ok(unreadable("no time such as (1436509052.249713) at its beginning")),
        Err(LineError::Interface) => return Ok(unreadable("no interface after the time")),
        Err(LineError::Frame) => return Ok(unreadable("no frame after the interface")),
        Err(LineError::Rest) => return Ok(unreadable("more than a frame and its direction")),
    };
    let Some(at) = record.at.checked_mul(1000) else { return Ok(unreadable("a time after the year 2500")) };
    let what = match record.seen {
        Seen::Frame(frame) => What::Frame(frame),
        Seen::Error(..) => What::Error,
    };
    let interface = Some(recording.interface(&record.interface, LinkType::CAN)?);
    Ok(Entry { number, interface, at, sent: record.sent, what })
}
