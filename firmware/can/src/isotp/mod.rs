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

/// Nanoseconds within which a flow control, or the next frame, must be on the bus lest the other side's [`TIMEOUT`] ends
/// the payload: `N_Br + N_Ar` and `N_Cs + N_As` are less than 0.9 of it (clause 9.8).
pub const PROMPT: u64 = TIMEOUT / 10 * 9;
