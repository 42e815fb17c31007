//! Signals end a session with the rails safe, and with reports for what was played.

use std::time::Duration;

use nix::sys::signal::Signal;
use rig::event::{End, Fact};
use rig::fixture::Level;
use test_case::test_case;

use crate::lab::processes::{children_of, lives};
use crate::lab::{Ended, Lab};

/// The rails that were put into their safe state without an error, and the last fact.
fn safe(ended: &Ended) -> (Vec<(String, Level)>, Fact) {
    let facts = ended.facts();
    let safe = facts.iter().filter_map(|fact| match fact {
        Fact::Safe { rail, to, error: None } => Some((rail.clone(), *to)),
        _ => None,
    });
    (safe.collect(), facts.last().expect("events").clone())
}

fn all_on() -> Vec<(String, Level)> {
    ["breaker-supply", "feeder", "meter-supply", "storage-supply"].map(|rail| (rail.to_owned(), Level::On)).to_vec()
}

#[test_case(Signal::SIGINT; "interrupted")]
#[test_case(Signal::SIGTERM; "terminated")]
#[test_case(Signal::SIGHUP; "hung up")]
fn a_signal_stops_makes_safe_and_reports(signal: Signal) {
    let lab = Lab::new("islanded");
    let mut running = lab.start(lab.command(&[]));
    // The feeder is down: there is something to make safe.
    running.until_event(r#""trial":3,"fact":{"power":{"rail":"feeder","to":"off","stage":"sensed""#);
    running.signal(signal);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert!(ended.err.contains("stopping; again to leave the reports out: the rails are made safe first"));
    assert_eq!(safe(&ended), (all_on(), Fact::Ended(End::Interrupted)));

    let summary = ended.summary();
    assert_eq!(summary["end"], "interrupted");
    let counted = summary["trials"]["counted"].as_u64().expect("a count");
    assert!((2..600).contains(&counted), "{counted}");
    assert!(
        ended.said().contains(&format!("the session was interrupted after {counted} of 600 trials")),
        "{}",
        ended.out
    );
    for report in ["junit.xml", "report.html", "summary.md", "payloads.csv", "metrics.txt", "latency.hlog"] {
        assert!(!ended.file(report).is_empty(), "{report}");
    }
}

#[test_case(Signal::SIGINT; "interrupted")]
#[test_case(Signal::SIGTERM; "terminated")]
fn a_signal_before_the_first_trial_takes_effect_at_once(signal: Signal) {
    // Devices that boot for ten minutes, and are given as long.
    let slow = r#"boot = "10m""#;
    let lab = Lab::new("islanded").fixture(r#"boot = "20ms""#, slow).fixture(r#"boot = "2s""#, slow);
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""power":{"rail":"storage-supply","to":"on","stage":"sensed""#);
    let children = children_of(running.pid());
    let [bench] = children[..] else { panic!("the virtual bench is its only child: {children:?}") };
    running.signal(signal);
    let ended = running.end_within(Duration::from_secs(60));
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert_eq!(safe(&ended), (all_on(), Fact::Ended(End::Interrupted)));
    assert!(!ended.facts().contains(&Fact::TrialStarted));
    assert!(ended.said().contains("the session was interrupted after 0 of 600 trials"), "{}", ended.out);
    assert!(!ended.file("report.html").is_empty());
    assert!(!lives(bench), "the virtual bench has ended");
}

#[test]
fn a_trial_that_a_signal_broke_off_is_no_fault_of_the_rig() {
    let lab = Lab::new("islanded");
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":2,"fact":{"power""#);
    running.signal(Signal::SIGINT);
    let ended = running.end();
    assert_eq!(ended.summary()["trials"]["void"], 0, "{}", ended.out);
    assert!(!ended.out.contains("void by faults of the rig"), "{}", ended.out);
}

#[test]
fn a_second_signal_leaves_the_reports_out_but_not_the_safe_state() {
    // A lamp whose switch takes its time to go off, so that the second signal falls into the safe state.
    let lab = Lab::new("islanded").and(
        r#"
[instrument.lamp]
driver = "command"
on = ["true"]
off = ["sh", "-c", "until test -e hurried; do sleep 0.02; done; touch off"]
timeout = "60s"

[rail.lamp]
switch = { instrument = "lamp", channel = 1 }
sense = { driver = "none", settle = "1ms" }
safe = "off"
dwell = "1ms"
max-cuts-per-minute = 6000
"#,
    );
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":1,"fact":{"power""#);
    running.signal(Signal::SIGINT);
    running.until_said("stopping; again");
    running.signal(Signal::SIGINT);
    running.until_said("stopping at once: the rails are made safe first");
    std::fs::write(lab.path("hurried"), "").unwrap();
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{}", ended.err);
    assert!(ended.err.contains("stopped at once; the record is in "), "{}", ended.err);
    assert!(lab.path("off").exists(), "the lamp was switched off before rig ended");
    let (rails, last) = safe(&ended);
    assert!(rails.contains(&("lamp".to_owned(), Level::Off)), "{rails:?}");
    assert_eq!((rails.len(), last), (5, Fact::Ended(End::Interrupted)));
    for report in ["junit.xml", "summary.json", "report.html"] {
        assert!(!lab.session().join(report).exists(), "{report}");
    }

    let reported = lab.ask(&["report", "reports/s"]);
    assert_eq!(reported.code, Some(3), "{}", reported.err);
    assert!(reported.said().contains("the session was interrupted after"), "{}", reported.out);
}
