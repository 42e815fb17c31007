//! `rig probe`: which probes there are, and what devices log.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::ExitCode;
use super::flash::{Failure, FlashArgs, on_runtime, print, target};
use rig::fixture::{Fixture, Selector};
use rig::probe::{self, CoreState, Driver, Found, LogLine, Probe};
use rig::visible::visible;

/// How `rig probe` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig probe list
  rig probe list --fixture fixtures/qemu.toml
  rig probe log firmware.elf --probe 0d28:0204 --chip nRF52840_xxAA
";

/// What to do with probes.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// What to do
    #[command(subcommand)]
    pub command: ProbeCommand,
}

/// What can be done with probes.
#[derive(Clone, Debug, Subcommand)]
pub enum ProbeCommand {
    /// List the probes that are there, and those of a fixture
    List(ProbeListArgs),
    /// Print what a device logs, until Ctrl-C
    ///
    /// The device goes on doing what it does.
    Log(FlashArgs),
    /// Drive a probe for a rig that asks over standard input
    #[command(hide = true)]
    Worker,
}

/// Which probes to list.
#[derive(Clone, Debug, Args)]
pub struct ProbeListArgs {
    /// A fixture whose devices' probes to look for too: network probes are found by nothing else
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub fixture: Option<PathBuf>,
}

/// How often a log is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Does what is to be done with probes.
#[must_use]
pub fn run(args: &ProbeArgs) -> ExitCode {
    match &args.command {
        ProbeCommand::List(args) => on_runtime(list(args)),
        ProbeCommand::Log(args) => on_runtime(log(args)),
        ProbeCommand::Worker => match probe::work() {
            Ok(()) => ExitCode::Pass,
            // Nobody is there to be told.
            Err(_) => ExitCode::Inconclusive,
        },
    }
}

async fn list(args: &ProbeListArgs) -> Result<(), Failure> {
    let driver = Driver::this()?;
    let found = driver.list(None).await?;
    if found.is_empty() {
        eprintln!("no probe is plugged in");
    }
    let mut text: String = found.iter().map(shown).collect();
    if let Some(file) = &args.fixture {
        let fixture = Fixture::load(file).map_err(Failure::Fixture)?.value;
        for (name, device) in &fixture.devices {
            if let Some(probe) = &device.probe {
                text.push_str(&of_device(&driver, name, &probe.selector).await?);
            }
        }
    }
    print(&text)
}

/// A device's probe. One that a network reaches is listed whether it is there or not.
async fn of_device(driver: &Driver, name: &str, selector: &Selector) -> Result<String, Failure> {
    let (selector, note) = match selector {
        Selector::Bench(board) => (format!("bench:{board}"), "there while the virtual bench runs"),
        Selector::Probe(selector) if driver.list(Some(selector)).await?.is_empty() => (selector.clone(), "not there"),
        Selector::Probe(selector) => (selector.clone(), "named by the fixture"),
    };
    Ok(format!("{}\n", visible(&format!("{selector}  device {name}: {note}"))))
}

fn shown(found: &Found) -> String {
    let Found { name, selector, permitted } = found;
    let note = if *permitted { "" } else { "  (this user may not open it: install probe-rs's udev rules)" };
    format!("{}  {}{note}\n", visible(selector), visible(name))
}

async fn log(args: &FlashArgs) -> Result<(), Failure> {
    let mut probe = Driver::this()?.attach(&target(&args.target, &args.elf)).await?;
    let result = tokio::select! {
        result = follow(&mut probe) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    probe.close().await;
    result
}

async fn follow(probe: &mut Probe) -> Result<(), Failure> {
    let mut was = CoreState::Running;
    loop {
        let log = probe.log().await?;
        print(&log.lines.iter().map(line).collect::<String>())?;
        if log.garbled > 0 {
            eprintln!("{} lines are garbled; does the device hold this program?", log.garbled);
        }
        if log.state != was && matches!(log.state, CoreState::LockedUp | CoreState::Halted) {
            eprintln!("the core is {}", log.state.words());
        }
        was = log.state;
        if !log.goes_on() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn line(line: &LogLine) -> String {
    let LogLine { level, text, stamp, location } = line;
    let stamp = stamp.map(|stamp| format!("{:.6} ", Duration::from_nanos(stamp).as_secs_f64())).unwrap_or_default();
    let location = location.as_ref().map(|location| format!(" ({location})")).unwrap_or_default();
    format!("{}\n", visible(&format!("{stamp}{:5} {text}{location}", level.to_uppercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_people_read_logs() {
        let said = |level: &str, text: &str, stamp, location: Option<&str>| {
            line(&LogLine { level: level.into(), text: text.into(), stamp, location: location.map(Into::into) })
        };
        let lines = [
            said("info", "boot", Some(1_234_567_000), Some("src/program.rs:60")),
            said("", "plain \x1b[2J", None, None),
        ];
        insta::assert_snapshot!(lines.concat(), @r"
        1.234567 INFO  boot (src/program.rs:60)
              plain ␛[2J
        ");
    }
}
