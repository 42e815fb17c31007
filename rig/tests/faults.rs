//! Every fault of a twin is named rightly, the right edges fail for the right reason, and no other edge does.

mod bench;

use std::collections::BTreeMap;
use std::time::Duration;

use bench::{fixture, plan, simulate};
use rig::event::{Arrival, End, Fact, Flaw, Misbehaviour, PowerStage, RigFault};
use rig::fixture::Level;
use rig::plan::{Action, Plan, Step};
use rig::verdict::{Findings, Outcome, Verdict};
use rig_virtual::{Fault, FaultKind};
use test_case::test_case;

/// Enough trials to show a fault that happens each time.
const TRIALS: u32 = 6;

struct Broken {
    findings: Findings,
    faults: Vec<Misbehaviour>,
}

/// Plays a plan with one fault in one twin.
fn play(name: &str, twin: &str, fault: Fault) -> Broken {
    let mut fixture = fixture();
    let spec = fixture.bench.as_mut().expect("the virtual fixture has a bench");
    spec.twins.get_mut(twin).expect("the bench has this twin").faults.push(fault);
    let mut plan = plan(name, TRIALS);
    plan.give_up_after = TRIALS + 1;
    let played = simulate(plan, fixture, 7);
    let faults = played.findings.misbehaviours.iter().map(|remark| remark.kind).collect();
    assert!(
        played.findings.rig_faults.is_empty(),
        "a device's fault is not the rig's: {:?}",
        played.findings.rig_faults
    );
    Broken { findings: played.findings, faults }
}

fn fault(kind: FaultKind, payload: &str) -> Fault {
    let payload = (!payload.is_empty()).then(|| payload.to_owned());
    // Over every limit, and within the patience after it.
    let by = Duration::from_secs(if payload.as_deref().is_some_and(|name| name.ends_with("_ack")) { 11 } else { 20 });
    Fault { kind, rate: 1.0, payload, by }
}

/// Failed claims, each with the outcomes that made it fail.
fn failed(findings: &Findings) -> BTreeMap<String, Vec<Outcome>> {
    let claims = findings.edges.iter().chain(&findings.sub_totals);
    claims
        .filter(|finding| finding.verdict == Some(Verdict::Fail))
        .map(|finding| {
            let mut outcomes: Vec<_> = finding
                .points
                .iter()
                .map(|point| point.outcome)
                .filter(|outcome| *outcome != Outcome::OnTime && *outcome != Outcome::Undecided)
                .collect();
            outcomes.dedup();
            (finding.label.clone(), outcomes)
        })
        .collect()
}

#[test_case("dispatch"; "dispatching storage")]
#[test_case("islanded"; "islanding storage")]
fn a_clean_bench_shows_no_fault(name: &str) {
    let played = simulate(plan(name, 600), fixture(), 1);
    let findings = &played.findings;
    assert_eq!(findings.verdict, Verdict::Pass, "{:?}", findings.reasons);
    assert!(findings.misbehaviours.is_empty(), "{:?}", findings.misbehaviours);
    assert!(findings.strays.is_empty(), "{:?}", findings.strays);
    assert!(findings.rig_faults.is_empty(), "{:?}", findings.rig_faults);
    assert_eq!(findings.trials.counted, 600);
    for finding in findings.edges.iter().chain(&findings.sub_totals) {
        assert_eq!(finding.counts.on_time, 600, "{}", finding.label);
    }
}

#[test_case(FaultKind::Late, Outcome::Late; "late")]
#[test_case(FaultKind::Lost, Outcome::Lost; "lost")]
#[test_case(FaultKind::Duplicate, Outcome::Flawed(Flaw::Duplicate); "duplicate")]
#[test_case(FaultKind::Corrupt, Outcome::Flawed(Flaw::Corrupt); "corrupt")]
#[test_case(FaultKind::Truncated, Outcome::Flawed(Flaw::Truncated); "truncated")]
#[test_case(FaultKind::WrongSize, Outcome::Flawed(Flaw::WrongSize); "wrong size")]
#[test_case(FaultKind::WrongSequence, Outcome::Flawed(Flaw::OutOfOrder); "wrong sequence")]
#[test_case(FaultKind::Unsolicited, Outcome::Flawed(Flaw::Unsolicited); "unsolicited")]
#[test_case(FaultKind::Garbage, Outcome::Flawed(Flaw::Garbage); "garbage between frames")]
fn a_fault_of_a_reply_fails_its_edge_and_its_sub_total(kind: FaultKind, outcome: Outcome) {
    let broken = play("dispatch", "storage", fault(kind, "distr_cust_storage_discharge_cmd_ack"));
    let expected = [
        ("D7 Distr. Cust. Storage → DAC - sub".to_owned(), vec![outcome]),
        ("D-T3 sub-total".to_owned(), vec![outcome]),
    ];
    assert_eq!(failed(&broken.findings), expected.into());
    assert_eq!(broken.findings.verdict, Verdict::Fail);
    assert!(broken.faults.is_empty(), "{:?}", broken.faults);
}

