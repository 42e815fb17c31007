//! Processes that rig starts, as `/proc` has them.

use std::fs;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The processes that drive probes and belong to this parent.
pub fn workers_of(parent: u32) -> Vec<u32> {
    children_of(parent).filter(|process| command_line(*process).contains("probe worker")).collect()
}

/// The command line of a process of this parent that has a word in it.
pub fn command_of_child(parent: u32, word: &str) -> Option<String> {
    children_of(parent).map(command_line).find(|line| line.contains(word))
}

fn children_of(parent: u32) -> impl Iterator<Item = u32> {
    let processes = fs::read_dir("/proc").expect("/proc is there").filter_map(Result::ok);
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(move |process| parent_of(*process) == Some(parent))
}

/// Whether a process is there and no zombie.
pub fn lives(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // proc(5): `pid (comm) state ppid …`, and comm may hold anything.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn command_line(process: u32) -> String {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).replace('\0', " ")
}

fn parent_of(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}
