//! The fold from events to findings.

use std::collections::BTreeMap;

use crate::event::{Delivery, Event, Fact, Flaw, Misbehaviour, Start, Stray};
use crate::plan::{EdgeId, Rule};
use crate::stamp::{Elapsed, Nanos, nanos};

use super::claim::Claim;
use super::judge::{Seen, round_trip};
use super::log_tail::LogTail;
use super::remark::{in_words, keep};
use super::session::session_verdict;
use super::{Findings, Outcome, Point, PowerEdge, Remark, TrialCounts, Verdict};

/// A session's events, folded so far.
///
/// A trial's deliveries count when the trial ends, unless it is void; a trial that does not end counts for nothing.
#[derive(Clone, Debug)]
pub struct Tally {
    findings: Findings,
    edges: Vec<Claim>,
    /// Claims of the sub-totals, each with its index in the plan.
    sub_totals: Vec<(usize, Claim)>,
    open: Option<Trial>,
    strays: Strays,
    logs: LogTail,
    unkept: usize,
}

type Strays = BTreeMap<(String, Flaw), (u64, u64)>;

/// How far a session is, for the live display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Trials so far.
    pub trials: TrialCounts,
    /// Claims that the session judges.
    pub claims: usize,
    /// Claims of them that would be decided if no more came.
    pub shown: usize,
}

/// What the trial being played has shown so far.
#[derive(Clone, Debug)]
struct Trial {
    number: u32,
    /// By edge: the delivery, and when it was noted.
    deliveries: Vec<Option<(Nanos, Delivery)>>,
    /// By edge: the flaw of the first stray.
    flaws: Vec<Option<Flaw>>,
    strays: Strays,
    misbehaviours: Vec<Misbehaved>,
}

/// A misbehaviour as it was noted: the event, what it was, in words.
type Misbehaved = (Event, Misbehaviour, String);

impl Tally {
    /// A fold over nothing but the session's first fact. The plan's indices must be in range, as a checked plan's and
    /// a read journal's are.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let plan = &start.plan;
        let confidence = plan.claim_confidence();
        let edges = plan.edges().map(|(id, _)| Claim::of_edge(plan, id, confidence)).collect();
        let sub_totals = plan.sub_totals.iter().enumerate();
        let sub_totals = sub_totals
            .filter_map(|(index, total)| Some((index, Claim::of_sub_total(plan, total, confidence)?)))
            .collect();
        let trials = TrialCounts { planned: plan.trials, ..TrialCounts::default() };
        Self {
            findings: empty(start, trials),
            edges,
            sub_totals,
            open: None,
            strays: Strays::new(),
            logs: LogTail::default(),
            unkept: 0,
        }
    }

    /// Folds one more event in.
    pub fn note(&mut self, event: &Event) {
        self.findings.duration = self.findings.duration.max(event.at);
        match &event.fact {
            Fact::TrialEnded { void } if self.open_at(event).is_some() => self.settle(*void),
            Fact::Started(_) | Fact::TrialEnded { .. } => {}
            Fact::TrialStarted => self.open = Some(Trial::new(self.number(event), self.edges.len())),
            Fact::Delivery(delivery) => {
                if let Some(trial) = self.open_at(event) {
                    trial.deliver(event.at, delivery);
                }
            }
            Fact::Stray(stray) => match self.open_at(event) {
                Some(trial) => trial.stray(stray),
                None => count(&mut self.strays, &stray.from, stray.flaw, (1, u64::from(stray.bytes))),
            },
            Fact::Power { rail, to, stage, at } => {
                let edge = PowerEdge { trial: event.trial, rail: rail.clone(), to: *to, stage: *stage, at: *at };
                self.findings.power.push(edge);
            }
            Fact::Misbehaved { device, how, detail } => {
                if *how == Misbehaviour::Crashed {
                    for line in self.logs.take(device) {
                        self.unkept += keep(&mut self.findings.notes, &line, (), in_words(&line.fact));
                    }
                }
                let remark = (event.clone(), *how, format!("{device}: {detail}"));
                match self.open_at(event) {
                    Some(trial) => trial.misbehaviours.push(remark),
                    None => self.blame(remark),
                }
            }
            Fact::RigFault { fault, detail } => {
                self.unkept += keep(&mut self.findings.rig_faults, event, *fault, detail.clone());
            }
            Fact::Ended(end) => self.findings.end = Some(end.clone()),
            Fact::LinkUp { name, obtained } => {
                self.findings.links.entry(name.clone()).or_insert_with(|| obtained.clone());
                self.unkept += keep(&mut self.findings.notes, event, (), in_words(&event.fact));
            }
            Fact::BusLoad { bus, .. } => self.findings.buses.entry(bus.clone()).or_default().note(event),
            Fact::Firmware(firmware) => {
                self.findings.firmware.push(firmware.clone());
                self.unkept += keep(&mut self.findings.notes, event, (), in_words(&event.fact));
            }
            Fact::Log { device, .. } => {
                *self.findings.logged.entry(device.clone()).or_default() += 1;
                if let Some(line) = self.logs.note(event) {
                    self.unkept += keep(&mut self.findings.notes, line, (), in_words(&line.fact));
                }
            }
            Fact::LinkDown { .. }
            | Fact::BusTrouble { .. }
            | Fact::Booted { .. }
            | Fact::Warning { .. }
            | Fact::Safe { .. } => {
                self.unkept += keep(&mut self.findings.notes, event, (), in_words(&event.fact));
            }
        }
    }

    /// Whether a sequential plan needs no more trials. A fixed plan is never decided before its end.
    #[must_use]
    pub fn decided(&self) -> bool {
        let sequential = matches!(self.findings.start.plan.decision.rule, Rule::Sequential { .. });
        let mut judged = self.claims().filter(|claim| claim.judged()).peekable();
        sequential && judged.peek().is_some() && judged.all(Claim::decided)
    }

    /// How far the session is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let judged = || self.claims().filter(|claim| claim.judged());
        Progress {
            trials: self.findings.trials,
            claims: judged().count(),
            shown: judged().filter(|claim| claim.shown()).count(),
        }
    }

    /// What was found.
    #[must_use]
    pub fn findings(mut self) -> Findings {
        // A trial that did not end counts for nothing, but what its devices did was seen.
        for misbehaved in self.open.take().map(|trial| trial.misbehaviours).unwrap_or_default() {
            self.blame(misbehaved);
        }
        let mut findings = self.findings;
        let planned = findings.trials.planned;
        findings.edges = self.edges.into_iter().map(|claim| claim.finding(planned)).collect();
        findings.sub_totals = self.sub_totals.into_iter().map(|(_, claim)| claim.finding(planned)).collect();
        findings.strays =
            self.strays.into_iter().map(|((from, flaw), (times, bytes))| (from, flaw, times, bytes)).collect();
        if self.unkept > 0 {
            let detail = format!("{} more remarks are only in events.jsonl", self.unkept);
            findings.notes.push(Remark { at: findings.duration, trial: None, kind: (), detail });
        }
        (findings.verdict, findings.reasons) = session_verdict(&findings);
        findings
    }

    fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.edges.iter().chain(self.sub_totals.iter().map(|(_, claim)| claim))
    }

    fn number(&self, event: &Event) -> u32 {
        event.trial.unwrap_or(self.findings.trials.counted + self.findings.trials.void + 1)
    }

    /// The trial being played, where the event belongs to it.
    fn open_at(&mut self, event: &Event) -> Option<&mut Trial> {
        self.open.as_mut().filter(|trial| event.trial.is_none_or(|number| number == trial.number))
    }

    fn settle(&mut self, void: bool) {
        let Some(trial) = self.open.take() else { return };
        if void {
            self.findings.trials.void += 1;
            for (event, how, detail) in trial.misbehaviours {
                let detail = format!("{detail} ({}, in a void trial: it may be the rig's fault)", how.word());
                self.unkept += keep(&mut self.findings.notes, &event, (), detail);
            }
            return;
        }
        self.findings.trials.counted += 1;
        let plan = &self.findings.start.plan;
        for ((id, _), claim) in plan.edges().zip(&mut self.edges) {
            if let Some((at, seen)) = trial.seen(id) {
                let row = plan.row_of(id);
                let outcome = seen.outcome(row.size, nanos(row.budget.latency));
                claim.add(trial.point(at, seen, seen.latency(), outcome), seen.detection());
            }
        }
        for (index, claim) in &mut self.sub_totals {
            let Some(budget) = &plan.sub_totals[*index].claim else { continue };
            if let (Some((at, request)), Some((_, reply))) = (trial.seen(budget.request), trial.seen(budget.reply)) {
                let (outcome, latency) = round_trip(request, reply, budget, nanos(budget.budget.latency));
                claim.add(trial.point(at, request, latency, outcome), None);
            }
        }
        for ((from, flaw), sums) in trial.strays {
            count(&mut self.strays, &from, flaw, sums);
        }
        for misbehaved in trial.misbehaviours {
            self.blame(misbehaved);
        }
    }

    fn blame(&mut self, (event, how, detail): Misbehaved) {
        self.unkept += keep(&mut self.findings.misbehaviours, &event, how, detail);
    }
}

