//! The desk where payloads arrive: it matches what lands with what is awaited, by edge and correlation.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use rig_payload::{Actor, Body, Header, Kind};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::notes::Notes;
use crate::event::{Fact, Flaw, Size, Stray};
use crate::plan::{EdgeId, Plan};
use crate::stamp::{Nanos, Stamp};

/// Correlations of past trials that an edge remembers, so that a straggler is not taken for a payload of this trial.
const REMEMBERED: usize = 64;

/// A whole payload at its receiver.
#[derive(Clone, Copy, Debug)]
pub struct Landed {
    /// Its header.
    pub header: Header,
    /// Its body.
    pub body: Body,
    /// Its sizes.
    pub size: Size,
    /// When the first byte was seen.
    pub first: Stamp,
    /// When the receiver held the whole of it.
    pub last: Stamp,
    /// When its sender says it was made, on the session clock.
    pub made: Option<Stamp>,
    /// What is wrong with what it says.
    pub flaw: Option<Flaw>,
}

/// What a payload must carry to be the awaited one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This correlation.
    Correlation(u16),
    /// This sequence: rig sent it itself.
    Sequence(u16),
    /// A correlation that comes after all that were seen on this edge.
    Newer,
}

/// How waiting for a payload ended.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it is made, and most are the large one")]
pub enum Ending {
    /// It landed.
    Landed(Landed),
    /// Only something broken landed.
    Broken(Flaw),
    /// A hop of the emulated network lost it.
    LostInHop(String),
    /// Nothing came.
    Absent,
}

#[derive(Default)]
struct Slot {
    awaited: Option<Expected>,
    held: Option<Landed>,
    delivered: Option<Landed>,
    broken: Option<Flaw>,
    lost_in: Option<String>,
    copies_by_hop: u32,
    newest: Option<u16>,
    past: VecDeque<u16>,
}

/// The desk.
pub struct Desk {
    index: HashMap<(Kind, Actor, Actor), EdgeId>,
    slots: RefCell<Vec<Slot>>,
    changed: Notify,
    notes: Notes,
}

impl Desk {
    /// A desk for the plan's edges.
    #[must_use]
    pub fn new(plan: &Plan, notes: Notes) -> Self {
        let index = plan
            .edges()
            .filter_map(|(id, edge)| {
                let kind = Kind::from_name(&plan.row_of(id).payload)?;
                Some(((kind, Actor::from_name(&edge.from)?, Actor::from_name(&edge.to)?), id))
            })
            .collect();
        let slots = RefCell::new(plan.edges.iter().map(|_| Slot::default()).collect());
        Self { index, slots, changed: Notify::new(), notes }
    }

    /// The edge that a header belongs to.
    #[must_use]
    pub fn edge_of(&self, header: &Header) -> Option<EdgeId> {
        self.index.get(&(header.kind, header.source, header.destination)).copied()
    }

    /// Opens an edge for a payload. What landed early is looked at now.
    pub fn open(&self, edge: EdgeId, expected: Expected) {
        let held = self.with(edge, |slot| {
            slot.awaited = Some(expected);
            slot.held.take()
        });
        if let Some(landed) = held {
            self.land(edge, landed);
        }
    }

    /// A whole payload has reached its receiver. Returns what is wrong with it, where it is not the awaited one.
    pub fn land(&self, edge: EdgeId, landed: Landed) -> Option<Flaw> {
        let Err(Misfit { flaw, charged, by_hop }) = self.with(edge, |slot| slot.take(landed)) else {
            self.changed.notify_waiters();
            return None;
        };
        self.notes.note(Fact::Stray(Stray {
            from: landed.header.source.name().to_owned(),
            edge: charged.then_some(edge),
            at: landed.last,
            flaw,
            bytes: u32::from(landed.size.wire),
            by_hop,
        }));
        Some(flaw)
    }

    /// Something broken has come from an actor. Where it claims an edge that is still open, that edge is charged;
    /// else it may explain the absence of anything the actor was to send.
    pub fn land_broken(&self, from: Actor, flaw: Flaw, claimed: Option<Header>) -> Option<EdgeId> {
        let claimed = claimed
            .filter(|header| header.source == from)
            .and_then(|header| self.edge_of(&header))
            .filter(|edge| self.with(*edge, |slot| slot.delivered.is_none()));
        if let Some(edge) = claimed {
            self.with(edge, |slot| slot.broken = Some(flaw));
        } else {
            for (_, edge) in self.index.iter().filter(|((_, source, _), _)| *source == from) {
                self.with(*edge, |slot| {
                    slot.broken.get_or_insert(flaw);
                });
            }
        }
        claimed
    }

    /// The emulated network has lost the payload on this edge.
    pub fn lose(&self, edge: EdgeId, hop: String) {
        self.with(edge, |slot| slot.lost_in = Some(hop));
        self.changed.notify_waiters();
    }

    /// The emulated network will bring the payload on this edge more than once.
    pub fn expect_copies(&self, edge: EdgeId, extra: u32) {
        self.with(edge, |slot| slot.copies_by_hop += extra);
    }

