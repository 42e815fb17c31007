//! The `rig` program: hardware-in-the-loop test sessions from plans and fixtures.

mod cli;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    cli.color.apply();
    let code = match cli.command.spelled_out() {
        Command::Run(args) | Command::Simulate(args) => cli::run::run(&args),
        Command::Check(args) => cli::check::run(&args),
        Command::Report(args) => cli::report::run(&args),
        Command::Replay(args) => cli::replay::run(&args),
        Command::Bench(args) => cli::bench::run(&args),
        Command::Flash(args) => cli::flash::run(&args),
        Command::Probe(args) => cli::probe::run(&args),
        Command::Schema(args) => cli::schema::run(&args),
        Command::Completions(args) => cli::completions::run(&args),
    };
    code.into()
}
