use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{InMemoryTerm, ProgressDrawTarget};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::event::{Arrival, Delivery, Fact, Flaw, Misbehaviour, PowerStage, RigFault, Stray, VERSION};
use crate::fixture::{Fixture, Level};
use crate::plan::{Budget, Decision, Edge, EdgeId, Plan, Row, RowId, Rule};
use crate::stamp::{Nanos, Source, Stamp};

const SECOND: Nanos = 1_000_000_000;

fn start(trials: u32, simulated: bool) -> Start {
    let row = |id: &str, judged| Row {
        id: id.into(),
        phase: "into-island".into(),
        payload: "distr_cust_storage_in-island-mode_alarm".into(),
        size: (50, 50),
        budget: Budget { latency: Duration::from_secs(8), reliability: 0.995 },
        judged,
    };
    let edge = |row| Edge { row: RowId(row), from: "Distr. Cust. Storage".into(), to: "LMS - Utility".into() };
    let plan = Plan {
        name: "islanded".into(),
        title: String::new(),
        trials,
        decision: Decision { rule: Rule::Fixed, confidence: 0.95, family_wise: false, void_cap: 0.05 },
        patience: Duration::from_secs(5),
        settle: Duration::ZERO,
        give_up_after: 10,
        rows: vec![row("I3", true), row("I4", false)],
        edges: vec![edge(0), edge(1)],
        sub_totals: Vec::new(),
        steps: Vec::new(),
    };
    let fixture = Fixture {
        name: "virtual".into(),
        title: String::new(),
        actors: BTreeMap::new(),
        devices: BTreeMap::new(),
        buses: BTreeMap::new(),
        instruments: BTreeMap::new(),
        rails: BTreeMap::new(),
        hops: BTreeMap::new(),
        paths: Vec::new(),
        stall_limit: Duration::from_millis(50),
        bench: None,
    };
    Start {
        version: VERSION,
        rig: "0.1.0".into(),
        session: "islanded".into(),
        wall: "2026-01-02T03:04:05Z".into(),
        wall_gap: 0,
        simulated,
        seed: 1,
        command: Vec::new(),
        sources: BTreeMap::new(),
        plan,
        fixture,
        host: BTreeMap::new(),
    }
}

fn event(at: Nanos, trial: u32, fact: Fact) -> Event {
    Event { at, trial: Some(trial), fact }
}

fn delivery(edge: u16, end: Arrival) -> Fact {
    Fact::Delivery(Delivery {
        edge: EdgeId(edge),
        sent: None,
        on_wire: None,
        arrived: None,
        cause: None,
        size: None,
        sequence: None,
        correlation: None,
        end,
    })
}

/// The events of a trial of four seconds in which `fact` happens.
fn trial(number: u32, fact: Option<Fact>) -> Vec<Event> {
    let begin = Nanos::from(number - 1) * 4 * SECOND;
    let power = |to| Fact::Power {
        rail: "feeder".into(),
        to,
        stage: PowerStage::Sensed,
        at: Stamp::new(begin, begin, Source::User),
    };
    let mut events = vec![event(begin, number, Fact::TrialStarted), event(begin + SECOND, number, power(Level::Off))];
    events.extend(fact.map(|fact| event(begin + 2 * SECOND, number, fact)));
    events.push(event(begin + 3 * SECOND, number, power(Level::On)));
    events.push(event(begin + 4 * SECOND, number, Fact::TrialEnded { void: false }));
    events
}

