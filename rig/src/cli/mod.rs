//! The `rig` program's command line: what can be asked, and how it ends.

pub mod bench;
mod causes;
pub mod check;
mod color;
pub mod completions;
mod exit;
pub mod flash;
mod interrupt;
mod outcome;
pub mod probe;
mod problems;
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod stdout;

use clap::{Parser, Subcommand};

use bench::BenchArgs;
use check::CheckArgs;
use completions::CompletionsArgs;
use flash::FlashArgs;
use probe::ProbeArgs;
use replay::ReplayArgs;
use report::ReportArgs;
use run::RunArgs;
use schema::SchemaArgs;

pub use color::Color;
pub use exit::ExitCode;

const EXAMPLES: &str = "\
Examples:
  rig run testplans/islanded.toml
  rig check testplans/islanded.toml fixtures/example-lab.toml
  rig simulate testplans/dispatch.toml --trials 600 --seed 7
  rig report reports/20260102T030405Z-islanded-virtual
  rig replay reports/20260102T030405Z-islanded-vcan/trace.candump --onto can:vcan0
";

/// Plays test plans against real grid devices, cuts their power while it does so, and says whether every payload meets
/// its latency and reliability budget.
///
/// Data goes to standard output, everything else to standard error.
#[derive(Clone, Debug, Parser)]
#[command(name = "rig", version, arg_required_else_help = true, after_help = EXAMPLES, after_long_help = exit::help(EXAMPLES))]
pub struct Cli {
    /// Whether to write in colour; `auto` follows the terminal, `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What rig is asked to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Play a plan on a bench and report what was found
    ///
    /// Checks the plan, the fixture and every port first; then plays the plan's trials, judges each edge, applies each
    /// rail's safe state and leaves a session folder with events.jsonl, junit.xml, report.html, plots and more.
    ///
    /// One Ctrl-C stops, applies the safe state and reports what was played; a second one leaves the reports out. The
    /// safe state is applied either way.
    #[command(after_help = run::EXAMPLES, after_long_help = exit::help(run::EXAMPLES))]
    Run(RunArgs),
    /// Find every problem of plans and fixtures without playing them
    ///
    /// Reports all problems at once, each with its file, line and a help line. For a plan it also says how many trials
    /// each edge needs, whether the plan's trials can decide it, and how long the session will take.
    #[command(after_help = check::EXAMPLES)]
    Check(CheckArgs),
    /// Play a plan in virtual time with twins in memory: the same as run --simulate
    ///
    /// Hours of bench time take seconds. The record is of the same kind, and every report says that it is simulated.
    #[command(after_help = run::SIMULATE_EXAMPLES, after_long_help = exit::help(run::SIMULATE_EXAMPLES))]
    Simulate(RunArgs),
    /// Make a session's reports again from its events
    ///
    /// The files are the same, byte for byte, as those that the run wrote. The session's verdict is the exit code.
    #[command(after_help = report::EXAMPLES, after_long_help = exit::help(report::EXAMPLES))]
    Report(ReportArgs),
    /// Play recorded CAN traffic back at its own times
    ///
    /// The file is a log of candump's (candump -l, a session's trace.candump) or a pcapng file with SocketCAN packets.
    /// Each frame is due at its own distance from the first one, so that errors do not add up; how well that schedule
    /// was kept is part of the summary. What cannot be sent is refused before the first frame, unless --skip names it.
    #[command(after_help = replay::EXAMPLES, after_long_help = replay::long_help())]
    Replay(ReplayArgs),
    /// Start a fixture's virtual bench alone, for other programs to use
    ///
    /// Prints the path of every port, and runs until Ctrl-C.
    #[command(after_help = bench::EXAMPLES)]
    Bench(BenchArgs),
    /// Put firmware on a device through its debug probe
    ///
    /// Compares what the device holds first, and programs it only where it holds something else. Then the device is
    /// reset, and starts what it holds.
    #[command(after_help = flash::EXAMPLES, after_long_help = exit::help(flash::EXAMPLES))]
    Flash(FlashArgs),
    /// Find debug probes, and read what devices log
    #[command(after_help = probe::EXAMPLES)]
    Probe(ProbeArgs),
    /// Print the JSON schema of plans or fixtures
    #[command(after_help = schema::EXAMPLES)]
    Schema(SchemaArgs),
    /// Print a shell's completions
    #[command(after_help = completions::EXAMPLES)]
    Completions(CompletionsArgs),
}

