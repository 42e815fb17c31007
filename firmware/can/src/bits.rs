//! How long a frame is on the wire.

use crate::Frame;

/// Bits per second of a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rate {
    /// Of arbitration, and of all of a classic frame.
    pub nominal: u32,
    /// Of the data phase of FD frames with bit rate switch; `None` on a classic bus.
    pub data: Option<u32>,
}

/// Bits of a frame, its stuff bits and the three of intermission after it included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits {
    /// At the nominal rate.
    pub nominal: u32,
    /// At the rate of the data phase.
    pub data: u32,
}

/// The bits of a frame, exactly: its stuff bits follow from its contents (ISO 11898-1:2015, 10.4.2 and 10.5).
#[must_use]
pub fn of(frame: &Frame) -> Bits {
    let _ = frame;
    todo!()
}

/// Nanoseconds that a frame takes on a bus, rounded up.
#[must_use]
pub fn time(frame: &Frame, rate: Rate) -> u64 {
    let _ = (frame, rate);
    todo!()
}
