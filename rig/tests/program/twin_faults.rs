//! Faults of twins, on real ttys: the right edges fail for the right reason, and no other.

use rig::event::{Fact, Flaw, Misbehaviour};
use test_case::test_case;

use crate::lab::{Ended, Lab};

fn play(lab: Lab, twin: &str, fault: &str) -> Ended {
    lab.plan("give-up-after = 20", "give-up-after = 100")
        .and(&format!("\n[[bench.twin.{twin}.fault]]\n{fault}\n"))
        .run(&[])
}

#[test]
fn a_late_reply_fails_its_edge_and_its_sub_total() {
    let fault = r#"kind = "late"
payload = "distr_cust_storage_discharge_cmd_ack"
by = "700ms""#;
    let ended = play(Lab::quick("dispatch"), "storage", fault);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(ended.claims("fail"), ["D-T3 sub-total", "D7 Distr. Cust. Storage → DAC - sub"]);
    let junit = ended.file("junit.xml");
    assert_eq!(junit.matches("<failure").count(), 2, "{junit}");
    assert_eq!(late(&ended), 5);
}

/// Deliveries on D7 that its summary counts as late.
fn late(ended: &Ended) -> u64 {
    let summary = ended.summary();
    let edges = summary["edges"].as_array().expect("edges");
    edges.iter().find(|edge| edge["id"] == "D7").and_then(|edge| edge["late"].as_u64()).expect("a count")
}

#[test_case("corrupt", Flaw::Corrupt; "corrupt")]
#[test_case("truncated", Flaw::Truncated; "truncated")]
fn a_broken_alert_fails_its_three_edges(kind: &str, flaw: Flaw) {
    let fault = format!("kind = \"{kind}\"\npayload = \"meter_in_capped_kwh_mode_alert\"");
    let ended = play(Lab::quick("islanded"), "meter", &fault);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    let failed = ["Cust. EMS", "IPD", "MDMS"].map(|to| format!("I6 2-Way Meter - Electr → {to}"));
    assert_eq!(ended.claims("fail"), failed);
    let strays = ended.facts().iter().filter(|fact| matches!(fact, Fact::Stray(stray) if stray.flaw == flaw)).count();
    assert_eq!(strays, 15, "five trials, three destinations");
}

#[test]
fn a_port_that_vanishes_with_the_power_fails_nothing() {
    let ended = play(Lab::lax("dispatch"), "storage", r#"kind = "port-vanishes""#);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let vanished = |fact: &&Fact| matches!(fact, Fact::LinkDown { name, unpowered: true, .. } if name == "storage");
    assert_eq!(ended.facts().iter().filter(vanished).count(), 5);
}

#[test]
fn a_slow_boot_is_named_and_what_the_device_misses_fails() {
    let lab = Lab::quick("dispatch").fixture(r#"boot = "2s""#, r#"boot = "500ms""#);
    let ended = play(lab, "storage", "kind = \"slow-boot\"\nby = \"1s\"");
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert_eq!(ended.claims("fail"), ["D-T2 sub-total", "D4 Distr. Cust. Storage → DAC - sub"]);
    let slow = |fact: &&Fact| matches!(fact, Fact::Misbehaved { device, how: Misbehaviour::SlowBoot, .. } if device == "storage");
    assert_eq!(ended.facts().iter().filter(slow).count(), 5);
    assert!(ended.out.contains("devices misbehaved: slow-boot 5 times"), "{}", ended.out);
}
