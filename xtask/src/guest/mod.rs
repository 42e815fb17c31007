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
use self::kernel::Kernel;
use crate::packages::{self, Need};

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

/// What makes the interfaces.
const IP: Need =
    Need { name: "ip", probe: &["ip", "-V"], package: "iproute2", why: "makes the interfaces of the tests' CAN bus" };
/// What a guest runs in.
const QEMU: Need = Need {
    name: "qemu-system-x86_64",
    probe: &["qemu-system-x86_64", "--version"],
    package: "qemu-system-x86",
    why: "boots a kernel that has CAN, which this one has not",
};

/// Runs a command as root where there is a CAN bus, and ends as it ended.
///
/// # Errors
/// Says what is missing, or why the command did not run to its end.
pub fn run_task(args: &GuestArgs) -> Result<ExitCode, String> {
    let job = Job::here(&args.command)?;
    let place = if args.boot { boot()? } else { find()? };
    run(&place, &job, Duration::from_secs(args.deadline)).map(ExitCode::from)
}

/// Where a job finds a CAN bus.
pub enum Place {
    /// Under this kernel.
    Here,
    /// Under one that is booted for it.
    Guest(Kernel),
}

/// Finds a place and installs what it needs.
///
/// # Errors
/// Names what could not be installed.
pub fn find() -> Result<Place, String> {
    packages::install(&[IP])?;
    if here::has_can() { Ok(Place::Here) } else { boot() }
}

fn boot() -> Result<Place, String> {
    packages::install(&[IP, QEMU])?;
    kernel::install().map(Place::Guest)
}

/// Runs a job and returns its exit code. Its output is this program's.
///
/// # Errors
/// Why the job did not run to its end. There is a deadline for a guest alone, which may hang as a whole.
pub fn run(place: &Place, job: &Job, deadline: Duration) -> Result<u8, String> {
    match place {
        Place::Here => here::run(job),
        Place::Guest(kernel) => qemu::run(kernel, job, deadline),
    }
}
