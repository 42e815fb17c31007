//! `rig run`: from plan and fixture to a session folder.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use clap::{Args, ValueHint};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;

use super::causes::with_causes;
use super::interrupt::Interrupt;
use super::{ExitCode, outcome, problems};
use rig::document::Checked;
use rig::fixture::Fixture;
use rig::journal::Recorder;
use rig::live::{Live, Mode, Progress};
use rig::plan::Plan;
use rig::problem::Problems;
use rig::session::{self, Session};

/// How `rig run` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig run testplans/islanded.toml
  rig run testplans/islanded.toml --fixture fixtures/example-lab.toml
  rig run testplans/dispatch.toml --trials 20 --only D1 D2
  rig run testplans/islanded.toml --seed 42 --output /var/lib/rig/reports
";

/// How `rig simulate` is used.
pub(super) const SIMULATE_EXAMPLES: &str = "\
Examples:
  rig simulate testplans/islanded.toml
  rig simulate testplans/islanded.toml --trials 600 --seed 42
";

/// What to play, on what, and where to write the session.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,
    /// The bench
    #[arg(long, value_name = "FILE", default_value = "fixtures/virtual.toml", value_hint = ValueHint::FilePath)]
    pub fixture: PathBuf,
    /// How many trials are to count, instead of what the plan says
    #[arg(long, value_name = "N")]
    pub trials: Option<NonZeroU32>,
    /// The seed of everything random, recorded with the session; without it, one is drawn
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Judge these rows alone, by their id; the others are played and not judged
    #[arg(long, value_name = "ROW", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<String>,
    /// Play in virtual time with twins in memory
    #[arg(long)]
    pub simulate: bool,
    /// Trust the firmware that the devices hold: compare and flash nothing
    #[arg(long)]
    pub no_flash: bool,
    /// The folder in which the session's folder is made
    #[arg(long, value_name = "DIR", default_value = "reports", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// The session's name and its folder's; without it, the time, the plan and the fixture make one
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub name: Option<String>,
}

/// A name that makes one folder and nothing else on every system.
fn folder_name(name: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 100 || name.starts_with(['.', '-']) || !name.bytes().all(plain) {
        return Err("use up to 100 letters, digits, `-`, `_` and `.`, and do not start with `.` or `-`");
    }
    Ok(name.to_owned())
}

/// Plays a session and writes its reports.
#[must_use]
pub fn run(args: &RunArgs) -> ExitCode {
    let mut session = match prepare(args) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let journal = match Recorder::create(&session.folder) {
        Ok(journal) => journal,
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            return ExitCode::NotWritten;
        }
    };
    // The database and the reports are written below; a later change of the working directory must not move them.
    session.folder = std::path::absolute(&session.folder).unwrap_or(session.folder);
    let interrupt = Interrupt::listen();
    let (records, received) = mpsc::channel();
    let stop = interrupt.stop();
    let wire = {
        let session = session.clone();
        thread::Builder::new().name("wire".to_owned()).spawn(move || session::run(&session, records, stop))
    };
    let wire = match wire {
        Ok(wire) => wire,
        Err(error) => {
            eprintln!("error: cannot start the wire thread: {error}");
            return ExitCode::Inconclusive;
        }
    };
    let mut live = None;
    let recorded = journal.run(&received, |event, tally, error| {
        if error.is_some() {
            interrupt.stop_session();
        }
        if let rig::event::Fact::Started(start) = &event.fact {
            live = Some(Live::new(Mode::detect(), start));
        }
        if let Some(live) = &mut live {
            let progress = tally.progress();
            live.note(event, Progress { decided: progress.shown, judged: progress.claims });
        }
    });
    let ended = wire.join();
    interrupt.rails_are_safe();
    if let Some(live) = live {
        live.finish();
    }
    if interrupt.hurried() {
        eprintln!("stopped at once; the record is in {}", session.folder.display());
        return ExitCode::Interrupted;
    }
    match (ended, recorded) {
        (Ok(Ok(())), Ok(recorded)) => outcome::write(&session.folder, recorded, interrupt.stopped()),
        (Ok(Err(error)), _) => {
            eprintln!("error: cannot start the wire thread's runtime: {error}");
            ExitCode::Inconclusive
        }
        (Err(_), _) => ExitCode::Inconclusive,
        (_, Err(error)) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::NotWritten
        }
    }
}

fn prepare(args: &RunArgs) -> Result<Session, ExitCode> {
    let (plan, fixture) = load(args).map_err(|problems| {
        problems::show(&problems);
        ExitCode::BadInput
    })?;
    let sources = BTreeMap::from([
        (file_name(&args.plan), sha256(&plan.source.text)),
        (file_name(&args.fixture), sha256(&fixture.source.text)),
    ]);
    let (mut plan, fixture) = (plan.value, fixture.value);
    if let Some(trials) = args.trials {
        plan.trials = trials.get();
    }
    if !args.only.is_empty()
        && let Err(unknown) = plan.only(&args.only)
    {
        eprintln!("error: {unknown}");
        return Err(ExitCode::Usage);
    }
    if args.simulate && !fixture.can_simulate() {
        eprintln!(
            "error: {} has real ports or boards; to simulate, every port must be one of a twin, a relay board or a supply \
             of its [bench] table",
            args.fixture.display()
        );
        return Err(ExitCode::BadInput);
    }
    let seed = args.seed.unwrap_or_else(|| StdRng::from_os_rng().next_u64());
    let command = again(args, plan.trials, seed);
    let id = args.name.clone().unwrap_or_else(|| session_id(&plan, &fixture));
    Ok(Session {
        folder: args.output.join(&id),
        id,
        plan,
        fixture,
        fixture_file: args.fixture.clone(),
        sources,
        seed,
        command,
        simulated: args.simulate,
        flash: !args.no_flash,
    })
}

fn load(args: &RunArgs) -> Result<(Checked<Plan>, Checked<Fixture>), Problems> {
    match (Plan::load(&args.plan), Fixture::load(&args.fixture)) {
        (Ok(plan), Ok(fixture)) => rig::check::together(&plan, &fixture).or((plan, fixture)),
        (plan, fixture) => {
            let mut found = plan.err().unwrap_or_default();
            found.extend(fixture.err().unwrap_or_default());
            Err(found)
        }
    }
}

fn session_id(plan: &Plan, fixture: &Fixture) -> String {
    let now = OffsetDateTime::now_utc();
    let when = now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    format!("{when}-{}-{}", plan.name, fixture.name)
}

/// The command line that asks for the same session again.
fn again(args: &RunArgs, trials: u32, seed: u64) -> Vec<String> {
    let path = |path: &Path| path.display().to_string();
    let mut command = vec!["rig".to_owned(), "run".to_owned(), path(&args.plan)];
    command.extend(["--fixture".to_owned(), path(&args.fixture)]);
    command.extend(["--trials".to_owned(), trials.to_string(), "--seed".to_owned(), seed.to_string()]);
    if !args.only.is_empty() {
        command.push("--only".to_owned());
        command.extend(args.only.iter().cloned());
    }
    if args.simulate {
        command.push("--simulate".to_owned());
    }
    if args.no_flash {
        command.push("--no-flash".to_owned());
    }
    command
}

fn file_name(path: &Path) -> String {
    path.file_name().map(PathBuf::from).unwrap_or_default().display().to_string()
}

fn sha256(text: &str) -> String {
    rig::hex::text(&Sha256::digest(text.as_bytes()))
}
