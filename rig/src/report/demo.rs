//! Findings made by hand, for the tests of reports.

mod start;

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::event::{End, Event, Fact, Firmware, Flaw, Installed, Misbehaviour, PowerStage, RigFault, Trouble};
use crate::fixture::Level;
use crate::plan::{Budget, EdgeId, Plan};
use crate::stamp::{Elapsed, Nanos, Source, Stamp};
use crate::verdict::{BusUse, Counts, Finding, Findings, Outcome, Point, PowerEdge, Remark, TrialCounts, Verdict};

use start::start;

const MS: u64 = 1_000_000;
/// From one trial to the next.
const PERIOD: u64 = 290 * MS;

pub(super) fn on_time(trial: u32, nanos: Nanos) -> Point {
    point(trial, Outcome::OnTime, Some((nanos, nanos)))
}

pub(super) fn lost(trial: u32) -> Point {
    point(trial, Outcome::Lost, None)
}

pub(super) fn point(trial: u32, outcome: Outcome, latency: Option<(Nanos, Nanos)>) -> Point {
    let at = u64::from(trial) * PERIOD;
    Point { trial, at, latency: latency.map(|(lo, hi)| Elapsed { lo, hi }), outcome }
}

/// A claim of `< 2 s, > 99.5 %` with these deliveries.
pub(super) fn claim(points: Vec<Point>) -> Finding {
    let mut counts = Counts::default();
    let mut latency = Histogram::new(3).expect("three digits are allowed");
    for point in &points {
        match point.outcome {
            Outcome::OnTime => counts.on_time += 1,
            Outcome::Late => counts.late += 1,
            Outcome::Undecided => counts.undecided += 1,
            Outcome::Lost => counts.lost += 1,
            Outcome::LostInHop => counts.lost_in_hop += 1,
            Outcome::Flawed(flaw) => counts.flawed[flaw as usize] += 1,
            Outcome::NotSent => counts.not_sent += 1,
        }
        if let Some(between) = point.timed() {
            latency.record(between.hi).expect("it grows");
        }
    }
    let n = points.len() as u64 - counts.not_sent;
    let rate = counts.on_time as f64 / n.max(1) as f64;
    Finding {
        label: "D1 DAC - sub → Feeder Circuit Breaker".into(),
        id: "D1".into(),
        phase: "breaker-status".into(),
        payload: "circuit-brk_device_status_cmd".into(),
        edge: EdgeId(0),
        budget: Budget { latency: Duration::from_secs(2), reliability: 0.995 },
        verdict: Some(Verdict::Inconclusive),
        reason: format!("{} of {n} in time show neither", counts.on_time),
        missing: Some(598_u64.saturating_sub(n)),
        counts,
        rate,
        lower: 0.05_f64.powf(1.0 / n.max(1) as f64).min(rate),
        upper: 1.0,
        latency,
        detection: Histogram::new(3).expect("three digits are allowed"),
        points,
    }
}

