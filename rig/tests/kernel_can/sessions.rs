//! Whole sessions with storage on a bus of the kernel, and candump beside them.

use std::time::Duration;

use rig::event::Fact;
use rig::replay::{Choice, Recording, Schedule};
use rig::stamp::Source;
use test_case::test_case;

use crate::lab::{Ended, Lab};
use crate::peer::Peer;

/// What shows that sessions work; `RIG_KERNEL_TRIALS=600` decides every claim and takes its time.
const TRIALS: u32 = 20;
/// So many trials without a failure show more than 99.5 % at 95 % confidence.
const DECIDES: u32 = 598;
/// A trial takes some 0.3 s in an emulated guest.
const HANGS: Duration = Duration::from_secs(1200);
/// A frame that ends what candump is asked about.
const LAST: &str = "7FF#0102030405060708";

fn trials() -> u32 {
    let wanted = std::env::var("RIG_KERNEL_TRIALS").ok();
    wanted.map_or(TRIALS, |trials| trials.parse().expect("RIG_KERNEL_TRIALS is a number"))
}

/// A line of candump's without time and interface, and its time in microseconds since 1970.
fn read(line: &str) -> (i64, String) {
    let record = rig_can::candump::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let frame = line.split(' ').nth(2).expect("a frame").to_owned();
    (i64::try_from(record.at).expect("a time"), frame)
}

/// What candump saw, to the last frame.
fn seen_by(candump: &Peer) -> Vec<(i64, String)> {
    Peer::run("cansend", &["vcan0", LAST], "");
    std::iter::repeat_with(|| read(&candump.line())).take_while(|(_, frame)| frame != LAST).collect()
}

#[test_case("dispatch"; "dispatching storage")]
#[test_case("islanded"; "islanding storage")]
fn a_scenario_meets_its_budgets_with_storage_on_a_bus_of_the_kernel(plan: &str) {
    let trials = trials();
    let candump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
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

    let seen = seen_by(&candump);
    let frames = bus_load(&ended);
    assert_eq!(frames, (seen.len() as u64, 0), "frames, and how many of them were lost");
    let log = ended.file("trace.candump");
    let logged: Vec<_> = log.lines().map(read).collect();
    assert_eq!(logged.len(), seen.len());
    for ((at, frame), (by_candump, other)) in logged.iter().zip(&seen) {
        assert_eq!(frame, other);
        // The trace has the latest instant at which a frame can have been there. Both round to microseconds, and the
        // wall clock may be slewed by 500 ppm.
        assert!((-2_000..1_000_000).contains(&(at - by_candump)), "{frame} at {at}, and by candump at {by_candump}");
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
