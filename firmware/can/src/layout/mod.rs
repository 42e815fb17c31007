//! Payloads as plain frames: which frames a payload is made of, and which bits of them carry what.

mod field;
mod message;
mod signal;
mod values;

use alloc::string::String;
use core::fmt;

pub use field::Field;
pub use message::{FrameLayout, Message};
pub use signal::Signal;
pub use values::Values;

/// Why a text is no signal, or a message cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError(pub String);

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for LayoutError {}
