//! The virtual bench is killed while a session runs on it.

use std::io::{ErrorKind, Read};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::{OpenptyResult, openpty};
use nix::sys::signal::Signal;
use rig::event::{End, Fact, RigFault};

use crate::lab::Lab;
use crate::lab::processes::{children_of, signal};

#[test]
fn a_session_whose_bench_is_killed_ends_by_itself_and_says_why() {
    let lab = Lab::new("islanded");
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":3"#);
    let children = children_of(running.pid());
    let [bench] = children[..] else { panic!("the virtual bench is its only child: {children:?}") };
    signal(bench, Signal::SIGKILL);
    let ended = running.end();

    assert_eq!(ended.code, Some(3), "{}", ended.err);
    let why = "the virtual bench ended by itself (signal: 9 (SIGKILL)) while the session ran";
    assert!(ended.said().contains(&format!("the rig's fault: {why}")), "{}", ended.out);
    assert!(ended.file("report.html").contains(why));
    let summary = ended.summary();
    assert_eq!((summary["verdict"].as_str(), summary["end"].as_str()), (Some("inconclusive"), Some("aborted")));
    assert!(ended.claims("fail").is_empty(), "a device is not failed by the rig's fault");

    let facts = ended.facts();
    assert_eq!(facts.last(), Some(&Fact::Ended(End::Aborted)));
    let gone = |fact: &Fact| matches!(fact, Fact::RigFault { fault: RigFault::BenchGone, .. });
    assert_eq!(facts.iter().filter(|fact| gone(fact)).count(), 1);
    // What could not be made safe is said, rail by rail.
    let unsafe_rails = |fact: &Fact| matches!(fact, Fact::Safe { error: Some(_), .. });
    assert_eq!(facts.iter().filter(|fact| unsafe_rails(fact)).count(), 4);

    let events = ended.events();
    let died = events.iter().find(|event| gone(&event.fact)).expect("the fault").at;
    let last = events.last().expect("events").at;
    // All four safe states are tried at the same time, each at most 5 s.
    assert!(last - died < 20_000_000_000, "{} ns", last - died);

    let before = ended.file("summary.json");
    let reported = lab.ask(&["report", "reports/s"]);
    assert_eq!(reported.code, Some(3), "{}", reported.err);
    assert_eq!(ended.file("summary.json"), before);
}

/// The system gives a terminal's number to the next that asks, and a bench's link would lead there.
#[test]
fn who_gets_the_terminals_of_a_bench_that_is_gone_is_left_alone() {
    let lab = Lab::new("islanded");
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":3"#);
    let children = children_of(running.pid());
    let [bench] = children[..] else { panic!("the virtual bench is its only child: {children:?}") };
    signal(bench, Signal::SIGKILL);
    let (done, ended) = channel::<()>();
    let taker = std::thread::spawn(move || {
        let mut taken = Vec::new();
        while ended.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
            if taken.len() < 200 {
                taken.push(openpty(None, None).expect("a terminal"));
            }
        }
        taken
    });
    let session = running.end();
    drop(done);
    assert_eq!(session.code, Some(3), "{}", session.err);
    for OpenptyResult { master, slave: _slave } in taker.join().expect("terminals") {
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("it need not wait");
        let heard = std::fs::File::from(master).read(&mut [0; 64]).map_err(|error| error.kind());
        assert_eq!(heard, Err(ErrorKind::WouldBlock), "rig has written to it");
    }
}
