//! The virtual bench is killed while a session runs on it.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::event::{End, Fact, RigFault};

use crate::lab::Lab;

/// The process that this one started.
pub fn child_of(parent: i32) -> Option<i32> {
    let processes = fs::read_dir("/proc").expect("/proc is there").filter_map(Result::ok);
    processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|process: &i32| {
        // proc(5): `pid (comm) state ppid …`, and comm may hold anything.
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let rest = stat.rsplit(") ").next().unwrap_or_default();
        rest.split(' ').nth(1).is_some_and(|ppid| ppid == parent.to_string())
    })
}

#[test]
fn a_session_whose_bench_is_killed_ends_by_itself_and_says_why() {
    let lab = Lab::new("islanded");
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":3"#);
    let bench = child_of(running.pid()).expect("the virtual bench is a child");
    kill(Pid::from_raw(bench), Signal::SIGKILL).unwrap();
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