/// What a log holds after a session.
fn log(start: &Start, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut scene = Scene::new(start);
    let mut plain = Plain::new(&mut out, start.simulated, false);
    for event in events {
        scene.progress = Progress { decided: usize::from(scene.counted > 5), judged: 2 };
        let problem = Problem::of(event, scene.plan());
        scene.note(event, problem.as_ref());
        plain.show(&scene, problem.as_ref());
    }
    plain.finish(&scene);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_log_tells_how_far_the_session_is_and_each_problem() {
    let late = Fact::Delivery(Delivery {
        edge: EdgeId(0),
        sent: Some(Stamp::new(0, 0, Source::User)),
        on_wire: None,
        arrived: Some(Stamp::new(9 * SECOND, 9_100_000_000, Source::User)),
        cause: None,
        size: None,
        sequence: None,
        correlation: None,
        end: Arrival::Whole,
    });
    let mut events = Vec::new();
    for number in 1..=8 {
        events.extend(trial(
            number,
            match number {
                2 => Some(late.clone()),
                3 => Some(delivery(0, Arrival::LostInHop("AMI".into()))),
                4 => Some(delivery(0, Arrival::Broken(Flaw::Truncated))),
                5 => Some(Fact::Misbehaved {
                    device: "meter".into(),
                    how: Misbehaviour::SlowBoot,
                    detail: "9 s, the fixture allows 1 s".into(),
                }),
                6 => Some(Fact::RigFault { fault: RigFault::Instrument, detail: "relay board: no answer".into() }),
                _ => None,
            },
        ));
    }
    insta::assert_snapshot!(log(&start(8, false), &events), @r"
    [4s] trials 1/8 (12 %), edges 0/2 decided, power on, 28s left
    [6s] trial 2: I3 Distr. Cust. Storage → LMS - Utility: late: 9.100 s, limit 8.000 s
    [8s] trials 2/8 (25 %), edges 0/2 decided, power on, 1 problem so far, 24s left
    [10s] trial 3: I3 Distr. Cust. Storage → LMS - Utility: lost in hop AMI
    [12s] trials 3/8 (37 %), edges 0/2 decided, power on, 2 problems so far, 20s left
    [14s] trial 4: I3 Distr. Cust. Storage → LMS - Utility: only pieces arrived: truncated
    [16s] trials 4/8 (50 %), edges 0/2 decided, power on, 3 problems so far, 16s left
    [18s] trial 5: meter: slow boot: 9 s, the fixture allows 1 s
    [20s] trials 5/8 (62 %), edges 0/2 decided, power on, 4 problems so far, 12s left
    [22s] trial 6: the rig's fault: instrument: relay board: no answer
    [24s] trials 6/8 (75 %), edges 0/2 decided, power on, 5 problems so far, 8s left
    [28s] trials 7/8 (87 %), edges 1/2 decided, power on, 5 problems so far, 4s left
    [32s] trials 8/8 (100 %), edges 1/2 decided, power on, 5 problems so far
    ");
}

#[test]
fn a_simulated_session_of_days_takes_a_line_a_tenth() {
    let events: Vec<_> = (1..=5000).flat_map(|number| trial(number, None)).collect();
    assert_eq!(log(&start(5000, true), &events).lines().count(), 10);
}

#[test]
fn a_real_session_of_hours_is_not_buried_in_progress() {
    let events: Vec<_> = (1..=5000).flat_map(|number| trial(number, None)).collect();
    let lines = log(&start(5000, false), &events).lines().count();
    assert!((20..200).contains(&lines), "{lines} lines of 5.5 hours");
}

#[test]
fn a_flood_of_problems_is_counted_and_not_told_one_by_one() {
    let stray = Stray {
        from: "meter".into(),
        edge: None,
        at: Stamp::new(0, 0, Source::User),
        flaw: Flaw::Unsolicited,
        bytes: 50,
        by_hop: false,
    };
    let mut events = vec![event(0, 1, Fact::TrialStarted)];
    events.extend((0..100_000).map(|n| event(n, 1, Fact::Stray(stray.clone()))));
    let log = log(&start(8, false), &events);
    assert_eq!(log.lines().count(), 12);
    assert!(log.contains("and 99990 more"), "{log}");
}

#[test]
fn what_is_no_problem_is_not_told() {
    let quiet = [
        delivery(0, Arrival::Whole),
        delivery(0, Arrival::NotSent),
        delivery(1, Arrival::Absent),
        Fact::LinkDown { name: "meter".into(), reason: "gone".into(), unpowered: true },
        Fact::Stray(Stray {
            from: "LMS - Utility".into(),
            edge: None,
            at: Stamp::new(0, 0, Source::User),
            flaw: Flaw::Duplicate,
            bytes: 50,
            by_hop: true,
        }),
        Fact::Safe { rail: "feeder".into(), to: Level::On, error: None },
    ];
    let plan = start(1, false).plan;
    assert!(quiet.into_iter().all(|fact| Problem::of(&event(0, 1, fact), &plan).is_none()));
}

/// Facts whose every text tries to take the terminal over.
fn hostile() -> Vec<Fact> {
    let text = "\x1b[2J\x1b]0;owned\x07\r\nnext \u{202e}line\u{9b}31m".repeat(50);
    vec![
        Fact::LinkDown { name: text.clone(), reason: text.clone(), unpowered: false },
        Fact::Misbehaved { device: text.clone(), how: Misbehaviour::Stuck, detail: text.clone() },
        Fact::RigFault { fault: RigFault::Actor, detail: text.clone() },
        Fact::Power {
            rail: text.clone(),
            to: Level::Off,
            stage: PowerStage::Sensed,
            at: Stamp::new(0, 0, Source::User),
        },
        Fact::Safe { rail: text.clone(), to: Level::Off, error: Some(text.clone()) },
        delivery(0, Arrival::LostInHop(text)),
        delivery(900, Arrival::Absent),
    ]
}

#[test]
fn problems_are_set_off_where_the_log_takes_colours() {
    let start = start(8, false);
    let event = event(SECOND, 1, delivery(0, Arrival::Absent));
    let problem = Problem::of(&event, &start.plan);
    let mut out = Vec::new();
    Plain::new(&mut out, false, true).show(&Scene::new(&start), problem.as_ref());
    let line = String::from_utf8(out).unwrap();
    assert!(line.starts_with("[1s] \u{1b}[33mtrial 1: I3") && line.ends_with("\u{1b}[0m\n"), "{line:?}");
}

#[test]
fn hostile_text_stays_on_its_line_of_the_log() {
    let mut events = vec![event(0, 1, Fact::TrialStarted)];
    events.extend(hostile().into_iter().map(|fact| event(SECOND, 1, fact)));
    let log = log(&start(8, false), &events);
    assert_eq!(log.lines().count(), 7);
    assert!(log.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{log:?}");
    assert!(log.lines().all(|line| line.width() <= 180), "{log}");
}

/// The bar as a terminal of so many columns shows it.
fn picture(columns: u16, start: &Start, events: &[Event]) -> String {
    let terminal = InMemoryTerm::new(12, columns);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let bar = Bar::new(target, Box::new(move || usize::from(columns)), start.plan.trials);
    let mut scene = Scene::new(start);
    for event in events {
        scene.progress = Progress { decided: usize::from(scene.counted > 5), judged: 2 };
        scene.note(event, Problem::of(event, scene.plan()).as_ref());
        bar.show(&scene);
    }
    // The spinner's first frames come by wall time.
    terminal.contents().trim_start_matches(|c: char| !c.is_alphabetic()).to_owned()
}

fn seven_trials() -> Vec<Event> {
    (1..=7).flat_map(|number| trial(number, (number == 3).then(|| delivery(0, Arrival::Absent)))).collect()
}

#[test]
fn the_bar_fits_a_wide_window() {
    insta::assert_snapshot!(picture(120, &start(598, false), &seven_trials()), @r"
    trial 7/598 [=>                                                                                                   ] 1%
    39m 24s left · edges 1/2 decided · power on
    trial 3: I3 Distr. Cust. Storage → LMS - Utility: nothing arrived
    ");
}

#[test]
fn the_bar_fits_a_narrow_window() {
    let picture = picture(40, &start(598, false), &seven_trials());
    assert!(picture.lines().all(|line| line.width() <= 40), "{picture}");
    insta::assert_snapshot!(picture, @r"
    trial 7/598 [>                    ] 1%
    39m 24s left · edges 1/2 decided · powe…
    trial 3: I3 Distr. Cust. Storage → LMS …
    ");
}

#[test]
fn hostile_text_stays_in_the_window() {
    for columns in [24, 40, 120] {
        let mut events = seven_trials();
        for fact in hostile() {
            events.push(event(29 * SECOND, 8, fact));
            let picture = picture(columns, &start(598, false), &events);
            assert!(picture.lines().count() <= 3, "{picture:?}");
            assert!(picture.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{picture:?}");
            assert!(
                picture.lines().skip(1).all(|line| line.width() <= usize::from(columns)),
                "{columns} columns: {picture}"
            );
        }
    }
}
