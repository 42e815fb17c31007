//! Processes that rig starts, as `/proc` has them.

use std::fs;
use std::time::Instant;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::running::{DEADLINE, PAUSE};

/// The processes that this one started and that are still there.
pub fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc is there").filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|process| parent_of(*process) == Some(parent)).collect()
}

/// A process's program and arguments.
pub fn command_line(process: u32) -> String {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// Whether a process is there and no zombie.
pub fn lives(process: u32) -> bool {
    fields(process).is_some_and(|fields| !fields.starts_with('Z'))
}

/// Sends a signal.
pub fn signal(process: u32, signal: Signal) {
    let process = Pid::from_raw(i32::try_from(process).expect("a process's number"));
    signal::kill(process, signal).expect("the signal is sent");
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(PAUSE);
    }
}

fn parent_of(process: u32) -> Option<u32> {
    fields(process)?.split(' ').nth(1)?.parse().ok()
}

/// What the kernel tells of a process, from its state on.
fn fields(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // proc(5): `pid (comm) state ppid …`, and comm may hold anything.
    Some(stat.rsplit_once(") ")?.1.to_owned())
}
