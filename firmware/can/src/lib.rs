//! CAN as rig and its devices speak it, sans-IO: frames and their time on the wire (ISO 11898-1), payloads in many
//! frames (ISO 15765-2), plain frames by a layout, the serial adapters of LAWICEL, frames as Linux lays them out, and log
//! lines of candump.
//!
//! Nothing here reads a clock: where time matters it is given as `now`, in nanoseconds on any clock that does not run
//! backwards.
#![no_std]

extern crate alloc;

pub mod bits;
pub mod candump;
mod frame;
mod id;
pub mod isotp;
pub mod lawicel;
pub mod layout;
pub mod socketcan;

pub use frame::{Format, Frame, fd_length};
pub use id::{Id, IdError};
