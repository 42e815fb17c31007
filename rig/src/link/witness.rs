use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use super::turn;
use crate::stamp::{Clock, Nanos};

/// Knows the last instant at which bytes that come next were provably not there yet.
///
/// Two things prove it:
/// - a read that found nothing, or less than it had room for: what comes later was not there when that read began;
/// - a wake-up: the runtime asks the kernel for all that is ready each time it parks, and it did not hear of these
///   bytes the time before. So they came after that earlier turn began to ask. (Not after it *ended*: between the
///   kernel's answer and any clock reading of ours, bytes may come.)
///
/// The wake-up has to be caught where it happens, in the waker: by the time the receiving task runs, other turns may
/// have passed.
pub(super) struct Witness {
    clock: Clock,
    not_before: Cell<Nanos>,
    /// Whether the last look ended in waiting.
    waiting: Cell<bool>,
    herald: Arc<Herald>,
    waker: Waker,
}

/// Stands between the runtime and the receiving task.
struct Herald {
    clock: Clock,
    woken_by: Wakes,
    /// What the last wake-up proved, plus one; 0 where there was none since.
    proved: AtomicU64,
    task: Mutex<Waker>,
}

/// Who wakes a stream's reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wakes {
    /// The runtime, after it asked the kernel.
    Runtime,
    /// The peer, within its write.
    Peer,
}

impl Witness {
    pub(super) fn new(clock: Clock, woken_by: Wakes) -> Self {
        let task = Mutex::new(Waker::noop().clone());
        let herald = Arc::new(Herald { clock, woken_by, proved: AtomicU64::new(0), task });
        let waker = Waker::from(Arc::clone(&herald));
        // Nobody has looked yet: bytes from before the link was opened may be there, but the runtime has not said so.
        Self { clock, not_before: Cell::new(0), waiting: Cell::new(true), herald, waker }
    }

    /// The waker to wait with in place of `task`'s.
    pub(super) fn stand_before(&self, task: &Waker) -> Waker {
        let mut held = self.herald.task.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone_from(task);
        self.waker.clone()
    }

    pub(super) fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// Whether the last look ended in waiting and nobody was woken since: the runtime then answers from memory,
    /// without asking the kernel again.
    pub(super) fn waits(&self) -> bool {
        self.waiting.get() && self.herald.proved.load(Ordering::Relaxed) == 0
    }

    /// A read that began at `asked` found nothing.
    pub(super) fn missed(&self, asked: Nanos) {
        self.herald.proved.store(0, Ordering::Relaxed);
        self.not_before.set(asked);
        self.waiting.set(true);
    }

    /// A read that began at `asked` returned bytes. Says what they were not before.
    pub(super) fn took(&self, asked: Nanos, filled: bool) -> Nanos {
        let proved = self.herald.proved.swap(0, Ordering::Relaxed).saturating_sub(1);
        let not_before = self.not_before.get().max(proved);
        // Where the buffer was filled, more may have been there all along.
        self.not_before.set(if filled { not_before } else { asked });
        self.waiting.set(false);
        not_before
    }
}

impl Wake for Herald {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let proof = match self.woken_by {
            Wakes::Runtime => turn::previous(self.clock),
            Wakes::Peer => self.clock.now(),
        };
        // Only the first wake-up counts: at a second one the bytes of the first may still lie there unread.
        let _ = self.proved.compare_exchange(0, proof.saturating_add(1), Ordering::Relaxed, Ordering::Relaxed);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::{Wakes, Witness};
    use crate::stamp::Clock;

    fn witness() -> Witness {
        Witness::new(Clock::start(), Wakes::Runtime)
    }

    #[test]
    fn nothing_is_known_of_the_first_bytes() {
        assert_eq!(witness().took(500, false), 0);
    }

    #[test]
    fn what_comes_after_a_short_read_was_not_there_when_it_began() {
        let witness = witness();
        witness.took(500, false);
        assert_eq!(witness.took(900, false), 500);
    }

    #[test]
    fn what_comes_after_a_filled_buffer_may_be_as_old_as_its_bytes() {
        let witness = witness();
        witness.took(500, false);
        witness.took(900, true);
        assert_eq!(witness.took(1_000, false), 500);
    }

    #[test]
    fn a_read_that_finds_nothing_is_a_proof() {
        let witness = witness();
        witness.missed(700);
        assert_eq!(witness.took(1_000, false), 700);
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_first_wake_up_is_a_proof() {
        let witness = Witness::new(Clock::start(), Wakes::Peer);
        let waker = witness.stand_before(std::task::Waker::noop());
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        waker.wake_by_ref();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        waker.wake_by_ref();
        assert_eq!(witness.took(2_000_000_000, false), 1_000_000_000);
    }
}
