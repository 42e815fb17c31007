//! What a tally makes of events.

mod outcome;

use proptest::prelude::*;

use super::{Findings, Outcome, Point, Tally, Verdict};
use crate::event::{Arrival, Delivery, End, Event, Fact, Flaw, Misbehaviour, RigFault, Size, Start, Stray};
use crate::journal::synthetic::Synthetic;
use crate::plan::{EdgeId, Rule};
use crate::stamp::{Nanos, Source, Stamp};

const SECOND: Nanos = 1_000_000_000;

fn start(planned: u32) -> Start {
    Synthetic { planned, played: 0, lost: 0.0, seed: 0 }.start()
}

fn event(trial: u32, fact: Fact) -> Event {
    Event { at: u64::from(trial) * 60 * SECOND, trial: Some(trial), fact }
}

fn exact(at: Nanos) -> Stamp {
    Stamp::new(at, at, Source::User)
}

/// A whole delivery with a latency between the bounds.
fn whole(edge: u16, least: Nanos, most: Nanos) -> Delivery {
    Delivery {
        edge: EdgeId(edge),
        sent: Some(exact(SECOND)),
        on_wire: None,
        arrived: Some(Stamp::new(SECOND + least, SECOND + most, Source::User)),
        cause: None,
        size: Some(size(if edge == 0 { 25 } else { 50 })),
        sequence: None,
        correlation: None,
        end: Arrival::Whole,
    }
}

fn good(edge: u16) -> Delivery {
    whole(edge, 1_000, 2_000)
}

fn size(payload: u16) -> Size {
    Size { payload, pdu: payload, wire: payload }
}

fn ended(edge: u16, end: Arrival) -> Delivery {
    let arrived = if matches!(end, Arrival::Flawed(_)) { good(edge).arrived } else { None };
    Delivery { arrived, end, ..good(edge) }
}

fn stray(edge: Option<u16>, flaw: Flaw, by_hop: bool) -> Fact {
    let edge = edge.map(EdgeId);
    Fact::Stray(Stray { from: "breaker".into(), edge, at: exact(0), flaw, bytes: 50, by_hop })
}

fn play(tally: &mut Tally, trial: u32, facts: impl IntoIterator<Item = Fact>, void: bool) {
    let middle = facts.into_iter().map(|fact| event(trial, fact));
    let whole = [event(trial, Fact::TrialStarted)].into_iter().chain(middle);
    for event in whole.chain([event(trial, Fact::TrialEnded { void })]) {
        tally.note(&event);
    }
}

fn play_all_good(tally: &mut Tally, trials: std::ops::RangeInclusive<u32>) {
    for trial in trials {
        play(tally, trial, (0..5).map(|edge| Fact::Delivery(good(edge))), false);
    }
}

fn end(tally: &mut Tally, end: End) {
    tally.note(&Event { at: 1_000_000 * SECOND, trial: None, fact: Fact::Ended(end) });
}

#[test]
fn a_plan_played_whole_by_good_devices_passes() {
    let mut tally = Tally::new(start(598));
    play_all_good(&mut tally, 1..=598);
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    assert_eq!(findings.verdict, Verdict::Pass);
    assert_eq!(findings.edges[0].reason, "598 of 598 in time show > 99.5 % at 95 %");
    assert_eq!(findings.reasons, ["all 6 claims are shown to be met"]);
}

#[test]
fn one_trial_less_than_needed_decides_nothing() {
    let mut tally = Tally::new(start(597));
    play_all_good(&mut tally, 1..=597);
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    assert_eq!(findings.verdict, Verdict::Inconclusive);
    assert_eq!((findings.edges[0].verdict, findings.edges[0].missing), (Some(Verdict::Inconclusive), Some(1)));
    assert_eq!(findings.edges[2].verdict, Some(Verdict::Pass));
}

#[test]
fn twenty_trials_tell_how_many_are_missing() {
    let mut tally = Tally::new(start(20));
    play_all_good(&mut tally, 1..=20);
    end(&mut tally, End::Complete);
    let missing: Vec<_> = tally.findings().edges.iter().map(|edge| edge.missing).collect();
    assert_eq!(missing, [578, 578, 129, 129, 129].map(Some));
}

#[test]
fn a_fixed_plan_cut_short_passes_nothing_but_can_fail() {
    for cut in [Some(End::Interrupted), Some(End::GaveUp), Some(End::Aborted), None] {
        let mut tally = Tally::new(start(1000));
        play_all_good(&mut tally, 1..=700);
        cut.clone().into_iter().for_each(|cut| end(&mut tally, cut));
        let findings = tally.clone().findings();
        assert_eq!((findings.verdict, findings.edges[0].missing), (Verdict::Inconclusive, Some(300)), "{cut:?}");
        assert!(findings.edges.iter().all(|edge| edge.verdict == Some(Verdict::Inconclusive)));

        for trial in 701..=720 {
            play(&mut tally, trial, (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Absent))), false);
        }
        assert_eq!(tally.findings().verdict, Verdict::Fail, "{cut:?}");
    }
}

