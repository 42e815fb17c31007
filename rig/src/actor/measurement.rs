//! What the operations database keeps of a payload.

use rig_payload::{Actor, Frame, Kind};
use time::OffsetDateTime;

use crate::stamp::Nanos;

/// A payload that the operations database has received: what of a device's state and measured values it carries, and
/// when it came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// The trial it came in, counted from 1.
    pub trial: u32,
    /// When it was there, on the session clock.
    pub at: Nanos,
    /// The same instant as wall time.
    pub wall: OffsetDateTime,
    /// The payload.
    pub frame: Frame,
}

impl Measurement {
    /// The device whose state it is, whoever passed it on: its payload's name says it.
    #[must_use]
    pub const fn device(&self) -> Actor {
        match self.frame.header.kind {
            Kind::BreakerStatusCmd | Kind::BreakerStatusResp => Actor::Breaker,
            Kind::StorageStatusCmd
            | Kind::StorageStatusResp
            | Kind::DischargeCmd
            | Kind::DischargeAck
            | Kind::ChargeRateCmd
            | Kind::ChargeRateAck
            | Kind::InIslandAlarm
            | Kind::OutOfIslandAlert => Actor::Storage,
            Kind::CapCmd
            | Kind::CapAck
            | Kind::CappedAlert
            | Kind::CancelCmd
            | Kind::CancelAck
            | Kind::UncappedAlert => Actor::Meter,
            Kind::Boot | Kind::Receipt => self.frame.header.source,
        }
    }
}