/// Findings with one claim and nothing else.
pub(super) fn small(points: Vec<Point>) -> Findings {
    let duration = points.last().map_or(1_000 * MS, |point| point.at + PERIOD);
    let trials = u32::try_from(points.len()).expect("few points");
    Findings {
        start: start(),
        end: Some(End::Complete),
        duration,
        verdict: Verdict::Inconclusive,
        reasons: vec!["1 of 1 edges is undecided".into()],
        trials: TrialCounts { planned: trials, counted: trials, void: 0 },
        edges: vec![claim(points)],
        sub_totals: Vec::new(),
        power: Vec::new(),
        rig_faults: Vec::new(),
        misbehaviours: Vec::new(),
        strays: Vec::new(),
        links: BTreeMap::new(),
        buses: BTreeMap::new(),
        firmware: Vec::new(),
        logged: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// A whole session of 600 trials with a bit of everything.
pub(super) fn large() -> Findings {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let start = start();
    let edges = (0..).map(EdgeId).take(start.plan.edges.len()).map(|id| edge(&start.plan, id, &mut rng)).collect();
    let trip = start.plan.sub_totals[0].claim.clone().expect("the first has one");
    let mut sub_total = claim(gather(&mut rng, trip.budget.latency, 40 * MS, 0.0, None));
    sub_total.label = "D-T1 sub-total".into();
    sub_total.id = "D-T1".into();
    sub_total.payload = "sub-total".into();
    sub_total.budget = trip.budget;
    decide(&mut sub_total);
    Findings {
        end: Some(End::Complete),
        duration: 601 * PERIOD,
        verdict: Verdict::Fail,
        reasons: vec![
            "I3 Distr. Cust. Storage → LMS - Utility fails: 571 of 598 in time show < 98 % at 95 %".into(),
            "2 of 600 trials are void by the rig's fault, fewer than the plan's cap of 2 %".into(),
        ],
        trials: TrialCounts { planned: 600, counted: 598, void: 2 },
        edges,
        sub_totals: vec![sub_total],
        power: power(),
        rig_faults: vec![Remark {
            at: 41_300 * MS,
            trial: Some(142),
            kind: RigFault::Stalled,
            detail: "the wire thread stood still for 61 ms; is the machine busy?".into(),
        }],
        misbehaviours: vec![Remark {
            at: 90_000 * MS,
            trial: Some(310),
            kind: Misbehaviour::SlowBoot,
            detail: "storage: 912 ms from power to boot payload, 500 ms allowed".into(),
        }],
        strays: vec![("meter".into(), Flaw::Garbage, 12, 388), ("storage".into(), Flaw::Duplicate, 1, 62)],
        links: BTreeMap::from([(
            "storage".into(),
            BTreeMap::from([("low latency".into(), "granted".into()), ("adapter timer".into(), "1 ms".into())]),
        )]),
        buses: BTreeMap::from([("storage".into(), bus())]),
        firmware: vec![firmware()],
        logged: BTreeMap::from([("storage".into(), 4_711)]),
        notes: vec![
            Remark {
                at: 2 * MS,
                trial: None,
                kind: (),
                detail: "link storage up: 115200 8N1, low latency granted, adapter timer 1 ms".into(),
            },
            Remark { at: 90_100 * MS, trial: Some(310), kind: (), detail: "device \u{1b}[31mred\u{7} said <b>".into() },
        ],
        start,
    }
}

fn edge(plan: &Plan, id: EdgeId, rng: &mut ChaCha8Rng) -> Finding {
    let row = plan.row_of(id);
    let index = id.0;
    let typical = [9, 14, 25, 300, 90, 2_100, 4_800, 35, 60][usize::from(index) % 9] * MS;
    let bad = match index {
        4 => Some(Outcome::Lost),
        6 => Some(Outcome::Late),
        7 => Some(Outcome::Undecided),
        9 => Some(Outcome::Flawed(Flaw::Corrupt)),
        _ => None,
    };
    let width = if index == 3 { 0.6 } else { 0.01 };
    let mut finding = claim(gather(rng, row.budget.latency, typical, width, bad));
    finding.label = plan.label(id);
    finding.id.clone_from(&row.id);
    finding.phase.clone_from(&row.phase);
    finding.payload.clone_from(&row.payload);
    finding.edge = id;
    finding.budget = row.budget;
    if row.phase.contains("island") && plan.edge(id).from.contains("Storage") {
        for _ in 0..598 {
            finding.detection.record(160 * MS + rng.random_range(0..40 * MS)).expect("it grows");
        }
    }
    decide(&mut finding);
    if !row.judged {
        finding.verdict = None;
        finding.reason = "left out by --only".into();
    }
    finding
}

fn gather(rng: &mut ChaCha8Rng, limit: Duration, typical: u64, width: f64, bad: Option<Outcome>) -> Vec<Point> {
    let limit = u64::try_from(limit.as_nanos()).expect("a few seconds");
    let share = if bad == Some(Outcome::Undecided) { 0.006 } else { 0.045 };
    (1..=598)
        .map(|trial| {
            let tail = -rng.random_range(1e-6_f64..1.0).ln();
            let hi = Duration::from_nanos(typical).mul_f64(0.7 + 0.25 * tail).as_nanos();
            let hi = u64::try_from(hi).expect("a few seconds").min(limit - 1);
            let lo = Duration::from_nanos(hi).mul_f64(1.0 - width).as_nanos();
            let lo = u64::try_from(lo).expect("a few seconds");
            match bad.filter(|_| rng.random_bool(share)) {
                Some(Outcome::Late) => point(trial, Outcome::Late, Some((limit + lo / 4, limit + hi / 4))),
                Some(Outcome::Undecided) => point(trial, Outcome::Undecided, Some((limit / 2, limit + hi))),
                Some(Outcome::Flawed(flaw)) => point(trial, Outcome::Flawed(flaw), Some((lo, hi))),
                Some(other) => point(trial, other, None),
                None => point(trial, Outcome::OnTime, Some((lo, hi))),
            }
        })
        .collect()
}

/// Not the verdict's rule: just enough for something to look at.
fn decide(finding: &mut Finding) {
    let n = finding.points.len() as u64;
    let required = finding.budget.reliability;
    let failures = n - finding.counts.on_time;
    (finding.verdict, finding.lower, finding.upper, finding.missing) = match failures {
        0 => (Some(Verdict::Pass), 0.05_f64.powf(1.0 / n as f64), 1.0, None),
        1..10 => (Some(Verdict::Inconclusive), finding.rate - 0.01, finding.rate + 0.004, Some(711)),
        _ => (Some(Verdict::Fail), finding.rate - 0.02, finding.rate + 0.012, None),
    };
    let says = match finding.verdict {
        Some(Verdict::Pass) => "show >",
        Some(Verdict::Fail) => "show <",
        _ => "do not decide",
    };
    finding.reason = format!("{} of {n} in time {says} {} % at 95 %", finding.counts.on_time, required * 100.0);
}

fn power() -> Vec<PowerEdge> {
    let edge = |trial: u32, rail: &str, to, stage, at: u64| PowerEdge {
        trial: Some(trial),
        rail: rail.into(),
        to,
        stage,
        at: Stamp::new(at, at + MS, Source::User),
    };
    let mut edges = Vec::new();
    for trial in 1..=600_u32 {
        let at = u64::from(trial) * PERIOD;
        for (stage, after) in [(PowerStage::Commanded, 0), (PowerStage::Sensed, 6 * MS)] {
            edges.push(edge(trial, "feeder", Level::Off, stage, at + after));
            edges.push(edge(trial, "feeder", Level::On, stage, at + 120 * MS + after));
        }
        if trial % 100 == 0 {
            edges.push(edge(trial, "storage-supply", Level::Off, PowerStage::Commanded, at));
            edges.push(edge(trial, "storage-supply", Level::Off, PowerStage::Sensed, at + 5 * MS));
            edges.push(edge(trial, "storage-supply", Level::On, PowerStage::Sensed, at + 2_300 * MS));
        }
    }
    edges
}

/// What a device holds; its version is hostile.
fn firmware() -> Firmware {
    Firmware {
        device: "storage".into(),
        elf: "storage <b>.elf".into(),
        sha256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".into(),
        build_id: Some("f1b0a9dcbb4a6eb4591c3bc549f13c7f".into()),
        version: Some("0.1.0\u{202e}".into()),
        how: Installed::Flashed,
    }
}

/// A bus that carried a little, lost a frame and complained twice.
fn bus() -> BusUse {
    let mut bus = BusUse::default();
    for (at, busy) in [(1_000 * MS, 12 * MS), (2_000 * MS, 310 * MS)] {
        let troubles = BTreeMap::from([(Trouble::NoAcknowledge, 1)]);
        let (bus_name, since, lost) = ("storage".to_owned(), at - 1_000 * MS, u64::from(busy > 100 * MS));
        let fact = Fact::BusLoad { bus: bus_name, since, frames: 1_204, busy, lost, troubles };
        bus.note(&Event { at, trial: None, fact });
    }
    bus
}
