//! Protocols: how payloads become bytes on a link, and bytes payloads again.
//!
//! A protocol is sans-IO: bytes and time in, bytes and what was found out. It serves request/reply protocols, protocols
//! with confirmations and timers, and payloads in several fragments alike: what it must say by itself it writes in
//! [`Protocol::wake`]. Instants are not its business: a [`Receiver`] gives each unit the stamps of its first and last
//! byte, also where it came in several chunks.

pub mod can;
mod frame;
mod receiver;

use rig_payload::{Frame, Header};

pub use frame::ReferenceFrame;
pub use receiver::{Arrived, Receiver};

use crate::event::{Flaw, Size};
use crate::fixture;
use crate::stamp::Nanos;

/// How payloads become bytes on a link. A decoder never fails, never keeps more than a bounded number of bytes, and
/// finds the next whole unit after any garbage.
pub trait Protocol {
    /// Appends the bytes of a payload to `out` and says how large it is in each layer.
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Size;

    /// Takes received bytes and calls `found` for every unit that ends in them, in order.
    fn decode(&mut self, bytes: &[u8], found: &mut dyn FnMut(Inbound));

    /// How many of the bytes received last belong to a unit that has not ended.
    fn pending(&self) -> usize;

    /// Gives up the unit that has not ended, if there is one.
    fn flush(&mut self) -> Option<Inbound>;

    /// Lets time pass: appends what the protocol sends by itself by `now` to `out`, and says when it wants to be woken
    /// next. Protocols without timers need none of it.
    fn wake(&mut self, now: Nanos, out: &mut Vec<u8>) -> Option<Nanos> {
        let _ = (now, out);
        None
    }
}

/// What a run of received bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A whole payload.
    Whole(Frame),
    /// Not a payload.
    Broken {
        /// What is wrong with it.
        flaw: Flaw,
        /// The header it had or seems to have had: a hint at which payload it was to be, and no more.
        claimed: Option<Header>,
    },
}

/// A unit found in received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// What it is.
    pub unit: Unit,
    /// Its sizes; for what is broken, as far as they can be told.
    pub size: Size,
    /// How many bytes of the stream it took, those of earlier chunks included.
    pub bytes: usize,
    /// Index of its last byte in the bytes given.
    pub last: usize,
}

impl Inbound {
    /// Index of its first byte in the bytes given; `None` where it began in an earlier chunk.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        (self.last + 1).checked_sub(self.bytes)
    }
}

/// A new protocol of the kind that a fixture names. Plain frames are those of a [`can::Node`]; a stream has none.
#[must_use]
pub fn of(protocol: fixture::Protocol) -> Box<dyn Protocol> {
    match protocol {
        fixture::Protocol::ReferenceFrame | fixture::Protocol::PlainFrames => Box::new(ReferenceFrame::default()),
    }
}

/// A count of bytes for the record.
fn sixteen(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}
