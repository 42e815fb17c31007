//! The two payloads that every loop exchanges: a request of 25 bytes and a reply of 50.

use rig_payload::{Actor, Body, Frame, Header, Kind, Setting, State};

use super::cpu::monotonic;

/// The request's name in a plan.
pub const REQUEST: Kind = Kind::StorageStatusCmd;
/// The reply's name in a plan.
pub const REPLY: Kind = Kind::StorageStatusResp;

/// A request.
pub fn request(sequence: u16) -> Frame {
    let header = Header {
        kind: REQUEST,
        source: Actor::DacSub,
        destination: Actor::Storage,
        sequence,
        correlation: 0,
        stamp: 0,
    };
    Frame { header, body: Body::from(Setting::default()) }
}

/// A reply, stamped now.
pub fn reply(sequence: u16, correlation: u16) -> Frame {
    let header = Header {
        kind: REPLY,
        source: Actor::Storage,
        destination: Actor::DacSub,
        sequence,
        correlation,
        stamp: u64::try_from(monotonic().as_nanos()).unwrap_or(u64::MAX),
    };
    Frame { header, body: Body::from(State::default()) }
}
