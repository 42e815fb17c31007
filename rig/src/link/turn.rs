//! The turns of the runtime: each time its thread has nothing to do, it asks the kernel what is ready.
//!
//! A byte that the kernel reports in one turn was not there when the turn before began to ask, or that one would have
//! reported it. Links use this to bound the arrival of bytes from below.

use std::cell::Cell;
use std::time::Instant;

use crate::stamp::{Clock, Nanos, nanos};

#[derive(Clone, Copy)]
struct Turns {
    current: Instant,
    previous: Option<Instant>,
}

thread_local! {
    static TURNS: Cell<Option<Turns>> = const { Cell::new(None) };
}

/// Makes the runtime note its turns. Without it links work, with wider stamps.
pub fn watch(builder: &mut tokio::runtime::Builder) -> &mut tokio::runtime::Builder {
    builder.on_thread_park(begin)
}

/// Notes that a turn begins: the thread is about to ask the kernel.
pub fn begin() {
    let previous = TURNS.get().map(|turns| turns.current);
    TURNS.set(Some(Turns { current: Instant::now(), previous }));
}

/// When the turn before the current one began, on the session clock; 0 where that is not known.
#[must_use]
pub fn previous(clock: Clock) -> Nanos {
    let Some(previous) = TURNS.get().and_then(|turns| turns.previous) else { return 0 };
    let since_start = tokio::time::Instant::from_std(previous).saturating_duration_since(clock.instant(0));
    nanos(since_start)
}

#[cfg(test)]
mod tests {
    use super::{begin, previous};
    use crate::stamp::Clock;

    #[test]
    fn the_turn_before_the_current_one_counts() {
        std::thread::spawn(|| {
            let clock = Clock::start();
            assert_eq!(previous(clock), 0);
            begin();
            assert_eq!(previous(clock), 0);
            let first_ended = clock.now();
            std::thread::sleep(std::time::Duration::from_millis(1));
            begin();
            assert!(previous(clock) <= first_ended);
            begin();
            assert!(previous(clock) > first_ended);
        })
        .join()
        .expect("the thread ends");
    }
}
