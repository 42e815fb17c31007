//! How the three devices behave, sans-IO: time, the feeder and bytes in; bytes, what to keep, and the next wake-up out.
//!
//! The same code runs as a twin on a port, in virtual time, and as firmware on a microcontroller.
#![no_std]

use rig_payload::Encoded;

/// What happened since the last step.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Nanoseconds since the device booted.
    pub now: u64,
    /// Whether the feeder is energised, as the device senses it.
    pub feeder: bool,
    /// Bytes received on the field link.
    pub bytes: &'a [u8],
}

/// What a device does to the world.
pub trait Output {
    /// Sends a payload on the field link.
    fn transmit(&mut self, payload: &Encoded);
    /// Keeps the memory across power cuts.
    fn store(&mut self, memory: &Memory);
}

/// What a device keeps in non-volatile memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// How often it has booted.
    pub boots: u16,
    /// Sequence number of the last setting command it accepted.
    pub last_setting: u16,
    /// Storage: watts; meter: watt-hours of the cap.
    pub setting: i32,
    /// Meter: whether the energy is capped.
    pub capped: bool,
    /// Trips, islands or caps so far.
    pub trips: u16,
    /// Energy counter in watt-hours.
    pub energy_wh: u32,
}
