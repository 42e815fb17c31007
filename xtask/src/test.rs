use std::process::ExitCode;

use clap::Args;

use crate::workspace::cargo;
use crate::{packages, peers, targets};

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
    packages::install()?;
    let python = peers::install()?;
    targets::install()?;
    let status = cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(&args.arguments)
        .env("RIG_PEERS", python)
        .status()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
