//! What the machine grants the wire plane: real-time priority, and processors that do not fall asleep.
//!
//! Both are asked for and neither is needed. What was granted goes into the record, because it says how far a stamp's
//! upper bound can lie behind the instant it bounds.

use std::collections::BTreeMap;
use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

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

/// Notices when the wall clock is stepped, against the clock that stamps are taken from.
///
/// Slewing is no step: the kernel slews by 500 ppm at most (RFC 5905, section 11.3), so what is more than that, and
/// more than both clocks' reading can blur, is one.
#[derive(Debug)]
pub struct ClockWatch {
    anchor: Instant,
    last: Reading,
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// Time since the watch began, by the clock that is never stepped.
    steady: Duration,
    /// Wall time since 1970, in nanoseconds.
    wall: i128,
    /// How long it took to read them.
    gap: Duration,
}

impl ClockWatch {
    /// A watch that begins now.
    #[must_use]
    pub fn start() -> Self {
        let anchor = Instant::now();
        Self { anchor, last: Reading::now(anchor) }
    }

    /// By how many nanoseconds the wall clock was stepped since the last look, if it was: positive is forward.
    pub fn stepped(&mut self) -> Option<i64> {
        let reading = Reading::now(self.anchor);
        let step = reading.stepped_since(&self.last);
        self.last = reading;
        step
    }
}

impl Reading {
    fn now(anchor: Instant) -> Self {
        let before = anchor.elapsed();
        let wall = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_nanos().cast_signed(),
            Err(error) => -error.duration().as_nanos().cast_signed(),
        };
        let after = anchor.elapsed();
        Self { steady: before, wall, gap: after.saturating_sub(before) }
    }

    fn stepped_since(&self, earlier: &Self) -> Option<i64> {
        const SLEW_PPM: i128 = 500;
        /// Below this nothing that rig measures changes.
        const BLUR: i128 = 100_000;
        let nanos = |time: Duration| time.as_nanos().cast_signed();
        let elapsed = nanos(self.steady) - nanos(earlier.steady);
        let step = self.wall - earlier.wall - elapsed;
        let tolerance = elapsed * SLEW_PPM / 1_000_000 + nanos(self.gap) + nanos(earlier.gap) + BLUR;
        (step.abs() > tolerance).then(|| i64::try_from(step).unwrap_or(if step < 0 { i64::MIN } else { i64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ClockWatch, Reading, prepare};

    fn reading(steady_ms: u64, wall_us: i128) -> Reading {
        Reading { steady: Duration::from_millis(steady_ms), wall: wall_us * 1_000, gap: Duration::from_micros(1) }
    }

    #[test]
    fn a_step_is_told_with_its_sign() {
        let before = reading(1_000, 50_000_000);
        assert_eq!(reading(2_000, 51_002_000).stepped_since(&before), Some(2_000_000));
        assert_eq!(reading(2_000, 49_000_000).stepped_since(&before), Some(-2_000_000_000));
    }

    #[test]
    fn slewing_is_no_step() {
        let before = reading(0, 0);
        assert_eq!(reading(10_000, 10_005_000).stepped_since(&before), None);
        assert_eq!(reading(10_000, 9_995_000).stepped_since(&before), None);
    }

    #[test]
    fn a_step_that_no_number_holds_is_still_a_step() {
        let before = reading(0, i128::from(i64::MAX) * -4);
        assert_eq!(reading(1, 0).stepped_since(&before), Some(i64::MAX));
    }

    #[test]
    fn clocks_that_run_together_show_no_step() {
        let mut watch = ClockWatch::start();
        assert_eq!(watch.stepped(), None);
    }

    #[test]
    fn every_question_has_an_answer_whatever_the_machine_grants() {
        // On a thread of its own: its priority may rise.
        let host = std::thread::spawn(prepare).join().expect("no panic");
        for key in ["system", "kernel", "clock-source", "real-time", "cpu-latency"] {
            assert!(!host.granted()[key].is_empty(), "{key}");
        }
    }
}