#[test_case(FaultKind::Late, Outcome::Late; "late")]
#[test_case(FaultKind::Lost, Outcome::Lost; "lost")]
#[test_case(FaultKind::Duplicate, Outcome::Flawed(Flaw::Duplicate); "duplicate")]
#[test_case(FaultKind::Corrupt, Outcome::Flawed(Flaw::Corrupt); "corrupt")]
#[test_case(FaultKind::Truncated, Outcome::Flawed(Flaw::Truncated); "truncated")]
#[test_case(FaultKind::WrongSize, Outcome::Flawed(Flaw::WrongSize); "wrong size")]
#[test_case(FaultKind::WrongSequence, Outcome::Flawed(Flaw::OutOfOrder); "wrong sequence")]
#[test_case(FaultKind::Unsolicited, Outcome::Flawed(Flaw::Unsolicited); "unsolicited")]
#[test_case(FaultKind::Garbage, Outcome::Flawed(Flaw::Garbage); "garbage between frames")]
fn a_fault_of_an_alert_fails_its_three_edges(kind: FaultKind, outcome: Outcome) {
    let broken = play("islanded", "meter", fault(kind, "meter_in_capped_kwh_mode_alert"));
    let expected = ["IPD", "Cust. EMS", "MDMS"].map(|to| (format!("I6 2-Way Meter - Electr → {to}"), vec![outcome]));
    assert_eq!(failed(&broken.findings), expected.into());
    assert!(broken.faults.is_empty(), "{:?}", broken.faults);
}

#[test]
fn a_device_that_forgets_its_settings_is_named_and_its_status_fails() {
    let broken = play("dispatch", "storage", fault(FaultKind::ForgottenState, ""));
    assert!(broken.faults.contains(&Misbehaviour::ForgotState), "{:?}", broken.faults);
    let failed = failed(&broken.findings);
    assert_eq!(
        failed.keys().map(String::as_str).collect::<Vec<_>>(),
        ["D-T2 sub-total", "D4 Distr. Cust. Storage → DAC - sub",]
    );
    assert!(failed.values().all(|outcomes| outcomes == &[Outcome::Flawed(Flaw::WrongState)]), "{failed:?}");
}

#[test]
fn a_device_that_boots_slowly_is_named_and_what_it_misses_is_lost() {
    let broken = play("dispatch", "storage", fault(FaultKind::SlowBoot, ""));
    assert!(broken.faults.contains(&Misbehaviour::SlowBoot), "{:?}", broken.faults);
    let failed = failed(&broken.findings);
    assert!(failed.contains_key("D4 Distr. Cust. Storage → DAC - sub"), "{failed:?}");
    assert!(failed.keys().all(|label| !label.contains("Breaker") && !label.starts_with("D5")), "{failed:?}");
}

#[test]
fn a_stuck_device_is_named_and_loses_every_reply() {
    let broken = play("islanded", "meter", fault(FaultKind::Stuck, ""));
    assert!(broken.faults.contains(&Misbehaviour::Stuck), "{:?}", broken.faults);
    let failed = failed(&broken.findings);
    assert!(failed.keys().all(|label| label.contains("2-Way Meter - Electr →")), "{failed:?}");
    assert_eq!(failed.len(), 8, "{failed:?}");
}

#[test]
fn a_babbling_device_is_named_and_its_status_edge_fails() {
    let broken = play("dispatch", "storage", fault(FaultKind::Babbling, ""));
    assert!(broken.faults.contains(&Misbehaviour::Babbling), "{:?}", broken.faults);
    let failed = failed(&broken.findings);
    assert_eq!(
        failed.get("D4 Distr. Cust. Storage → DAC - sub"),
        Some(&vec![Outcome::Flawed(Flaw::Unsolicited)]),
        "{failed:?}"
    );
    assert!(failed.keys().all(|label| label.contains("Storage") || label.starts_with("D-T")), "{failed:?}");
}

#[test]
fn a_babbling_meter_is_named_and_the_edge_that_it_babbles_on_fails() {
    let broken = play("islanded", "meter", fault(FaultKind::Babbling, ""));
    assert!(broken.faults.contains(&Misbehaviour::Babbling), "{:?}", broken.faults);
    let failed = failed(&broken.findings);
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["I6 2-Way Meter - Electr → IPD"], "{failed:?}");
}

#[test]
fn a_late_status_is_late_and_not_forgetful() {
    let broken = play("dispatch", "storage", fault(FaultKind::Late, "distr_cust_storage_status_resp-data"));
    assert!(broken.faults.is_empty(), "{:?}", broken.faults);
}

