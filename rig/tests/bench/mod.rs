//! Whole sessions in virtual time, for tests: a committed plan on the committed virtual bench, with changes.

use std::path::PathBuf;
use std::sync::mpsc;

use rig::event::{Event, Fact};
use rig::fixture::Fixture;
use rig::journal::Record;
use rig::plan::Plan;
use rig::session::{self, Session};
use rig::verdict::{Findings, Tally};

/// The repository's root.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A committed plan, with this many trials.
pub fn plan(name: &str, trials: u32) -> Plan {
    let path = root().join("testplans").join(format!("{name}.toml"));
    let mut plan = Plan::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value;
    plan.trials = trials;
    plan
}

/// The committed virtual bench.
#[allow(dead_code, clippy::allow_attributes, reason = "not every test that has this module plays on it")]
pub fn fixture() -> Fixture {
    Fixture::load(&root().join("fixtures/virtual.toml")).unwrap_or_else(|problems| panic!("{problems}")).value
}

/// What a simulated session left behind.
pub struct Simulated {
    /// What was found.
    pub findings: Findings,
    /// All its events.
    pub events: Vec<Event>,
    /// Its folder, with what the session itself writes.
    #[allow(dead_code, clippy::allow_attributes, reason = "not every test that has this module looks there")]
    pub folder: tempfile::TempDir,
}

/// Plays a plan on a fixture in virtual time.
pub fn simulate(plan: Plan, fixture: Fixture, seed: u64) -> Simulated {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let session = Session {
        id: "test".to_owned(),
        folder: folder.path().to_owned(),
        plan,
        fixture,
        fixture_file: PathBuf::new(),
        sources: [].into(),
        seed,
        command: Vec::new(),
        simulated: true,
        flash: true,
    };
    let (records, received) = mpsc::channel();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    session::run(&session, records, stopped).expect("a runtime");
    let events: Vec<Event> = received
        .into_iter()
        .filter_map(|record| match record {
            Record::Event(event) => Some(event),
            Record::Traffic(_) => None,
        })
        .collect();
    let Some(Event { fact: Fact::Started(start), .. }) = events.first() else { panic!("no start: {events:?}") };
    let mut tally = Tally::new((**start).clone());
    for event in &events {
        tally.note(event);
    }
    Simulated { findings: tally.findings(), events, folder }
}
