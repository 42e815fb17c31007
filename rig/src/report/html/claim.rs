//! What the page says of an edge or a sub-total.

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::event::{Flaw, Misbehaviour};
use crate::fixture::Player;
use crate::plan::{EdgeId, Plan};
use crate::report::plot::{Kind, PlotFile};
use crate::report::quantity::{at_least, at_most, clock, found, grouped, latency, required, setting};
use crate::report::spread::Spread;
use crate::verdict::{Counts, Finding, Findings, Outcome, Point, Verdict};

/// The most failed deliveries listed; all of them are in `payloads.csv`.
const LISTED: usize = 50;

/// An edge or a sub-total.
#[derive(Serialize)]
pub(super) struct Claim {
    anchor: String,
    id: String,
    route: String,
    pub(super) phase: String,
    payload: String,
    size: String,
    required: String,
    limit: String,
    n: String,
    on_time: String,
    not_sent: Option<String>,
    failures: Vec<Failure>,
    rate: String,
    lower: String,
    upper: String,
    quantiles: Vec<Named>,
    p50: String,
    p99: String,
    max: String,
    /// The largest that arrived, where it is not the largest of all.
    largest: Option<String>,
    verdict: Word,
    reason: String,
    missing: Option<String>,
    open: bool,
    plots: Vec<Shown>,
    failed: Vec<FailedDelivery>,
    failed_more: Option<String>,
    pub(super) detection: Option<Detection>,
    /// What its devices did in the session that may explain its failures.
    seen: Vec<String>,
}

/// A verdict: its word, and the class that gives its colour.
#[derive(Clone, Serialize)]
pub(super) struct Word {
    pub(super) class: &'static str,
    pub(super) text: &'static str,
}

/// How many failed in one way.
#[derive(Serialize)]
struct Failure {
    kind: &'static str,
    count: String,
}

/// A value and its name.
#[derive(Clone, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: String,
}

/// A plot on the page.
#[derive(Serialize)]
pub(super) struct Shown {
    path: String,
    alt: String,
    caption: &'static str,
}

#[derive(Serialize)]
struct FailedDelivery {
    trial: u32,
    at: String,
    what: &'static str,
    latency: String,
}

/// Times from a cause to the first byte of what a device sent by itself.
#[derive(Clone, Serialize)]
pub(super) struct Detection {
    n: String,
    least: String,
    p50: String,
    p99: String,
    max: String,
}

impl Claim {
    /// What there is to say of a finding.
    pub(super) fn of(anchor: String, finding: &Finding, findings: &Findings, plots: Vec<Shown>) -> Self {
        let plan = &findings.start.plan;
        let spread = Spread::of(finding);
        let quantile = |part, of| spread.quantile(part, of).words();
        let (least, largest) = spread
            .ends()
            .map_or_else(|| ("–".to_owned(), "–".to_owned()), |(least, largest)| (latency(least), latency(largest)));
        let max = spread.max().words();
        let not_sent = finding.counts.not_sent;
        let quantiles = [
            ("smallest", least),
            ("50th percentile", quantile(1, 2)),
            ("90th percentile", quantile(9, 10)),
            ("99th percentile", quantile(99, 100)),
            ("99.9th percentile", quantile(999, 1000)),
            ("maximum", max.clone()),
            ("largest that arrived", largest.clone()),
            ("without a latency", grouped(spread.never())),
        ];
        let (failed, more) = failed(&finding.points);
        Self {
            anchor,
            id: finding.id.clone(),
            route: route(finding, plan),
            phase: finding.phase.clone(),
            payload: finding.payload.clone(),
            size: size(finding, plan),
            required: required(finding.budget.reliability),
            limit: setting(finding.budget.latency),
            n: grouped(spread.n()),
            on_time: grouped(finding.counts.on_time),
            not_sent: (not_sent > 0).then(|| grouped(not_sent)),
            failures: failures(&finding.counts),
            rate: found(finding.counts.on_time, spread.n()),
            lower: at_least(finding.lower),
            upper: at_most(finding.upper),
            p50: quantile(1, 2),
            p99: quantile(99, 100),
            max,
            largest: (spread.never() > 0).then_some(largest),
            quantiles: quantiles.map(|(name, value)| Named { name: name.to_owned(), value }).into(),
            verdict: word(finding.verdict),
            reason: finding.reason.clone(),
            missing: finding.missing.map(grouped),
            open: matches!(finding.verdict, Some(Verdict::Fail | Verdict::Inconclusive)),
            plots,
            failed,
            failed_more: (more > 0).then(|| grouped(more)),
            detection: Detection::of(&finding.detection),
            seen: if finding.counts.on_time < spread.n() { seen(finding, findings) } else { Vec::new() },
        }
    }
}

