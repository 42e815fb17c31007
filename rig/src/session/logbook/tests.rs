//! What is made of a log, by a logbook whose probe is in the test's hand.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

use rig_payload::Actor;
use time::OffsetDateTime;

use super::*;
use crate::event::Event;
use crate::fixture::Fixture;
use crate::journal::Record;
use crate::stamp::Clock;

/// A logbook that is not attached, and what it notes.
fn logbook(since: Option<Nanos>) -> (Logbook, Receiver<Record>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/virtual.toml");
    let device = Fixture::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value.devices["meter"].clone();
    let (sender, records) = mpsc::channel();
    let notes = Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, sender);
    let port = Rc::new(Port::new("meter", Actor::Meter, device, notes.clone()));
    let target =
        Target { selector: "1:2".to_owned(), chip: "any".to_owned(), description: None, speed: None, firmware: None };
    let logbook = Logbook::unattached((port, target), Driver::of(PathBuf::from("no program")), notes);
    let logbook = Logbook { empty_at: since, ..logbook };
    (logbook, records)
}

fn log(texts: &[&str], emptied: bool) -> Log {
    let line =
        |text: &&str| LogLine { level: "info".to_owned(), text: (*text).to_owned(), stamp: None, location: None };
    Log { kept: true, lines: texts.iter().map(line).collect(), emptied, garbled: 0, state: CoreState::Running }
}

fn facts(records: &Receiver<Record>) -> Vec<Fact> {
    let facts = records.try_iter().filter_map(|record| match record {
        Record::Event(Event { fact, .. }) => Some(fact),
        Record::Traffic(_) => None,
    });
    facts.collect()
}

fn crashes(records: &Receiver<Record>) -> Vec<String> {
    let crash = |fact| match fact {
        Fact::Misbehaved { how: Misbehaviour::Crashed, detail, .. } => Some(detail),
        _ => None,
    };
    facts(records).into_iter().filter_map(crash).collect()
}

#[test]
fn a_crash_that_was_logged_before_the_session_is_not_charged_and_a_later_one_is() {
    let (mut logbook, records) = logbook(None);
    logbook.note(log(&["boot boots=2 reset=panic", "crashed before: old"], false), 1);
    logbook.note(log(&["boot boots=3 reset=watchdog"], true), 2);
    logbook.note(log(&[], true), 3);
    assert_eq!(crashes(&records), [""; 0]);
    logbook.note(log(&["boot boots=4 reset=panic", "crashed before: out of slots"], true), 4);
    logbook.note(log(&[], true), 5);
    assert_eq!(crashes(&records), ["out of slots"]);
}

#[test]
fn a_device_that_was_started_is_charged_with_the_first_crash_of_its_log() {
    let (mut logbook, records) = logbook(Some(0));
    logbook.note(log(&["boot boots=1 reset=power-on", "boot boots=2 reset=hard-fault"], false), 1);
    logbook.note(log(&[], true), 2);
    assert_eq!(crashes(&records), ["hard-fault"]);
}

/// Probes whose every log is answered so.
#[cfg(unix)]
struct Probes {
    folder: tempfile::TempDir,
}

#[cfg(unix)]
impl Probes {
    fn new(answer: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("probe");
        let script = format!(
            "#!/bin/sh\nwhile read -r request; do case $request in\n'\"log\"') echo '{answer}';;\n*) echo '\"done\"';;\nesac; done\n"
        );
        std::fs::write(&program, script).expect("a program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
        Self { folder }
    }

    fn driver(&self) -> Driver {
        Driver::of(self.folder.path().join("probe"))
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_without_a_log_is_given_up_with_one_warning() {
    let probes = Probes::new(r#"{"failed":{"no-log":{"path":"meter.elf","cause":"it does not log by defmt"}}}"#);
    let (logbook, records) = logbook(Some(0));
    let logbook = Logbook { driver: probes.driver(), ..logbook };
    tokio::time::timeout(Duration::from_secs(20), logbook.keep()).await.expect("it ends");
    let warnings: Vec<_> = facts(&records).into_iter().filter(|fact| matches!(fact, Fact::Warning { .. })).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_pause_before_a_probe_is_tried_again_is_short_again_only_once_a_log_was_read() {
    let probes = Probes::new(r#"{"failed":{"no-target":"nobody"}}"#);
    let (logbook, _records) = logbook(Some(0));
    let mut logbook = Logbook { driver: probes.driver(), pause: RETRY_LONGEST, ..logbook };
    // For a moment, a process that another test starts may hold the program open.
    let attached = async { while logbook.attach().await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), attached).await.expect("it attaches");
    assert!(matches!(logbook.follow().await, Lost::Probe(ProbeError::NoTarget(_))));
    assert_eq!(logbook.pause, RETRY_LONGEST);
    logbook.note(log(&[], true), 1);
    assert_eq!(logbook.pause, RETRY);
}