impl Command {
    /// The command with `simulate` as what it stands for, `run --simulate`.
    #[must_use]
    pub fn spelled_out(self) -> Self {
        match self {
            Self::Simulate(args) => Self::Run(RunArgs { simulate: true, ..args }),
            command => command,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use clap::CommandFactory;
    use rig::replay::{Obstacle, Speed};
    use test_case::test_case;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_help_can_be_typed() {
        let mut root = Cli::command();
        let help = std::iter::once(root.render_help().to_string())
            .chain(root.get_subcommands_mut().map(|command| command.render_help().to_string()))
            .collect::<Vec<_>>();
        let examples: Vec<_> =
            help.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("  rig ")).collect();
        assert!(examples.len() >= 15, "{examples:?}");
        for example in examples {
            let typed = example.split('>').next().unwrap_or_default();
            assert!(parse(typed).is_ok(), "{example}");
        }
    }

    #[test]
    fn a_run_has_the_virtual_bench_unless_told_otherwise() {
        let Command::Run(args) = parse("rig run plan.toml").unwrap().command else { panic!("not a run") };
        assert_eq!(args.fixture, PathBuf::from("fixtures/virtual.toml"));
        assert_eq!(args.output, PathBuf::from("reports"));
        assert!(!args.simulate && args.trials.is_none() && args.seed.is_none() && args.only.is_empty());
    }

    #[test_case("rig run plan.toml --only I3 I4"; "in a row")]
    #[test_case("rig run plan.toml --only I3,I4"; "with a comma")]
    #[test_case("rig run --only I3 --only I4 -- plan.toml"; "again and again")]
    fn rows_can_be_named(line: &str) {
        let Command::Run(args) = parse(line).unwrap().command else { panic!("not a run") };
        assert_eq!(args.only, ["I3", "I4"]);
        assert_eq!(args.plan, PathBuf::from("plan.toml"));
    }

    #[test]
    fn simulate_is_run_simulated() {
        let Command::Run(args) = parse("rig simulate plan.toml --seed 3").unwrap().command.spelled_out() else {
            panic!("not a run")
        };
        assert!(args.simulate);
        assert_eq!(args.seed, Some(3));
    }

    #[test]
    fn a_replay_takes_what_it_is_told() {
        let line =
            "rig replay x.log --onto slcan:/dev/ttyACM0@125000 --skip errors,fd --reply 601#60 --tolerance 200us";
        let Command::Replay(args) = parse(line).unwrap().command else { panic!("not a replay") };
        assert_eq!(args.skip, [Obstacle::Errors, Obstacle::Fd]);
        assert_eq!((args.reply.len(), args.tolerance), (1, Duration::from_micros(200)));
        assert_eq!((args.speed, args.format), (Speed::RECORDED, replay::Format::Human));
    }

    #[test_case("rig replay x.log"; "no bus to play onto")]
    #[test_case("rig replay x.log --onto vcan0"; "no kind of bus")]
    #[test_case("rig replay x.log --onto can:vcan0 --speed 0"; "no speed")]
    #[test_case("rig replay x.log --onto can:vcan0 --reply 6"; "no identifier")]
    #[test_case("rig replay x.log --onto can:vcan0 --reply 601#6"; "half a byte")]
    #[test_case("rig replay x.log --onto can:vcan0 --skip all"; "nothing that could be skipped")]
    #[test_case("rig replay x.log --onto can:vcan0 --sent-only --received-only"; "both directions alone")]
    #[test_case("rig replay x.log --onto can:vcan0 --reply-timeout 1000h"; "no end")]
    #[test_case("rig"; "nothing")]
    #[test_case("rig run"; "no plan")]
    #[test_case("rig run plan.toml --trials 0"; "no trials")]
    #[test_case("rig run plan.toml --trials many"; "no number")]
    #[test_case("rig run plan.toml --name ../up"; "a path for a name")]
    #[test_case("rig run plan.toml --name .."; "the folder above for a name")]
    #[test_case("rig run plan.toml --name a\x1bb"; "a control character in a name")]
    #[test_case("rig check"; "no files")]
    #[test_case("rig flash firmware.elf --chip nRF52840_xxAA"; "no probe")]
    #[test_case("rig probe"; "nothing to do with a probe")]
    #[test_case("rig schema report"; "no such schema")]
    #[test_case("rig completions cobol"; "no such shell")]
    #[test_case("rig run plan.toml --colour always"; "no such option")]
    fn wrong_usage_is_told_with_its_exit_code(line: &str) {
        assert_eq!(parse(line).unwrap_err().exit_code(), i32::from(ExitCode::Usage.code()));
    }
}
