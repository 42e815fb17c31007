//! One delivery against its row: what became of it.

use crate::event::{Arrival, Delivery, Flaw, Size};
use crate::plan::RoundTrip;
use crate::stamp::{Elapsed, Nanos, Stamp};

use super::Outcome;

/// A delivery with what else its trial showed of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The delivery.
    pub delivery: &'a Delivery,
    /// The flaw of the first stray on the same edge in the same trial.
    pub stray: Option<Flaw>,
}

impl Seen<'_> {
    /// What became of it over an edge, whose payload has a `size` in this range and a strict latency limit.
    pub fn outcome(&self, size: (u16, u16), limit: Nanos) -> Outcome {
        match self.spoiled().or_else(|| wrong_size(self.delivery.size, size)) {
            Some(outcome) => outcome,
            None => timed(self.latency(), limit),
        }
    }

    /// From sending to arrival, where both were seen.
    pub fn latency(&self) -> Option<Elapsed> {
        Some(self.arrived()?.since(self.delivery.sent?))
    }

    /// From the cause to the first byte of what a device sent by itself.
    pub fn detection(&self) -> Option<Nanos> {
        Some(self.delivery.sent?.since(self.delivery.cause?).hi)
    }

    fn arrived(&self) -> Option<Stamp> {
        // Pieces have an instant, but no payload arrived by it.
        self.delivery.arrived.filter(|_| !matches!(self.delivery.end, Arrival::Broken(_)))
    }

    /// What keeps it from being a success whatever its size and latency.
    fn spoiled(&self) -> Option<Outcome> {
        match self.delivery.end {
            Arrival::NotSent => Some(Outcome::NotSent),
            Arrival::LostInHop(_) => Some(Outcome::LostInHop),
            Arrival::Absent => Some(Outcome::Lost),
            Arrival::Broken(flaw) | Arrival::Flawed(flaw) => Some(Outcome::Flawed(flaw)),
            Arrival::Whole => self.stray.map(Outcome::Flawed),
        }
    }
}

/// What became of a request and its reply together, and how long both took. The reply takes the blame only where the
/// request has none.
pub(super) fn round_trip(
    request: Seen<'_>,
    reply: Seen<'_>,
    claim: &RoundTrip,
    limit: Nanos,
) -> (Outcome, Option<Elapsed>) {
    let latency = reply.arrived().zip(request.delivery.sent).map(|(arrived, sent)| arrived.since(sent));
    let of_reply = || match reply.spoiled() {
        // The request was sent, so the round trip was tried and has failed.
        Some(Outcome::NotSent) => Some(Outcome::Lost),
        other => other,
    };
    let both = || match (request.delivery.size, reply.delivery.size) {
        (Some(a), Some(b)) => wrong_size(Some(Size { payload: a.payload.saturating_add(b.payload), ..b }), claim.size),
        _ => None,
    };
    let outcome = request.spoiled().or_else(of_reply).or_else(both).unwrap_or_else(|| timed(latency, limit));
    (outcome, latency)
}

fn wrong_size(size: Option<Size>, (least, most): (u16, u16)) -> Option<Outcome> {
    size.filter(|size| !(least..=most).contains(&size.payload)).map(|_| Outcome::Flawed(Flaw::WrongSize))
}

fn timed(latency: Option<Elapsed>, limit: Nanos) -> Outcome {
    match latency.and_then(|latency| latency.under(limit)) {
        Some(true) => Outcome::OnTime,
        Some(false) => Outcome::Late,
        None => Outcome::Undecided,
    }
}
