//! The record plane: writes what the wire thread sends, and folds it.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::event::{Event, Fact};
use crate::verdict::{Findings, Tally};

use super::writer::FLUSH_AFTER;
use super::{Journal, JournalError, Traffic};

/// What the wire thread hands over.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A fact, for everyone after.
    Event(Event),
    /// Raw bytes, for the trace.
    Traffic(Traffic),
}

/// Writes and folds a session's records, on a thread of its own.
pub struct Recorder {
    journal: Journal,
}

/// What a recorder ends with.
#[derive(Debug)]
pub struct Recorded {
    /// What was found, whether or not it could be written.
    pub findings: Findings,
    /// The first error of writing. The session went on, the record is not whole, the program must say so (exit
    /// code 6), and the findings no longer say pass.
    pub error: Option<JournalError>,
}

impl Recorder {
    /// Makes the session's folder, before anything is played.
    ///
    /// # Errors
    /// See [`Journal::create`].
    pub fn create(folder: &Path) -> Result<Self, JournalError> {
        Ok(Self { journal: Journal::create(folder)? })
    }

    /// Records until all senders are gone. `live` sees each event after it is folded.
    ///
    /// # Errors
    /// [`JournalError::NoStart`] where the first event is not the session's start. An error of writing is no error
    /// here: see [`Recorded::error`].
    pub fn run(
        self,
        records: &Receiver<Record>,
        mut live: impl FnMut(&Event, &Tally),
    ) -> Result<Recorded, JournalError> {
        let mut journal = self.journal;
        let mut first_error = None;
        let mut tally: Option<Tally> = None;
        let every = Duration::from_nanos(FLUSH_AFTER);
        let mut flushed = Instant::now();
        loop {
            let written = match records.recv_timeout(every) {
                Ok(Record::Event(event)) => {
                    let tally = match (&mut tally, &event.fact) {
                        (Some(tally), _) => tally,
                        (none, Fact::Started(start)) => none.insert(Tally::new((**start).clone())),
                        _ => return Err(JournalError::NoStart),
                    };
                    let written = journal.event(&event);
                    tally.note(&event);
                    live(&event, tally);
                    written
                }
                Ok(Record::Traffic(traffic)) => journal.traffic(&traffic),
                Err(RecvTimeoutError::Timeout) => Ok(()),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            remember(&mut first_error, written);
            if flushed.elapsed() >= every {
                remember(&mut first_error, journal.flush());
                flushed = Instant::now();
            }
        }
        remember(&mut first_error, journal.finish());
        let mut findings = tally.ok_or(JournalError::NoStart)?.findings();
        if let Some(error) = &first_error {
            findings.doubt(error.to_string());
        }
        Ok(Recorded { findings, error: first_error })
    }
}

fn remember(first: &mut Option<JournalError>, result: Result<(), JournalError>) {
    if let Err(error) = result {
        first.get_or_insert(error);
    }
}