impl Trial {
    fn new(number: u32, edges: usize) -> Self {
        Self {
            number,
            deliveries: vec![None; edges],
            flaws: vec![None; edges],
            strays: Strays::new(),
            misbehaviours: Vec::new(),
        }
    }

    fn deliver(&mut self, at: Nanos, delivery: &Delivery) {
        let index = usize::from(delivery.edge.0);
        match self.deliveries.get_mut(index) {
            Some(first @ None) => *first = Some((at, delivery.clone())),
            Some(Some(_)) => self.flaw(index, Flaw::Duplicate),
            None => {}
        }
    }

    fn stray(&mut self, stray: &Stray) {
        if let Some(edge) = stray.edge {
            self.flaw(usize::from(edge.0), stray.flaw);
        }
        count(&mut self.strays, &stray.from, stray.flaw, (1, u64::from(stray.bytes)));
    }

    fn flaw(&mut self, edge: usize, flaw: Flaw) {
        if let Some(first) = self.flaws.get_mut(edge) {
            first.get_or_insert(flaw);
        }
    }

    fn seen(&self, edge: EdgeId) -> Option<(Nanos, Seen<'_>)> {
        let index = usize::from(edge.0);
        let (at, delivery) = self.deliveries.get(index)?.as_ref()?;
        Some((*at, Seen { delivery, stray: self.flaws[index] }))
    }

    /// A point at the instant of sending, or else at the one when the delivery was noted.
    fn point(&self, noted: Nanos, seen: Seen<'_>, latency: Option<Elapsed>, outcome: Outcome) -> Point {
        Point { trial: self.number, at: seen.delivery.sent.map_or(noted, |sent| sent.lo), latency, outcome }
    }
}

fn count(strays: &mut Strays, from: &str, flaw: Flaw, (times, bytes): (u64, u64)) {
    let sums = strays.entry((from.to_owned(), flaw)).or_default();
    sums.0 += times;
    sums.1 += bytes;
}

fn empty(start: Start, trials: TrialCounts) -> Findings {
    Findings {
        start,
        end: None,
        duration: 0,
        verdict: Verdict::Inconclusive,
        reasons: Vec::new(),
        trials,
        edges: Vec::new(),
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
