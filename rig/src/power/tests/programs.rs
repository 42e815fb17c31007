use std::time::Duration;

use super::{Open, PowerError, Rails, fixture, rail};
use crate::event::{PowerStage, RigFault};
use crate::fixture::{Fixture, Instrument, Level, Sense};
use crate::link::BenchPorts;
use crate::stamp::{Clock, Stamp};

fn with_program(script: &str, timeout: Duration) -> Fixture {
    let argv: Vec<_> = ["sh", "-c", script, "sh", "{channel}"].map(str::to_owned).into();
    let program = Instrument::Command { on: argv.clone(), off: argv, timeout };
    fixture(("program", program), rail("program", Sense::None { settle: Duration::ZERO }))
}

async fn switch(fixture: &Fixture) -> Result<Vec<(PowerStage, Stamp)>, PowerError> {
    let clock = Clock::start();
    let rails = Rails::open(fixture, &BenchPorts::None, clock).await?;
    Open { rails, clock }.set(Level::Off).await
}

#[tokio::test]
async fn a_program_is_given_its_channel_and_acknowledges_by_ending() {
    let fixture = with_program("test \"$1\" = 1", Duration::from_secs(60));
    let stages = switch(&fixture).await.expect("it ends well");
    assert!(stages[0].1.lo <= stages[1].1.hi);
}

#[tokio::test]
async fn a_program_that_fails_is_quoted() {
    let script = "printf 'no \\033such hub' >&2; exit 3";
    let error = switch(&with_program(script, Duration::from_secs(60))).await.expect_err("it fails");
    let text = error.to_string();
    assert!(text.contains("exit status: 3") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(error.fault(), RigFault::Instrument);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let mut fixture = with_program("", Duration::from_secs(60));
    let missing = vec!["/nowhere/pdu".to_owned()];
    fixture.instruments.insert(
        "program".into(),
        Instrument::Command { on: missing.clone(), off: missing, timeout: Duration::from_secs(60) },
    );
    let text = switch(&fixture).await.expect_err("it is not there").to_string();
    assert!(text.contains("/nowhere/pdu") && text.contains("check the program's path"), "{text}");
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_all_it_started() {
    let directory = tempfile::tempdir().expect("a directory");
    let mark = directory.path().join("pid");
    let script = format!("sleep 1000 & echo $! > '{}'; wait", mark.display());
    let error = switch(&with_program(&script, Duration::from_millis(500))).await.expect_err("it never ends");
    assert!(matches!(error, PowerError::NoReply { .. }), "{error}");
    let started = std::fs::read_to_string(&mark).expect("the script began").trim().to_owned();
    // Killed is not yet gone: the kernel takes its time, and a zombie stays until its new parent waits for it.
    let ended = async {
        let state = || std::fs::read_to_string(format!("/proc/{started}/stat")).unwrap_or_default();
        while !(state().is_empty() || state().contains(") Z ") || state().contains(") X ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("what it started is killed too");
}

#[tokio::test]
async fn a_program_that_says_much_and_leaves_a_child_behind_ends_all_the_same() {
    let script = "sleep 5 & head -c 1000000 /dev/zero; exit 0";
    let begun = std::time::Instant::now();
    switch(&with_program(script, Duration::from_secs(60))).await.expect("it ends well");
    assert!(begun.elapsed() < Duration::from_secs(5), "the child it left holds the pipe open");
}