#[test]
fn all_claims_shown_in_an_interrupted_session_are_no_pass() {
    let mut tally = Tally::new(start(598));
    play_all_good(&mut tally, 1..=598);
    end(&mut tally, End::Interrupted);
    assert_eq!(tally.findings().verdict, Verdict::Inconclusive);
}

#[test]
fn a_void_trial_counts_for_nothing_and_too_many_of_them_decide_nothing() {
    let mut tally = Tally::new(start(598));
    play_all_good(&mut tally, 1..=598);
    for trial in 599..=610 {
        let lost = (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Absent)));
        play(&mut tally, trial, lost.chain([stray(Some(0), Flaw::Garbage, false)]), true);
    }
    let mut over = tally.clone();
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    assert_eq!((findings.verdict, findings.trials.counted, findings.trials.void), (Verdict::Pass, 598, 12));
    assert_eq!((findings.edges[0].counts.lost, findings.strays.len()), (0, 0));

    for trial in 611..=640 {
        play(&mut over, trial, [], true);
    }
    let detail = "the bench ended by itself".to_owned();
    over.note(&event(640, Fact::RigFault { fault: RigFault::BenchGone, detail }));
    end(&mut over, End::Aborted);
    let findings = over.findings();
    assert_eq!(findings.verdict, Verdict::Inconclusive);
    insta::assert_snapshot!(findings.reasons.join("\n"), @r"
    all 6 claims are shown to be met
    42 of 640 trials were void by faults of the rig, and the plan allows 5 %
    a fault of the rig ended the session after 598 trials: the bench ended by itself
    ");
}

#[test]
fn a_trial_without_end_counts_for_nothing() {
    let mut tally = Tally::new(start(10));
    play_all_good(&mut tally, 1..=3);
    tally.note(&event(4, Fact::TrialStarted));
    tally.note(&event(4, Fact::Delivery(ended(0, Arrival::Absent))));
    let findings = tally.findings();
    assert_eq!((findings.trials.counted, findings.edges[0].counts.trials()), (3, 3));
    assert_eq!(findings.end, None);
}

#[test]
fn never_sent_is_outside_the_statistics() {
    let mut tally = Tally::new(start(598));
    play_all_good(&mut tally, 1..=597);
    play(&mut tally, 598, (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::NotSent))), false);
    end(&mut tally, End::Complete);
    let edge = &tally.findings().edges[0];
    assert_eq!((edge.counts.trials(), edge.counts.not_sent), (597, 1));
    assert_eq!(edge.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn undecided_widens_the_bounds_both_ways() {
    let mut tally = Tally::new(start(598));
    play_all_good(&mut tally, 1..=591);
    for trial in 592..=598 {
        play(&mut tally, trial, (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Whole))), false);
    }
    end(&mut tally, End::Complete);
    let edge = &tally.findings().edges[0];
    // Seven failures would refute it, no failure would show it.
    assert_eq!(edge.verdict, Some(Verdict::Inconclusive));
    assert!(edge.lower < 0.98 && edge.upper >= 1.0);
    assert_eq!(edge.missing, Some(2627 - 598));
}

#[test]
fn what_is_not_judged_does_not_decide() {
    let mut start = start(598);
    start.plan.rows[2].judged = false;
    let mut tally = Tally::new(start);
    for trial in 1..=598 {
        let alarms = (2..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Absent)));
        play(&mut tally, trial, (0..2).map(|edge| Fact::Delivery(good(edge))).chain(alarms), false);
    }
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    assert_eq!((findings.verdict, findings.edges[2].verdict), (Verdict::Pass, None));
}

#[test]
fn a_family_shares_its_error() {
    let mut start = start(5000);
    start.plan.decision.family_wise = true;
    let mut tally = Tally::new(start);
    play_all_good(&mut tally, 1..=1);
    // Six claims at 5 % together: ln(0.05/6)/ln(0.995) trials.
    assert_eq!(tally.findings().edges[0].missing, Some(4999));
    let needed = super::binomial::trials_to_pass(0.995, 1.0 - 0.05 / 6.0, 0);
    let mut start = self::start(956);
    start.plan.decision.family_wise = true;
    for (trials, verdict) in [(955, Verdict::Inconclusive), (956, Verdict::Pass)] {
        start.plan.trials = trials;
        let mut tally = Tally::new(start.clone());
        play_all_good(&mut tally, 1..=trials);
        end(&mut tally, End::Complete);
        assert_eq!(tally.findings().verdict, verdict, "{trials} of {needed:?}");
    }
}

fn sequential() -> Tally {
    let mut start = start(5000);
    start.plan.decision.rule = Rule::Sequential { discrimination: 3.0 };
    Tally::new(start)
}

#[test]
fn a_sequential_plan_is_decided_when_its_last_claim_is() {
    let mut tally = sequential();
    play_all_good(&mut tally, 1..=895);
    assert!(!tally.decided());
    play_all_good(&mut tally, 896..=896);
    assert!(tally.decided());
    // What comes after the crossing changes no verdict.
    for trial in 897..=920 {
        play(&mut tally, trial, (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Absent))), false);
    }
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    assert_eq!(findings.verdict, Verdict::Pass);
    assert_eq!(
        findings.edges[0].reason,
        "the sequential test showed > 99.5 % at 95 % after 896 trials; 896 of 920 in time"
    );
}

