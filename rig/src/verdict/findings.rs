//! What is found in a session: counts, bounds and verdicts, edge by edge.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::BusUse;
use crate::event::{End, Firmware, Flaw, Misbehaviour, PowerStage, RigFault, Start};
use crate::fixture::Level;
use crate::plan::{Budget, EdgeId};
use crate::stamp::{Elapsed, Nanos, Stamp};

/// What is said of an edge, a row, a sub-total or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The requirement is shown to be met.
    Pass,
    /// The requirement is shown not to be met.
    Fail,
    /// Neither is shown.
    Inconclusive,
}

/// All that a session's events show.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The session's first event.
    pub start: Start,
    /// How it ended; `None` where the record breaks off.
    pub end: Option<End>,
    /// Time of the last event.
    pub duration: Nanos,
    /// Pass when every judged claim passes; fail when one fails; else, and whenever the rig's faults are over the
    /// plan's cap or the session did not complete without a failed claim, inconclusive.
    pub verdict: Verdict,
    /// Why, in a few words for people; one sentence each.
    pub reasons: Vec<String>,
    /// Trials by what became of them.
    pub trials: TrialCounts,
    /// A finding for every edge, in the plan's order.
    pub edges: Vec<Finding>,
    /// A finding for every sub-total with a claim, in the plan's order.
    pub sub_totals: Vec<Finding>,
    /// Changes of power, in order.
    pub power: Vec<PowerEdge>,
    /// Failures of the rig.
    pub rig_faults: Vec<Remark<RigFault>>,
    /// What devices did that no delivery shows; the detail starts with the device's name.
    pub misbehaviours: Vec<Remark<Misbehaviour>>,
    /// Bytes and payloads that were no delivery: by device and flaw, how many and how many bytes.
    pub strays: Vec<(String, Flaw, u64, u64)>,
    /// What was obtained for each port when it was first opened, by the name of its device or instrument.
    pub links: BTreeMap<String, BTreeMap<String, String>>,
    /// What passed over each CAN bus, by its name.
    pub buses: BTreeMap<String, BusUse>,
    /// What firmware devices hold.
    pub firmware: Vec<Firmware>,
    /// How many lines each device has logged, where its log was read.
    pub logged: BTreeMap<String, u64>,
    /// Ports that went and came, boots, what devices logged before they crashed, safe states and warnings, in words.
    pub notes: Vec<Remark<()>>,
}

/// Trials by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialCounts {
    /// Trials the plan asked for.
    pub planned: u32,
    /// Trials that count.
    pub counted: u32,
    /// Trials that a rig's fault touched.
    pub void: u32,
}

/// What is found for a claim: an edge or a sub-total.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `I3 Distr. Cust. Storage → LMS - Utility`, or `D-T1 sub-total`.
    pub label: String,
    /// The row's or sub-total's id.
    pub id: String,
    /// The part of the scenario.
    pub phase: String,
    /// The payload's name, or `sub-total`.
    pub payload: String,
    /// The edge; the request's for a sub-total.
    pub edge: EdgeId,
    /// Limit and requirement.
    pub budget: Budget,
    /// Pass, fail or inconclusive; `None` where the session was told not to judge it.
    pub verdict: Option<Verdict>,
    /// Why, in a sentence: `598 of 598 in time show > 99.5 % at 95 %`.
    pub reason: String,
    /// How many more trials, all in time, would decide it.
    pub missing: Option<u64>,
    /// Deliveries by outcome.
    pub counts: Counts,
    /// Share of successes.
    pub rate: f64,
    /// One-sided lower bound of the success ratio, with every undecided delivery taken as a failure.
    pub lower: f64,
    /// One-sided upper bound of the success ratio, with every undecided delivery taken as a success.
    pub upper: f64,
    /// Upper ends of the latencies of what arrived once and whole, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Times from cause to first byte of what a device sent by itself: detection, in no budget. In nanoseconds.
    pub detection: Histogram<u64>,
    /// Every counted delivery, in order of time.
    pub points: Vec<Point>,
}

/// One delivery, for plots and tables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its trial.
    pub trial: u32,
    /// When it was sent, or else when it was given up.
    pub at: Nanos,
    /// Its latency, where it arrived and its sending was seen.
    pub latency: Option<Elapsed>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a delivery, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Once, whole, of the right size, wholly under the limit. The only success.
    OnTime,
    /// Wholly at or over the limit.
    Late,
    /// Across the limit, or never seen.
    Undecided,
    /// It did not arrive.
    Lost,
    /// A hop of the emulated network lost it.
    LostInHop,
    /// It arrived, or would have, with a flaw.
    Flawed(Flaw),
    /// It was never sent; outside the statistics.
    NotSent,
}

