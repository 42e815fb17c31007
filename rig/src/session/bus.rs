//! A CAN bus of the bench: opened, lost and found again, with what passed over it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rig_can::Id;
use rig_can::isotp::PROMPT;
use tokio::sync::Notify;

use super::notes::Notes;
use crate::event::{Fact, RigFault, Trouble};
use crate::fixture;
use crate::journal::Passed;
use crate::link::can::{Bus as Opened, Seen, Tap};
use crate::link::{BenchPorts, LinkError};
use crate::stamp::{Nanos, Source, Stamp, nanos};

/// How often an adapter that is gone is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A CAN bus and rig's adapter on it.
pub struct Bus {
    name: Arc<str>,
    spec: fixture::Bus,
    /// Identifiers of the devices on it.
    ids: Vec<Id>,
    opened: RefCell<Option<Rc<Opened>>>,
    trouble: RefCell<Option<LinkError>>,
    changed: Notify,
    usage: RefCell<Usage>,
    /// Troubles of which people were warned in this session.
    warned: RefCell<BTreeSet<Trouble>>,
    heard: Cell<u64>,
    /// The adapter has left the bus, and nothing shows that it is back.
    off: Cell<bool>,
    /// How long a frame may wait for rig, so that rig's patience and its answers have to do with what is on the bus.
    limit: Nanos,
    notes: Notes,
}

/// What passed over a bus since it was last told.
#[derive(Default)]
struct Usage {
    since: Nanos,
    frames: u64,
    busy: Nanos,
    lost: u64,
    /// A frame has waited for rig longer than it may.
    behind: bool,
    troubles: BTreeMap<Trouble, u32>,
}