    /// Waits until the payload of an opened edge has landed or can no longer land, at the latest until `deadline`.
    pub async fn wait(&self, edge: EdgeId, deadline: Nanos) -> Ending {
        let ended = async {
            loop {
                let changed = self.changed.notified();
                if let Some(ending) = self.with(edge, Slot::ending) {
                    return ending;
                }
                changed.await;
            }
        };
        match timeout_at(self.notes.clock().instant(deadline), ended).await {
            Ok(ending) => ending,
            Err(_) => self.with(edge, |slot| {
                slot.remember_awaited();
                slot.broken.map_or(Ending::Absent, Ending::Broken)
            }),
        }
    }

    /// What was delivered on an edge in this trial.
    #[must_use]
    pub fn delivered(&self, edge: EdgeId) -> Option<Landed> {
        self.with(edge, |slot| slot.delivered)
    }

    /// The hop that lost the payload on an edge in this trial.
    #[must_use]
    pub fn lost_in(&self, edge: EdgeId) -> Option<String> {
        self.with(edge, |slot| slot.lost_in.clone())
    }

    /// Forgets the counts of an actor whose memory is gone, so that its next correlation is new whatever it is.
    pub fn forget(&self, from: Actor) {
        for (_, edge) in self.index.iter().filter(|((_, source, _), _)| *source == from) {
            self.with(*edge, |slot| slot.newest = None);
        }
    }

    /// Ends a trial: what nobody asked for is noted as such, and the edges are empty again.
    pub fn clear(&self) {
        for (number, slot) in self.slots.borrow_mut().iter_mut().enumerate() {
            if let Some(landed) = slot.held.take() {
                self.notes.note(Fact::Stray(Stray {
                    from: landed.header.source.name().to_owned(),
                    edge: u16::try_from(number).ok().map(EdgeId),
                    at: landed.last,
                    flaw: Flaw::Unsolicited,
                    bytes: u32::from(landed.size.wire),
                    by_hop: false,
                }));
            }
            slot.close();
        }
    }

    fn with<T>(&self, edge: EdgeId, look: impl FnOnce(&mut Slot) -> T) -> T {
        look(&mut self.slots.borrow_mut()[usize::from(edge.0)])
    }
}

/// Why a payload is not the awaited one.
struct Misfit {
    flaw: Flaw,
    /// Whether this trial's delivery on the edge is touched by it.
    charged: bool,
    by_hop: bool,
}

impl Slot {
    fn take(&mut self, landed: Landed) -> Result<(), Misfit> {
        let Header { correlation, sequence, .. } = landed.header;
        if let Some(earlier) = self.delivered.as_ref().or(self.held.as_ref()) {
            let same = earlier.header.correlation == correlation && earlier.header.sequence == sequence;
            let by_hop = same && self.copies_by_hop > 0;
            self.copies_by_hop -= u32::from(by_hop);
            let flaw = if same { Flaw::Duplicate } else { Flaw::Unsolicited };
            return Err(Misfit { flaw, charged: !self.is_past(correlation, sequence), by_hop });
        }
        let Some(expected) = self.awaited else {
            if self.is_past(correlation, sequence) {
                return Err(Misfit { flaw: Flaw::OutOfOrder, charged: false, by_hop: false });
            }
            self.held = Some(landed);
            return Ok(());
        };
        let fits = match expected {
            Expected::Correlation(wanted) => wanted == correlation,
            Expected::Sequence(wanted) => wanted == sequence,
            // Serial-number arithmetic (RFC 1982): newer by less than half the range.
            Expected::Newer => self.newest.is_none_or(|newest| matches!(correlation.wrapping_sub(newest), 1..0x8000)),
        };
        if !fits {
            let straggler = self.is_past(correlation, sequence) && expected != Expected::Newer;
            if !straggler {
                self.broken = Some(Flaw::OutOfOrder);
            }
            return Err(Misfit { flaw: Flaw::OutOfOrder, charged: !straggler, by_hop: false });
        }
        self.newest = Some(correlation);
        self.delivered = Some(landed);
        Ok(())
    }

    fn ending(&mut self) -> Option<Ending> {
        if let Some(landed) = self.delivered {
            return Some(Ending::Landed(landed));
        }
        let hop = self.lost_in.clone()?;
        self.remember_awaited();
        Some(Ending::LostInHop(hop))
    }

    /// What was awaited in vain may still come, in a later trial.
    fn remember_awaited(&mut self) {
        if let Some(Expected::Correlation(key) | Expected::Sequence(key)) = self.awaited {
            self.remember(key);
        }
    }

    fn is_past(&self, correlation: u16, sequence: u16) -> bool {
        let key = match self.awaited {
            Some(Expected::Sequence(_)) => sequence,
            _ => correlation,
        };
        self.past.contains(&key)
    }

    fn remember(&mut self, key: u16) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(key);
    }

    fn close(&mut self) {
        if let (Some(expected), Some(landed)) = (self.awaited, self.delivered) {
            self.remember(match expected {
                Expected::Sequence(_) => landed.header.sequence,
                _ => landed.header.correlation,
            });
        }
        *self = Self { newest: self.newest, past: std::mem::take(&mut self.past), ..Self::default() };
    }
}
