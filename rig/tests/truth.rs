//! Sessions on benches with random faults and a random network: whatever happens, what is reported is true.

mod bench;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bench::{fixture, plan, simulate};
use proptest::prelude::*;
use rig::event::{Arrival, Delivery, Event, Fact};
use rig::fixture::{Delay, Fixture};
use rig::plan::{EdgeId, Plan};
use rig::verdict::{Finding, Tally};
use rig_virtual::{Fault, FaultKind};

const TRIALS: u32 = 8;
const MS: u64 = 1_000_000;

const KINDS: [FaultKind; 14] = [
    FaultKind::Late,
    FaultKind::Lost,
    FaultKind::Duplicate,
    FaultKind::Corrupt,
    FaultKind::Truncated,
    FaultKind::WrongSize,
    FaultKind::WrongSequence,
    FaultKind::Unsolicited,
    FaultKind::Garbage,
    FaultKind::SlowBoot,
    FaultKind::ForgottenState,
    FaultKind::Stuck,
    FaultKind::Babbling,
    FaultKind::PortVanishes,
];

/// A network whose hops take a known time, and do what a bad one does.
fn network(fixture: &mut Fixture, delay: u64, (loss, duplicate, reorder): (f64, f64, f64)) {
    for hop in fixture.hops.values_mut() {
        hop.delay = Delay::Fixed(Duration::from_millis(delay));
        (hop.loss, hop.duplicate, hop.reorder) = (loss, duplicate, reorder);
    }
}

fn hops(fixture: &Fixture, plan: &Plan, edge: EdgeId) -> u64 {
    let edge = plan.edge(edge);
    let path = fixture.paths.iter().find(|path| path.from == edge.from && path.to == edge.to);
    path.map_or(0, |path| path.via.len() as u64)
}

fn deliveries(events: &[Event]) -> impl Iterator<Item = (u32, &Delivery)> {
    events.iter().filter_map(|event| match &event.fact {
        Fact::Delivery(delivery) => Some((event.trial.expect("in a trial"), delivery)),
        _ => None,
    })
}

