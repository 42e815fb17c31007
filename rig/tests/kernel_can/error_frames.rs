//! Error frames of the kernel, which a test can put on a virtual bus, in the middle of a session.

use rig::event::Trouble::{self, ArbitrationLost, BusError, ErrorPassive, ErrorWarning, NoAcknowledge, NotSent, Wires};
use rig::event::{Event, Fact, RigFault};
use rig_can::candump::Seen;
use test_case::test_case;

use crate::candump::{Candump, assert_same, record};
use crate::lab::{Ended, Lab};
use crate::peer::Peer;

const TRIALS: u32 = 6;

/// Plays a session into whose second trial or a later one these frames come, each once. Returns what candump saw, too.
fn play(frames: &[&str]) -> (Ended, Vec<Seen>) {
    let candump = Candump::listen("vcan0,0:0,#FFFFFFFF");
    let lab = Lab::on("dispatch", "vcan").trials(TRIALS);
    let mut running = lab.start(lab.command(&[]));
    running.until_event(r#""trial":2"#);
    for frame in frames {
        Peer::run("cansend", &["vcan0", frame], "");
    }
    let ended = running.end();
    assert_eq!(ended.code, Some(3), "a few trials decide nothing: {}{}", ended.out, ended.err);
    ended.assert_all_in_time(TRIALS);
    (ended, candump.frames())
}

/// Troubles of the bus, faults of the rig, and warnings, in order.
fn told(ended: &Ended) -> (Vec<Trouble>, Vec<RigFault>, usize) {
    let facts = ended.facts();
    let troubles = facts.iter().filter_map(|fact| match fact {
        Fact::BusTrouble { trouble, .. } => Some(*trouble),
        _ => None,
    });
    let faults = facts.iter().filter_map(|fact| match fact {
        // The machine may be slow.
        Fact::RigFault { fault, .. } if *fault != RigFault::LongDip => Some(*fault),
        _ => None,
    });
    let warnings = facts.iter().filter(|fact| matches!(fact, Fact::Warning { .. })).count();
    (troubles.collect(), faults.collect(), warnings)
}

#[test]
fn troubles_of_the_bus_are_told_and_warned_of_and_are_no_fault() {
    let (ended, seen) = play(&[
        "20000020#0000000000000000",
        "20000002#1300000000000000",
        "20000088#0000040000000000",
        "20000004#0008000000000000",
        "20000004#0020000000000000",
        "20000001#0000000000000000",
        "20000010#0000000005000000",
        // Counters alone are no trouble.
        "20000200#0000000000001020",
    ]);
    let troubles = [NoAcknowledge, ArbitrationLost, BusError, ErrorWarning, ErrorPassive, NotSent, Wires];
    assert_eq!(told(&ended), (troubles.to_vec(), vec![], troubles.len()));
    for trouble in troubles {
        assert!(ended.file("report.html").contains(trouble.word()), "{trouble:?}");
        assert!(ended.said().contains(trouble.word()), "{}", ended.out);
    }
    let trace: Vec<_> = ended.file("trace.candump").lines().map(|line| record(line).seen).collect();
    assert_same(&trace, &seen);
    assert_eq!(seen.iter().filter(|seen| matches!(seen, Seen::Error(..))).count(), 8);
}

#[test_case("20000040#0000000000000000", Trouble::BusOff, RigFault::BusOff; "an adapter that leaves the bus")]
#[test_case("20000004#0001000000000000", Trouble::Overrun, RigFault::Overrun; "an adapter that loses frames")]
fn what_the_adapter_does_wrong_voids_its_trial(frame: &str, trouble: Trouble, fault: RigFault) {
    let (ended, _) = play(&[frame]);
    assert_eq!(told(&ended), (vec![trouble], vec![fault], 0));
    assert!(ended.said().contains(&format!("the rig's fault: bus storage: {}", trouble.advice())), "{}", ended.out);
    let events = ended.events();
    let touched = events.iter().find(|event| matches!(event.fact, Fact::BusTrouble { .. }));
    let touched = touched.and_then(|event| event.trial);
    let void = |event: &Event| event.trial == touched && event.fact == Fact::TrialEnded { void: true };
    assert!(events.iter().any(void), "trial {touched:?} counts");
}
