//! Debug probes: rig puts firmware on devices through probe-rs, and reads their logs while they run.
//!
//! probe-rs may hang, spin or panic where a link dies, so that every probe is driven by a process of its own: rig's own
//! program, started again. [`Driver`] starts it, [`Probe`] is its other end: requests and answers are lines of JSON, each
//! request has a deadline, and a process that misses one is killed. [`work`] is what that process does.
//!
//! Only the worker touches probe-rs. Nothing here knows of sessions.

mod decoder;
mod driver;
mod error;
mod identity;
mod image;
mod line;
mod request;
mod target;
mod worker;

pub use driver::{Driver, Probe};
pub use error::ProbeError;
pub use identity::Identity;
pub use image::Image;
pub use line::{LogLine, Told};
pub use request::{CoreState, Found, Log, Progress, Stage, Target};
pub use worker::work;
