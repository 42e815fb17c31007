//! rig plays test scenarios against real grid devices, cuts and restores their power while it does so, timestamps
//! every payload and says whether each meets its latency and reliability budget.
//!
//! # Layout
//! The modules are the flow of a session, one way:
//!
//! ```text
//! plan ─ check ─► Plan ────┐
//! fixture ─ check ► Fixture┴► session ══ Event ══► journal   events.jsonl, trace.pcapng
//!                              │   ▲            ├► live      progress on the terminal
//!            link, power, actor, protocol        └► verdict ─► report
//! ```
//!
//! [`event`] is the contract in the middle: the session emits facts and prints nothing; everything after it is a fold
//! over the same events, live or read back, and touches neither hardware nor a clock.

pub mod actor;
pub mod check;
pub mod document;
pub mod estimate;
pub mod event;
pub mod fixture;
pub mod hex;
pub mod host;
pub mod journal;
pub mod link;
pub mod live;
pub mod plan;
pub mod power;
pub mod probe;
pub mod problem;
pub mod protocol;
pub mod quantity;
pub mod replay;
pub mod report;
mod review;
pub mod schema;
pub mod session;
pub mod stamp;
pub mod verdict;
pub mod visible;
