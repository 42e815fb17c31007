use crate::stamp::{Nanos, Source, Stamp, narrow};

/// How far an adapter's clock and the session clock may drift apart: 100 ppm of a poor crystal, and 500 ppm that the
/// kernel may slew its own clock (RFC 5905, section 11.3).
const DRIFT_PPM: u64 = 600;

/// The clock of an adapter that stamps frames: a count of ticks that may start again.
///
/// No frame is seen before it was on the bus, which bounds the offset between the two clocks from above. Most frames
/// are held up on their way, so that it is bounded from below by the promptest of many alone: that one was held up no
/// longer than an adapter that has nothing else to do takes.
pub(super) struct AdapterClock {
    tick: Nanos,
    /// When the count starts again; `None` where it does not within any session.
    wrap: Option<Nanos>,
    /// How long the promptest frame was held up at the most.
    prompt: Nanos,
    /// The newest stamp, as if the count never started again, and when it was seen.
    newest: Option<(Nanos, Nanos)>,
    known: Option<Known>,
}

/// What is known of the offset, as the difference of when a frame was seen and its stamp.
#[derive(Clone, Copy)]
struct Known {
    /// The offset is no larger than this.
    upper: Bound,
    /// The promptest frame of the last window that was full, or of all so far.
    promptest: Bound,
    /// The window that is being filled: since when, how many frames, the promptest.
    window: (Nanos, u32, Bound),
}

#[derive(Clone, Copy)]
struct Bound {
    offset: i128,
    at: Nanos,
}

/// A window is full that is so long and has so many frames: one of them at least was prompt. One payload's frames may
/// all be held up together.
const WINDOW: Nanos = 10_000_000_000;
const FRAMES: u32 = 8;
/// A frame that was held up for longer than this was not held up: the adapter's clock was set back.
const RESET: i128 = 5_000_000_000;

/// What an adapter's stamp tells of a frame.
pub(super) struct Narrowed {
    /// When it was on the bus.
    pub(super) at: Stamp,
    /// Whether that contradicts what was said of earlier frames: the adapter was reset, or was never prompt before.
    pub(super) contradiction: bool,
}

impl Narrowed {
    /// When a frame was on the bus that was there within `seen`, if the adapter held it no longer than adapters do. One
    /// that it held longer was on the bus before all of `seen`, which its clock alone tells.
    pub(super) fn within(&self, seen: Stamp) -> Stamp {
        if self.at.hi < seen.lo { self.at } else { narrow(seen, Some(self.at)) }
    }
}

impl AdapterClock {
    pub(super) fn new(tick: Nanos, wrap: Option<Nanos>, prompt: Nanos) -> Self {
        Self { tick, wrap, prompt, newest: None, known: None }
    }

    /// When a frame was on the bus that the adapter stamped with `count` and that was seen at `seen`.
    pub(super) fn narrow(&mut self, count: Nanos, seen: Nanos) -> Narrowed {
        let stamp = self.unwrapped(count, seen);
        self.newest = Some((stamp, seen));
        let new = Bound { offset: i128::from(seen) - i128::from(stamp), at: seen };
        let known = self.known.filter(|known| !self.contradicts(new, *known));
        let contradiction = known.is_none() && self.known.is_some();
        let known = known.map_or(Known { upper: new, promptest: new, window: (seen, 1, new) }, |known| known.with(new));
        self.known = Some(known);
        let at = |offset: i128| Nanos::try_from((i128::from(stamp) + offset).max(0)).unwrap_or(Nanos::MAX);
        let Known { upper, promptest, .. } = known;
        let hi = at(upper.offset + drift(upper, seen) + i128::from(self.tick)).min(seen);
        let lo = at(promptest.offset - drift(promptest, seen) - self.slack()).min(hi);
        Narrowed { at: Stamp::new(lo, hi, Source::Hardware), contradiction }
    }

    /// Whether what was said of earlier frames cannot be true: this one came sooner than the promptest can have, or an
    /// adapter that was set back counts from anywhere.
    fn contradicts(&self, new: Bound, known: Known) -> bool {
        let Known { promptest, upper, .. } = known;
        new.offset < promptest.offset - drift(promptest, new.at) - self.slack()
            || new.offset > upper.offset + drift(upper, new.at) + RESET
    }

