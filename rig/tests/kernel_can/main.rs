//! rig on a kernel's CAN bus, beside can-utils. `cargo xtask test` runs these where there is one: on this machine in a
//! network namespace of its own, or in a guest.
//!
//! They find vcan0, for CAN FD; vcan1, for classic CAN only; and vcan2, which is down. They share them, and so run one
//! after another.
#![cfg(target_os = "linux")]

mod bus;
mod can_utils;
mod candump;
mod error_frames;
mod flood;
mod iso_tp;
#[path = "../lab/mod.rs"]
mod lab;
mod node;
mod peer;
mod presence;
mod serial_line;
mod sessions;
mod slcan;
mod traces;
