//! The `rig` program.

use clap::Parser;
use rig::cli::{Cli, Command, ExitCode, bench, completions, report, run};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    cli.color.apply();
    let code = match cli.command.spelled_out() {
        Command::Run(args) | Command::Simulate(args) => run::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Check(_) | Command::Schema(_) => ExitCode::Usage,
    };
    code.into()
}
