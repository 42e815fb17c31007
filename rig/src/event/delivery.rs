use serde::{Deserialize, Serialize};

use crate::plan::EdgeId;
use crate::stamp::Stamp;

/// A payload over an edge in a trial, or its absence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The edge.
    pub edge: EdgeId,
    /// When the originator sent it. None where it was never sent (what it forwards did not arrive), or where nothing
    /// of it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Stamp>,
    /// When its last byte or frame was on the wire of the device that sent it or that it is for, where one of its actors
    /// is a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_wire: Option<Stamp>,
    /// When the receiver held the whole of it. None where it did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Stamp>,
    /// What caused it, for a payload that a device sends by itself: the sensed power edge, or the command's arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Stamp>,
    /// Sizes in bytes; none where nothing arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// The payload's sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u16>,
    /// The payload's correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<u16>,
    /// How it ended.
    pub end: Arrival,
}

/// How a delivery ended. Whether it was in time is not said here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// It arrived whole, as it was expected.
    Whole,
    /// It arrived, with a flaw.
    Flawed(Flaw),
    /// Nothing arrived that could be it, until the plan's patience ended.
    Absent,
    /// Nothing whole arrived, but pieces did: the flaw says which.
    Broken(Flaw),
    /// A hop of the emulated network lost it.
    LostInHop(String),
    /// It was never sent, because what its originator passes on did not arrive.
    NotSent,
}

/// What can be wrong with what arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// Its CRC is wrong.
    Corrupt,
    /// It ended before its time.
    Truncated,
    /// Bytes that are no payload ran into it.
    Garbage,
    /// Whole, but not of the size the row asks for.
    WrongSize,
    /// It came once more.
    Duplicate,
    /// Its sequence or correlation is not the one that had to come.
    OutOfOrder,
    /// It tells a state that the device cannot be in.
    WrongState,
    /// Nothing asked for it.
    Unsolicited,
}

impl Flaw {
    /// All flaws, in order.
    pub const ALL: [Self; 8] = [
        Self::Corrupt,
        Self::Truncated,
        Self::Garbage,
        Self::WrongSize,
        Self::Duplicate,
        Self::OutOfOrder,
        Self::WrongState,
        Self::Unsolicited,
    ];

    /// The flaw in a word, as events spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Corrupt => "corrupt",
            Self::Truncated => "truncated",
            Self::Garbage => "garbage",
            Self::WrongSize => "wrong-size",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out-of-order",
            Self::WrongState => "wrong-state",
            Self::Unsolicited => "unsolicited",
        }
    }
}

/// Sizes of a payload in bytes, by layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Application payload.
    pub payload: u16,
    /// The protocol's unit around it.
    pub pdu: u16,
    /// On the wire, framing included.
    pub wire: u16,
}

/// Something that arrived and is no delivery, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stray {
    /// The device or emulated actor it came from, by name.
    pub from: String,
    /// The edge it belongs to, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<EdgeId>,
    /// When it was there.
    pub at: Stamp,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// How many bytes.
    pub bytes: u32,
    /// Whether a hop of the emulated network made it, and not the device.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hop: bool,
}
