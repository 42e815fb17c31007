use std::process::{Command, ExitCode};

use clap::Args;

#[cfg(target_os = "linux")]
use crate::guest::{self, Place};
use crate::workspace::{cargo, root};
use crate::{firmware, packages, peers, targets};

#[derive(Args)]
pub struct TestArgs {
    /// Passed on to cargo test: filters, and after another -- the test program's own options
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Installs what the tests need and runs them all; the last lines are the test runner's own.
///
/// # Errors
/// Names what could not be installed: a test is not left out because its peer is missing.
pub fn run(args: &TestArgs) -> Result<ExitCode, String> {
    packages::install(&packages::OF_TESTS)?;
    let python = peers::install()?;
    targets::install()?;
    firmware::build(true)?;
    // What cargo takes of the arguments, and what the test programs do.
    let mut parts = args.arguments.splitn(2, |argument| argument == "--");
    let (cargo_s, tests) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let passed = |test: &mut Command, ours: &[&str]| {
        test.arg("--no-fail-fast").args(cargo_s).arg("--").args(ours).args(tests).env("RIG_PEERS", &python);
        test.status().map(|status| status.success()).map_err(|error| format!("cargo does not start: {error}"))
    };
    #[cfg(target_os = "linux")]
    let on_can = match guest::find()? {
        Place::Guest(_) => passed(&mut on_can("guest")?, &[])?,
        Place::Here => {
            let here = passed(&mut on_can("guest")?, &["--skip", KERNEL_SLCAN])?;
            passed(&mut on_can("guest --boot")?, &[KERNEL_SLCAN])? && here
        }
    };
    #[cfg(not(target_os = "linux"))]
    let on_can = true;
    let all = passed(cargo().args(["test", "--workspace"]), &[])?;
    Ok(if on_can && all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tests that want the kernel to make an interface of a tty, which it does in the network namespace that the machine
/// began with.
#[cfg(target_os = "linux")]
const KERNEL_SLCAN: &str = "slcan::";

/// The tests of rig and its twins on a kernel's CAN bus. cargo starts them by a task of this program.
#[cfg(target_os = "linux")]
fn on_can(task: &str) -> Result<Command, String> {
    let this = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let this = this.display().to_string();
    let words: Vec<&str> = [&*this].into_iter().chain(task.split(' ')).chain(["--"]).collect();
    let runner = format!(r#"target."cfg(target_os = \"linux\")".runner = {words:?}"#);
    let mut test = cargo();
    test.args(["--config", &runner, "test", "--package", "rig", "--package", "rig-virtual", "--test", "kernel_can"]);
    // They share the buses.
    test.env("RUST_TEST_THREADS", "1");
    // Where insta does not know it, it asks cargo, which takes seconds in a guest.
    test.env("INSTA_WORKSPACE_ROOT", root());
    Ok(test)
}
