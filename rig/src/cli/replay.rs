//! `rig replay`: recorded CAN traffic, played back at its own times.

mod args;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::pending;
use std::io;

pub use args::{EXAMPLES, Format, ReplayArgs, long_help};

use super::causes::with_causes;
use super::{ExitCode, stdout};
use rig::event::Trouble;
use rig::host;
use rig::link::can::{Seen, Tap};
use rig::replay::{
    Alarm, Choice, Direction, End, Onto, Open, Outcome, Pace, Recording, ReplayError, Schedule, Summary, play,
};
use rig::stamp::{Clock, Stamp};

/// Why nothing was played: the exit code, and what is said.
type Refusal = (ExitCode, String);

/// Plays a recording, or only says what would be played.
#[must_use]
pub fn run(args: &ReplayArgs) -> ExitCode {
    let played = match &args.onto {
        Some(onto) if !args.dry_run => replay(args, onto),
        _ => plan(args),
    };
    played.unwrap_or_else(|(code, what)| {
        eprintln!("error: {what}");
        code
    })
}

/// Says what would be played, on a bus that carries everything.
fn plan(args: &ReplayArgs) -> Result<ExitCode, Refusal> {
    let schedule = schedule(args, &read(args)?, true)?;
    show(args, Summary { schedule: &schedule, pace: pace(args), outcome: None })?;
    Ok(ExitCode::Pass)
}

fn replay(args: &ReplayArgs, onto: &Onto) -> Result<ExitCode, Refusal> {
    let recording = read(args)?;
    let _host = host::prepare();
    let broken = |error: io::Error| (ExitCode::Inconclusive, format!("cannot start the runtime: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(broken)?;
    let (schedule, outcome) = runtime.block_on(async {
        let clock = Clock::start();
        let bus = Open::open(onto, &args.reply, clock).await;
        let bus = bus.map_err(|error| (ExitCode::Inconclusive, with_causes(&error)))?;
        if let Some(trouble) = bus.found() {
            eprintln!("warning: {} before anything is played: {}", trouble.word(), trouble.advice());
        }
        let schedule = schedule(args, &recording, bus.carries_fd())?;
        let alarm = Alarm::in_real_time(clock).map_err(broken)?;
        eprintln!("playing {} onto {onto}", args.file.display());
        let outcome = play_and_listen(&schedule, &bus, pace(args), &alarm).await;
        Ok((schedule, outcome))
    })?;
    show(args, Summary { schedule: &schedule, pace: pace(args), outcome: Some(&outcome) })?;
    Ok(code(&outcome))
}

async fn play_and_listen(schedule: &Schedule, bus: &Open, pace: Pace, alarm: &Alarm) -> Outcome {
    let listener = Listener::default();
    let stop = async {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    let listen = async {
        let error = bus.listen(&listener).await;
        eprintln!("the adapter is gone: {error}");
        // What is played hears of it by itself.
        pending().await
    };
    let outcome = tokio::select! {
        biased;
        outcome = play(schedule, bus, pace, alarm, stop) => outcome,
        outcome = listen => outcome,
    };
    listener.tell();
    outcome
}

fn code(outcome: &Outcome) -> ExitCode {
    match outcome.end {
        End::Complete if outcome.failures.count == 0 => ExitCode::Pass,
        End::Complete | End::NoReply(_) | End::Dead => ExitCode::Fail,
        End::Gone => ExitCode::Inconclusive,
        End::Stopped => ExitCode::Interrupted,
    }
}

fn read(args: &ReplayArgs) -> Result<Recording, Refusal> {
    Recording::read(&args.file).map_err(|error| (ExitCode::BadInput, in_file(args, &with_causes(&error))))
}

fn schedule(args: &ReplayArgs, recording: &Recording, fd: bool) -> Result<Schedule, Refusal> {
    let direction = match (args.sent_only, args.received_only) {
        (true, _) => Some(Direction::Sent),
        (_, true) => Some(Direction::Received),
        _ => None,
    };
    let choice = Choice {
        interface: args.interface.clone(),
        direction,
        skip: args.skip.clone(),
        replies: args.reply.clone(),
        sort: args.sort,
        fd,
    };
    Schedule::new(recording, &choice).map_err(|error| {
        let code = match error {
            ReplayError::Which { .. }
            | ReplayError::NoInterface { .. }
            | ReplayError::NotCan { .. }
            | ReplayError::Undirected(_)
            | ReplayError::NoReply(_) => ExitCode::Usage,
            _ => ExitCode::BadInput,
        };
        (code, in_file(args, &error.to_string()))
    })
}

fn in_file(args: &ReplayArgs, what: &str) -> String {
    let file = args.file.display().to_string();
    if what.contains(&file) { what.to_owned() } else { format!("{file}: {what}") }
}

fn pace(args: &ReplayArgs) -> Pace {
    Pace { speed: args.speed, tolerance: args.tolerance, patience: args.reply_timeout }
}

fn show(args: &ReplayArgs, summary: Summary) -> Result<(), Refusal> {
    let text = match args.format {
        Format::Human => summary.to_string(),
        Format::Json => format!("{}\n", summary.json()),
    };
    let cannot = |error| (ExitCode::NotWritten, format!("cannot write to standard output: {error}"));
    stdout::print(text.as_bytes()).map_err(cannot)
}

/// Counts what the bus tells beside frames, to be told at the end.
#[derive(Default)]
struct Listener {
    troubles: RefCell<BTreeMap<Trouble, u64>>,
    lost: Cell<u64>,
}

impl Listener {
    fn tell(&self) {
        for (trouble, count) in &*self.troubles.borrow() {
            let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
            eprintln!("warning: {} ({times}): {}", trouble.word(), trouble.advice());
        }
        if self.lost.get() > 0 {
            eprintln!(
                "warning: {} received frames were lost in the kernel's queue: is the machine busy?",
                self.lost.get()
            );
        }
    }
}

impl Tap for Listener {
    fn frame(&self, _: bool, _: &Seen) {}

    fn trouble(&self, trouble: Trouble, _: Stamp) {
        *self.troubles.borrow_mut().entry(trouble).or_default() += 1;
    }

    fn lost(&self, frames: u32) {
        self.lost.set(self.lost.get() + u64::from(frames));
    }

    fn stepped(&self, nanos: i64) {
        eprintln!("warning: the wall clock was stepped by {nanos} ns; times on the bus may be wrong by as much");
    }

    fn contradiction(&self) {
        eprintln!("warning: the adapter's own time stamps contradict each other");
    }
}
