//! The session's record: `events.jsonl`, one event a line as it happens, `trace.pcapng`, the raw traffic, and
//! `trace.candump`, that of its CAN buses.
//!
//! The wire thread sends [`Record`]s over a channel and never waits; a [`Recorder`] on a thread of its own writes them
//! and folds them. [`read`] streams the events back, and [`findings`] folds them to what the recorder found.

mod error;
mod log;
mod reader;
mod recorder;
pub mod synthetic;
mod trace;
mod traffic;
mod writer;

pub use error::JournalError;
pub use reader::{Reading, findings, read};
pub use recorder::{Record, Recorded, Recorder};
pub use traffic::{Passed, Traffic};
pub use writer::Journal;

/// Name of the file of events in a session's folder.
pub const EVENTS: &str = "events.jsonl";
/// Name of the file of raw traffic in a session's folder.
pub const TRACE: &str = "trace.pcapng";
/// Name of the log of CAN frames in a session's folder. A session without any has none.
pub const LOG: &str = "trace.candump";

/// The most bytes of a line of events, its end included.
const LONGEST_LINE: usize = 1 << 20;

#[cfg(test)]
mod tests;