#[test]
fn a_cut_that_fails_is_the_rigs_fault_and_no_slow_boot() {
    let mut fixture = fixture();
    // The relay cuts another device, and the sense, which looks at the feeder, sees that nothing fell.
    let sense = fixture.rails["feeder"].sense.clone();
    let other = fixture.rails["breaker-supply"].switch.clone();
    let rail = fixture.rails.get_mut("storage-supply").expect("the fixture has this rail");
    (rail.sense, rail.switch) = (sense, other);
    let mut plan = plan("dispatch", TRIALS);
    plan.decision.void_cap = 1.0;
    let played = simulate(plan, fixture, 3);
    assert_eq!((played.findings.trials.counted, played.findings.end), (0, Some(End::Aborted)));
    assert!(played.findings.rig_faults.iter().all(|remark| remark.kind == RigFault::EdgeNotSensed));
    let blamed =
        |event: &rig::event::Event| matches!(&event.fact, Fact::Misbehaved { device, .. } if device == "storage");
    assert!(!played.events.iter().any(blamed), "storage had power all along");
    // The breaker did boot; but what is seen in a void trial is blamed on nobody.
    assert!(played.findings.misbehaviours.is_empty(), "{:?}", played.findings.misbehaviours);
}

fn with_step(mut plan: Plan, action: Action) -> Plan {
    plan.steps.insert(0, Step { after: (Duration::ZERO, Duration::ZERO), action });
    plan
}

#[test_case(Action::BrownOut { rail: "feeder".to_owned(), down: Duration::from_millis(4), at_most: None }, 2; "brown out")]
#[test_case(Action::Bounce { rail: "feeder".to_owned(), cuts: 4, each: Duration::from_millis(3), at_most: None }, 5; "bounce")]
fn the_feeder_dips_within_the_ride_through_and_nothing_comes_of_it(action: Action, dips: usize) {
    // One dip is the plan's own.
    let played = simulate(with_step(plan("dispatch", TRIALS), action), fixture(), 5);
    assert!(played.findings.strays.is_empty() && played.findings.misbehaviours.is_empty());
    assert!(played.findings.edges.iter().all(|edge| edge.counts.on_time == u64::from(TRIALS)));
    let falls = played.findings.power.iter().filter(|edge| {
        (edge.rail.as_str(), edge.to, edge.stage) == ("feeder", Level::Off, PowerStage::Sensed) && edge.trial.is_some()
    });
    assert_eq!(falls.count(), dips * TRIALS as usize);
}

#[test]
fn a_supply_that_bounces_makes_its_device_boot_each_time() {
    let bounce =
        Action::Bounce { rail: "meter-supply".to_owned(), cuts: 3, each: Duration::from_millis(3), at_most: None };
    let played = simulate(with_step(plan("islanded", TRIALS), bounce), fixture(), 5);
    let boots = played.events.iter().filter(|event| {
        matches!(&event.fact, Fact::Booted { device, .. } if device == "meter") && event.trial.is_some()
    });
    assert_eq!(boots.count(), 3 * TRIALS as usize);
    assert!(played.findings.misbehaviours.is_empty(), "{:?}", played.findings.misbehaviours);
    assert!(failed(&played.findings).is_empty());
}

#[test]
fn a_dip_longer_than_the_ride_through_makes_an_island_that_no_dispatch_edge_is_charged_with() {
    let dip = Action::BrownOut { rail: "feeder".to_owned(), down: Duration::from_millis(60), at_most: None };
    let played = simulate(with_step(plan("dispatch", TRIALS), dip), fixture(), 5);
    let unsolicited: u64 = played.findings.strays.iter().map(|(_, _, times, _)| times).sum();
    assert!(unsolicited >= 3 * u64::from(TRIALS), "its alarms are counted: {:?}", played.findings.strays);
    assert!(failed(&played.findings).is_empty());
}

#[test]
fn a_dip_that_lasts_too_long_is_the_rigs_fault_and_no_devices() {
    let mut plan = plan("dispatch", TRIALS);
    let at_most = Some(Duration::from_millis(5));
    let dip = Action::BrownOut { rail: "feeder".to_owned(), down: Duration::from_millis(60), at_most };
    plan.decision.void_cap = 1.0;
    let played = simulate(with_step(plan, dip), fixture(), 5);
    let long = played.findings.rig_faults.iter().filter(|remark| remark.kind == RigFault::LongDip).count();
    assert!(long > 0 && long == played.findings.trials.void as usize, "{:?}", played.findings.rig_faults);
    assert_eq!(played.findings.trials.counted, 0);
    assert!(failed(&played.findings).is_empty());
    assert_eq!(played.findings.verdict, Verdict::Inconclusive);
}

#[test]
fn a_port_that_vanishes_with_the_power_is_an_event_that_the_session_survives() {
    let mut fixture = fixture();
    let spec = fixture.bench.as_mut().expect("the virtual fixture has a bench");
    let storage = spec.twins.get_mut("storage").expect("the bench has a storage twin");
    storage.faults.push(fault(FaultKind::PortVanishes, ""));
    let played = simulate(plan("dispatch", TRIALS), fixture, 3);
    let downs = played.events.iter().filter(|event| matches!(event.fact, Fact::LinkDown { unpowered: true, .. }));
    assert_eq!(downs.count(), TRIALS as usize);
    assert!(failed(&played.findings).is_empty());
    assert!(played.findings.rig_faults.is_empty(), "{:?}", played.findings.rig_faults);
    let whole =
        |event: &&rig::event::Event| matches!(&event.fact, Fact::Delivery(delivery) if delivery.end == Arrival::Whole);
    assert!(played.events.iter().filter(whole).count() > 0);
}