/// Every edge of the plan has one delivery in every trial.
fn each_edge_once(plan: &Plan, events: &[Event]) {
    let mut times: BTreeMap<(u32, u16), u32> = BTreeMap::new();
    for (trial, delivery) in deliveries(events) {
        *times.entry((trial, delivery.edge.0)).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    let trials: BTreeSet<u32> = times.keys().map(|(trial, _)| *trial).collect();
    assert_eq!(times.len(), trials.len() * plan.edges.len());
}

/// Folding what was written and read again finds the same.
fn folds_again(events: &[Event], found: &[Finding]) {
    let again = events.iter().map(|event| {
        let text = serde_json::to_string(event).expect("an event is text");
        serde_json::from_str::<Event>(&text).expect("and an event again")
    });
    let Some(Event { fact: Fact::Started(start), .. }) = events.first() else { panic!("no start") };
    let mut tally = Tally::new((**start).clone());
    again.for_each(|event| tally.note(&event));
    let words = |finding: &Finding| format!("{} {:?} {:?}", finding.label, finding.verdict, finding.points);
    let again = tally.findings();
    assert_eq!(again.edges.iter().map(words).collect::<Vec<_>>(), found.iter().map(words).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_twins_faults_are_charged_to_that_twin_alone(
        seed in 0_u64..1_000_000, islanded: bool, which in 0..2_usize, kind in 0..KINDS.len(), delay in 0_u64..4,
    ) {
        let (name, twins) = if islanded { ("islanded", ["storage", "meter"]) } else { ("dispatch", ["storage", "breaker"]) };
        let (mut fixture, mut plan) = (fixture(), plan(name, TRIALS));
        plan.give_up_after = TRIALS + 1;
        network(&mut fixture, delay, (0.0, 0.0, 0.0));
        let by = Duration::from_secs(3);
        let twin = fixture.bench.as_mut().and_then(|bench| {
            bench.seed = seed;
            bench.twins.get_mut(twins[which])
        });
        twin.expect("the bench has this twin").faults.push(Fault { kind: KINDS[kind], rate: 0.3, payload: None, by });
        let device = fixture.actors.iter().find(|(_, player)| {
            matches!(player, rig::fixture::Player::Device(name) if name == twins[which])
        });
        let actor = device.expect("somebody plays it").0.clone();
        let played = simulate(plan.clone(), fixture.clone(), seed);
        each_edge_once(&plan, &played.events);
        folds_again(&played.events, &played.findings.edges);
        prop_assert!(played.findings.rig_faults.is_empty(), "{:?}", played.findings.rig_faults);
        prop_assert_eq!(played.findings.trials.void, 0);
        for finding in &played.findings.edges {
            let counts = finding.counts;
            if plan.edge(finding.edge).from != actor {
                let innocent = counts.on_time + counts.not_sent + counts.undecided;
                prop_assert_eq!(innocent, u64::from(TRIALS), "{} {:?}", &finding.label, counts);
            }
        }
        for (_, delivery) in deliveries(&played.events) {
            let (Arrival::Whole, Some(sent), Some(arrived)) = (&delivery.end, delivery.sent, delivery.arrived) else {
                continue;
            };
            let latency = arrived.since(sent);
            let least = hops(&fixture, &plan, delivery.edge) * delay * MS;
            prop_assert!(latency.hi >= least, "{} {latency:?} {least}", plan.label(delivery.edge));
            if plan.edge(delivery.edge).from != actor {
                // The line takes up to 14 ms for 150 bytes, and the three copies of an alert follow each other.
                prop_assert!(latency.lo <= least + 60 * MS, "{} {latency:?} {least}", plan.label(delivery.edge));
            }
        }
    }

    #[test]
    fn what_the_network_does_is_not_charged_to_a_device(
        seed in 0_u64..1_000_000, islanded: bool, loss in 0.0..0.2, duplicate in 0.0..0.4, reorder in 0.0..0.4,
    ) {
        let (mut fixture, mut plan) = (fixture(), plan(if islanded { "islanded" } else { "dispatch" }, TRIALS));
        plan.give_up_after = TRIALS + 1;
        network(&mut fixture, 2, (loss, duplicate, reorder));
        let played = simulate(plan.clone(), fixture, seed);
        each_edge_once(&plan, &played.events);
        folds_again(&played.events, &played.findings.edges);
        prop_assert!(played.findings.rig_faults.is_empty(), "{:?}", played.findings.rig_faults);
        prop_assert!(played.findings.misbehaviours.is_empty(), "{:?}", played.findings.misbehaviours);
        for event in &played.events {
            match &event.fact {
                Fact::Stray(stray) => prop_assert!(stray.by_hop, "{:?} {stray:?}", event.trial),
                Fact::Delivery(delivery) => prop_assert!(
                    matches!(delivery.end, Arrival::Whole | Arrival::LostInHop(_) | Arrival::NotSent),
                    "{:?} {} {delivery:?}", event.trial, plan.label(delivery.edge)
                ),
                _ => {}
            }
        }
    }
}

/// A copy that a hop brings in the next trial, of a payload with the sequence that the device, booted since, uses
/// again.
#[test]
fn a_straggler_with_the_sequence_of_this_trials_payload_is_not_taken_for_it() {
    let (mut fixture, mut plan) = (fixture(), plan("dispatch", TRIALS));
    plan.give_up_after = TRIALS + 1;
    network(&mut fixture, 2, (0.171_920_391_916_667_44, 0.211_539_140_345_858_7, 0.203_505_076_583_941_24));
    let played = simulate(plan, fixture, 591_931);
    let strays = played.events.iter().filter(|event| matches!(&event.fact, Fact::Stray(stray) if !stray.by_hop));
    assert_eq!(strays.count(), 0);
}
