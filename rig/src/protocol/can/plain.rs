use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rig_can::layout::{Field, Values};
use rig_payload::{Actor, Body, Frame, Header, Kind};

use super::super::{Arrived, Unit, sixteen};
use super::{NodeError, Outgoing};
use crate::event::{Flaw, Size};
use crate::fixture;
use crate::link::Sent;
use crate::link::can::{Bus, Seen};
use crate::stamp::{Nanos, Stamp};

/// A message whose next frame does not come for this long will not become whole.
const UNFINISHED: Nanos = 500_000_000;

/// Payloads as plain frames.
///
/// What such frames do not carry cannot be judged: without a sequence, payloads are counted as they come; without a
/// correlation, a reply belongs to the last command that it can answer, and an alarm is a new one.
pub(super) struct Plain {
    commands: Vec<(Kind, fixture::Message)>,
    messages: Vec<Inbound>,
    actor: Actor,
    /// Sequence of the last command of a kind.
    sent: RefCell<HashMap<Kind, u16>>,
    counted: Cell<u16>,
}

/// A message that the device sends, and how much of it has come.
struct Inbound {
    kind: Kind,
    to: Vec<Actor>,
    message: fixture::Message,
    progress: RefCell<Option<Progress>>,
}

struct Progress {
    values: Values,
    have: Vec<bool>,
    first: Stamp,
    last: Stamp,
    wire: usize,
}

impl Plain {
    pub(super) fn new(messages: &[fixture::Message], actor: Actor) -> Self {
        let kinds = messages.iter().filter_map(|message| Some((Kind::from_name(&message.payload)?, message.clone())));
        let (commands, messages): (Vec<_>, Vec<_>) = kinds.partition(|(_, message)| message.to.is_empty());
        let messages = messages.into_iter().map(|(kind, message)| {
            let to = message.to.iter().filter_map(|name| Actor::from_name(name)).collect();
            Inbound { kind, to, message, progress: RefCell::default() }
        });
        Self { commands, messages: messages.collect(), actor, sent: RefCell::default(), counted: Cell::new(0) }
    }

    pub(super) async fn send(&self, bus: &Bus, payload: &Frame) -> Result<(Sent, Size), NodeError> {
        let kind = payload.header.kind;
        let command = self.commands.iter().find(|(known, _)| *known == kind);
        let Some((_, message)) = command else { return Err(NodeError::NoMessage(kind.name())) };
        self.sent.borrow_mut().insert(kind, payload.header.sequence);
        let mut outgoing = Outgoing::default();
        for frame in message.layout.encode(&Values::of(payload), message.fd) {
            let sent = bus.transmit(&frame).await?;
            outgoing.note(&frame, sent);
        }
        let size = sixteen(message.layout.size());
        let sent = outgoing.sent().ok_or(NodeError::NoMessage(kind.name()))?;
        Ok((sent, Size { payload: size, pdu: size, wire: sixteen(outgoing.wire) }))
    }

    pub(super) fn take(&self, seen: &Seen, found: &mut dyn FnMut(Arrived)) {
        let at = self.messages.iter().find_map(|inbound| {
            let frames = inbound.message.layout.frames();
            Some((inbound, frames.iter().position(|frame| frame.id == seen.frame.id())?))
        });
        let Some((inbound, index)) = at else { return };
        let mut progress = inbound.progress.borrow_mut();
        if let Some(unfinished) = progress.take_if(|progress| progress.have[index]) {
            found(inbound.broken(&unfinished, self.actor));
        }
        let count = inbound.message.layout.frames().len();
        let whole = progress.get_or_insert_with(|| Progress {
            values: Values::default(),
            have: vec![false; count],
            first: seen.at,
            last: seen.at,
            wire: 0,
        });
        whole.last = seen.at;
        whole.wire += usize::from(seen.frame.length());
        whole.have[index] = true;
        let decoded = inbound.message.layout.decode(index, &seen.frame, &mut whole.values);
        let is_whole = whole.have.iter().all(|have| *have);
        if decoded.is_none() || is_whole {
            let Some(whole) = progress.take() else { return };
            drop(progress);
            if decoded.is_none() {
                found(inbound.broken(&whole, self.actor));
            } else {
                self.tell(inbound, &whole, found);
            }
        }
    }