    /// What the promptest frame leaves open.
    fn slack(&self) -> i128 {
        i128::from(self.prompt) + i128::from(self.tick)
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

impl Known {
    /// What is known with one more frame.
    fn with(mut self, new: Bound) -> Self {
        if new.offset < self.upper.offset + drift(self.upper, new.at) {
            self.upper = new;
        }
        if new.offset < self.promptest.offset {
            self.promptest = new;
        }
        let (since, frames, promptest) = self.window;
        let promptest = if new.offset < promptest.offset { new } else { promptest };
        self.window = (since, frames + 1, promptest);
        if frames + 1 >= FRAMES && new.at.saturating_sub(since) >= WINDOW {
            self.promptest = promptest;
            self.window = (new.at, 1, new);
        }
        self
    }
}

fn drift(bound: Bound, now: Nanos) -> i128 {
    i128::from(now.saturating_sub(bound.at)) * i128::from(DRIFT_PPM) / 1_000_000 + 1
}

#[cfg(test)]
mod tests {
    use super::AdapterClock;
    use crate::stamp::{Source, Stamp};
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;
    const WRAP: u64 = 60_000 * MS;

    #[test]
    fn a_frame_that_was_held_up_is_dated_by_one_that_was_not() {
        let mut clock = AdapterClock::new(MS, Some(WRAP), MS);
        // The adapter reads 100 ms at session time 1000 ms.
        assert_eq!(clock.narrow(100 * MS, 1_000 * MS + 200_000).at.source, Source::Hardware);
        let late = clock.narrow(300 * MS, 1_250 * MS).at;
        assert!(late.lo <= 1_200 * MS && 1_200 * MS <= late.hi && late.hi - late.lo < 4 * MS, "{late:?}");
    }

    #[test]
    fn an_adapter_that_starts_anew_contradicts_itself_and_is_learnt_again() {
        let mut clock = AdapterClock::new(MS, Some(WRAP), MS);
        assert!(!clock.narrow(20_000 * MS, 1_000 * MS).contradiction);
        assert!(clock.narrow(10 * MS, 2_000 * MS).contradiction);
        assert!(!clock.narrow(20 * MS, 2_010 * MS).contradiction);
    }

    #[test]
    fn an_adapter_that_was_never_prompt_before_contradicts_what_was_said_of_it() {
        let mut clock = AdapterClock::new(MS, None, MS);
        assert!(!clock.narrow(100 * MS, 1_050 * MS).contradiction);
        assert!(clock.narrow(200 * MS, 1_100 * MS).contradiction);
    }

    #[test]
    fn a_clock_that_is_not_known_well_leaves_the_kernels_stamp_as_it_is() {
        let mut clock = AdapterClock::new(1_000, None, MS);
        let kernel = |at: u64| Stamp::new(at - MS, at, Source::Kernel);
        clock.narrow(100 * MS, 1_000 * MS);
        // After 9 s the two clocks may be 5.4 ms apart.
        let seen = kernel(10_000 * MS);
        let stamp = clock.narrow(9_100 * MS, seen.hi).within(seen);
        assert!(seen.lo <= stamp.lo && stamp.hi <= seen.hi, "{stamp:?}");
        // One that was held up for 50 ms more was on the bus before what the kernel saw.
        let seen = kernel(10_150 * MS);
        let stamp = clock.narrow(9_200 * MS, seen.hi).within(seen);
        assert_eq!(stamp.source, Source::Hardware);
        assert!(stamp.lo <= 10_100 * MS && 10_099 * MS <= stamp.hi && stamp.hi < seen.lo, "{stamp:?}");
    }

    proptest! {
        /// Whatever the adapter's clock starts at, however often it starts again, and however long frames are held up
        /// once one of them was not: the true instant is never left, and nothing contradicts.
        #[test]
        fn the_true_instant_is_in_the_stamp(
            start in 0..60_000_u64,
            prompt in 0..MS,
            gaps in proptest::collection::vec((0..2_000_000_000_u64, 0..400_000_000_u64), 1..60),
        ) {
            let mut clock = AdapterClock::new(MS, Some(WRAP), MS);
            let mut now = 10_000 * MS;
            for (index, (gap, held)) in gaps.into_iter().enumerate() {
                now += gap;
                let count = (start * MS + now) / MS * MS % WRAP;
                let held = if index % 4 == 0 { prompt } else { held };
                let narrowed = clock.narrow(count, now + held);
                prop_assert!(!narrowed.contradiction);
                let stamp = narrowed.at;
                prop_assert!(stamp.lo <= now && now <= stamp.hi, "{} in {:?}", now, stamp);
            }
        }
    }
}
