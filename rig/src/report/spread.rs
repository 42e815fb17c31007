//! The latencies of a claim, in order, with what never arrived above all of them.

use super::quantity::latency;
use crate::stamp::{Elapsed, Nanos};
use crate::verdict::{Finding, Outcome, Point};

/// The percentiles that reports tell: their names and how many of how many are at or under them.
pub(super) const PERCENTILES: [(&str, u64, u64); 4] =
    [("p50", 1, 2), ("p90", 9, 10), ("p99", 99, 100), ("p99.9", 999, 1000)];

/// The latencies of every delivery that is in the statistics. What did not arrive, arrived flawed or was never seen
/// has none: it ranks above every limit and is never left out.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    latest: Vec<Nanos>,
    earliest: Vec<Nanos>,
    never: u64,
}

/// A quantile of a spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantile {
    /// The latency in nanoseconds; the upper end where it is an interval.
    Latency(Nanos),
    /// It falls among those that have no latency.
    Never,
    /// There are too few deliveries to show it.
    TooFew,
}

impl Quantile {
    /// The quantile in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Latency(nanos) => latency(nanos),
            Self::Never => "over any limit".to_owned(),
            Self::TooFew => "too few".to_owned(),
        }
    }
}

impl Spread {
    /// The spread of a claim's deliveries.
    pub(super) fn of(finding: &Finding) -> Self {
        let counted = finding.points.iter().filter(|point| point.outcome != Outcome::NotSent);
        let total = counted.clone().count();
        let latencies: Vec<Elapsed> = counted.filter_map(Point::timed).collect();
        let mut latest: Vec<Nanos> = latencies.iter().map(|latency| latency.hi).collect();
        let mut earliest: Vec<Nanos> = latencies.iter().map(|latency| latency.lo).collect();
        latest.sort_unstable();
        earliest.sort_unstable();
        let never = (total - latest.len()) as u64;
        Self { latest, earliest, never }
    }

    /// How many deliveries there are, those without a latency among them.
    pub(super) fn n(&self) -> u64 {
        self.latest.len() as u64 + self.never
    }

    /// How many have no latency.
    pub(super) fn never(&self) -> u64 {
        self.never
    }

    /// Upper ends of the latencies, the smallest first.
    pub(super) fn latest(&self) -> &[Nanos] {
        &self.latest
    }

    /// Lower ends of the latencies, the smallest first.
    pub(super) fn earliest(&self) -> &[Nanos] {
        &self.earliest
    }

    /// The smallest upper end and the largest: what an axis has to show.
    pub(super) fn ends(&self) -> Option<(Nanos, Nanos)> {
        Some((*self.latest.first()?, *self.latest.last()?))
    }

    /// The largest latency of all, those that have none included.
    pub(super) fn max(&self) -> Quantile {
        match (self.never, self.latest.last()) {
            (0, Some(latency)) => Quantile::Latency(*latency),
            (0, None) => Quantile::TooFew,
            _ => Quantile::Never,
        }
    }

    /// The quantile `part / of` by nearest rank. Shown from `n = 1 / (1 - q)` deliveries on: fewer have no value
    /// beyond it.
    pub(super) fn quantile(&self, part: u64, of: u64) -> Quantile {
        let (n, part, of) = (u128::from(self.n()), u128::from(part), u128::from(of));
        if n == 0 || n * (of - part) < of {
            return Quantile::TooFew;
        }
        let rank = usize::try_from((n * part).div_ceil(of).max(1)).unwrap_or(usize::MAX);
        self.latest.get(rank - 1).map_or(Quantile::Never, |latency| Quantile::Latency(*latency))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::demo::{claim, lost, on_time, point};

    #[test]
    fn a_lost_payload_ranks_above_every_latency() {
        let mut points: Vec<_> = (1..=99).map(|ms| on_time(ms, u64::from(ms) * 1_000_000)).collect();
        points.push(lost(100));
        let spread = Spread::of(&claim(points));
        assert_eq!(spread.quantile(1, 2), Quantile::Latency(50_000_000));
        assert_eq!(spread.quantile(99, 100), Quantile::Latency(99_000_000));
        assert_eq!(spread.quantile(999, 1000), Quantile::TooFew);
        assert_eq!((spread.n(), spread.never()), (100, 1));
        assert_eq!(spread.max(), Quantile::Never);
        assert_eq!(spread.ends(), Some((1_000_000, 99_000_000)));
    }

    #[test]
    fn with_two_of_a_hundred_lost_the_99th_percentile_is_never() {
        let mut points: Vec<_> = (1..=98).map(|ms| on_time(ms, 1_000_000)).collect();
        points.extend([lost(99), lost(100)]);
        assert_eq!(Spread::of(&claim(points)).quantile(99, 100), Quantile::Never);
    }

    #[test]
    fn what_arrived_flawed_ranks_above_every_latency_too() {
        let mut points: Vec<_> = (1..=98).map(|ms| on_time(ms, 1_000_000)).collect();
        let flawed = Outcome::Flawed(crate::event::Flaw::Duplicate);
        points.extend([99, 100].map(|trial| point(trial, flawed, Some((1_000_000, 1_000_000)))));
        let spread = Spread::of(&claim(points));
        assert_eq!((spread.n(), spread.never(), spread.quantile(99, 100)), (100, 2, Quantile::Never));
    }
}
