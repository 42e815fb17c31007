//! The wire plane without a plan: links, protocol, events and traffic as in a session, on ttys of any number.

use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use rig::event::{Arrival, Delivery, End, Event, Fact};
use rig::fixture;
use rig::journal::synthetic::Synthetic;
use rig::journal::{Passed, Record, Recorded, Recorder, Traffic};
use rig::link::can::Seen;
use rig::link::{BenchPorts, Link, turn};
use rig::plan::EdgeId;
use rig::protocol::{self, Arrived, Receiver, Unit};
use rig::stamp::{Clock, Stamp};
use tokio::task::{LocalSet, spawn_local};

use super::block::{Block, nanos};
use super::{cpu, payload, peer};

const REQUEST: EdgeId = EdgeId(0);
const REPLY: EdgeId = EdgeId(1);

/// Where a wire thread leaves its records: what a session's notes are.
pub struct Notes {
    /// The session clock.
    pub clock: Clock,
    records: Sender<Record>,
    trial: Cell<u32>,
}

impl Notes {
    /// Notes a fact of the current trial.
    pub fn note(&self, fact: Fact) {
        let _ = self.records.send(Record::Event(Event { at: self.clock.now(), trial: Some(self.trial.get()), fact }));
    }

    /// Notes bytes.
    pub fn traffic(&self, link: &Arc<str>, outbound: bool, at: u64, bytes: &[u8]) {
        let (link, what, trial) = (Arc::clone(link), Passed::Bytes(bytes.into()), Some(self.trial.get()));
        let _ = self.records.send(Record::Traffic(Traffic { link, outbound, at, what, note: None, trial }));
    }

    /// Notes a frame of a CAN bus.
    pub fn frame(&self, bus: &Arc<str>, own: bool, seen: &Seen) {
        let (link, what) = (Arc::clone(bus), Passed::Frame(seen.frame));
        let trial = Some(self.trial.get());
        let traffic = Traffic { link, outbound: own, at: seen.at.hi, what, note: None, trial };
        let _ = self.records.send(Record::Traffic(traffic));
    }

    /// Notes an exchange as a trial of its own.
    fn exchanged(&self, sent: Stamp, arrived: &Arrived) {
        self.trial.set(self.trial.get() + 1);
        self.note(Fact::TrialStarted);
        self.note(delivery(REQUEST, Some(sent), sent, arrived));
        self.note(delivery(REPLY, Some(sent), arrived.last, arrived));
        self.note(Fact::TrialEnded { void: false });
    }

    /// Notes a payload that came by itself.
    pub fn delivered(&self, arrived: &Arrived) {
        self.note(delivery(REPLY, None, arrived.last, arrived));
    }
}

fn delivery(edge: EdgeId, sent: Option<Stamp>, at: Stamp, arrived: &Arrived) -> Fact {
    Fact::Delivery(Delivery {
        on_wire: None,
        edge,
        sent,
        arrived: Some(at),
        cause: None,
        size: Some(arrived.size),
        sequence: Some(1),
        correlation: Some(1),
        end: Arrival::Whole,
    })
}

/// Runs `play` on the calling thread as a session's wire thread runs, with a recorder beside it that writes a journal.
pub fn recorded<T>(trials: u32, play: impl AsyncFnOnce(Rc<Notes>) -> io::Result<T>) -> io::Result<(T, Recorded)> {
    let folder = tempfile::tempdir()?;
    recorded_in(&folder.path().join("session"), trials, play)
}

/// The same, with the journal in a folder that is made for it.
pub fn recorded_in<T>(
    folder: &Path,
    trials: u32,
    play: impl AsyncFnOnce(Rc<Notes>) -> io::Result<T>,
) -> io::Result<(T, Recorded)> {
    let journal = Recorder::create(folder).map_err(io::Error::other)?;
    let (records, received) = mpsc::channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || journal.run(&received, |_, _, _| {}));
        let runtime = turn::watch(tokio::runtime::Builder::new_current_thread().enable_all()).build()?;
        let played = runtime.block_on(LocalSet::new().run_until(async {
            let notes = Rc::new(Notes { clock: Clock::start(), records, trial: Cell::new(0) });
            let synthetic = Synthetic { planned: trials, played: trials, lost: 0.0, seed: 1 };
            notes.note(Fact::Started(Box::new(synthetic.start())));
            let played = play(Rc::clone(&notes)).await;
            notes.note(Fact::Ended(End::Complete));
            played
        }))?;
        let recorded = writer.join().map_err(|_| io::Error::other("the recorder panicked"))?;
        Ok((played, recorded.map_err(io::Error::other)?))
    })
}

/// A tty with rig's link on it, as a session's port has it.
pub struct Line {
    name: Arc<str>,
    link: Link,
    receiver: Receiver,
    notes: Rc<Notes>,
}

