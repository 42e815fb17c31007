//! Payloads in many frames: ISO 15765-2:2016, sans-IO.
//!
//! A [`Sender`] hands out frames and is told when each is on the bus; a [`Receiver`] takes frames and says what to
//! answer. Both obey the timeouts of clause 9.8.

mod pci;
mod receiver;
mod sender;
mod settings;

pub use receiver::{ReceiveError, Receiver, Taken};
pub use sender::{SendError, Sender, Todo, WAITS};
pub use settings::{Addressing, Settings, SettingsError};

/// Nanoseconds until a frame that does not get onto the bus, a flow control that does not come, or a next frame that
/// does not come ends a payload: the 1 s of `N_As`, `N_Bs` and `N_Cr` (clause 9.8).
pub const TIMEOUT: u64 = 1_000_000_000;