impl Shown {
    /// A plot with its caption.
    pub(super) fn of(plot: &PlotFile) -> Self {
        let caption = match plot.kind {
            Kind::Boxes => "Latency of every edge and sub-total against its limit.",
            Kind::Power => "Which rails were without power when.",
            Kind::Timeline => "Over time: when what arrived late, flawed or not at all, and the power cuts around it.",
            Kind::Ecdf => "Distribution: how many had arrived by each latency.",
            Kind::Percentiles => "By percentile: how the slowest few in a hundred, a thousand and so on did.",
        };
        Self { path: plot.path.clone(), alt: plot.alt.clone(), caption }
    }
}

impl Detection {
    fn of(times: &Histogram<u64>) -> Option<Self> {
        let at = |part: f64, needed| {
            let shown = times.len() >= needed;
            if shown { latency(times.value_at_quantile(part)) } else { "too few".to_owned() }
        };
        (!times.is_empty()).then(|| Self {
            n: grouped(times.len()),
            least: latency(times.min()),
            p50: at(0.5, 2),
            p99: at(0.99, 100),
            max: latency(times.max()),
        })
    }
}

/// A verdict's word and class.
pub(super) fn word(verdict: Option<Verdict>) -> Word {
    let (class, text) = match verdict {
        Some(Verdict::Pass) => ("pass", "pass"),
        Some(Verdict::Fail) => ("fail", "fail"),
        Some(Verdict::Inconclusive) => ("inconclusive", "inconclusive"),
        None => ("unjudged", "not judged"),
    };
    Word { class, text }
}

/// Misbehaviour, strays and lost ports of the players at the ends of a claim.
fn seen(finding: &Finding, findings: &Findings) -> Vec<String> {
    let start = &findings.start;
    let edge = start.plan.edges.get(usize::from(finding.edge.0));
    let actors = edge.into_iter().flat_map(|edge| [&edge.from, &edge.to]);
    let names: BTreeSet<&str> = actors
        .map(|actor| match start.fixture.actors.get(actor) {
            Some(Player::Device(device)) => device.as_str(),
            _ => actor.as_str(),
        })
        .collect();
    let mut times: BTreeMap<(&str, Misbehaviour), u64> = BTreeMap::new();
    for remark in &findings.misbehaviours {
        let device =
            names.iter().find(|name| remark.detail.strip_prefix(**name).is_some_and(|rest| rest.starts_with(':')));
        if let Some(device) = device {
            *times.entry((device, remark.kind)).or_default() += 1;
        }
    }
    let misbehaved =
        times.iter().map(|((device, kind), times)| format!("{device}: {}, {}", kind_word(*kind), counted(*times)));
    let strays = findings.strays.iter().filter(|(from, ..)| names.contains(from.as_str()));
    let strays = strays.map(|(from, flaw, count, bytes)| {
        format!("{from}: {}, {}, {} bytes in all", flaw_word(*flaw), counted(*count), grouped(*bytes))
    });
    misbehaved.chain(strays).collect()
}

