use rig_can::isotp::ReceiveError;
use rig_payload::Frame;

use super::super::frame::of_datagram;
use super::super::{Arrived, Unit, sixteen};
use crate::event::{Flaw, Size};
use crate::stamp::Stamp;

/// Bytes that came by ISO 15765-2, or what came of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Why there are not more of them, where they are not whole.
    pub flaw: Option<ReceiveError>,
    /// When its first frame was on the bus.
    pub first: Stamp,
    /// When its last frame was on the bus, as far as frames came.
    pub last: Stamp,
    /// Bytes of data in its frames.
    pub wire: usize,
}

impl Datagram {
    /// The payload that it is, or was to be.
    pub(super) fn arrived(self) -> Arrived {
        let Self { bytes, flaw, first, last, wire } = self;
        let what = match flaw {
            None => of_datagram(&bytes),
            Some(flaw) => Unit::Broken { flaw: seen_as(flaw), claimed: Frame::claimed_header(&bytes) },
        };
        let payload = sixteen(bytes.len());
        let size = Size { payload, pdu: payload, wire: sixteen(wire) };
        Arrived { what, size, first, last, bytes: u32::from(size.wire) }
    }
}

fn seen_as(flaw: ReceiveError) -> Flaw {
    match flaw {
        ReceiveError::Timeout | ReceiveError::WrongSequence | ReceiveError::Interrupted => Flaw::Truncated,
        ReceiveError::TooLong | ReceiveError::Meaningless => Flaw::Garbage,
    }
}
