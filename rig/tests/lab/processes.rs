//! Processes that rig starts, as `/proc` has them.

use std::fs;
use std::time::Instant;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use super::running::{DEADLINE, PAUSE};

/// The processes that this one started and that are still there.
pub fn children_of(parent: u32) -> Vec<u32> {
    all().filter(|process| field(*process, PARENT) == Some(parent.to_string())).collect()
}

/// A process's program and arguments.
pub fn command_line(process: u32) -> String {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

/// The processes of a session of the system, named after its first, which are still there.
pub fn of_session(leader: u32) -> Vec<u32> {
    all().filter(|process| lives(*process) && field(*process, SESSION) == Some(leader.to_string())).collect()
}

/// Whether a process is there and no zombie.
pub fn lives(process: u32) -> bool {
    field(process, STATE).is_some_and(|state| state != "Z")
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

fn all() -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").expect("/proc is there").filter_map(Result::ok);
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Where `/proc/PID/stat` has them, after the name, which may hold anything: `pid (comm) state ppid pgrp session …`
/// (proc(5)).
const STATE: usize = 0;
const PARENT: usize = 1;
const SESSION: usize = 3;

fn field(process: u32, place: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(place).map(str::to_owned)
}
