use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use crate::fixture::{Level, Rail};
use crate::stamp::{Clock, Nanos};

const MINUTE: Duration = Duration::from_secs(60);

/// Keeps a rail from being switched sooner or more often than its equipment bears.
#[derive(Default)]
pub(super) struct Guard {
    level: Cell<Option<Level>>,
    changed: Cell<Option<Nanos>>,
    /// When the latest cuts were commanded, oldest first.
    cuts: RefCell<VecDeque<Nanos>>,
}

impl Guard {
    pub(super) fn level(&self) -> Option<Level> {
        self.level.get()
    }

    /// The rail was found at a level, before the session changed it.
    pub(super) fn found(&self, level: Option<Level>) {
        self.level.set(level);
    }

    /// Waits until the rail may change. A command that changes nothing need not wait.
    pub(super) async fn wait(&self, to: Level, rail: &Rail, clock: Clock) {
        if self.level.get() == Some(to) {
            return;
        }
        let dwelt = self.changed.get().map(|changed| clock.instant(changed) + rail.dwell);
        if let Some(dwelt) = dwelt {
            tokio::time::sleep_until(dwelt).await;
        }
        if to == Level::Off {
            self.wait_for_rate(rail.max_cuts_per_minute, clock).await;
        }
    }

    async fn wait_for_rate(&self, most: u32, clock: Clock) {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let oldest = {
            let mut cuts = self.cuts.borrow_mut();
            while cuts.len() > most {
                cuts.pop_front();
            }
            if cuts.len() < most { None } else { cuts.pop_front() }
        };
        if let Some(oldest) = oldest {
            // Put back while waiting: a wait that is given up has not used the place.
            self.cuts.borrow_mut().push_front(oldest);
            tokio::time::sleep_until(clock.instant(oldest) + MINUTE).await;
            self.cuts.borrow_mut().pop_front();
        }
    }

    /// The command goes out: from now on the level is not known, and a cut counts. One that changes nothing is no
    /// change.
    pub(super) fn commanded(&self, to: Level, at: Nanos) {
        if self.level.get() == Some(to) {
            return;
        }
        if to == Level::Off {
            self.cuts.borrow_mut().push_back(at);
        }
        self.changed.set(Some(at));
        self.level.set(None);
    }

    /// The rail is at its level.
    pub(super) fn reached(&self, to: Level, at: Nanos) {
        if self.level.replace(Some(to)) != Some(to) {
            self.changed.set(Some(at));
        }
    }
}
