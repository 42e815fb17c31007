//! What becomes of one delivery.

use test_case::test_case;

use super::*;

/// What one trial with these facts makes of edge 0, whose limit is 2 s and whose size is 25.
fn outcome(facts: impl IntoIterator<Item = Fact>) -> Outcome {
    let mut tally = Tally::new(start(1));
    play(&mut tally, 1, facts, false);
    tally.findings().edges[0].points[0].outcome
}

#[test]
fn a_limit_is_strict_and_an_interval_across_it_is_undecided() {
    let of = |least, most| outcome([Fact::Delivery(whole(0, least, most))]);
    assert_eq!(of(SECOND, 2 * SECOND - 1), Outcome::OnTime);
    assert_eq!(of(2 * SECOND, 2 * SECOND), Outcome::Late);
    assert_eq!(of(2 * SECOND - 1, 2 * SECOND), Outcome::Undecided);
}

#[test_case(Arrival::NotSent, Outcome::NotSent)]
#[test_case(Arrival::LostInHop("wan".into()), Outcome::LostInHop)]
#[test_case(Arrival::Absent, Outcome::Lost)]
#[test_case(Arrival::Broken(Flaw::Truncated), Outcome::Flawed(Flaw::Truncated))]
#[test_case(Arrival::Flawed(Flaw::WrongState), Outcome::Flawed(Flaw::WrongState))]
#[test_case(Arrival::Whole, Outcome::Undecided; "whole, at an instant that nothing shows")]
fn an_end_is_an_outcome_and_no_stray_changes_it(end: Arrival, expected: Outcome) {
    assert_eq!(outcome([Fact::Delivery(ended(0, end.clone()))]), expected);
    if end != Arrival::Whole {
        let with_stray = [Fact::Delivery(ended(0, end)), stray(Some(0), Flaw::Duplicate, false)];
        assert_eq!(outcome(with_stray), expected);
    }
}

#[test]
fn a_stray_on_the_edge_spoils_it_before_or_after_the_delivery() {
    for flaw in [Flaw::Duplicate, Flaw::Unsolicited, Flaw::OutOfOrder, Flaw::Corrupt] {
        for by_hop in [false, true] {
            let (delivery, stray) = (Fact::Delivery(good(0)), stray(Some(0), flaw, by_hop));
            assert_eq!(outcome([delivery.clone(), stray.clone()]), Outcome::Flawed(flaw));
            assert_eq!(outcome([stray, delivery]), Outcome::Flawed(flaw));
        }
    }
    let elsewhere =
        [Fact::Delivery(good(0)), stray(Some(1), Flaw::Duplicate, false), stray(None, Flaw::Garbage, false)];
    assert_eq!(outcome(elsewhere), Outcome::OnTime);
}

#[test]
fn a_second_delivery_is_a_duplicate() {
    assert_eq!(outcome([Fact::Delivery(good(0)), Fact::Delivery(good(0))]), Outcome::Flawed(Flaw::Duplicate));
}

#[test]
fn size_comes_before_latency_and_after_strays() {
    let wrong = Fact::Delivery(Delivery { size: Some(size(26)), ..whole(0, 5 * SECOND, 5 * SECOND) });
    assert_eq!(outcome([wrong.clone()]), Outcome::Flawed(Flaw::WrongSize));
    assert_eq!(outcome([wrong, stray(Some(0), Flaw::Duplicate, false)]), Outcome::Flawed(Flaw::Duplicate));
}

/// What one trial makes of the sub-total: request 0 and reply 1, under 4 s, 75 bytes.
fn sub_total(request: Delivery, reply: Delivery) -> Point {
    let mut tally = Tally::new(start(1));
    play(&mut tally, 1, [Fact::Delivery(request), Fact::Delivery(reply)], false);
    tally.findings().sub_totals[0].points[0]
}

#[test]
fn a_sub_total_is_request_out_to_reply_in() {
    // Nobody saw the request arrive; the sub-total does not need it.
    let unseen = ended(0, Arrival::Whole);
    let point = sub_total(unseen.clone(), whole(1, 3 * SECOND, 3 * SECOND));
    assert_eq!((point.outcome, point.latency.map(|l| l.hi)), (Outcome::OnTime, Some(3 * SECOND)));
    assert_eq!(sub_total(unseen, whole(1, 4 * SECOND, 4 * SECOND)).outcome, Outcome::Late);
}

#[test_case(good(0), ended(1, Arrival::Absent), Outcome::Lost)]
#[test_case(good(0), ended(1, Arrival::Broken(Flaw::Corrupt)), Outcome::Flawed(Flaw::Corrupt))]
#[test_case(good(0), ended(1, Arrival::NotSent), Outcome::Lost; "a request without reply was tried")]
#[test_case(ended(0, Arrival::LostInHop("wan".into())), ended(1, Arrival::Absent), Outcome::LostInHop)]
#[test_case(ended(0, Arrival::NotSent), ended(1, Arrival::NotSent), Outcome::NotSent)]
#[test_case(good(0), Delivery { size: Some(size(51)), ..good(1) }, Outcome::Flawed(Flaw::WrongSize))]
fn a_sub_total_takes_what_went_wrong(request: Delivery, reply: Delivery, expected: Outcome) {
    assert_eq!(sub_total(request, reply).outcome, expected);
}
