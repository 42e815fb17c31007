//! The record: reported again to the same bytes, replayed by its seed, queried in its database.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use rig::event::{Event, Fact};
use rusqlite::Connection;
use test_case::test_case;

use crate::lab::{Ended, Lab};

/// Every file of a folder and its sub-folders, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().into_string().expect("a plain name");
        if entry.file_type().expect("a type").is_dir() {
            found.extend(files(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
    found
}

/// Makes the reports again in a copy that has nothing but the events, and holds them against those of the run.
fn reported_again(lab: &Lab) -> Ended {
    let mut wanted = files(&lab.session());
    let copy = lab.path("reports/copy");
    fs::create_dir(&copy).unwrap();
    fs::copy(lab.session().join("events.jsonl"), copy.join("events.jsonl")).unwrap();
    let ended = lab.ask(&["report", "reports/copy"]);
    let made = files(&copy);
    for only_of_the_run in ["analytic.sqlite", "trace.pcapng"] {
        wanted.remove(only_of_the_run).expect("the run leaves it");
    }
    assert!(wanted.len() > 20, "{:?}", wanted.keys());
    assert_eq!(made.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (name, bytes) in &made {
        assert!(bytes == &wanted[name], "{name} differs");
    }
    ended
}

#[test_case(&[], 0; "real")]
#[test_case(&["--simulate"], 0; "simulated")]
#[test_case(&["--trials", "1"], 3; "inconclusive")]
fn a_report_gives_the_same_bytes_and_the_same_exit_code_as_the_run(arguments: &[&str], code: i32) {
    let lab = Lab::lax("smoke");
    let ended = lab.run(arguments);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    assert_eq!(reported_again(&lab).code, Some(code));
}

#[test]
fn a_report_of_an_interrupted_session_gives_the_same_bytes() {
    let lab = Lab::new("dispatch");
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":4"#);
    running.signal(Signal::SIGINT);
    assert_eq!(running.end().code, Some(130));
    assert_eq!(reported_again(&lab).code, Some(3), "what was played decides nothing");
}

#[test]
fn a_record_that_breaks_off_is_said_to_and_never_passes() {
    let lab = Lab::lax("smoke");
    let ended = lab.run(&["--simulate"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let events = ended.file("events.jsonl");
    fs::write(lab.session().join("events.jsonl"), &events[..events.len() - 9]).unwrap();
    let torn = lab.ask(&["report", "reports/s"]);
    assert_eq!(torn.code, Some(3), "{}", torn.err);
    let said = format!("the record breaks off in the middle of event {}\n", events.lines().count());
    assert!(torn.out.contains(&said), "{}", torn.out);
    assert!(torn.file("report.html").contains(said.trim_end()));
    assert_eq!(torn.summary()["verdict"], "inconclusive");
}

#[test]
fn rows_that_were_not_asked_for_are_skipped() {
    let ended = Lab::lax("smoke").run(&["--simulate", "--only", "D1,I3"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(ended.claims("pass").len(), 3, "an edge of D1 and two of I3");
    let junit = ended.file("junit.xml");
    let skipped = format!("skipped=\"{}\"", junit.matches("<skipped").count());
    // 41 claims, less three, and two sub-totals that the source leaves blank.
    assert_eq!(skipped, "skipped=\"40\"", "{junit}");
    assert!(junit.contains(&skipped), "{junit}");
}

/// The events of a session without what no two sessions share: wall time and name.
fn comparable(ended: &Ended) -> Vec<Event> {
    let mut events = ended.events();
    let Some(Fact::Started(start)) = events.first_mut().map(|event| &mut event.fact) else { panic!("no start") };
    (start.wall, start.wall_gap) = (String::new(), 0);
    start.session = String::new();
    events
}

#[test]
fn a_seed_replays_a_simulated_session() {
    let play = |seed| Lab::new("smoke").run(&["--simulate", "--seed", seed]);
    let (first, again, other) = (play("7"), play("7"), play("8"));
    let (one, two) = (comparable(&first), comparable(&again));
    for (line, (one, two)) in one.iter().zip(&two).enumerate() {
        assert_eq!(one, two, "line {}", line + 1);
    }
    assert_eq!(one.len(), two.len());
    assert_eq!(first.file("payloads.csv"), again.file("payloads.csv"));
    assert_ne!(first.file("payloads.csv"), other.file("payloads.csv"));
}

#[test]
fn a_seed_is_recorded_with_a_real_session() {
    let ended = Lab::lax("dispatch").trials(1).run(&["--seed", "18446744073709551615"]);
    let Some(Fact::Started(start)) = ended.facts().into_iter().next() else { panic!("no start") };
    assert_eq!(start.seed, u64::MAX);
}

#[test]
fn the_analytic_database_holds_what_its_actor_received() {
    let lab = Lab::lax("dispatch");
    let ended = lab.run(&[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let database = Connection::open(lab.session().join("analytic.sqlite")).unwrap();
    let ask = |question: &str| -> (i64, String) {
        database.query_one(question, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let (rows, sender) = ask("SELECT count(DISTINCT trial), max(sender) FROM measurement");
    assert_eq!((rows, sender.as_str()), (5, "DAC - sub"));
    let (boots, device) = ask("SELECT boots, device FROM device_state");
    assert_eq!(device, "Distr. Cust. Storage");
    // Its supply was cut once a trial.
    assert!(boots >= 5, "{boots}");
}
