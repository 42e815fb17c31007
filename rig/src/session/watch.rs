//! Watches over the rig itself: a wire thread that stands still, a panic in a task.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::notes::Notes;
use crate::event::RigFault;

/// How often the wire thread's pulse is taken.
const PULSE: Duration = Duration::from_millis(10);

static PANICS: AtomicU32 = AtomicU32::new(0);

/// Counts panics of any thread or task from now on, on top of what the hook before did.
pub fn count_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// How many panics there were.
#[must_use]
pub fn panics() -> u32 {
    PANICS.load(Ordering::Relaxed)
}

/// Takes the wire thread's pulse until the session ends. A pulse that comes later than `limit` is the rig's fault:
/// what was stamped meanwhile may have been there for as long.
pub async fn pulse(notes: Notes, limit: Duration) {
    loop {
        let due = notes.now() + u64::try_from(PULSE.as_nanos()).unwrap_or(u64::MAX);
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
