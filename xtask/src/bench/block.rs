//! A block of exchanges, and what can be said of it.

use std::io;
use std::time::Duration;

use super::cpu;

/// Exchanges of one loop, one after another.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Times of one kind in nanoseconds, sorted once the block is over.
    pub whole: Vec<u64>,
    /// From handing over the request's first byte to the receive stamp of the reply's last.
    pub round_trips: Vec<u64>,
    /// From the peer's own stamp in a reply to the receive stamp.
    pub stamps: Vec<u64>,
    /// Processor time of the process, setting up and tearing down included, divided by the exchanges.
    pub cpu: f64,
}

impl Block {
    /// Fills a block on a thread of its own, which has what the host grants a wire thread.
    pub fn of(fill: impl FnOnce(&mut Self) -> io::Result<()> + Send) -> io::Result<Self> {
        let before = cpu::taken();
        let mut block = std::thread::scope(|scope| {
            let filled = scope.spawn(|| {
                let _granted = rig::host::prepare();
                let mut block = Self::default();
                fill(&mut block).map(|()| block)
            });
            filled.join().unwrap_or_else(|_| Err(io::Error::other("a benchmark's thread panicked")))
        })?;
        let taken = cpu::taken().saturating_sub(before);
        let exchanges = block.whole.len().max(block.stamps.len()).max(1);
        block.cpu = taken.as_nanos() as f64 / exchanges as f64;
        for times in [&mut block.whole, &mut block.round_trips, &mut block.stamps] {
            times.sort_unstable();
        }
        Ok(block)
    }
}

/// The time below or at which a share of sorted times lies (nearest rank).
pub fn quantile(sorted: &[u64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the slice")]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).map_or(f64::NAN, |time| *time as f64)
}

/// Nanoseconds of a duration.
pub fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
