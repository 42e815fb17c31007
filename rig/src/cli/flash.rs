//! `rig flash`: firmware put on a device by hand.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{ExitCode, problems, stdout};
use rig::probe::{Driver, Identity, Probe, ProbeError, Progress, Target};
use rig::problem::Problems;
use rig::visible::visible;

/// How `rig flash` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig flash firmware.elf --probe 0d28:0204 --chip nRF52840_xxAA
  rig flash firmware.elf --probe 0d28:0204 --chip LAB_MCU --description lab.yaml
";

/// What to flash, and through what.
#[derive(Clone, Debug, Args)]
pub struct FlashArgs {
    /// The firmware
    #[arg(value_name = "ELF", value_hint = ValueHint::FilePath)]
    pub elf: PathBuf,
    /// What it goes through
    #[command(flatten)]
    pub target: TargetArgs,
}

/// A target, and the probe at it.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// The probe: VID:PID or VID:PID:SERIAL, as `rig probe list` shows it
    #[arg(long, value_name = "SELECTOR")]
    pub probe: String,
    /// The chip, as probe-rs calls it
    #[arg(long, value_name = "NAME")]
    pub chip: String,
    /// A target description of a chip that probe-rs does not know
    #[arg(long, value_name = "YAML", value_hint = ValueHint::FilePath)]
    pub description: Option<PathBuf>,
    /// The clock of the wires to the chip in kHz; without it, the probe's own choice
    #[arg(long, value_name = "KHZ")]
    pub speed: Option<NonZeroU32>,
}

/// Bytes of a build id that are shown.
const SHOWN: usize = 12;

/// Puts firmware on a device and starts it.
#[must_use]
pub fn run(args: &FlashArgs) -> ExitCode {
    on_runtime(async {
        let mut probe = Driver::this()?.attach(&target(&args.target, &args.elf)).await?;
        let flashed = put(&mut probe).await?;
        let identity = probe.identify().await.ok();
        probe.reset().await?;
        probe.close().await;
        let done = if flashed { "programmed and compared" } else { "was there already" };
        print(&format!("{}: {done}{}\n", args.elf.display(), described(identity.as_ref())))
    })
}

/// The target of a command line.
pub(super) fn target(args: &TargetArgs, elf: &Path) -> Target {
    let TargetArgs { probe, chip, description, speed } = args;
    Target {
        selector: probe.clone(),
        chip: chip.clone(),
        description: description.clone(),
        speed: speed.map(std::num::NonZero::get),
        firmware: Some(elf.to_owned()),
    }
}

/// Runs something with probes, and says why it failed.
pub(super) fn on_runtime(work: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start a runtime: {error}");
            return ExitCode::Inconclusive;
        }
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::Pass,
        Err(Failure::Fixture(problems)) => {
            problems::show(&problems);
            ExitCode::BadInput
        }
        Err(failure) => {
            eprintln!("error: {}", visible(&failure.to_string()));
            failure.code()
        }
    }
}

/// Why a command with probes fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A probe does not do its part, or was asked for what cannot be.
    #[error(transparent)]
    Probe(#[from] ProbeError),
    /// A fixture has problems.
    #[error("the fixture has problems")]
    Fixture(Problems),
    /// The output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl Failure {
    fn code(&self) -> ExitCode {
        match self {
            Self::Output(_) => ExitCode::NotWritten,
            Self::Probe(ProbeError::Selector(_) | ProbeError::UnknownChip { .. }) => ExitCode::Usage,
            Self::Fixture(_)
            | Self::Probe(
                ProbeError::Description { .. }
                | ProbeError::Unread { .. }
                | ProbeError::WrongFirmware { .. }
                | ProbeError::NoLog { .. },
            ) => ExitCode::BadInput,
            Self::Probe(_) => ExitCode::Inconclusive,
        }
    }
}

pub(super) fn print(text: &str) -> Result<(), Failure> {
    Ok(stdout::print(text.as_bytes())?)
}

/// Programs the firmware where the device holds something else. Returns whether it did.
async fn put(probe: &mut Probe) -> Result<bool, ProbeError> {
    if probe.compare().await?.is_none() {
        return Ok(false);
    }
    let bar = Bar::new();
    probe.flash(|progress| bar.show(progress)).await?;
    Ok(true)
}

fn described(identity: Option<&Identity>) -> String {
    let Some(Identity { version, build_id, board, .. }) = identity else { return String::new() };
    let build: String = build_id.chars().take(SHOWN).collect();
    visible(&format!("; version {version}, build {build}, for {board}"))
}

/// Progress on a terminal; elsewhere nothing.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let target = if Term::stderr().is_term() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg:12} {bar:40} {bytes}/{total_bytes}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    fn show(&self, progress: Progress) {
        self.0.set_message(progress.stage.word());
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
