//! Sessions with storage on an emulated CAN bus, behind an adapter that speaks LAWICEL's protocol.

use rig::event::Fact;
use rig::stamp::Source;
use test_case::test_case;

use crate::lab::Lab;

#[test_case("dispatch", 10, &[], 3; "dispatching storage on a tty")]
#[test_case("islanded", 10, &[], 3; "islanding storage on a tty")]
#[test_case("dispatch", 600, &["--simulate"], 0; "dispatching storage in virtual time")]
#[test_case("islanded", 600, &["--simulate"], 0; "islanding storage in virtual time")]
fn a_scenario_meets_its_budgets_with_storage_behind_an_adapter(plan: &str, trials: u32, how: &[&str], code: i32) {
    let lab = Lab::on(plan, "virtual-can").trials(trials);
    let ended = lab.run(how);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    ended.assert_all_in_time(trials);

    let storage = "Distr. Cust. Storage";
    let deliveries = ended.deliveries_of(storage);
    assert!(deliveries.len() >= 6 * trials as usize, "{}", deliveries.len());
    for (label, delivery) in deliveries {
        // The adapter stamps what it receives; what it sends, it only acknowledges.
        let source = if label.contains(&format!("→ {storage}")) { Source::Bounded } else { Source::Hardware };
        assert_eq!(delivery.on_wire.map(|stamp| stamp.source), Some(source), "{label}: {delivery:?}");
    }
    let facts = ended.facts();
    let frames = facts.iter().map(|fact| match fact {
        Fact::BusLoad { frames, lost: 0, troubles, .. } if troubles.is_empty() => *frames,
        Fact::BusLoad { .. } => panic!("{fact:?}"),
        _ => 0,
    });
    assert_eq!(frames.sum::<u64>(), ended.file("trace.candump").lines().count() as u64);
}
