//! What passes over links.

use std::sync::Arc;

use crate::plan::EdgeId;
use crate::stamp::Nanos;

/// What passed over a link, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The link's name: the device's, the instrument's or the bus's.
    pub link: Arc<str>,
    /// Whether rig sent it.
    pub outbound: bool,
    /// When: the first byte handed to the kernel, or the last one received; a frame's stamp.
    pub at: Nanos,
    /// What it was.
    pub what: Passed,
    /// The edge whose payload it is, where that is known.
    pub note: Option<EdgeId>,
    /// The trial.
    pub trial: Option<u32>,
}

/// What can pass over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Bytes, on a serial line or a connection.
    Bytes(Box<[u8]>),
    /// A frame, on a CAN bus.
    Frame(rig_can::Frame),
    /// An error frame: no frame of the bus, but what the kernel tells of it (`linux/can/error.h`).
    Error {
        /// The class bits, which stand in place of an identifier, without `CAN_ERR_FLAG`.
        class: u32,
        /// What is known more closely.
        data: [u8; 8],
    },
}
