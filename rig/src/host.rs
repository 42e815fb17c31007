//! What the machine grants the wire plane: real-time priority, and processors that do not fall asleep.
//!
//! Both are asked for and neither is needed. What was granted goes into the record, because it says how far a stamp's
//! upper bound can lie behind the instant it bounds.

use std::collections::BTreeMap;
use std::fs::File;

/// What was granted. The processors stay awake until it is dropped.
#[derive(Debug)]
pub struct Host {
    granted: BTreeMap<String, String>,
    _awake: Option<File>,
}

/// Asks for real-time priority for the calling thread, and for processors that wake at once, and reads what else the
/// record says of the machine.
#[must_use]
pub fn prepare() -> Host {
    let (awake, latency) = stay_awake();
    let granted = BTreeMap::from([
        ("system".into(), format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("kernel".into(), read("/proc/sys/kernel/osrelease")),
        ("clock-source".into(), read("/sys/devices/system/clocksource/clocksource0/current_clocksource")),
        ("real-time".into(), real_time()),
        ("cpu-latency".into(), latency),
    ]);
    Host { granted, _awake: awake }
}

impl Host {
    /// What was granted, in words; what was refused, and why.
    #[must_use]
    pub fn granted(&self) -> &BTreeMap<String, String> {
        &self.granted
    }
}

/// The kernel's answer to a question that is a file.
fn read(path: &str) -> String {
    match std::fs::read_to_string(path) {
        Ok(text) => text.trim().chars().take(100).flat_map(char::escape_debug).collect(),
        Err(error) => format!("unknown ({error})"),
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe wrapper of this system call is in a library that rig has")]
fn real_time() -> String {
    /// Above all ordinary threads, and below the kernel's own interrupt threads, which run at 50 (`man 7 sched`) and
    /// which the ports need.
    const PRIORITY: i32 = 20;
    let parameter = libc::sched_param { sched_priority: PRIORITY };
    // Children must not inherit it: a program that a relay driver starts has no business above everything else.
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: `parameter` lives through the call, which reads it; process 0 is the calling thread.
    if unsafe { libc::sched_setscheduler(0, policy, &raw const parameter) } == 0 {
        format!("SCHED_FIFO, priority {PRIORITY}")
    } else {
        let error = std::io::Error::last_os_error();
        format!("refused ({error}); allow it with `ulimit -r {PRIORITY}` or CAP_SYS_NICE")
    }
}

#[cfg(not(target_os = "linux"))]
fn real_time() -> String {
    "not asked for: only Linux can be asked".into()
}

/// Holds the longest time that a processor may take to wake at 0, for as long as the file is open
/// (Linux, `Documentation/power/pm_qos_interface.rst`). An idle processor otherwise adds tens of microseconds.
#[cfg(target_os = "linux")]
fn stay_awake() -> (Option<File>, String) {
    use std::io::Write;

    const PATH: &str = "/dev/cpu_dma_latency";
    let opened = File::options().write(true).open(PATH).and_then(|mut file| {
        file.write_all(&0_i32.to_ne_bytes())?;
        Ok(file)
    });
    match opened {
        Ok(file) => (Some(file), "0 µs for the session".into()),
        Err(error) => (None, format!("refused ({PATH}: {error}); allow its group to write it with a udev rule")),
    }
}

#[cfg(not(target_os = "linux"))]
fn stay_awake() -> (Option<File>, String) {
    (None, "not asked for: only Linux can be asked".into())
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn every_question_has_an_answer_whatever_the_machine_grants() {
        // On a thread of its own: its priority may rise.
        let host = std::thread::spawn(prepare).join().expect("no panic");
        for key in ["system", "kernel", "clock-source", "real-time", "cpu-latency"] {
            assert!(!host.granted()[key].is_empty(), "{key}");
        }
    }
}