/// Deliveries by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Successes.
    pub on_time: u64,
    /// See [`Outcome::Late`].
    pub late: u64,
    /// See [`Outcome::Undecided`].
    pub undecided: u64,
    /// See [`Outcome::Lost`].
    pub lost: u64,
    /// See [`Outcome::LostInHop`].
    pub lost_in_hop: u64,
    /// By flaw, in the order of [`Flaw`].
    pub flawed: [u64; 8],
    /// See [`Outcome::NotSent`].
    pub not_sent: u64,
}

impl Findings {
    /// The verdict on a row: fail where one of its edges fails, pass where all pass, else inconclusive; `None` where
    /// the session was told not to judge it.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<Verdict> {
        let edges = self.edges.iter().filter(|edge| edge.id == id).map(|edge| edge.verdict);
        edges.reduce(|one, other| match (one?, other?) {
            (Verdict::Fail, _) | (_, Verdict::Fail) => Some(Verdict::Fail),
            (Verdict::Pass, Verdict::Pass) => Some(Verdict::Pass),
            _ => Some(Verdict::Inconclusive),
        })?
    }

    /// Notes that the record behind the findings is not whole, and why: they no longer say pass.
    pub fn doubt(&mut self, why: String) {
        if self.verdict == Verdict::Pass {
            self.verdict = Verdict::Inconclusive;
        }
        self.reasons.insert(0, why);
    }
}

impl Point {
    /// The latency of a delivery that arrived once and whole, however late. One that was lost or arrived flawed has
    /// none: in every statistic of latency it ranks above any limit.
    #[must_use]
    pub fn timed(&self) -> Option<Elapsed> {
        match self.outcome {
            Outcome::OnTime | Outcome::Late | Outcome::Undecided => self.latency,
            Outcome::Lost | Outcome::LostInHop | Outcome::Flawed(_) | Outcome::NotSent => None,
        }
    }
}

impl Counts {
    /// Every kind of delivery within the statistics that is no success, with how many there are of it.
    pub fn unmet(&self) -> impl Iterator<Item = (Outcome, u64)> {
        let plain = [
            (Outcome::Late, self.late),
            (Outcome::Undecided, self.undecided),
            (Outcome::Lost, self.lost),
            (Outcome::LostInHop, self.lost_in_hop),
        ];
        plain.into_iter().chain(Flaw::ALL.map(Outcome::Flawed).into_iter().zip(self.flawed))
    }

    /// Counts one more delivery.
    pub fn note(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::OnTime => &mut self.on_time,
            Outcome::Late => &mut self.late,
            Outcome::Undecided => &mut self.undecided,
            Outcome::Lost => &mut self.lost,
            Outcome::LostInHop => &mut self.lost_in_hop,
            Outcome::Flawed(flaw) => &mut self.flawed[flaw as usize],
            Outcome::NotSent => &mut self.not_sent,
        } += 1;
    }

    /// Deliveries within the statistics: all but those never sent.
    #[must_use]
    pub fn trials(&self) -> u64 {
        self.on_time + self.failures() + self.undecided
    }

    /// Deliveries within the statistics that are neither successes nor undecided.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.late + self.lost + self.lost_in_hop + self.flawed.iter().sum::<u64>()
    }
}

impl Verdict {
    /// The verdict in one word: `pass`, `fail`, `inconclusive`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

impl Outcome {
    /// The outcome in words of the reports, such as `on-time` or `lost-in-hop`; a flaw by its own name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OnTime => "on-time",
            Self::Late => "late",
            Self::Undecided => "undecided",
            Self::Lost => "lost",
            Self::LostInHop => "lost-in-hop",
            Self::Flawed(flaw) => flaw.word(),
            Self::NotSent => "not-sent",
        }
    }
}

/// A change of a rail's power.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerEdge {
    /// The trial.
    pub trial: Option<u32>,
    /// The rail.
    pub rail: String,
    /// The new level.
    pub to: Level,
    /// Commanded, acknowledged or sensed.
    pub stage: PowerStage,
    /// When.
    pub at: Stamp,
}

/// Something noted at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark<K> {
    /// When.
    pub at: Nanos,
    /// In which trial.
    pub trial: Option<u32>,
    /// What kind.
    pub kind: K,
    /// In words.
    pub detail: String,
}
