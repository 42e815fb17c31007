use std::process::{Command, ExitCode};

use clap::Args;

#[cfg(target_os = "linux")]
use crate::guest;
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
    let passed = |test: &mut Command| {
        let status = test.arg("--no-fail-fast").args(&args.arguments).env("RIG_PEERS", &python).status();
        status.map(|status| status.success()).map_err(|error| format!("cargo does not start: {error}"))
    };
    #[cfg(target_os = "linux")]
    let on_can = passed(&mut on_can()?)?;
    #[cfg(not(target_os = "linux"))]
    let on_can = true;
    let all = passed(cargo().args(["test", "--workspace"]))?;
    Ok(if on_can && all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The tests of rig and its twins on a kernel's CAN bus. cargo starts them by this program, which runs them where there is one.
#[cfg(target_os = "linux")]
fn on_can() -> Result<Command, String> {
    guest::find()?;
    let this = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let runner =
        format!(r#"target."cfg(target_os = \"linux\")".runner = [{:?}, "guest", "--"]"#, this.display().to_string());
    let mut test = cargo();
    test.args(["--config", &runner, "test", "--package", "rig", "--package", "rig-virtual", "--test", "kernel_can"]);
    // They share the buses.
    test.env("RUST_TEST_THREADS", "1");
    // Where insta does not know it, it asks cargo, which takes seconds in a guest.
    test.env("INSTA_WORKSPACE_ROOT", root());
    Ok(test)
}
