use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use time::OffsetDateTime;

use crate::event::{Event, Fact, RigFault};
use crate::journal::{Passed, Record, Traffic};
use crate::plan::EdgeId;
use crate::stamp::{Clock, Nanos};
use crate::verdict::Tally;

/// Where the wire plane leaves facts and traffic. It never waits: the record plane takes them from a channel.
#[derive(Clone)]
pub struct Notes {
    clock: Clock,
    wall: OffsetDateTime,
    records: Sender<Record>,
    trial: Rc<Cell<Option<u32>>>,
    faults: Rc<Cell<u32>>,
    /// A sequential plan is judged as it goes, by the same fold as its report.
    tally: Rc<RefCell<Option<Tally>>>,
}

impl Notes {
    /// Notes that go to `records`, timed by `clock`, whose 0 was at `wall`.
    #[must_use]
    pub fn new(clock: Clock, wall: OffsetDateTime, records: Sender<Record>) -> Self {
        Self { clock, wall, records, trial: Rc::default(), faults: Rc::default(), tally: Rc::default() }
    }

    /// The session clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Time now on the session clock.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.clock.now()
    }

    /// The wall time of an instant of the session clock.
    #[must_use]
    pub fn wall(&self, at: Nanos) -> OffsetDateTime {
        self.wall + Duration::from_nanos(at)
    }

    /// The trial that is being played.
    #[must_use]
    pub fn trial(&self) -> Option<u32> {
        self.trial.get()
    }

    /// From now on facts belong to this trial.
    pub fn enter(&self, trial: Option<u32>) {
        self.trial.set(trial);
    }

    /// Notes a fact.
    pub fn note(&self, fact: Fact) {
        let event = Event { at: self.now(), trial: self.trial(), fact };
        if let Some(tally) = &mut *self.tally.borrow_mut() {
            tally.note(&event);
        }
        // The record plane outlives the wire plane; should it have died, the session still ends safely.
        let _ = self.records.send(Record::Event(event));
    }

    /// From now on judges as it goes.
    pub fn judge(&self, tally: Tally) {
        self.tally.replace(Some(tally));
    }

    /// Whether a sequential plan is decided.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.tally.borrow().as_ref().is_some_and(Tally::decided)
    }

    /// Notes a failure of the rig; the trial it falls into is void.
    pub fn fault(&self, fault: RigFault, detail: impl Into<String>) {
        self.faults.set(self.faults.get() + 1);
        self.note(Fact::RigFault { fault, detail: detail.into() });
    }

    /// How many failures of the rig were noted so far.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.faults.get()
    }

    /// Notes bytes that went over a link.
    pub fn traffic(&self, link: &Arc<str>, outbound: bool, at: Nanos, bytes: &[u8], edge: Option<EdgeId>) {
        let what = Passed::Bytes(bytes.into());
        self.pass(Traffic { link: Arc::clone(link), outbound, at, what, note: edge, trial: self.trial() });
    }

    /// Notes a frame of a CAN bus, or an error frame.
    pub fn frame(&self, bus: &Arc<str>, outbound: bool, at: Nanos, what: Passed) {
        self.pass(Traffic { link: Arc::clone(bus), outbound, at, what, note: None, trial: self.trial() });
    }

    fn pass(&self, traffic: Traffic) {
        let _ = self.records.send(Record::Traffic(traffic));
    }
}
