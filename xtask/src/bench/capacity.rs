//! How many ttys one process listens to at a baud rate with nothing lost.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rig::protocol::Unit;
use tokio::task::{spawn_blocking, spawn_local};
use tokio::time::timeout;

use super::block::quantile;
use super::cpu;
use super::peer::{Peer, Role};
use super::wire::{self, Line};

/// A line on which nothing comes for so long after the peer's end has nothing more to bring.
const QUIET: Duration = Duration::from_millis(500);
/// A peer that is later than this has not offered the baud rate all the time.
const PUNCTUAL: Duration = Duration::from_millis(100);

/// What became of a stream on each of many ttys.
pub struct Held {
    /// Payloads that came whole.
    pub whole: u64,
    /// Payloads that were due and did not come, or came broken.
    pub lost: u64,
    /// How far the receive stamp lies behind the peer's own, 99th percentile, in nanoseconds.
    pub stamp_p99: f64,
    /// Processors that the process kept busy, of its own time alone.
    pub processors: f64,
    /// How long the recorder still wrote after the wire thread was done.
    pub backlog: Duration,
    /// How late the peer was at the worst.
    pub peer_late: Duration,
    /// The longest that nothing came on a line between two payloads: what the kernel or the peer held back, or rig.
    pub silence: Duration,
}

impl Held {
    /// Whether nothing was lost.
    pub fn all(&self) -> bool {
        self.lost == 0
    }

    /// Whether the peer offered the baud rate.
    pub fn offered(&self) -> bool {
        self.peer_late < PUNCTUAL
    }
}

/// What one line brought.
#[derive(Default)]
struct Brought {
    whole: u64,
    broken: u64,
    stamps: Vec<u64>,
    silence: Duration,
}

/// Listens to streams on so many ttys for so long.
pub fn listen(ttys: usize, time: Duration) -> io::Result<Held> {
    let mut peer = Peer::start(Role::Stream, ttys)?;
    let before = cpu::taken();
    let ((all, streamed, ended), recorded) = wire::recorded(1, async |notes| {
        let lines = Line::open_all(&peer.ports, &notes).await?;
        let zero = wire::zero_of(notes.clock);
        peer.stream_for(time)?;
        let over = Rc::new(Cell::new(false));
        let tasks: Vec<_> = lines.into_iter().map(|line| spawn_local(hear(line, zero, Rc::clone(&over)))).collect();
        // A thread waits for the peer's end; the peer itself, and its ttys, stay until all is read.
        let (streamed, _peer) = spawn_blocking(move || (peer.streamed(), peer)).await?;
        over.set(true);
        let mut all = Brought::default();
        for task in tasks {
            let brought = task.await??;
            all.whole += brought.whole;
            all.broken += brought.broken;
            all.stamps.extend(brought.stamps);
            all.silence = all.silence.max(brought.silence);
        }
        Ok((all, streamed?, Instant::now()))
    })?;
    let backlog = ended.elapsed();
    if let Some(error) = recorded.error {
        return Err(io::Error::other(error));
    }
    let Brought { whole, broken, mut stamps, silence } = all;
    stamps.sort_unstable();
    Ok(Held {
        whole,
        lost: streamed.due.saturating_sub(whole).max(broken),
        stamp_p99: quantile(&stamps, 0.99),
        processors: cpu::taken().saturating_sub(before).as_secs_f64() / time.as_secs_f64(),
        backlog,
        peer_late: streamed.latest,
        silence,
    })
}

async fn hear(mut line: Line, zero: u64, over: Rc<Cell<bool>>) -> io::Result<Brought> {
    let mut buffer = [0; 4096];
    let mut brought = Brought::default();
    let notes = line.notes();
    let mut last = None::<Instant>;
    loop {
        let received = line.receive(&mut buffer, |arrived| match arrived.what {
            Unit::Whole(frame) => {
                brought.whole += 1;
                brought.stamps.push((zero + arrived.last.hi).saturating_sub(frame.header.stamp));
                notes.delivered(&arrived);
            }
            Unit::Broken { .. } => brought.broken += 1,
        });
        match timeout(QUIET, received).await {
            Ok(received) => received?,
            Err(_) if over.get() => return Ok(brought),
            Err(_) => continue,
        }
        let now = Instant::now();
        let silence = last.replace(now).map_or(Duration::ZERO, |last| now - last);
        brought.silence = brought.silence.max(silence);
    }
}
