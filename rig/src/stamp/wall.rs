//! The wall clock, which may be stepped, against the clock that stamps are taken from, which is not.

use std::time::{Duration, Instant, SystemTime};

use super::{Clock, Nanos, Source, Stamp};

/// The fastest that the kernel slews the wall clock, in parts per million (RFC 5905, section 11.3). More is a step.
const SLEW_PPM: i128 = 500;

/// Notices when the wall clock is stepped, against the clock that stamps are taken from.
///
/// Slewing is no step: what is more than the kernel slews, and more than both clocks' reading can blur, is one.
#[derive(Debug)]
pub struct ClockWatch {
    anchor: Instant,
    last: Reading,
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// Time since the watch began, by the clock that is never stepped.
    steady: Duration,
    /// Wall time since 1970, in nanoseconds.
    wall: i128,
    /// How long it took to read them.
    gap: Duration,
}

impl ClockWatch {
    /// A watch that begins now.
    #[must_use]
    pub fn start() -> Self {
        let anchor = Instant::now();
        Self { anchor, last: Reading::now(anchor) }
    }

    /// By how many nanoseconds the wall clock was stepped since the last look, if it was: positive is forward.
    pub fn stepped(&mut self) -> Option<i64> {
        let reading = Reading::now(self.anchor);
        let step = reading.stepped_since(&self.last);
        self.last = reading;
        step
    }
}

impl Reading {
    fn now(anchor: Instant) -> Self {
        let before = anchor.elapsed();
        let wall = since_1970(SystemTime::now());
        let after = anchor.elapsed();
        Self { steady: before, wall, gap: after.saturating_sub(before) }
    }

    fn stepped_since(&self, earlier: &Self) -> Option<i64> {
        /// Below this nothing that rig measures changes.
        const BLUR: i128 = 100_000;
        let nanos = |time: Duration| time.as_nanos().cast_signed();
        let elapsed = nanos(self.steady) - nanos(earlier.steady);
        let step = self.wall - earlier.wall - elapsed;
        let tolerance = elapsed * SLEW_PPM / 1_000_000 + nanos(self.gap) + nanos(earlier.gap) + BLUR;
        (step.abs() > tolerance).then(|| i64::try_from(step).unwrap_or(if step < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// Maps wall times, such as the kernel's receive stamps, to the session clock.
#[derive(Debug)]
pub struct WallClock {
    clock: Clock,
    sample: Sample,
    watch: ClockWatch,
}

/// The wall clock, read between two readings of the session clock.
#[derive(Clone, Copy, Debug)]
struct Sample {
    before: Nanos,
    wall: i128,
    after: Nanos,
}

impl WallClock {
    /// A map from the wall clock to this one.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, sample: Sample::now(clock), watch: ClockWatch::start() }
    }

    /// Looks at both clocks, which is to be done right after something that the kernel has stamped was read. Where the
    /// wall clock was stepped since the last look, says by how many nanoseconds: stamps from before are then mapped
    /// wrongly.
    pub fn look(&mut self) -> Option<i64> {
        self.sample = Sample::now(self.clock);
        self.watch.stepped()
    }

    /// A wall time on the session clock, by the last look. What the kernel stamped happened before that look.
    #[must_use]
    pub fn map(&self, wall: SystemTime) -> Stamp {
        self.sample.map(since_1970(wall))
    }
}

impl Sample {
    fn now(clock: Clock) -> Self {
        let before = clock.now();
        let wall = since_1970(SystemTime::now());
        Self { before, wall, after: clock.now() }
    }

    fn map(&self, wall: i128) -> Stamp {
        let ago = self.wall - wall;
        let slewed = ago.abs() * SLEW_PPM / 1_000_000 + 1;
        let at = |session: Nanos, slewed: i128| {
            Nanos::try_from((i128::from(session) - ago + slewed).max(0)).unwrap_or(Nanos::MAX)
        };
        let hi = at(self.after, slewed).min(self.after);
        Stamp::new(at(self.before, -slewed).min(hi), hi, Source::Kernel)
    }
}

/// Nanoseconds since 1970.
fn since_1970(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_nanos().cast_signed(),
        Err(error) => -error.duration().as_nanos().cast_signed(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ClockWatch, Reading, Sample, WallClock};
    use crate::stamp::Source;

    fn reading(steady_ms: u64, wall_us: i128) -> Reading {
        Reading { steady: Duration::from_millis(steady_ms), wall: wall_us * 1_000, gap: Duration::from_micros(1) }
    }

    #[test]
    fn a_step_is_told_with_its_sign() {
        let before = reading(1_000, 50_000_000);
        assert_eq!(reading(2_000, 51_002_000).stepped_since(&before), Some(2_000_000));
        assert_eq!(reading(2_000, 49_000_000).stepped_since(&before), Some(-2_000_000_000));
    }

    #[test]
    fn slewing_is_no_step() {
        let before = reading(0, 0);
        assert_eq!(reading(10_000, 10_005_000).stepped_since(&before), None);
        assert_eq!(reading(10_000, 9_995_000).stepped_since(&before), None);
    }

    #[test]
    fn a_step_that_no_number_holds_is_still_a_step() {
        let before = reading(0, i128::from(i64::MAX) * -4);
        assert_eq!(reading(1, 0).stepped_since(&before), Some(i64::MAX));
    }

    #[test]
    fn clocks_that_run_together_show_no_step() {
        let mut watch = ClockWatch::start();
        assert_eq!(watch.stepped(), None);
    }

    #[test]
    fn a_wall_time_lies_between_the_readings_around_the_look() {
        let sample = Sample { before: 1_000_000, wall: 50_000_000, after: 1_000_300 };
        let stamp = sample.map(50_000_000 - 200_000);
        assert_eq!((stamp.lo, stamp.hi, stamp.source), (800_000 - 101, 800_300 + 101, Source::Kernel));
    }

    #[test]
    fn what_was_read_happened_before_the_look_whatever_its_stamp_says() {
        let sample = Sample { before: 1_000, wall: 50_000, after: 1_300 };
        let stamp = sample.map(60_000);
        assert_eq!((stamp.lo, stamp.hi), (1_300, 1_300));
    }

    #[test]
    fn now_is_mapped_to_now() {
        let clock = crate::stamp::Clock::start();
        let mut wall = WallClock::new(clock);
        let before = clock.now();
        let now = std::time::SystemTime::now();
        let after = clock.now();
        assert_eq!(wall.look(), None);
        let stamp = wall.map(now);
        assert!(stamp.lo <= after && before <= stamp.hi, "{stamp:?} {before} {after}");
    }
}
