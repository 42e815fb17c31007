//! Tasks of rig's own workshop: `cargo xtask TASK`.

#[cfg(target_os = "linux")]
mod bench;
mod debian;
mod firmware;
#[cfg(target_os = "linux")]
mod guest;
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
    /// Build the device programs for their boards, and say what they take
    Firmware(firmware::FirmwareArgs),
    /// Write the JSON schemas of plans and fixtures
    Schema(schema::SchemaArgs),
    /// Measure rig against bare loops and its aims
    #[cfg(target_os = "linux")]
    Bench(bench::BenchArgs),
    /// Run a command as root under a kernel that has CAN: this one, or Debian's in QEMU
    #[cfg(target_os = "linux")]
    Guest(guest::GuestArgs),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchInner(bench::BenchArgs),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchPeer(bench::PeerArgs),
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    BenchSender(bench::Load),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Firmware(args) => firmware::run(&args),
        Task::Schema(args) => schema::run(&args),
        #[cfg(target_os = "linux")]
        Task::Bench(args) => bench::run(&args),
        #[cfg(target_os = "linux")]
        Task::Guest(args) => guest::run_task(&args),
        #[cfg(target_os = "linux")]
        Task::BenchInner(args) => bench::run_inner(&args),
        #[cfg(target_os = "linux")]
        Task::BenchPeer(args) => bench::run_peer(&args),
        #[cfg(target_os = "linux")]
        Task::BenchSender(load) => bench::run_sender(load),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
