//! How the three devices behave, sans-IO: time, the feeder and bytes in; bytes, what to keep, and the next wake-up out.
//!
//! The same code runs as a twin on a port, in virtual time, and as firmware on a microcontroller.
//!
//! A host makes a [`Device`] at every boot and calls [`Device::step`] when bytes arrive, when the feeder changes, and
//! when the time that the last step returned has come.
#![no_std]

mod breaker;
mod chassis;
mod device;
mod memory;
mod meter;
mod storage;

pub use device::{Device, Input, Output, Role, Settings};
pub use memory::Memory;
