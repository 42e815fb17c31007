//! Which processors a benchmark runs on, and how much of them it takes.

use std::io;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// Keeps the calling thread on one processor, and all that it starts; when it is dropped, what it starts may run
/// anywhere again.
pub struct Pinned {
    before: CpuSet,
    /// The processor.
    pub cpu: usize,
}

impl Pinned {
    /// Pins to the last processor that the thread may run on: the first one has the most interrupts.
    pub fn to_one() -> io::Result<Self> {
        let this = Pid::from_raw(0);
        let before = sched_getaffinity(this)?;
        let allowed = |cpu: &usize| before.is_set(*cpu).unwrap_or(false);
        let cpu = (0..CpuSet::count()).rev().find(allowed).unwrap_or(0);
        let mut one = CpuSet::new();
        one.set(cpu)?;
        sched_setaffinity(this, &one)?;
        Ok(Self { before, cpu })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Where the mask cannot be put back, the figures that follow are lower than they might be, and not wrong.
        let _ = sched_setaffinity(Pid::from_raw(0), &self.before);
    }
}

/// Processor time that this process has taken, all threads together.
pub fn taken() -> Duration {
    clock(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// `CLOCK_MONOTONIC`, which is the same in all processes.
pub fn monotonic() -> Duration {
    clock(ClockId::CLOCK_MONOTONIC)
}

fn clock(id: ClockId) -> Duration {
    clock_gettime(id).map(Duration::from).unwrap_or_default()
}
