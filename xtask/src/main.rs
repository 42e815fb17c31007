//! Tasks of rig's own workshop: `cargo xtask TASK`.

#[cfg(target_os = "linux")]
mod bench;
mod packages;
mod peers;
mod schema;
mod targets;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Tasks of rig's own workshop", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what the tests need where it is missing, then run all tests
    Test(test::TestArgs),
    /// Write the JSON schemas of plans and fixtures
    Schema(schema::SchemaArgs),
    /// Measure rig against bare loops and its aims
    #[cfg(target_os = "linux")]
    Bench(bench::BenchArgs),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchInner(bench::BenchArgs),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchPeer(bench::PeerArgs),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Schema(args) => schema::run(&args),
        #[cfg(target_os = "linux")]
        Task::Bench(args) => bench::run(&args),
        #[cfg(target_os = "linux")]
        Task::BenchInner(args) => bench::run_inner(&args),
        #[cfg(target_os = "linux")]
        Task::BenchPeer(args) => bench::run_peer(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
