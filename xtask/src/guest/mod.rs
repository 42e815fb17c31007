//! A command under a kernel that has CAN: this one, in a network namespace of its own, or Debian's in QEMU.
//!
//! Both have the same interfaces (`interfaces.sh`) and the same files. In the guest, what is written goes to memory.

mod here;
mod job;
mod kernel;
mod qemu;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

pub use self::job::Job;
use crate::packages;

#[derive(Args)]
pub struct GuestArgs {
    /// Boot Debian's kernel even where this one has CAN
    #[arg(long)]
    boot: bool,
    /// Seconds after which the guest is ended
    #[arg(long, value_name = "SECONDS", default_value_t = 1200)]
    deadline: u64,
    /// Program and arguments
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs a command as root where CAN is, and ends as it ended.
///
/// # Errors
/// Says what is missing, or why the guest did not run the command to its end.
pub fn run_task(args: &GuestArgs) -> Result<ExitCode, String> {
    let job = Job::here(&args.command)?;
    let deadline = Duration::from_secs(args.deadline);
    let code = if args.boot { boot(&job, deadline)? } else { run(&job, deadline)? };
    Ok(ExitCode::from(code))
}

/// Runs a job under a kernel that has CAN and returns its exit code. Its output is this program's.
///
/// # Errors
/// Says what is missing, or why the job did not run to its end.
pub fn run(job: &Job, deadline: Duration) -> Result<u8, String> {
    if here::has_can() { here::run(job) } else { boot(job, deadline) }
}

fn boot(job: &Job, deadline: Duration) -> Result<u8, String> {
    packages::install(&qemu::NEEDS)?;
    let kernel = kernel::install()?;
    qemu::run(&kernel, job, deadline)
}
