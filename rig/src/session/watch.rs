//! Watches over the rig itself: a wire thread that stands still, a panic in a task.

use std::cell::Cell;
use std::time::Duration;

use super::notes::Notes;
use crate::event::RigFault;
use crate::stamp::nanos;

/// How often the wire thread's pulse is taken.
const PULSE: Duration = Duration::from_millis(10);

thread_local! {
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Counts panics on each thread from now on, on top of what the hook before did: a task that panics ends unseen, and
/// what it was to bring would look lost.
pub fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.with(|panics| panics.set(panics.get() + 1));
            before(panic);
        }));
    });
}

/// How many panics there were on this thread.
#[must_use]
pub fn panics() -> u32 {
    PANICS.get()
}

/// Takes the wire thread's pulse until the session ends. A pulse that comes later than `limit` is the rig's fault:
/// what was stamped meanwhile may have been there for as long.
pub async fn pulse(notes: Notes, limit: Duration) {
    loop {
        let due = notes.now() + nanos(PULSE);
        tokio::time::sleep(PULSE).await;
        let late = Duration::from_nanos(notes.now().saturating_sub(due));
        if late > limit {
            notes.fault(
                RigFault::Stalled,
                format!(
                    "the wire thread stood still for {} (limit {}); is the machine busy?",
                    humantime::format_duration(late),
                    humantime::format_duration(limit)
                ),
            );
        }
    }
}