#[test]
fn a_sequential_plan_rejects_early_and_a_fixed_one_is_never_decided() {
    let mut tally = sequential();
    let mut fixed = Tally::new(start(5000));
    for trial in 1..=4 {
        let lost = || (0..5).map(|edge| Fact::Delivery(ended(edge, Arrival::Absent)));
        play(&mut tally, trial, lost(), false);
        play(&mut fixed, trial, lost(), false);
    }
    assert!(tally.decided() && !fixed.decided());
    assert_eq!(tally.progress().shown, 6);
    end(&mut tally, End::Complete);
    assert_eq!(tally.findings().verdict, Verdict::Fail);
}

#[test]
fn lost_payloads_are_counted_and_not_in_the_histogram() {
    let mut tally = Tally::new(start(2));
    play(&mut tally, 1, [Fact::Delivery(Delivery { cause: Some(exact(0)), ..good(2) })], false);
    play(&mut tally, 2, [Fact::Delivery(ended(2, Arrival::Absent))], false);
    let edge = &tally.findings().edges[2];
    assert_eq!((edge.latency.len(), edge.counts.lost, edge.points.len()), (1, 1, 2));
    // From the cause at 0 to the first byte at 1 s.
    assert!(edge.detection.equivalent(edge.detection.max(), SECOND));
    assert!((edge.rate - 0.5).abs() < f64::EPSILON);
}

#[test]
fn misbehaviour_is_named() {
    let mut tally = Tally::new(start(1));
    let misbehaved =
        Fact::Misbehaved { device: "meter".into(), how: Misbehaviour::SlowBoot, detail: "3 s of 30 ms".into() };
    tally.note(&event(1, misbehaved));
    let findings = tally.findings();
    assert_eq!(findings.misbehaviours[0].detail, "meter: 3 s of 30 ms");
    assert_eq!(findings.reasons.last().map(String::as_str), Some("devices misbehaved: slow-boot 1 times"));
}

#[test]
fn a_point_is_small() {
    assert!(size_of::<Point>() <= 40);
}

fn any_fact() -> impl Strategy<Value = Fact> {
    let flaw = (0..8_usize).prop_map(|index| Flaw::ALL[index]);
    let arrival = prop_oneof![
        Just(Arrival::Whole),
        Just(Arrival::Absent),
        Just(Arrival::NotSent),
        Just(Arrival::LostInHop("wan".into())),
        flaw.clone().prop_map(Arrival::Broken),
        flaw.clone().prop_map(Arrival::Flawed),
    ];
    let stamp = || proptest::option::of((any::<u64>(), any::<u64>()).prop_map(|(a, b)| Stamp::new(a, b, Source::User)));
    let delivery = (0..9_u16, stamp(), stamp(), stamp(), arrival).prop_map(|(edge, sent, arrived, cause, end)| {
        Fact::Delivery(Delivery { sent, arrived, cause, end, ..good(edge) })
    });
    prop_oneof![
        4 => delivery,
        1 => (proptest::option::of(0..9_u16), flaw).prop_map(|(edge, flaw)| stray(edge, flaw, false)),
        1 => Just(Fact::TrialStarted),
        1 => any::<bool>().prop_map(|void| Fact::TrialEnded { void }),
    ]
}

fn sums_hold(findings: &Findings) -> bool {
    findings.edges.iter().chain(&findings.sub_totals).all(|found| {
        let counted = found.counts.trials() + found.counts.not_sent;
        counted == found.points.len() as u64
            && counted <= u64::from(findings.trials.counted)
            && (0.0..=1.0).contains(&found.lower)
            && found.lower <= found.upper
            && found.upper <= 1.0
    })
}

proptest! {
    #[test]
    fn any_order_of_events_folds(facts in proptest::collection::vec((any_fact(), proptest::option::of(0..4_u32)), 0..200)) {
        let mut tally = Tally::new(start(3));
        for (fact, trial) in facts {
            tally.note(&Event { at: 0, trial, fact });
        }
        prop_assert!(sums_hold(&tally.findings()));
    }
}

#[test]
fn a_row_is_as_good_as_the_worst_of_its_edges() {
    let mut tally = Tally::new(start(700));
    for trial in 1..=700 {
        let alarms = [good(2), good(3), if trial > 650 { ended(4, Arrival::Absent) } else { good(4) }];
        play(&mut tally, trial, [good(0), good(1)].into_iter().chain(alarms).map(Fact::Delivery), false);
    }
    end(&mut tally, End::Complete);
    let findings = tally.findings();
    let row = |edge: usize| findings.row(&findings.edges[edge].id);
    assert_eq!(
        [row(0), row(1), row(2), row(4)],
        [Some(Verdict::Pass), Some(Verdict::Pass), Some(Verdict::Fail), Some(Verdict::Fail)]
    );
    assert_eq!(findings.row("no such row"), None);
}
