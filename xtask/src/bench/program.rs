//! The `rig` program measured from outside: how long it takes and how much memory.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rig::journal::synthetic::Synthetic;

use crate::workspace::root;

/// What a program took.
pub struct Taken {
    /// From start to end.
    pub wall: Duration,
    /// Processor time, all threads together: what `wall` is on a machine that does nothing else, at the most.
    pub processor: Duration,
    /// The most memory it held, in bytes.
    pub peak: u64,
}

/// `rig report` of a made-up record with so many deliveries.
pub fn report(deliveries: u32) -> io::Result<Taken> {
    let folder = tempfile::tempdir()?;
    let session = folder.path().join("session");
    Synthetic::of_deliveries(deliveries).write(&session).map_err(io::Error::other)?;
    run(Command::new(rig()?).arg("report").arg(&session))
}

/// `rig simulate` of the islanded plan with the delay of IEEE 1547 before storage re-enters service.
pub fn simulate(trials: u32) -> io::Result<Taken> {
    let folder = tempfile::tempdir()?;
    run(Command::new(rig()?)
        .args(["simulate", "testplans/islanded.toml", "--fixture", "fixtures/enter-service.toml", "--seed", "1"])
        .args(["--trials", &trials.to_string(), "--output"])
        .arg(folder.path())
        .current_dir(root()))
}

/// The program of the same build.
fn rig() -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    Ok(here.parent().unwrap_or(Path::new(".")).join("rig"))
}

#[expect(unsafe_code, reason = "no library that xtask has wraps wait4, which alone tells one child's peak memory")]
fn run(command: &mut Command) -> io::Result<Taken> {
    /// Pass, fail and inconclusive: the program did its work. `rig simulate` of few trials is inconclusive.
    const DONE: [i32; 3] = [0, 1, 3];
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let pid = libc::pid_t::try_from(child.id()).map_err(io::Error::other)?;
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: the child is ours and nobody else waits for it; the kernel writes one status and one `rusage`, of which
    // zeros are a valid value.
    let (waited, usage) = unsafe {
        let waited = libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr());
        (waited, usage.assume_init())
    };
    if waited != pid {
        return Err(io::Error::last_os_error());
    }
    let wall = start.elapsed();
    if !libc::WIFEXITED(status) || !DONE.contains(&libc::WEXITSTATUS(status)) {
        return Err(io::Error::other(format!("{command:?} ended with status {status}")));
    }
    // Kilobytes on Linux (`man 2 getrusage`).
    let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024;
    Ok(Taken { wall, processor: time(usage.ru_utime) + time(usage.ru_stime), peak })
}

fn time(value: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(value.tv_sec).unwrap_or(0));
    seconds + Duration::from_micros(u64::try_from(value.tv_usec).unwrap_or(0))
}
