//! What a replay ends with.

use serde::Serialize;

use super::Place;
use crate::stamp::Nanos;

/// How many failures are kept with their reason.
const KEPT: usize = 5;

/// What a replay did, and how well it kept its schedule.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// How many frames were on the bus.
    pub sent: u64,
    /// Frames that the bus did not take.
    pub failures: Failures,
    /// Frames that were not tried, because the replay ended before.
    pub not_tried: u64,
    /// How long after it was due each of them was handed over, at the latest.
    pub handed: Spread,
    /// How long after it was due each of them was on the bus, at the latest; its own time on the wire is part of it.
    pub on_bus: Spread,
    /// How many frames were handed over later than was tolerated.
    pub late: u64,
    /// How many replies came that were awaited.
    pub replies: u64,
    /// How many more came.
    pub surplus: u64,
    /// How much later the last frame was due than recorded, because of replies.
    pub shift: Nanos,
    /// How long it took.
    pub took: Nanos,
}

/// How a replay ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// At its end.
    #[default]
    Complete,
    /// It was asked to stop.
    Stopped,
    /// The reply did not come that is recorded there.
    NoReply(Place),
    /// The bus took nothing any more.
    Dead,
    /// The link to the bus is gone.
    Gone,
}

/// Frames that the bus did not take, or not in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// The first few, and why.
    pub first: Vec<(Place, String)>,
}

impl Failures {
    pub(super) fn add(&mut self, place: Place, why: String) {
        self.count += 1;
        if self.first.len() < KEPT {
            self.first.push((place, why));
        }
    }
}

/// Durations, of which quantiles can be told.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    durations: Vec<Nanos>,
}

/// The quantiles of a [`Spread`], in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: Nanos,
    /// 99 % are at most this.
    pub p99: Nanos,
    /// The longest.
    pub max: Nanos,
}

impl Spread {
    pub(super) fn add(&mut self, duration: Nanos) {
        self.durations.push(duration);
    }

    /// Its quantiles: of each, the smallest duration that so many are not longer than. `None` where there are none.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Quantiles { p50: at(50)?, p99: at(99)?, max: at(100)? })
    }
}
