//! How many ttys one process listens to at a baud rate with nothing lost.

use std::io;
use std::time::{Duration, Instant};

use rig::protocol::Unit;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::block::quantile;
use super::cpu;
use super::peer::{Peer, Role};
use super::wire::{self, Line};

/// A line on which nothing comes for so long has nothing more to bring.
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
}

/// Listens to streams on so many ttys for so long.
pub fn listen(ttys: usize, time: Duration) -> io::Result<Held> {
    let mut peer = Peer::start(Role::Stream, ttys)?;
    let before = cpu::taken();
    let ((all, streamed, ended), recorded) = wire::recorded(1, async |notes| {
        let lines = Line::open_all(&peer.ports, &notes).await?;
        let zero = wire::zero_of(notes.clock);
        peer.stream_for(time)?;
        let tasks: Vec<_> = lines.into_iter().map(|line| spawn_local(hear(line, zero))).collect();
        let mut all = Brought::default();
        for task in tasks {
            let brought = task.await??;
            all.whole += brought.whole;
            all.broken += brought.broken;
            all.stamps.extend(brought.stamps);
        }
        Ok((all, peer.streamed()?, Instant::now()))
    })?;
    let backlog = ended.elapsed();
    if let Some(error) = recorded.error {
        return Err(io::Error::other(error));
    }
    let Brought { whole, broken, mut stamps } = all;
    stamps.sort_unstable();
    Ok(Held {
        whole,
        lost: streamed.due.saturating_sub(whole).max(broken),
        stamp_p99: quantile(&stamps, 0.99),
        processors: cpu::taken().saturating_sub(before).as_secs_f64() / time.as_secs_f64(),
        backlog,
        peer_late: streamed.latest,
    })
}

async fn hear(mut line: Line, zero: u64) -> io::Result<Brought> {
    let mut buffer = [0; 4096];
    let mut brought = Brought::default();
    let mut wait = Duration::from_secs(10);
    let notes = line.notes();
    loop {
        let received = line.receive(&mut buffer, |arrived| match arrived.what {
            Unit::Whole(frame) => {
                brought.whole += 1;
                brought.stamps.push((zero + arrived.last.hi).saturating_sub(frame.header.stamp));
                notes.delivered(&arrived);
            }
            Unit::Broken { .. } => brought.broken += 1,
        });
        match timeout(wait, received).await {
            Ok(received) => received?,
            Err(_) => return Ok(brought),
        }
        wait = QUIET;
    }
}
