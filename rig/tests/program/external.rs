//! Actors played by external programs over TCP: only their receipts show that they have a payload.

use rig::event::{Arrival, Delivery, Fact, RigFault};
use rig::stamp::Source;
use test_case::test_case;

use crate::lab::{Ended, Lab};
use crate::peer::{self, Habit};

const EDGE: &str = "D5 DAC - sub → DMS";

/// Plays dispatch with an external DMS.
fn play(habit: Habit) -> Ended {
    let external = format!(r#""DMS" = {{ external = "{}" }}"#, peer::start(habit));
    Lab::quick("dispatch").fixture(r#""DMS" = "emulated""#, &external).run(&[])
}

fn deliveries(ended: &Ended) -> Vec<Delivery> {
    let facts = ended.facts();
    let Some(Fact::Started(start)) = facts.first() else { panic!("no start") };
    let edge = start.plan.edges().map(|(id, _)| id).find(|id| start.plan.label(*id) == EDGE).expect("the edge");
    let of = |fact: &Fact| match fact {
        Fact::Delivery(delivery) if delivery.edge == edge => Some(delivery.clone()),
        _ => None,
    };
    facts.iter().filter_map(of).collect()
}

#[test]
fn a_receipt_bounds_the_delivery_from_above() {
    let ended = play(Habit::Receipts);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let deliveries = deliveries(&ended);
    assert_eq!(deliveries.len(), 5);
    for delivery in deliveries {
        let (sent, arrived) = (delivery.sent.expect("sent"), delivery.arrived.expect("arrived"));
        assert_eq!((arrived.source, &delivery.end), (Source::Bounded, &Arrival::Whole));
        assert!(sent.hi <= arrived.hi && arrived.lo < arrived.hi, "{delivery:?}");
        assert_eq!(delivery.size.expect("a size").payload, 50, "the payload's size, not the receipt's");
    }
}

#[test_case(Habit::Silent; "none")]
#[test_case(Habit::WrongReceipts; "for other payloads")]
fn without_receipts_nothing_is_taken_for_delivered(habit: Habit) {
    let ended = play(habit);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(ended.claims("fail"), [EDGE]);
    let deliveries = deliveries(&ended);
    assert_eq!(deliveries.len(), 5);
    assert!(deliveries.iter().all(|delivery| delivery.end == Arrival::Absent), "{deliveries:?}");
}

#[test]
fn a_program_that_goes_away_is_the_rigs_fault_and_fails_no_device() {
    let ended = play(Habit::Closes);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    assert!(ended.claims("fail").is_empty(), "{}", ended.out);
    let gone = |fact: &Fact| {
        matches!(fact, Fact::RigFault { fault: RigFault::Actor, detail }
            if detail.starts_with("the external DMS has closed its connection") && detail.ends_with("start it again"))
    };
    assert_eq!(ended.facts().iter().filter(|fact| gone(fact)).count(), 1, "{}", ended.err);
    assert!(ended.err.contains("rig fault: the external DMS has closed its connection"), "{}", ended.err);
}

#[test]
fn a_program_that_is_not_there_is_told_before_the_first_trial() {
    // A port that was just free: nobody listens.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
    let external = format!(r#""DMS" = {{ external = "{address}" }}"#);
    let ended = Lab::quick("dispatch").fixture(r#""DMS" = "emulated""#, &external).run(&[]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    let said = format!("rig fault: DMS is played by an external program: {address}: Connection refused");
    assert!(ended.err.contains(&said), "{}", ended.err);
    assert!(!ended.facts().contains(&Fact::TrialStarted));
}
