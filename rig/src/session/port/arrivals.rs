//! When commands arrived inside a device, as its log tells.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::Duration;

use rig_payload::Kind;

use super::Port;
use crate::stamp::{Nanos, Stamp};

/// Commands whose arrivals are remembered: more than any trial has.
const REMEMBERED: usize = 64;
/// How long a trial waits for the log to tell of its last command.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a device's log has told of commands.
#[derive(Default)]
pub(super) struct Arrivals {
    told: RefCell<VecDeque<Told>>,
    /// All that was logged before this instant has been read; none while the log is not read.
    read_to: Cell<Option<Nanos>>,
}

struct Told {
    kind: Kind,
    sequence: u16,
    /// The life of the device in which it came.
    boots: u16,
    /// On the device's clock.
    at: u64,
}

impl Port {
    /// The device's log tells that a command arrived, in the life after boot `boots`, at an instant of its clock.
    pub fn tell_arrival(&self, kind: Kind, sequence: u16, boots: u16, at: u64) {
        let mut told = self.arrivals.told.borrow_mut();
        // The network may bring a command twice; it has arrived with the first.
        if told.iter().any(|told| (told.kind, told.sequence, told.boots) == (kind, sequence, boots)) {
            return;
        }
        if told.len() == REMEMBERED {
            told.pop_front();
        }
        told.push_back(Told { kind, sequence, boots, at });
    }

    /// When a command arrived, where the device's log has told it in this life and its clock is trusted.
    #[must_use]
    pub fn arrival_of(&self, kind: Kind, sequence: u16) -> Option<Stamp> {
        let belief = self.belief.borrow();
        let told = self.arrivals.told.borrow();
        let this = told
            .iter()
            .find(|told| told.kind == kind && told.sequence == sequence && belief.boots() == Some(told.boots))?;
        belief.map(this.at, self.notes.now())
    }

    /// A line of the device's log was written at `stamp` of its clock, in the life after boot `boots`: when that was,
    /// where it is in this life and its clock is trusted. A log's stamps are cut off to the microsecond.
    #[must_use]
    pub fn instant_of(&self, stamp: u64, boots: u16) -> Option<Stamp> {
        let belief = self.belief.borrow();
        let at = (belief.boots() == Some(boots)).then(|| belief.map(stamp, self.notes.now())).flatten()?;
        Some(Stamp { hi: at.hi.saturating_add(1_000), ..at })
    }

    /// Whether the device's log may tell when a command arrived.
    #[must_use]
    pub fn tells_arrivals(&self) -> bool {
        self.arrivals.read_to.get().is_some() && self.device.stamp_drift_ppm.is_some()
    }

    /// All that the device logged before this instant has been read; with none, its log is not read any more.
    pub fn log_read(&self, to: Option<Nanos>) {
        self.arrivals.read_to.set(to);
        self.changed.notify_waiters();
    }

    /// Waits until all that the device has logged so far is read, or cannot be.
    pub async fn log_caught_up(&self) {
        let now = self.notes.now();
        let read = self.until(|| self.arrivals.read_to.get().is_none_or(|to| to >= now));
        // A log that is read too late narrows nothing.
        let _ = tokio::time::timeout(PATIENCE, read).await;
    }
}
