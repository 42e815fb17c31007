//! How a device keeps its memory in flash so that a power cut at any instant leaves the old memory or the new one.
//!
//! A [`Store`] appends records to a ring of sectors. A record is whole or it does not count; a sector is erased only
//! while the newest whole record lies in another one.
#![no_std]

mod flash;
mod record;
mod store;

pub use flash::Flash;
pub use record::Record;
pub use store::{Store, Worn};
