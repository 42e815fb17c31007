//! The real program on real ttys: its exit codes, what it says, and the session folders that it leaves.
#![cfg(unix)]

mod adapters;
mod bad_input;
mod bench_gone;
mod exit_codes;
mod external;
mod full_disk;
mod interrupts;
#[path = "../lab/mod.rs"]
mod lab;
mod peer;
mod record;
mod replay;
mod slcan;
mod terminal;
mod twin_faults;
