use super::{Nanos, Source, Stamp};

/// Maps the stamps of another clock, such as a device's, to the session clock.
///
/// What was stamped and then seen bounds the offset between the two clocks from above: it happened before it was seen.
/// What cannot have happened before a known instant bounds it from below too: a device makes its answer after the
/// command's last byte was on the wire. The bounds of all observations are intersected, each widened by the rate at
/// which the clocks may drift apart (the principle of K. Marzullo, S. Owicki, "Maintaining the time in a distributed
/// system", 1983).
#[derive(Clone, Copy, Debug)]
pub struct ForeignClock {
    drift_ppm: f64,
    lo: Option<Bound>,
    hi: Option<Bound>,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    /// Session clock minus the other clock, in nanoseconds.
    offset: i128,
    /// Session time of the observation.
    at: Nanos,
}

/// Stamps contradict each other: their clock was stepped, or runs further off than was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contradiction;

impl ForeignClock {
    /// A clock that is at most `drift_ppm` parts per million off in rate, of which nothing else is known yet.
    #[must_use]
    pub fn new(drift_ppm: f64) -> Self {
        Self { drift_ppm, lo: None, hi: None }
    }

    /// Forgets all: the other clock starts anew, as a device's does when it boots.
    pub fn reset(&mut self) {
        *self = Self::new(self.drift_ppm);
    }

    /// Takes something stamped `stamp` that was seen at `first`, and which happened after `after`.
    ///
    /// # Errors
    /// Where it contradicts earlier stamps; the clock then knows nothing.
    pub fn observe(&mut self, stamp: u64, after: Option<Stamp>, first: Stamp) -> Result<(), Contradiction> {
        let stamp = i128::from(stamp);
        let now = first.hi;
        let upper = i128::from(first.hi) - stamp;
        if self.hi.is_none_or(|bound| upper < bound.offset + self.widened(bound, now)) {
            self.hi = Some(Bound { offset: upper, at: now });
        }
        if let Some(after) = after {
            let lower = i128::from(after.lo) - stamp;
            if self.lo.is_none_or(|bound| lower > bound.offset - self.widened(bound, now)) {
                self.lo = Some(Bound { offset: lower, at: now });
            }
        }
        let (Some(lo), Some(hi)) = (self.lo, self.hi) else { return Ok(()) };
        if lo.offset - self.widened(lo, now) > hi.offset + self.widened(hi, now) {
            self.reset();
            return Err(Contradiction);
        }
        Ok(())
    }

    /// Takes it that what is stamped `stamp` happened after `after`, as an alarm does after what it tells of, unless
    /// that contradicts what is known: an alarm that was held back may tell of an earlier change.
    pub fn suppose(&mut self, stamp: u64, after: Stamp, first: Stamp) {
        let known = *self;
        if self.observe(stamp, Some(after), first).is_err() {
            *self = known;
        }
    }

    /// The instant of a stamp on the session clock, where the offset is bounded on both sides. `now` is when it was seen.
    #[must_use]
    pub fn map(&self, stamp: u64, now: Nanos) -> Option<Stamp> {
        let (lo, hi) = (self.lo?, self.hi?);
        let at = |offset: i128| u64::try_from(i128::from(stamp) + offset).unwrap_or(0);
        Some(Stamp::new(at(lo.offset - self.widened(lo, now)), at(hi.offset + self.widened(hi, now)), Source::Device))
    }

    #[expect(clippy::cast_possible_truncation, reason = "a drift over a session is far below 2^53 ns")]
    fn widened(&self, bound: Bound, now: Nanos) -> i128 {
        (now.saturating_sub(bound.at) as f64 * self.drift_ppm / 1e6).ceil() as i128
    }
}

/// The part of `stamp` that also lies in `narrower`; `stamp` itself where they have nothing in common.
#[must_use]
pub fn narrow(stamp: Stamp, narrower: Option<Stamp>) -> Stamp {
    let Some(other) = narrower else { return stamp };
    let (lo, hi) = (stamp.lo.max(other.lo), stamp.hi.min(other.hi));
    let tighter = hi - lo.min(hi) < stamp.hi - stamp.lo;
    if lo <= hi && tighter { Stamp::new(lo, hi, other.source) } else { stamp }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(at: Nanos) -> Stamp {
        Stamp::new(at, at, Source::User)
    }

    #[test]
    fn one_exchange_maps_no_better_than_what_was_seen() {
        let mut clock = ForeignClock::new(0.0);
        clock.observe(500, Some(seen(10_000)), seen(13_000)).unwrap();
        assert_eq!(clock.map(500, 13_000).map(|s| (s.lo, s.hi)), Some((10_000, 13_000)));
    }

    #[test]
    fn a_prompt_boot_payload_and_a_late_reply_pin_the_clock() {
        let mut clock = ForeignClock::new(0.0);
        clock.observe(1_000, None, seen(101_200)).unwrap();
        assert_eq!(clock.map(1_000, 101_200), None);
        clock.observe(51_000, Some(seen(151_000)), seen(9_000_000)).unwrap();
        assert_eq!(clock.map(51_000, 9_000_000).map(|s| (s.lo, s.hi)), Some((151_000, 151_200)));
    }

    #[test]
    fn bounds_widen_with_the_drift() {
        let mut clock = ForeignClock::new(100.0);
        clock.observe(0, Some(seen(1_000)), seen(1_000)).unwrap();
        let later = clock.map(1_000_000_000, 1_000_001_000).unwrap();
        assert_eq!((later.lo, later.hi), (1_000_001_000 - 100_000, 1_000_001_000 + 100_000));
    }

    #[test]
    fn a_stepped_clock_is_noticed_and_forgotten() {
        let mut clock = ForeignClock::new(100.0);
        clock.observe(0, Some(seen(1_000)), seen(1_200)).unwrap();
        assert_eq!(clock.observe(5_000_000_000, Some(seen(2_000)), seen(2_100)), Err(Contradiction));
        assert_eq!(clock.map(0, 3_000), None);
    }

    #[test]
    fn a_supposition_that_cannot_be_changes_nothing() {
        let mut clock = ForeignClock::new(0.0);
        clock.observe(0, Some(seen(1_000)), seen(1_200)).unwrap();
        clock.suppose(500, seen(9_000), seen(9_100));
        assert_eq!(clock.map(500, 9_100).map(|s| (s.lo, s.hi)), Some((1_500, 1_700)));
        clock.suppose(500, seen(1_600), seen(9_100));
        assert_eq!(clock.map(500, 9_100).map(|s| (s.lo, s.hi)), Some((1_600, 1_700)));
    }

    #[test]
    fn narrowing_never_widens_and_never_leaves_what_was_seen() {
        let wide = Stamp::new(100, 900, Source::Bounded);
        assert_eq!(narrow(wide, Some(Stamp::new(200, 300, Source::Device))).source, Source::Device);
        assert_eq!(narrow(wide, Some(Stamp::new(950, 960, Source::Device))), wide);
        assert_eq!(narrow(wide, Some(Stamp::new(0, 1_000, Source::Device))), wide);
    }
}
