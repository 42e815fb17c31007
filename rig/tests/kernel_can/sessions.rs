//! Whole sessions with storage on a bus of the kernel, and candump beside them.

use std::time::Duration;

use rig::event::Fact;
use rig::replay::{Choice, Recording, Schedule};
use rig::stamp::Source;
use test_case::test_case;

use crate::candump::{Candump, record};
use crate::lab::{Ended, Lab};

/// What shows that sessions work; `RIG_KERNEL_TRIALS=600` decides every claim and takes its time.
const TRIALS: u32 = 20;
/// So many trials without a failure show more than 99.5 % at 95 % confidence.
const DECIDES: u32 = 598;
/// A trial takes some 0.3 s in an emulated guest.
const HANGS: Duration = Duration::from_secs(1200);

fn trials() -> u32 {
    let wanted = std::env::var("RIG_KERNEL_TRIALS").ok();
    wanted.map_or(TRIALS, |trials| trials.parse().expect("RIG_KERNEL_TRIALS is a number"))
}

#[test_case("dispatch"; "dispatching storage")]
#[test_case("islanded"; "islanding storage")]
fn a_scenario_meets_its_budgets_with_storage_on_a_bus_of_the_kernel(plan: &str) {
    let trials = trials();
    let candump = Candump::listen("vcan0");
    let lab = Lab::on(plan, "vcan").trials(trials);
    let ended = lab.start(lab.command(&[])).end_within(HANGS);
    let code = if trials < DECIDES { 3 } else { 0 };
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    ended.assert_all_in_time(trials);

    let deliveries = ended.deliveries_of("Distr. Cust. Storage");
    assert!(deliveries.len() >= 6 * trials as usize, "{}", deliveries.len());
    for (label, delivery) in deliveries {
        assert_eq!(delivery.on_wire.map(|stamp| stamp.source), Some(Source::Kernel), "{label}: {delivery:?}");
    }

    let seen = candump.seen();
    assert_eq!(bus_load(&ended), (seen.len() as u64, 0), "frames, and how many of them were lost");
    let log = ended.file("trace.candump");
    let logged: Vec<_> = log.lines().map(record).collect();
    assert_eq!(logged.len(), seen.len());
    for (logged, seen) in logged.iter().zip(&seen) {
        assert_eq!(logged.seen, seen.seen);
        // The trace has the latest instant at which a frame can have been there. Both round to microseconds, and the
        // wall clock may be slewed by 500 ppm.
        let late = logged.at.cast_signed() - seen.at.cast_signed();
        assert!((-2_000..1_000_000).contains(&late), "{logged:?} {seen:?}");
    }
    let capture = Recording::read(&lab.session().join("trace.pcapng")).expect("a capture");
    let choice = Choice { interface: Some("storage".into()), ..Choice::default() };
    let schedule = Schedule::new(&capture, &choice).expect("frames that can be played");
    assert_eq!(schedule.frames(), seen.len() as u64);
}

/// Frames of the bus by the events, and frames that were lost.
fn bus_load(ended: &Ended) -> (u64, u64) {
    let facts = ended.facts();
    facts.iter().fold((0, 0), |sum, fact| match fact {
        Fact::BusLoad { frames, lost, .. } => (sum.0 + frames, sum.1 + lost),
        _ => sum,
    })
}