impl Line {
    /// Opens a tty.
    pub async fn open(port: &Path, notes: &Rc<Notes>) -> io::Result<Self> {
        let spec = fixture::Stream::Serial(fixture::Serial {
            port: fixture::Port::Path(port.to_owned()),
            baud: peer::BAUD,
            parity: fixture::Parity::None,
            stop_bits: 1,
            flow: fixture::Flow::None,
            rs485_echo: false,
        });
        Ok(Self {
            name: port.display().to_string().into(),
            link: Link::open(&spec, &BenchPorts::None, notes.clock).await.map_err(io::Error::other)?,
            receiver: Receiver::new(protocol::of(fixture::Protocol::ReferenceFrame)),
            notes: Rc::clone(notes),
        })
    }

    /// Opens many ttys.
    pub async fn open_all(ports: &[PathBuf], notes: &Rc<Notes>) -> io::Result<Vec<Self>> {
        let mut lines = Vec::new();
        for port in ports {
            lines.push(Self::open(port, notes).await?);
        }
        Ok(lines)
    }

    /// Where the line leaves its records.
    pub fn notes(&self) -> Rc<Notes> {
        Rc::clone(&self.notes)
    }

    /// Waits for bytes; notes them and hands over what ends in them.
    pub async fn receive(&mut self, buffer: &mut [u8], found: impl FnMut(Arrived)) -> io::Result<()> {
        let chunk = self.link.receive(buffer).await?;
        let bytes = &buffer[..chunk.length];
        self.notes.traffic(&self.name, false, chunk.read.hi, bytes);
        self.receiver.take(&chunk, bytes, found);
        Ok(())
    }

    /// Exchanges one after another. `seen` gets each reply, and what the peer's clock read when it made it.
    async fn exchanges(mut self, count: u16, mut seen: impl FnMut(&Arrived, u64)) -> io::Result<()> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        for sequence in 0..count {
            bytes.clear();
            self.receiver.protocol().encode(&payload::request(sequence), &mut bytes);
            let sent = self.link.send(&bytes).await?;
            self.notes.traffic(&self.name, true, sent.first.lo, &bytes);
            let mut reply = None;
            while reply.is_none() {
                self.receive(&mut buffer, |arrived| {
                    if let Unit::Whole(frame) = arrived.what {
                        reply = Some((arrived, frame.header.stamp));
                    }
                })
                .await?;
            }
            if let Some((arrived, made)) = reply {
                seen(&arrived, made);
                self.notes.exchanged(sent.first, &arrived);
            }
        }
        Ok(())
    }
}

/// How many exchanges there were in a second.
#[derive(Clone, Copy)]
pub struct Rate {
    /// On the wire.
    pub on_wire: f64,
    /// Counted until the recorder had written all of them to the disk.
    pub recorded: f64,
}

/// Exchanges one after another on each of many ttys at once, a task a tty as a session's ports have.
pub fn exchanges_at_once(ports: &[PathBuf], each: u16) -> io::Result<Rate> {
    let all = u32::from(each) * u32::try_from(ports.len()).unwrap_or(u32::MAX);
    let ((start, elapsed), recorded) = recorded(all, async |notes| {
        let lines = Line::open_all(ports, &notes).await?;
        let start = Instant::now();
        let tasks: Vec<_> = lines.into_iter().map(|line| spawn_local(line.exchanges(each, |_, _| {}))).collect();
        for task in tasks {
            task.await??;
        }
        Ok((start, start.elapsed()))
    })?;
    let recorded_after = start.elapsed();
    if recorded.error.is_some() || recorded.findings.trials.counted != all {
        return Err(io::Error::other(format!("{} exchanges recorded of {all}", recorded.findings.trials.counted)));
    }
    let rate = |time: Duration| f64::from(all) / time.as_secs_f64();
    Ok(Rate { on_wire: rate(elapsed), recorded: rate(recorded_after) })
}

/// Exchanges one after another on one tty, and how far rig's receive stamp lies behind the peer's own.
pub fn stamps(port: &Path, count: u16, block: &mut Block) -> io::Result<()> {
    recorded(u32::from(count), async |notes| {
        let zero = zero_of(notes.clock);
        let line = Line::open(port, &notes).await?;
        line.exchanges(count, |arrived, made| block.stamps.push((zero + arrived.last.hi).saturating_sub(made))).await
    })
    .map(drop)
}

/// What `CLOCK_MONOTONIC` read when the session clock read 0. Both are the same clock with another zero, so the
/// narrowest of many pairs of readings around one of the session clock tells it within tens of nanoseconds.
pub fn zero_of(clock: Clock) -> u64 {
    let pairs = (0..1_000).map(|_| (nanos(cpu::monotonic()), clock.now(), nanos(cpu::monotonic())));
    let (before, now, after) = pairs.min_by_key(|(before, _, after)| after - before).unwrap_or_default();
    before.midpoint(after).saturating_sub(now)
}
