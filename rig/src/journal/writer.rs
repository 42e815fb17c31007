//! Writes a record as it happens.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::event::{Event, Fact, Start};

use super::log::Log;
use super::trace::Trace;
use super::{EVENTS, JournalError, LOG, LONGEST_LINE, Passed, TRACE, Traffic};

/// What a file of the record is written to.
pub(super) trait Sink: Write + Send {
    /// Waits until the disk has it.
    fn sync(&self) -> io::Result<()>;
}

impl Sink for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Makes a file when it is needed.
type Opening = Box<dyn FnOnce() -> io::Result<Box<dyn Sink>> + Send>;
type Buffer = BufWriter<Box<dyn Sink>>;

/// A record being written.
///
/// Each method returns the first error of a file only; that file is then closed as it is, and what comes later is not
/// written to it, so that it stays a true beginning of the record. The other files go on.
pub struct Journal {
    events: Option<Buffer>,
    trace: Later<Box<dyn Sink>, Trace<Buffer>>,
    log: Later<Opening, Log<Buffer>>,
    /// When the session clock's 0 was, since 1970; none before the session's start.
    wall: Option<Duration>,
}

/// A file that is not written from the beginning.
enum Later<W, F> {
    /// For the session's start, which knows the wall time; the log of frames for the first one.
    Waiting(W),
    Open(Box<F>),
    Closed,
}

impl<W, F> Later<W, F> {
    /// Opens what waits; what is open is handed out.
    fn open(&mut self, open: impl FnOnce(W) -> io::Result<F>) -> io::Result<Option<&mut F>> {
        *self = match std::mem::replace(self, Self::Closed) {
            Self::Waiting(waiting) => Self::Open(Box::new(open(waiting)?)),
            other => other,
        };
        Ok(self.opened())
    }

    fn opened(&mut self) -> Option<&mut F> {
        if let Self::Open(file) = self { Some(file) } else { None }
    }

    fn close(&mut self) -> Option<F> {
        if let Self::Open(file) = std::mem::replace(self, Self::Closed) { Some(*file) } else { None }
    }
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
        let sink = |name| -> Result<Box<dyn Sink>, JournalError> {
            let path = folder.join(name);
            Ok(Box::new(File::create_new(&path).map_err(cannot(&path))?))
        };
        // The working directory may be another one by then.
        let log = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join(LOG);
        let log = move || -> io::Result<Box<dyn Sink>> { Ok(Box::new(File::create_new(log)?)) };
        Ok(Self::to(sink(EVENTS)?, sink(TRACE)?, Box::new(log)))
    }

    /// A record into any sinks.
    pub(super) fn to(events: Box<dyn Sink>, trace: Box<dyn Sink>, log: Opening) -> Self {
        let events = Some(BufWriter::new(events));
        Self { events, trace: Later::Waiting(trace), log: Later::Waiting(log), wall: None }
    }

    /// Writes an event; it may lie in a buffer until [`Journal::flush`].
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn event(&mut self, event: &Event) -> Result<(), JournalError> {
        if let Fact::Started(start) = &event.fact {
            self.start(start)?;
        }
        let Some(events) = &mut self.events else { return Ok(()) };
        write_line(events, event).map_err(|source| self.close_events(source))
    }

    /// Writes what passed over a link.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn traffic(&mut self, traffic: &Traffic) -> Result<(), JournalError> {
        let traced = self.trace.opened().map_or(Ok(()), |trace| trace.write(traffic));
        let traced = traced.map_err(|source| self.close_trace(source));
        let logged = self.log_frame(traffic).map_err(|source| self.close_log(source));
        traced.and(logged)
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.each(Write::flush)
    }

    /// Ends the record and waits until the disk has it.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn finish(mut self) -> Result<(), JournalError> {
        let flushed = self.flush();
        flushed.and(self.each(|buffer| buffer.get_ref().sync()))
    }

    fn start(&mut self, start: &Start) -> Result<(), JournalError> {
        let wall = *self.wall.get_or_insert_with(|| since_1970(&start.wall));
        let started = self.trace.open(|sink| Trace::start(BufWriter::new(sink), start, wall)).map(drop);
        started.map_err(|source| self.close_trace(source))
    }

    /// Writes a frame's line. The first frame makes the file: a session without CAN has none.
    fn log_frame(&mut self, traffic: &Traffic) -> io::Result<()> {
        let Some(wall) = self.wall else { return Ok(()) };
        if matches!(traffic.what, Passed::Bytes(_)) {
            return Ok(());
        }
        let log = self.log.open(|open| Ok(Log::start(BufWriter::new(open()?), wall)))?;
        log.map_or(Ok(()), |log| log.write(traffic))
    }

    /// Does the same to each open file. The first error is told, and all others are gone through all the same.
    fn each(&mut self, each: impl Fn(&mut Buffer) -> io::Result<()>) -> Result<(), JournalError> {
        let events = self.events.as_mut().map_or(Ok(()), &each).map_err(|source| self.close_events(source));
        let trace = self.trace.opened().map_or(Ok(()), |trace| each(trace.sink()));
        let trace = trace.map_err(|source| self.close_trace(source));
        let log = self.log.opened().map_or(Ok(()), |log| each(log.sink()));
        let log = log.map_err(|source| self.close_log(source));
        events.and(trace).and(log)
    }

    // Buffers are taken apart, so that their rest is not tried again and no gap can arise.

    fn close_events(&mut self, source: io::Error) -> JournalError {
        drop(self.events.take().map(BufWriter::into_parts));
        JournalError::Write { file: EVENTS, source }
    }

    fn close_trace(&mut self, source: io::Error) -> JournalError {
        drop(self.trace.close().map(|trace| trace.into_inner().into_parts()));
        JournalError::Write { file: TRACE, source }
    }

    fn close_log(&mut self, source: io::Error) -> JournalError {
        drop(self.log.close().map(|log| log.into_inner().into_parts()));
        JournalError::Write { file: LOG, source }
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

/// A wall time as the time since 1970; 0 where it cannot be.
fn since_1970(wall: &str) -> Duration {
    let nanos = OffsetDateTime::parse(wall, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
}
