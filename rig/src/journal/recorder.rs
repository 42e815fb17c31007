//! The record plane: writes what the wire thread sends, and folds it.

use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use crate::event::{Event, Fact};
use crate::verdict::{Findings, Tally};

use super::{Journal, JournalError, Traffic};

/// How long the recorder sleeps when it has written all there is. It looks by itself rather than being woken: a wake-up
/// for each record would be a system call of the wire thread, which is not to wait for the record plane in any way.
const PAUSE: Duration = Duration::from_millis(10);

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

    #[cfg(test)]
    pub(super) fn to(journal: Journal) -> Self {
        Self { journal }
    }

    /// Records until all senders are gone. `live` sees each event after it is folded, and the first error of writing
    /// once there is one: what is played from then on leaves no record, so the session should be stopped.
    ///
    /// # Errors
    /// [`JournalError::NoStart`] where the first event is not the session's start. An error of writing is no error
    /// here: see [`Recorded::error`].
    pub fn run(
        self,
        records: &Receiver<Record>,
        mut live: impl FnMut(&Event, &Tally, Option<&JournalError>),
    ) -> Result<Recorded, JournalError> {
        let mut journal = self.journal;
        let mut first_error = None;
        let mut tally: Option<Tally> = None;
        loop {
            let written = match records.try_recv() {
                Ok(Record::Event(event)) => {
                    let tally = match (&mut tally, &event.fact) {
                        (Some(tally), _) => tally,
                        (none, Fact::Started(start)) => none.insert(Tally::new((**start).clone())),
                        _ => return Err(JournalError::NoStart),
                    };
                    let written = journal.event(&event);
                    tally.note(&event);
                    live(&event, tally, first_error.as_ref().or(written.as_ref().err()));
                    written
                }
                Ok(Record::Traffic(traffic)) => journal.traffic(&traffic),
                Err(TryRecvError::Empty) => {
                    let flushed = journal.flush();
                    thread::sleep(PAUSE);
                    flushed
                }
                Err(TryRecvError::Disconnected) => break,
            };
            remember(&mut first_error, written);
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