impl Bus {
    /// A bus of a fixture; nothing is opened yet.
    #[must_use]
    pub fn new(name: &str, fixture: &fixture::Fixture, notes: Notes) -> Option<Self> {
        let spec = fixture.buses.get(name)?.clone();
        let on_it = fixture.devices.values().filter_map(|device| match &device.link {
            fixture::Link::Can(node) if node.bus == name => Some(node.ids()),
            _ => None,
        });
        Some(Self {
            name: name.into(),
            spec,
            ids: on_it.flatten().collect(),
            opened: RefCell::default(),
            trouble: RefCell::default(),
            changed: Notify::new(),
            usage: RefCell::default(),
            warned: RefCell::default(),
            heard: Cell::new(0),
            off: Cell::new(false),
            limit: nanos(fixture.stall_limit).min(PROMPT),
            notes,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Opens the adapter and listens; where it is gone, looks for it again until the session ends.
    pub async fn listen(&self, bench: &BenchPorts) {
        loop {
            match Opened::open(&self.spec, &self.ids, bench, self.notes.clock()).await {
                Ok(bus) => self.listen_until_lost(Rc::new(bus)).await,
                Err(error) => {
                    *self.trouble.borrow_mut() = Some(error);
                    self.changed.notify_waiters();
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until the bus is open.
    pub async fn opened(&self) -> Rc<Opened> {
        loop {
            let changed = self.changed.notified();
            let opened = self.opened.borrow().clone();
            match opened {
                Some(bus) => return bus,
                None => changed.await,
            }
        }
    }

    /// Waits until the bus is open, or was tried in vain.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn first_opened(&self) -> Result<(), LinkError> {
        loop {
            let changed = self.changed.notified();
            if self.opened.borrow().is_some() {
                return Ok(());
            }
            if let Some(error) = self.trouble.take() {
                return Err(error);
            }
            changed.await;
        }
    }

    /// What speaks against playing on this bus, although it could be opened and its devices have booted: rig's adapter
    /// tells of errors and hears not one frame.
    pub async fn symptom(&self) -> Option<Trouble> {
        /// An adapter that is asked for its errors every second has told by then.
        const TOLD: Duration = Duration::from_millis(1_500);
        let until = tokio::time::Instant::now() + TOLD;
        while self.heard.get() == 0 && tokio::time::Instant::now() < until {
            let deaf = [Trouble::BusOff, Trouble::ErrorPassive, Trouble::BusError];
            let told = deaf.into_iter().find(|trouble| self.usage.borrow().troubles.contains_key(trouble));
            if told.is_some() {
                return told;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        None
    }

    /// Begins a trial: what passed after the last one is told apart from what will.
    pub fn start_trial(&self) {
        if !self.usage.borrow().is_empty() {
            self.tell_load();
        }
    }

    /// Ends a trial: tells what passed over the bus in it. What the adapter lost to its end is noted as its fault,
    /// although no frame came after that; and so are frames that came and have waited for rig, and an adapter that is
    /// still off the bus.
    pub async fn end_trial(&self) {
        self.look().await;
        let told = self.usage.borrow().troubles.contains_key(&Trouble::BusOff);
        if self.off.get() && !told {
            let what = format!("bus {}: still off: {}", self.name, Trouble::BusOff.advice());
            self.notes.fault(RigFault::BusOff, what);
        }
        self.tell_load();
    }

    /// Ends the session: tells what passed over the bus to its end.
    pub async fn close(&self) {
        self.look().await;
        self.tell_load();
    }

    async fn look(&self) {
        let opened = self.opened.borrow().clone();
        if let Some(opened) = &opened {
            opened.look(&Listener { bus: self, opened }).await;
        }
    }

    fn tell_load(&self) {
        let now = self.notes.now();
        let usage = self.usage.replace(Usage { since: now, ..Usage::default() });
        let Usage { since, frames, busy, lost, troubles, .. } = usage;
        self.notes.note(Fact::BusLoad { bus: self.name.to_string(), since, frames, busy, lost, troubles });
    }

    /// While a frame waited, rig may have given up for want of it, or the device for want of an answer.
    fn fell_behind(&self, late: Nanos) {
        let [late, limit] = [late, self.limit].map(|time| time / 1_000_000);
        let what = format!(
            "bus {}: a frame waited {late} ms for rig (limit {limit} ms); is the machine busy? `listen = \"devices\"` \
             leaves other nodes' frames out",
            self.name
        );
        self.notes.fault(RigFault::Stalled, what);
    }

    async fn listen_until_lost(&self, bus: Rc<Opened>) {
        self.notes.note(Fact::LinkUp { name: self.name.to_string(), obtained: bus.obtained().clone() });
        *self.opened.borrow_mut() = Some(Rc::clone(&bus));
        self.usage.borrow_mut().since = self.notes.now();
        self.off.set(false);
        let listener = Listener { bus: self, opened: &bus };
        if let Some(trouble) = bus.found() {
            listener.found(trouble);
        }
        self.changed.notify_waiters();
        let error = bus.listen(&listener).await;
        *self.opened.borrow_mut() = None;
        self.tell_load();
        let reason = error.to_string();
        self.notes.note(Fact::LinkDown { name: self.name.to_string(), reason, unpowered: false });
        let what = format!("the adapter of bus {} is gone: {error}; check cable and adapter", self.name);
        self.notes.fault(RigFault::AdapterGone, what);
    }
}

impl Usage {
    fn is_empty(&self) -> bool {
        self.frames == 0 && self.lost == 0 && self.troubles.is_empty()
    }
}

/// Notes what an open bus brings.
struct Listener<'a> {
    bus: &'a Bus,
    opened: &'a Opened,
}

impl Listener<'_> {
    /// The adapter was in trouble when it was opened. Off the bus it stays; but error counters tell of what was before,
    /// and go down by the first frames.
    fn found(&self, trouble: Trouble) {
        let Bus { name, notes, .. } = self.bus;
        if trouble == Trouble::BusOff {
            self.trouble(trouble, Stamp::new(0, notes.now(), Source::Bounded));
        } else {
            let (word, advice) = (trouble.word(), trouble.advice());
            notes.note(Fact::Warning { detail: format!("bus {name}: {word} since before it was opened: {advice}") });
        }
    }
}

impl Tap for Listener<'_> {
    fn frame(&self, own: bool, seen: &Seen) {
        let late = self.bus.notes.now().saturating_sub(seen.at.hi);
        let first_late = {
            let mut usage = self.bus.usage.borrow_mut();
            usage.frames += 1;
            usage.busy += self.opened.time(&seen.frame);
            late > self.bus.limit && !std::mem::replace(&mut usage.behind, true)
        };
        if first_late {
            self.bus.fell_behind(late);
        }
        self.bus.off.set(false);
        if !own {
            self.bus.heard.set(self.bus.heard.get() + 1);
        }
        self.bus.notes.frame(&self.bus.name, own, seen.at.hi, Passed::Frame(seen.frame));
    }

    fn error_frame(&self, class: u32, data: [u8; 8], at: Stamp) {
        self.bus.notes.frame(&self.bus.name, false, at.hi, Passed::Error { class, data });
    }

    fn trouble(&self, trouble: Trouble, at: Stamp) {
        let Bus { name, notes, .. } = self.bus;
        match trouble {
            Trouble::BusOff => self.bus.off.set(true),
            Trouble::Restarted => self.bus.off.set(false),
            _ => {}
        }
        let count = *self.bus.usage.borrow_mut().troubles.entry(trouble).and_modify(|count| *count += 1).or_insert(1);
        if count > 1 {
            return;
        }
        notes.note(Fact::BusTrouble { bus: name.to_string(), trouble, at });
        match trouble {
            Trouble::BusOff => notes.fault(RigFault::BusOff, format!("bus {name}: {}", trouble.advice())),
            // What was lost is noted with it.
            Trouble::Overrun => notes.fault(RigFault::Overrun, format!("bus {name}: {}", trouble.advice())),
            Trouble::Restarted => {}
            _ if self.bus.warned.borrow_mut().insert(trouble) => {
                notes.note(Fact::Warning { detail: format!("bus {name}: {}", trouble.advice()) });
            }
            _ => {}
        }
    }

    fn lost(&self, frames: u32) {
        let Bus { name, notes, .. } = self.bus;
        let first = {
            let mut usage = self.bus.usage.borrow_mut();
            let first = usage.lost == 0;
            usage.lost += u64::from(frames);
            first
        };
        if first && frames > 0 {
            let what = format!(
                "bus {name}: {frames} frames or more were lost between the bus and rig, in the kernel's queue or as damaged lines of an adapter; is the machine busy? `listen = \
                 \"devices\"` leaves other nodes' frames out"
            );
            notes.fault(RigFault::Overrun, what);
        }
    }

    fn stepped(&self, nanos: i64) {
        let what =
            format!("the wall clock, by which the kernel stamps bus {}, was stepped by {nanos} ns", self.bus.name);
        self.bus.notes.fault(RigFault::ClockStep, what);
    }

    fn contradiction(&self) {
        let what =
            "the adapter's time stamps contradict what they said before: it was reset, or had held back every frame";
        self.bus.notes.note(Fact::Warning { detail: format!("bus {}: {what}", self.bus.name) });
    }
}

#[cfg(test)]
mod tests;
