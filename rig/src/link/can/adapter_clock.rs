use crate::stamp::{ForeignClock, Nanos, Source, Stamp};

/// How far an adapter's clock and the session clock may drift apart: 100 ppm of a poor crystal, and 500 ppm that the
/// kernel may slew its own clock (RFC 5905, section 11.3).
const DRIFT_PPM: f64 = 600.0;

/// The clock of an adapter that stamps frames: a count of ticks that may start again.
pub(super) struct AdapterClock {
    clock: ForeignClock,
    tick: Nanos,
    /// When the count starts again; `None` where it does not within any session.
    wrap: Option<Nanos>,
    /// The newest stamp, as if the count never started again, and when it was seen.
    newest: Option<(Nanos, Nanos)>,
}

impl AdapterClock {
    pub(super) fn new(tick: Nanos, wrap: Option<Nanos>) -> Self {
        Self { clock: ForeignClock::new(DRIFT_PPM), tick, wrap, newest: None }
    }

    /// When a frame was on the bus that the adapter stamped with `count` and that was there at `seen`. `None` where
    /// the adapter's stamps contradict each other: it was reset, and what was known of its clock is forgotten.
    pub(super) fn narrow(&mut self, count: Nanos, seen: Stamp) -> Option<Stamp> {
        let stamp = self.unwrapped(count, seen.hi);
        self.newest = Some((stamp, seen.hi));
        if self.clock.observe_tick(stamp, self.tick, Some(seen), seen).is_err() {
            self.newest = None;
            return None;
        }
        let mapped = self.clock.map(stamp, seen.hi)?;
        let (lo, hi) = (mapped.lo.max(seen.lo), mapped.hi.saturating_add(self.tick).min(seen.hi));
        (lo <= hi).then_some(Stamp::new(lo, hi, Source::Hardware))
    }

    /// The count as if it never started again: of all that it can mean, the one nearest to what is due.
    fn unwrapped(&self, count: Nanos, seen: Nanos) -> Nanos {
        let (Some(wrap), Some((newest, at))) = (self.wrap, self.newest) else { return count };
        let due = newest + seen.saturating_sub(at);
        let rounds = due.saturating_sub(count) / wrap;
        let [early, late] = [rounds, rounds + 1].map(|rounds| count + rounds * wrap);
        if due.abs_diff(early) <= due.abs_diff(late) { early } else { late }
    }
}

#[cfg(test)]
mod tests {
    use super::AdapterClock;
    use crate::stamp::{Source, Stamp};
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;
    const WRAP: u64 = 60_000 * MS;

    fn seen(lo: u64, hi: u64) -> Stamp {
        Stamp::new(lo, hi, Source::User)
    }

    #[test]
    fn a_stamp_narrows_what_was_seen_late() {
        let mut clock = AdapterClock::new(MS, Some(WRAP));
        // The adapter reads 100 ms at session time 1000 ms.
        clock.narrow(100 * MS, seen(999 * MS, 1_000 * MS + 200_000)).expect("a stamp");
        clock.narrow(200 * MS, seen(1_099 * MS, 1_100 * MS + 100_000)).expect("a stamp");
        let late = clock.narrow(300 * MS, seen(1_100 * MS, 1_250 * MS)).expect("a stamp");
        assert_eq!(late.source, Source::Hardware);
        assert!(late.lo <= 1_200 * MS && 1_200 * MS <= late.hi && late.hi - late.lo < 4 * MS, "{late:?}");
    }

    #[test]
    fn an_adapter_that_starts_anew_contradicts_itself_and_is_learnt_again() {
        let mut clock = AdapterClock::new(MS, Some(WRAP));
        clock.narrow(5_000 * MS, seen(999 * MS, 1_000 * MS)).expect("a stamp");
        assert_eq!(clock.narrow(10 * MS, seen(1_999 * MS, 2_000 * MS)), None);
        assert!(clock.narrow(20 * MS, seen(2_009 * MS, 2_010 * MS)).is_some());
    }

    proptest! {
        /// Whatever the adapter's clock starts at, and however often it starts again: the true instant is never left.
        #[test]
        fn the_true_instant_is_in_the_stamp(
            start in 0..60_000_u64,
            gaps in proptest::collection::vec((0..50_000_000_000_u64, 0..3_000_000_u64, 0..3_000_000_u64), 1..40),
        ) {
            let mut clock = AdapterClock::new(MS, Some(WRAP));
            let mut now = 10_000 * MS;
            for (gap, before, after) in gaps {
                now += gap;
                let count = (start * MS + now) / MS * MS % WRAP;
                let stamp = clock.narrow(count, seen(now - before, now + after)).expect("no contradiction");
                prop_assert!(stamp.lo <= now && now <= stamp.hi, "{} in {:?}", now, stamp);
            }
        }
    }
}
