//! What holds however a session ends.

use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::event::{Event, PowerStage};
use crate::fixture::Level;

/// The committed dispatch on the committed virtual bench, simulated.
fn session(folder: &Path) -> Session {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Session {
        id: "test".to_owned(),
        folder: folder.to_owned(),
        plan: Plan::load(&root.join("testplans/dispatch.toml")).unwrap().value,
        fixture: Fixture::load(&root.join("fixtures/virtual.toml")).unwrap().value,
        fixture_file: PathBuf::new(),
        sources: BTreeMap::new(),
        command: Vec::new(),
        seed: 1,
        simulated: true,
        flash: true,
    }
}

/// Opens a simulated bench, plays so on it, and returns the end and all facts.
fn play_on_bench(play: impl AsyncFnOnce(&mut Bench) -> End) -> (End, Vec<Fact>) {
    let folder = tempfile::tempdir().unwrap();
    let session = session(folder.path());
    let (records, received) = mpsc::channel();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let end = runtime.block_on(LocalSet::new().run_until(async {
        let notes = Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, records);
        let (_stop, mut stopped) = tokio::sync::watch::channel(false);
        let bench = Bench::open(&session, &notes, &mut stopped).await.unwrap();
        on(bench, &notes, play).await
    }));
    let facts = received.into_iter().filter_map(|record| match record {
        Record::Event(Event { fact, .. }) => Some(fact),
        Record::Traffic(_) => None,
    });
    (end, facts.collect())
}

#[test]
fn a_panic_in_the_middle_of_a_trial_leaves_the_rails_safe_and_is_the_rigs_fault() {
    let (end, facts) = play_on_bench(async |bench| {
        bench.scene.notes.enter(Some(1));
        bench.scene.supply.set("feeder", Level::Off).await.unwrap();
        bench.scene.supply.set("storage-supply", Level::Off).await.unwrap();
        panic!("this panic is a part of the test");
    });
    assert_eq!(end, End::Aborted);
    let off = |fact: &&Fact| matches!(fact, Fact::Power { to: Level::Off, stage: PowerStage::Sensed, .. });
    assert_eq!(facts.iter().filter(off).count(), 2, "{facts:?}");

    let after = facts.iter().skip_while(|fact| !matches!(fact, Fact::RigFault { fault: RigFault::Panic, .. })).skip(1);
    let safe: Vec<_> = after
        .filter_map(|fact| match fact {
            Fact::Safe { rail, to: Level::On, error: None } => Some(rail.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(safe, ["breaker-supply", "feeder", "meter-supply", "storage-supply"]);
}

#[test]
fn an_end_without_a_panic_is_taken_as_it_is() {
    let (end, facts) = play_on_bench(async |_| End::GaveUp);
    assert_eq!(end, End::GaveUp);
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::RigFault { .. })), "{facts:?}");
    assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Safe { error: None, .. })).count(), 4);
}
