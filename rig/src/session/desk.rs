//! The desk where payloads arrive: it matches what lands with what is awaited, by edge and correlation.

use std::cell::RefCell;
use std::collections::HashMap;

use rig_payload::{Actor, Body, Header, Kind};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::notes::Notes;
use super::slot::{Misfit, Slot};
use crate::event::{Fact, Flaw, Size, Stray};
use crate::plan::{EdgeId, Plan};
use crate::stamp::{Nanos, Stamp};

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
    /// When its last byte or frame was on the wire of the device that sent it, where a device did.
    pub on_wire: Option<Stamp>,
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
    /// A correlation that comes after all that were seen on this edge, on a payload that was not there before this
    /// instant: what causes it had not begun.
    Newer(Nanos),
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

/// Something broken that came in this trial. What it claims to be is a hint: its bytes are not those that were sent.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: Actor,
    claimed: Option<EdgeId>,
    flaw: Flaw,
}

/// Something that is not the awaited payload, as it was noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strayed {
    /// What is wrong with it.
    pub flaw: Flaw,
    /// Whether the emulated network made it, and not its sender.
    pub by_hop: bool,
}

/// The desk.
pub struct Desk {
    index: HashMap<(Kind, Actor, Actor), EdgeId>,
    slots: RefCell<Vec<Slot>>,
    pieces: RefCell<Vec<Piece>>,
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
        Self { index, slots, pieces: RefCell::default(), changed: Notify::new(), notes }
    }

    /// The edge that a header belongs to.
    #[must_use]
    pub fn edge_of(&self, header: &Header) -> Option<EdgeId> {
        self.index.get(&(header.kind, header.source, header.destination)).copied()
    }

    /// Opens an edge for a payload. What landed early is looked at now.
    pub fn open(&self, edge: EdgeId, expected: Expected) {
        if let Some(landed) = self.with(edge, |slot| slot.open(expected)) {
            self.land(edge, &landed);
        }
    }

    /// A whole payload has reached its receiver. Returns what is wrong with it, where it is not the awaited one.
    pub fn land(&self, edge: EdgeId, landed: &Landed) -> Option<Strayed> {
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
        Some(Strayed { flaw, by_hop })
    }

    /// Something broken has come from an actor. It explains the absence of what it claims to be; where that is not
    /// absent after all, or it claims nothing, of anything else that the actor was to send.
    pub fn land_broken(&self, from: Actor, flaw: Flaw, claimed: Option<Header>) {
        let claimed = claimed.filter(|header| header.source == from).and_then(|header| self.edge_of(&header));
        self.pieces.borrow_mut().push(Piece { from, claimed, flaw });
    }

    /// The emulated network has lost a payload on this edge.
    pub fn lose(&self, edge: EdgeId, header: Header, hop: String) {
        self.with(edge, |slot| slot.lose(header, hop));
        self.changed.notify_waiters();
    }

    /// The emulated network will bring the payload on this edge more than once.
    pub fn expect_copies(&self, edge: EdgeId, header: &Header, extra: u32) {
        self.with(edge, |slot| slot.expect_copies(header, extra));
    }

    /// The emulated network will bring a command more often than once; its device may answer each copy.
    pub fn expect_answers(&self, command: &Header, extra: u32) {
        for (_, edge) in self.index.iter().filter(|((_, source, _), _)| *source == command.destination) {
            self.with(*edge, |slot| slot.expect_answers(command.sequence, extra));
        }
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
        if let Ok(ending) = timeout_at(self.notes.clock().instant(deadline), ended).await {
            return ending;
        }
        let ending = self.with(edge, Slot::give_up);
        let piece = matches!(ending, Ending::Absent).then(|| self.broken(edge)).flatten();
        piece.map_or(ending, Ending::Broken)
    }

    /// The flaw of the piece that explains the absence of an edge's payload.
    fn broken(&self, edge: EdgeId) -> Option<Flaw> {
        let ((_, from, _), _) = self.index.iter().find(|(_, id)| **id == edge)?;
        let pieces = self.pieces.borrow();
        let free = |piece: &&Piece| {
            piece.from == *from && piece.claimed.is_none_or(|claimed| self.delivered(claimed).is_some())
        };
        let own = pieces.iter().find(|piece| piece.claimed == Some(edge));
        own.or_else(|| pieces.iter().find(free)).map(|piece| piece.flaw)
    }

    /// What was delivered on an edge in this trial.
    #[must_use]
    pub fn delivered(&self, edge: EdgeId) -> Option<Landed> {
        self.with(edge, |slot| slot.delivered)
    }

    /// Forgets the counts of an actor whose memory is gone, so that its next correlation is new whatever it is.
    pub fn forget(&self, from: Actor) {
        for (_, edge) in self.index.iter().filter(|((_, source, _), _)| *source == from) {
            self.with(*edge, Slot::forget);
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
        self.pieces.borrow_mut().clear();
    }

    fn with<T>(&self, edge: EdgeId, look: impl FnOnce(&mut Slot) -> T) -> T {
        look(&mut self.slots.borrow_mut()[usize::from(edge.0)])
    }
}

#[cfg(test)]
mod tests;
