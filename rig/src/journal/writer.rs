//! Writes a record as it happens.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::event::{Event, Fact};

use super::trace::{Trace, Traffic};
use super::{EVENTS, JournalError, LONGEST_LINE, TRACE};

type Sink = Box<dyn Write + Send>;

/// A record being written.
///
/// Each method returns the first error of its file only; that file is then closed as it is, and what comes later is
/// not written to it, so that it stays a true beginning of the record.
pub struct Journal {
    events: Option<BufWriter<Sink>>,
    trace: TraceFile,
    files: Vec<(&'static str, File)>,
}

enum TraceFile {
    /// Waits for the session's start, which knows the wall time.
    Waiting(Sink),
    Open(Box<Trace<BufWriter<Sink>>>),
    Closed,
}

impl Journal {
    /// Makes the session's folder and its files.
    ///
    /// # Errors
    /// [`JournalError::Exists`] where the folder is there already, [`JournalError::Create`] where it cannot be made.
    pub fn create(folder: &Path) -> Result<Self, JournalError> {
        let cannot = |path: &Path| {
            let path = path.to_owned();
            |source| JournalError::Create { path, source }
        };
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(cannot(parent))?;
        }
        fs::create_dir(folder).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => JournalError::Exists(folder.to_owned()),
            _ => JournalError::Create { path: folder.to_owned(), source },
        })?;
        let mut files = Vec::new();
        let mut sink = |name| -> Result<Sink, JournalError> {
            let path = folder.join(name);
            let file = File::create_new(&path).map_err(cannot(&path))?;
            files.push((name, file.try_clone().map_err(cannot(&path))?));
            Ok(Box::new(file))
        };
        let (events, trace) = (sink(EVENTS)?, sink(TRACE)?);
        Ok(Self { files, ..Self::to(events, trace) })
    }

    /// A record into any sinks.
    pub(super) fn to(events: Sink, trace: Sink) -> Self {
        Self { events: Some(BufWriter::new(events)), trace: TraceFile::Waiting(trace), files: Vec::new() }
    }

    /// Writes an event; it may lie in a buffer until [`Journal::flush`].
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn event(&mut self, event: &Event) -> Result<(), JournalError> {
        if let Fact::Started(start) = &event.fact {
            self.start_trace(start)?;
        }
        let Some(events) = &mut self.events else { return Ok(()) };
        write_line(events, event).map_err(|source| self.close_events(source))
    }

    /// Writes bytes that passed over a link.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn traffic(&mut self, traffic: &Traffic) -> Result<(), JournalError> {
        let TraceFile::Open(trace) = &mut self.trace else { return Ok(()) };
        trace.write(traffic).map_err(|source| self.close_trace(source))
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        if let Some(Err(source)) = self.events.as_mut().map(Write::flush) {
            return Err(self.close_events(source));
        }
        if let TraceFile::Open(trace) = &mut self.trace {
            trace.flush().map_err(|source| self.close_trace(source))?;
        }
        Ok(())
    }

    /// Ends the record and waits until the disk has it.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn finish(mut self) -> Result<(), JournalError> {
        self.flush()?;
        for (name, file) in &self.files {
            file.sync_all().map_err(|source| JournalError::Write { file: name, source })?;
        }
        Ok(())
    }

    fn start_trace(&mut self, start: &crate::event::Start) -> Result<(), JournalError> {
        match std::mem::replace(&mut self.trace, TraceFile::Closed) {
            TraceFile::Waiting(sink) => {
                let trace = Trace::start(BufWriter::new(sink), start);
                let trace = trace.map_err(|source| JournalError::Write { file: TRACE, source })?;
                self.trace = TraceFile::Open(Box::new(trace));
            }
            other => self.trace = other,
        }
        Ok(())
    }

    fn close_events(&mut self, source: io::Error) -> JournalError {
        // Taken apart, so that the buffer's rest is not tried again and no gap can arise.
        drop(self.events.take().map(BufWriter::into_parts));
        JournalError::Write { file: EVENTS, source }
    }

    fn close_trace(&mut self, source: io::Error) -> JournalError {
        if let TraceFile::Open(trace) = std::mem::replace(&mut self.trace, TraceFile::Closed) {
            drop(trace.into_inner().into_parts());
        }
        JournalError::Write { file: TRACE, source }
    }
}

fn write_line(events: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    if line.len() > LONGEST_LINE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "an event is longer than 1 MiB"));
    }
    events.write_all(&line)
}
