//! A night and two days on a bench whose storage waits 300 s before it re-enters service, in virtual time.

mod bench;

use std::time::Duration;

use bench::{fixture, plan, root, simulate};
use rig::event::{Arrival, End, Fact};
use rig::fixture::Fixture;
use rig::report;

const TRIALS: u32 = 600;
/// The default of IEEE 1547.
const DELAY: Duration = Duration::from_secs(300);

fn with_delay() -> Fixture {
    let file = root().join("fixtures/enter-service.toml");
    Fixture::load(&file).unwrap_or_else(|problems| panic!("{problems}")).value
}

#[test]
fn the_fixture_is_the_virtual_bench_but_for_its_delay() {
    let delayed = with_delay();
    let mut wanted = Fixture { name: delayed.name.clone(), title: delayed.title.clone(), ..fixture() };
    wanted.devices.get_mut("storage").expect("storage").enter_service = DELAY;
    let bench = wanted.bench.as_mut().expect("a virtual bench");
    bench.twins.get_mut("storage").expect("its twin").enter_service = DELAY;
    assert_eq!(delayed, wanted);
}

#[test]
fn fifty_hours_on_a_bench_leave_a_whole_record_that_every_report_marks_as_simulated() {
    let simulated = simulate(plan("islanded", TRIALS), with_delay(), 1);
    let findings = &simulated.findings;
    assert_eq!(findings.end, Some(End::Complete));
    assert_eq!((findings.trials.counted, findings.trials.void), (TRIALS, 0), "{:?}", findings.rig_faults);
    assert!(Duration::from_nanos(findings.duration) > Duration::from_secs(50 * 3_600));

    let deliveries = simulated.events.iter().filter_map(|event| match &event.fact {
        Fact::Delivery(delivery) => Some(delivery),
        _ => None,
    });
    let (whole, others): (Vec<_>, Vec<_>) = deliveries.partition(|delivery| delivery.end == Arrival::Whole);
    assert_eq!((whole.len(), others.len()), (TRIALS as usize * findings.start.plan.edges.len(), 0));

    report::write_all(simulated.folder.path(), findings).expect("the reports can be written");
    for name in
        ["junit.xml", "report.html", "summary.json", "summary.md", "payloads.csv", "latency.hlog", "metrics.txt"]
    {
        let text = std::fs::read_to_string(simulated.folder.path().join(name)).expect(name);
        let marked = match name {
            "summary.json" => text.contains("\"simulated\": true"),
            "payloads.csv" => text.lines().skip(1).all(|line| line.ends_with(",true")),
            "metrics.txt" => text.contains("simulated=\"true\"") && !text.contains("simulated=\"false\""),
            _ => text.to_lowercase().contains("simulated"),
        };
        assert!(marked, "{name} does not say that the session is simulated");
    }
}
