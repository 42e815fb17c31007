//! The commands of a trial: when they arrived inside their devices, and how long those held them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use rig_payload::{Header, Kind};

use super::carrier::{Carrier, Sending};
use super::desk::Landed;
use super::notes::Notes;
use super::port::Port;
use super::wiring::Place;
use crate::event::{Arrival, Delivery, Fact, Misbehaviour};
use crate::plan::EdgeId;
use crate::stamp::{Nanos, Source, Stamp, narrow};

/// The commands of a trial, by edge.
pub struct Commands {
    carrier: Rc<Carrier>,
    notes: Notes,
    sent: RefCell<BTreeMap<EdgeId, Command>>,
}

struct Command {
    kind: Kind,
    sequence: u16,
    sending: Sending,
    answer: Cell<Option<Answer>>,
    noted: Cell<bool>,
}

/// The first answer to a command.
#[derive(Clone, Copy)]
struct Answer {
    /// The latest that the command can have arrived.
    after: Nanos,
    /// When its first byte was seen.
    first: Stamp,
}

impl Commands {
    /// None yet.
    #[must_use]
    pub fn new(carrier: Rc<Carrier>, notes: Notes) -> Self {
        Self { carrier, notes, sent: RefCell::default() }
    }

    /// A command has gone out on an edge.
    pub fn sent(&self, edge: EdgeId, header: &Header, sending: Sending) {
        let Header { kind, sequence, .. } = *header;
        let command = Command { kind, sequence, sending, answer: Cell::default(), noted: Cell::default() };
        self.sent.borrow_mut().insert(edge, command);
    }

    /// The sequence of the command on an edge, and when its last byte was on the wire, where it came that far.
    #[must_use]
    pub fn on_edge(&self, edge: EdgeId) -> Option<(u16, Stamp)> {
        let sent = self.sent.borrow();
        let command = sent.get(&edge).filter(|command| command.sending.lost_in.is_none())?;
        Some((command.sequence, command.reached()))
    }

    /// The first answer to a command shows that the command had arrived before it.
    pub fn answered(&self, edge: EdgeId, answer: &Landed) {
        let sent = self.sent.borrow();
        let Some(command) = sent.get(&edge).filter(|command| command.answer.get().is_none()) else { return };
        let answered = Stamp::new(command.reached().lo, answer.first.hi, Source::Bounded);
        command.answer.set(Some(Answer { after: narrow(answered, answer.made).hi, first: answer.first }));
        // A log that is being read may still tell when it arrived.
        if !self.port_of(edge).is_some_and(|port| port.tells_arrivals()) {
            self.note(edge, command);
        }
    }

    /// Ends a trial: notes the commands that are not noted yet, those lost in a hop, or on the wire with nobody but a
    /// log to say that they arrived.
    pub async fn end_trial(&self) {
        let open = |command: &Command| !command.noted.get() && command.sending.lost_in.is_none();
        let edges: Vec<_> =
            self.sent.borrow().iter().filter(|(_, command)| open(command)).map(|(edge, _)| *edge).collect();
        let ports = edges.iter().filter_map(|edge| self.port_of(*edge)).filter(|port| port.tells_arrivals());
        join_all(ports.map(|port| port.log_caught_up())).await;
        for (edge, command) in self.sent.take() {
            self.note(edge, &command);
        }
    }

    fn note(&self, edge: EdgeId, command: &Command) {
        if command.noted.replace(true) {
            return;
        }
        let port = self.port_of(edge);
        let logged = port.and_then(|port| port.arrival_of(command.kind, command.sequence));
        let arrived = command.arrived(logged, self.notes.now());
        self.notes.note(Fact::Delivery(command.delivery(edge, arrived)));
        if let (Some(port), Some(held)) = (port, command.held(logged, arrived)) {
            judge_answer(port, command, held);
        }
    }

    /// The port of the device that an edge goes to.
    fn port_of(&self, edge: EdgeId) -> Option<&Rc<Port>> {
        match self.carrier.wiring().destination(edge) {
            Place::Device(actor) => self.carrier.port(actor),
            _ => None,
        }
    }
}

impl Command {
    /// When its last byte was on the device's wire.
    fn reached(&self) -> Stamp {
        self.sending.on_wire.unwrap_or(self.sending.sent)
    }

    /// When it arrived inside the device, where an answer shows that it did, or the device's log by now.
    fn arrived(&self, logged: Option<Stamp>, now: Nanos) -> Option<Stamp> {
        let latest = self.answer.get().map(|answer| answer.after).or(logged.map(|_| now))?;
        Some(narrow(Stamp::new(self.reached().lo, latest, Source::Bounded), logged))
    }

    /// How long the device held it at the least before it answered. It had it once the wire had it, unless its log shows
    /// that it came later: a log that tells no more than the wire, or what cannot be, does not excuse a stall.
    fn held(&self, logged: Option<Stamp>, arrived: Option<Stamp>) -> Option<Nanos> {
        let reached = self.reached();
        let later = arrived.filter(|arrived| arrived.lo > reached.hi);
        let had = later.unwrap_or_else(|| narrow(reached, logged));
        Some(self.answer.get()?.first.since(had).lo)
    }

    fn delivery(&self, edge: EdgeId, arrived: Option<Stamp>) -> Delivery {
        let Sending { sent, on_wire, size, lost_in } = &self.sending;
        let end = match lost_in {
            Some(hop) => Arrival::LostInHop(hop.clone()),
            None if arrived.is_some() || on_wire.is_some() => Arrival::Whole,
            None => Arrival::Absent,
        };
        Delivery {
            sent: Some(*sent),
            on_wire: *on_wire,
            arrived,
            size: size.filter(|_| arrived.is_some()),
            sequence: Some(self.sequence),
            end,
            ..Delivery::absent(edge)
        }
    }
}

/// Notes that a device held a command for longer than it may; it did so for at least `held` nanoseconds.
fn judge_answer(port: &Port, command: &Command, held: Nanos) {
    let Some(allowed) = port.device().answer.filter(|allowed| Duration::from_nanos(held) > *allowed) else { return };
    let held = Duration::from_millis(held / 1_000_000);
    let [held, allowed] = [held, allowed].map(humantime::format_duration);
    let (kind, sequence) = (command.kind.name(), command.sequence);
    let detail = format!("it held {kind} (sequence {sequence}) for {held} before it answered; {allowed} is allowed");
    port.misbehaved(Misbehaviour::SlowAnswer, detail);
}

#[cfg(test)]
mod tests;
