//! Whole sessions with a storage controller that speaks in plain CAN frames, laid out by the fixture's messages.

mod bench;

use std::fmt::Write as _;

use rig::event::{Arrival, Fact};
use rig::fixture::Fixture;
use rig::problem::Source;
use rig::verdict::Verdict;

use bench::{Simulated, plan, simulate};

const CAN: &str = include_str!("../../fixtures/virtual-can.toml");
const DAC: &str = "DAC - sub";
const STORAGE: &str = "Distr. Cust. Storage";

/// What the first frames of a message carry.
type Signals = &'static [&'static [&'static str]];

const COMMAND: Signals = &[&[r#"sequence = "0|16@1+""#, r#"value = "16|32@1-""#, r#"flags = "48|8@1+""#]];
const ACKNOWLEDGEMENT: Signals =
    &[&[r#"sequence = "0|16@1+""#, r#"correlation = "16|16@1+""#], &[r#"value = "7|32@0-""#, r#"flags = "39|8@0+""#]];
const STATE: Signals = &[
    &[r#"sequence = "0|16@1+""#, r#"mode = "16|8@1+""#, r#"feeder = "24|8@1+""#, r#"boots = "32|16@1+""#],
    &[r#"last-setting = "0|16@1+""#, r#"power-w = "16|32@1-""#, r#"trips = "48|16@1+""#],
    &[r#"charge-permille = "0|16@1+""#, r#"energy-wh = "16|32@1+""#],
    &[r#"voltage-mv = "0|32@1+""#, r#"frequency-mhz = "32|32@1+""#],
];
/// The same without what a state needs to be judged.
const NO_BOOTS: Signals = &[&[r#"mode = "0|8@1+""#, r#"power-w = "8|32@1-""#]];

/// Payloads of the dispatch scenario: name, where it is for, first identifier, size, what it carries.
const MESSAGES: [(&str, &str, u16, usize, Signals); 7] = [
    ("distr_cust_storage_status_cmd", STORAGE, 0x200, 25, COMMAND),
    ("distr_cust_storage_status_resp-data", DAC, 0x300, 50, STATE),
    ("distr_cust_storage_discharge_cmd", STORAGE, 0x210, 25, COMMAND),
    ("distr_cust_storage_discharge_cmd_ack", DAC, 0x310, 25, ACKNOWLEDGEMENT),
    ("distr_cust_storage_charge-rate_cmd", STORAGE, 0x220, 25, COMMAND),
    ("distr_cust_storage_charge-rate_cmd_ack", DAC, 0x320, 25, ACKNOWLEDGEMENT),
    ("device_boot", DAC, 0x330, 50, STATE),
];

fn frames(first: u16, size: usize, signals: Signals) -> String {
    let frames = (0..size.div_ceil(8)).map(|index| {
        let length = (size - index * 8).min(8);
        let signals = signals.get(index).map(|signals| signals.join(", ")).unwrap_or_default();
        format!(
            "{{ id = \"{:03X}\", data = \"{}\", signals = {{ {signals} }} }}",
            usize::from(first) + index,
            "00".repeat(length)
        )
    });
    format!("[{}]", frames.collect::<Vec<_>>().join(", "))
}

/// The virtual bench whose storage speaks in plain frames; `change` alters what a message carries, of the device alone.
fn fixture(change: impl Fn(&str) -> Option<Signals>) -> Fixture {
    let mut text = CAN.to_owned();
    for (old, new) in [
        (
            "link = { bus = \"storage\", send = \"600\", receive = \"601\" }",
            "link = { bus = \"storage\" }\nprotocol = \"plain-frames\"",
        ),
        ("stamp-drift-ppm = 100.0", ""),
        ("can = { bus = \"can\", send = \"601\", receive = \"600\" }", "can = { bus = \"can\" }"),
    ] {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    for (payload, to, first, size, carried) in MESSAGES {
        let ours = frames(first, size, change(payload).unwrap_or(carried));
        let to_us = if to == STORAGE { String::new() } else { format!("to = [\"{to}\"]\n") };
        let _ = write!(text, "\n[[device.storage.message]]\npayload = \"{payload}\"\n{to_us}frames = {ours}\n");
        let theirs = frames(first, size, carried);
        let _ = write!(
            text,
            "\n[[bench.twin.storage.message]]\npayload = \"{payload}\"\nto = \"{to}\"\nframes = {theirs}\n"
        );
    }
    Fixture::parse(&Source::new("plain", &text)).unwrap_or_else(|problems| panic!("{problems}")).value
}

fn broken(played: &Simulated) -> Vec<&Fact> {
    let facts = played.events.iter().map(|event| &event.fact);
    facts.filter(|fact| matches!(fact, Fact::Delivery(delivery) if delivery.end != Arrival::Whole)).collect()
}

#[test]
fn a_device_of_plain_frames_is_shown_to_pass() {
    let played = simulate(plan("dispatch", 600), fixture(|_| None), 7);
    assert_eq!(broken(&played), Vec::<&Fact>::new());
    assert_eq!(played.findings.verdict, Verdict::Pass, "{:?}", played.findings.reasons);
    assert!(played.findings.misbehaviours.is_empty(), "{:?}", played.findings.misbehaviours);
}

#[test]
fn what_frames_do_not_carry_is_not_judged() {
    let without_boots = |payload: &str| (payload == "distr_cust_storage_status_resp-data").then_some(NO_BOOTS);
    let played = simulate(plan("dispatch", 20), fixture(without_boots), 7);
    assert_eq!(broken(&played), Vec::<&Fact>::new());
    assert!(played.findings.misbehaviours.is_empty(), "{:?}", played.findings.misbehaviours);
}
