//! Debug probes and the firmware behind them: the emulated probe at a microcontroller in QEMU, and probes that fail.
//! `cargo xtask firmware --bugs` builds the firmware, and `cargo xtask test` does so by itself.
#![cfg(target_os = "linux")]

mod bench;
mod by_hand;
mod errors;
mod firmware;
mod killed;
#[path = "../lab/mod.rs"]
mod lab;
mod session;

use std::path::{Path, PathBuf};

/// A program for the board in QEMU, such as `meter` or `meter-bug-crash`.
fn elf(program: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("cargo's target folder");
    let elf = target.join("firmware/mps2-an385").join(format!("{program}.elf"));
    assert!(elf.exists(), "{} is not there: cargo xtask firmware --bugs builds it", elf.display());
    elf
}
