//! The `rig` program.

mod cli;

use std::process::ExitCode;

use clap::Parser;

/// Plays test scenarios against real grid devices and judges what they send.
#[derive(Parser)]
#[command(version)]
enum Command {
    /// Checks plans and fixtures.
    Check(cli::check::CheckArgs),
    /// Prints the JSON schema of plans or fixtures.
    Schema(cli::schema::SchemaArgs),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Check(args) => cli::check::run(&args),
        Command::Schema(args) => cli::schema::run(args),
    }
}
