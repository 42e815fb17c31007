//! rig against programs that are not rig's: a relay board, a supply, a storage controller, a node of a CAN bus, and
//! readers of its trace.
//!
//! They need what `cargo xtask test` installs. Without it they fail and say so: a test that was not run has not passed.
#![cfg(unix)]

mod node;
mod process;
mod relays;
mod storage;
mod supply;
mod trace;