fn counted(times: u64) -> String {
    if times == 1 { "once".to_owned() } else { format!("{} times", grouped(times)) }
}

/// A misbehaviour in words.
pub(super) fn kind_word(how: Misbehaviour) -> &'static str {
    match how {
        Misbehaviour::SlowBoot => "slow boot",
        Misbehaviour::ForgotState => "forgot state",
        Misbehaviour::Stuck => "stuck",
        Misbehaviour::Babbling => "babbling",
        Misbehaviour::UnexpectedBoot => "unexpected boot",
        Misbehaviour::RefusedPayload => "refused payload",
        Misbehaviour::SlowAnswer => "slow answer",
        Misbehaviour::Crashed => "crashed",
    }
}

/// `DAC - sub → DMS` for an edge, `D1 out → D2 in` for a sub-total.
fn route(finding: &Finding, plan: &Plan) -> String {
    let trip = plan.sub_totals.iter().find(|sub| sub.id == finding.id).and_then(|sub| sub.claim.as_ref());
    if let Some(trip) = trip {
        return format!("{} out → {} in", row_id(plan, trip.request), row_id(plan, trip.reply));
    }
    let edge = plan.edges.get(usize::from(finding.edge.0));
    edge.map_or_else(|| finding.label.clone(), |edge| format!("{} → {}", edge.from, edge.to))
}

fn row_id(plan: &Plan, edge: EdgeId) -> &str {
    let row = plan.edges.get(usize::from(edge.0)).and_then(|edge| plan.rows.get(usize::from(edge.row.0)));
    row.map_or("?", |row| row.id.as_str())
}

fn size(finding: &Finding, plan: &Plan) -> String {
    let trip = plan.sub_totals.iter().find(|sub| sub.id == finding.id).and_then(|sub| sub.claim.as_ref());
    let row = plan.rows.iter().find(|row| row.id == finding.id);
    match trip.map(|trip| trip.size).or(row.map(|row| row.size)) {
        Some((least, most)) if least == most => format!("{least}\u{a0}B"),
        Some((least, most)) => format!("{least}–{most}\u{a0}B"),
        None => "size unknown".to_owned(),
    }
}

fn failures(counts: &Counts) -> Vec<Failure> {
    let all = counts.unmet().filter(|(_, count)| *count > 0);
    all.map(|(outcome, count)| Failure { kind: outcome_word(outcome), count: grouped(count) }).collect()
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::OnTime => "in time",
        Outcome::Late => "late",
        Outcome::Undecided => "undecided",
        Outcome::Lost => "lost",
        Outcome::LostInHop => "lost in a hop",
        Outcome::Flawed(flaw) => flaw_word(flaw),
        Outcome::NotSent => "not sent",
    }
}

/// A flaw in words.
pub(super) fn flaw_word(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Corrupt => "corrupt",
        Flaw::Truncated => "truncated",
        Flaw::Garbage => "garbage",
        Flaw::WrongSize => "wrong size",
        Flaw::Duplicate => "duplicate",
        Flaw::OutOfOrder => "out of order",
        Flaw::WrongState => "wrong state",
        Flaw::Unsolicited => "unsolicited",
    }
}

/// The first failed deliveries, and how many more there are.
fn failed(points: &[Point]) -> (Vec<FailedDelivery>, u64) {
    let mut failed = points.iter().filter(|point| !matches!(point.outcome, Outcome::OnTime | Outcome::NotSent));
    let listed = failed.by_ref().take(LISTED).map(|point| FailedDelivery {
        trial: point.trial,
        at: clock(point.at),
        what: outcome_word(point.outcome),
        latency: point.latency.map_or_else(
            || "–".to_owned(),
            |between| match (latency(between.lo), latency(between.hi)) {
                (lo, hi) if lo == hi => hi,
                (lo, hi) => format!("{lo} to {hi}"),
            },
        ),
    });
    let listed = listed.collect();
    (listed, failed.count() as u64)
}
