//! The running kernel, where it has CAN: in a network namespace, so that the machine's own network stays as it is.

use std::process::{Command, Stdio};

use super::Job;
use crate::debian;

/// Whether an interface of vcan can be made.
pub fn has_can() -> bool {
    let mut probe = namespace("exec ip link add type vcan");
    probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().is_ok_and(|status| status.success())
}

/// Runs a job and returns its exit code.
pub fn run(job: &Job) -> Result<u8, String> {
    let script = job.script().map_err(|error| format!("cannot write what is to run: {error}"))?;
    let status = namespace(r#"exec sh "$0""#).arg(script.path()).stdin(Stdio::null()).status();
    let status = status.map_err(|error| format!("unshare does not start: {error}"))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// A shell that does this in namespaces of its own.
fn namespace(what: &str) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount"]);
    // Root stays the machine's own, who may have real-time priority; another user is root of the namespace alone.
    unshare.args((!debian::is_root()).then_some("--map-root-user"));
    // A sysfs shows the interfaces of the network namespace in which it was mounted.
    unshare.args(["sh", "-c", &format!("mount -t sysfs sys /sys && {what}")]);
    unshare
}
