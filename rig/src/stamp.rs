//! An instant as rig can know it: an interval on the session clock, and who saw it.

mod foreign;
mod wall;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use foreign::{Contradiction, ForeignClock, narrow};
pub use wall::{ClockWatch, WallClock};

/// Nanoseconds on the session clock, which starts at 0 when the session starts.
pub type Nanos = u64;

/// A duration in nanoseconds, at most what 64 bits hold (584 years).
pub(crate) fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}

/// Who saw an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A clock in the adapter.
    Hardware,
    /// The kernel.
    Kernel,
    /// rig itself, around a system call.
    User,
    /// The device's own stamp, mapped to the session clock.
    Device,
    /// Nobody: it lies between two instants that were seen.
    Bounded,
}

/// An instant that lies somewhere in `[lo, hi]`.
///
/// ```
/// use rig::stamp::{Source, Stamp};
/// let sent = Stamp::new(1_000, 1_200, Source::User);
/// let arrived = Stamp::new(5_000, 5_100, Source::User);
/// let latency = arrived.since(sent);
/// assert_eq!((latency.lo, latency.hi), (3_800, 4_100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Nanos, Nanos, Source)", into = "(Nanos, Nanos, Source)")]
pub struct Stamp {
    /// The earliest it can have been.
    pub lo: Nanos,
    /// The latest it can have been.
    pub hi: Nanos,
    /// Who saw it.
    pub source: Source,
}

impl Stamp {
    /// An instant between `lo` and `hi`; bounds in the wrong order are put right.
    #[must_use]
    pub fn new(lo: Nanos, hi: Nanos, source: Source) -> Self {
        Self { lo: lo.min(hi), hi: lo.max(hi), source }
    }

    /// How long after `earlier` this is. Time does not run backwards: where the intervals overlap, from 0.
    #[must_use]
    pub fn since(self, earlier: Self) -> Elapsed {
        Elapsed { lo: self.lo.saturating_sub(earlier.hi), hi: self.hi.saturating_sub(earlier.lo) }
    }
}

impl From<(Nanos, Nanos, Source)> for Stamp {
    fn from((lo, hi, source): (Nanos, Nanos, Source)) -> Self {
        Self::new(lo, hi, source)
    }
}

impl From<Stamp> for (Nanos, Nanos, Source) {
    fn from(stamp: Stamp) -> Self {
        (stamp.lo, stamp.hi, stamp.source)
    }
}

/// A duration in nanoseconds, known to lie in `[lo, hi]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elapsed {
    /// At least this long.
    pub lo: Nanos,
    /// At most this long.
    pub hi: Nanos,
}

impl Elapsed {
    /// Holds the duration against a strict limit ("< 2 sec"): `Some(true)` wholly under it, `Some(false)` wholly at
    /// or over it, `None` across it.
    #[must_use]
    pub fn under(self, limit: Nanos) -> Option<bool> {
        if self.hi < limit {
            Some(true)
        } else if self.lo >= limit {
            Some(false)
        } else {
            None
        }
    }
}

/// The session clock. It reads tokio's clock, so the same session runs in real and in virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: tokio::time::Instant,
}

impl Clock {
    /// A clock that reads 0 now.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: tokio::time::Instant::now() }
    }

    /// Nanoseconds since the session started.
    #[must_use]
    pub fn now(&self) -> Nanos {
        nanos(self.origin.elapsed())
    }

    /// The instant for a timer.
    #[must_use]
    pub fn instant(&self, at: Nanos) -> tokio::time::Instant {
        self.origin + std::time::Duration::from_nanos(at)
    }
}
