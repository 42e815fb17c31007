//! A session: the plan is played on the bench, trial by trial, and every fact of it is noted.
//!
//! All of this runs on the wire thread, on one current-thread runtime. It prints nothing, writes no file and waits
//! for nobody on the record plane; facts and traffic leave through `notes::Notes`.

mod belief;
mod bench;
mod bus;
mod carrier;
mod child;
mod commands;
mod desk;
mod draw;
mod firmware;
mod line;
mod logbook;
mod notes;
mod pause;
mod play;
mod player;
mod port;
mod slot;
mod supply;
mod watch;
mod wiring;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use futures_util::FutureExt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch::Receiver;
use tokio::task::{LocalSet, spawn_local};

use self::bench::{Bench, Unopened};
use self::notes::Notes;
use crate::event::{End, Fact, RigFault, Start, VERSION};
use crate::fixture::Fixture;
use crate::host;
use crate::journal::Record;
use crate::link::turn;
use crate::plan::{Plan, Rule};
use crate::stamp::{Clock, Nanos};
use crate::verdict::Tally;

/// What is to be played, on what.
#[derive(Clone, Debug)]
pub struct Session {
    /// The session's id: the name of its folder.
    pub id: String,
    /// The session's folder; it exists.
    pub folder: PathBuf,
    /// The plan.
    pub plan: Plan,
    /// The fixture.
    pub fixture: Fixture,
    /// The fixture's file, from which the virtual bench is started.
    pub fixture_file: PathBuf,
    /// SHA-256 of plan and fixture, by file name.
    pub sources: BTreeMap<String, String>,
    /// The seed of everything random.
    pub seed: u64,
    /// The command line that asks for the same again, for the record.
    pub command: Vec<String>,
    /// Whether time is virtual and the devices are twins in memory.
    pub simulated: bool,
    /// Whether firmware is put on devices that do not hold it; else what they hold is trusted.
    pub flash: bool,
}

/// Plays a session on this thread, from start to safe end. Facts go to `records`; `stop` turning true interrupts it.
///
/// Whatever happens, the rails are put into their safe state and the last event is [`Fact::Ended`].
///
/// # Errors
/// Where the runtime cannot be made; nothing has happened then. Where rig panicked before or after it played, too.
pub fn run(session: &Session, records: Sender<Record>, stop: Receiver<bool>) -> std::io::Result<()> {
    watch::count_panics();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = turn::watch(builder.enable_all().start_paused(session.simulated)).build()?;
    let tuning = (!session.simulated).then(host::prepare);
    let mut granted = tuning.as_ref().map(|tuning| tuning.granted().clone()).unwrap_or_default();
    granted.insert("rig".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    let session = session.clone();
    // A local task, not the future that the runtime blocks on: that one is polled each time anything at all wakes, and
    // waking it from a task costs another look at the kernel.
    runtime.block_on(
        LocalSet::new().run_until(async {
            spawn_local(whole(session, granted, records, stop)).await.map_err(std::io::Error::other)
        }),
    )
}

async fn whole(session: Session, granted: BTreeMap<String, String>, records: Sender<Record>, stop: Receiver<bool>) {
    let clock = Clock::start();
    let (wall, wall_gap) = wall_of(clock);
    let notes = Notes::new(clock, wall, records);
    let wall = wall.format(&Rfc3339).unwrap_or_default();
    let start = start(&session, wall, wall_gap, granted);
    if matches!(session.plan.decision.rule, Rule::Sequential { .. }) {
        notes.judge(Tally::new(start.clone()));
    }
    notes.note(Fact::Started(Box::new(start)));
    let end = conduct(&session, &notes, stop).await;
    notes.note(Fact::Ended(end));
}

async fn conduct(session: &Session, notes: &Notes, mut stop: Receiver<bool>) -> End {
    match Bench::open(session, notes, &mut stop).await {
        Ok(bench) => on(bench, notes, async |bench| play::all(session, bench, notes, stop).await).await,
        Err(Unopened::Interrupted) => End::Interrupted,
        Err(Unopened::Failed(failure)) => {
            notes.fault(failure.fault(), failure.to_string());
            End::Aborted
        }
    }
}

/// Plays on a bench and closes it, rails safe, even where playing panics.
async fn on(mut bench: Bench, notes: &Notes, play: impl AsyncFnOnce(&mut Bench) -> End) -> End {
    let played = AssertUnwindSafe(play(&mut bench)).catch_unwind().await;
    notes.enter(None);
    let end = played.unwrap_or_else(|_| {
        notes.fault(RigFault::Panic, "rig panicked; this is a bug in rig, please report it with the text above");
        End::Aborted
    });
    bench.close().await;
    end
}

/// The wall time of the session clock's 0, and the time between the clock readings around it.
fn wall_of(clock: Clock) -> (OffsetDateTime, Nanos) {
    let before = clock.now();
    let wall = OffsetDateTime::now_utc();
    let after = clock.now();
    (wall - Duration::from_nanos(before.midpoint(after)), after - before)
}

fn start(session: &Session, wall: String, wall_gap: Nanos, host: BTreeMap<String, String>) -> Start {
    Start {
        version: VERSION,
        rig: env!("CARGO_PKG_VERSION").to_owned(),
        session: session.id.clone(),
        wall,
        wall_gap,
        simulated: session.simulated,
        seed: session.seed,
        command: session.command.clone(),
        sources: session.sources.clone(),
        plan: session.plan.clone(),
        fixture: session.fixture.clone(),
        host,
    }
}

#[cfg(test)]
mod tests;