    /// A frame on a bus reaches everybody: a message is one payload for each of those it is for.
    fn tell(&self, inbound: &Inbound, whole: &Progress, found: &mut dyn FnMut(Arrived)) {
        let event = self.count();
        for to in &inbound.to {
            let sequence = whole.number(Field::Sequence).unwrap_or_else(|| self.count());
            let correlation = whole.number(Field::Correlation);
            let correlation = correlation.or_else(|| self.caused_by(inbound.kind)).unwrap_or(event);
            let stamp = whole.values.get(Field::Stamp).and_then(|stamp| u64::try_from(stamp).ok()).unwrap_or_default();
            let (source, destination) = (self.actor, *to);
            let header = Header { kind: inbound.kind, source, destination, sequence, correlation, stamp };
            let body = whole.values.state().map(Body::from);
            let body = body.or_else(|| whole.values.setting().map(Body::from)).unwrap_or_else(|| Body::new(&[]));
            found(inbound.arrived(Unit::Whole(Frame { header, body }), whole));
        }
    }

    fn count(&self) -> u16 {
        self.counted.set(self.counted.get().wrapping_add(1));
        self.counted.get()
    }

    /// The command that a payload of this kind answers or follows, where it was sent.
    fn caused_by(&self, kind: Kind) -> Option<u16> {
        let cause = match kind {
            Kind::CappedAlert => Some(Kind::CapCmd),
            Kind::UncappedAlert => Some(Kind::CancelCmd),
            kind => Kind::ALL.into_iter().find(|command| command.reply() == Some(kind)),
        };
        self.sent.borrow().get(&cause?).copied()
    }

    pub(super) fn deadline(&self) -> Option<Nanos> {
        let newest = self.messages.iter().filter_map(|inbound| Some(inbound.progress.borrow().as_ref()?.last.hi));
        newest.min().map(|last| last.saturating_add(UNFINISHED))
    }

    pub(super) fn expire(&self, now: Nanos, found: &mut dyn FnMut(Arrived)) {
        for inbound in &self.messages {
            let late = |progress: &mut Progress| progress.last.hi.saturating_add(UNFINISHED) <= now;
            let unfinished = inbound.progress.borrow_mut().take_if(late);
            if let Some(unfinished) = unfinished {
                found(inbound.broken(&unfinished, self.actor));
            }
        }
    }

    pub(super) fn reset(&self) {
        for inbound in &self.messages {
            inbound.progress.borrow_mut().take();
        }
    }
}

impl Inbound {
    /// What came of a message that will not become whole.
    fn broken(&self, progress: &Progress, source: Actor) -> Arrived {
        let claimed = self.to.first().map(|to| Header {
            kind: self.kind,
            source,
            destination: *to,
            sequence: progress.number(Field::Sequence).unwrap_or_default(),
            correlation: progress.number(Field::Correlation).unwrap_or_default(),
            stamp: 0,
        });
        self.arrived(Unit::Broken { flaw: Flaw::Truncated, claimed }, progress)
    }

    fn arrived(&self, what: Unit, progress: &Progress) -> Arrived {
        let payload = match what {
            Unit::Whole(_) => sixteen(self.message.layout.size()),
            Unit::Broken { .. } => sixteen(progress.wire),
        };
        let size = Size { payload, pdu: payload, wire: sixteen(progress.wire) };
        Arrived { what, size, first: progress.first, last: progress.last, bytes: u32::from(size.wire) }
    }
}

impl Progress {
    fn number(&self, field: Field) -> Option<u16> {
        // A counter of more bits goes on counting in its lowest 16.
        self.values.get(field).map(|number| u16::try_from(number & 0xFFFF).unwrap_or_default())
    }
}
