//! A claim, an edge's or a sub-total's, while its trials are counted, and the verdict on it.

use hdrhistogram::Histogram;

use crate::plan::{Budget, Decision, EdgeId, Plan, Rule, SubTotal};
use crate::stamp::Nanos;

use super::binomial::{lower_bound, shows_above, shows_below, trials_to_pass, upper_bound};
use super::sequential::{self, Sequential};
use super::{Counts, Finding, Point, Verdict, percent};

/// What is claimed of an edge or a sub-total, and how often it was met so far.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    finding: Finding,
    judged: bool,
    confidence: f64,
    rule: Rule,
    /// The first crossing of a line of the sequential test: the verdict and the trials it took.
    crossed: Option<(Verdict, u64)>,
}

impl Claim {
    /// The claim of an edge. `confidence` is that of this one claim.
    pub fn of_edge(plan: &Plan, edge: EdgeId, confidence: f64) -> Self {
        let row = plan.row_of(edge);
        let finding = blank(plan.label(edge), &row.id, &row.phase, &row.payload, edge, row.budget);
        Self::new(finding, row.judged, &plan.decision, confidence)
    }

    /// The claim of a sub-total, where the source gives it values. It is judged where both its rows are.
    pub fn of_sub_total(plan: &Plan, total: &SubTotal, confidence: f64) -> Option<Self> {
        let claim = total.claim.as_ref()?;
        let judged = plan.row_of(claim.request).judged && plan.row_of(claim.reply).judged;
        let label = format!("{} sub-total", total.id);
        let finding = blank(label, &total.id, &total.phase, "sub-total", claim.request, claim.budget);
        Some(Self::new(finding, judged, &plan.decision, confidence))
    }

    fn new(finding: Finding, judged: bool, decision: &Decision, confidence: f64) -> Self {
        Self { finding, judged, confidence, rule: decision.rule, crossed: None }
    }

    /// Counts a delivery of a trial that counts.
    pub fn add(&mut self, point: Point, detection: Option<Nanos>) {
        let finding = &mut self.finding;
        finding.counts.note(point.outcome);
        finding.points.push(point);
        // Neither fails: both histograms grow as they must.
        if let Some(latency) = point.timed() {
            let _ = finding.latency.record(latency.hi);
        }
        if let Some(detection) = detection {
            let _ = finding.detection.record(detection);
        }
        if self.crossed.is_none() {
            self.crossed = self.crossing();
        }
    }

    /// Whether the session is to judge it.
    pub fn judged(&self) -> bool {
        self.judged
    }

    /// Whether a sequential test has decided it.
    pub fn decided(&self) -> bool {
        self.crossed.is_some()
    }

    /// Whether what was counted so far shows it to be met or not, were it judged now.
    pub fn shown(&self) -> bool {
        match self.rule {
            Rule::Fixed => self.shows_above() || self.shows_below(),
            Rule::Sequential { .. } => self.decided(),
        }
    }

    /// What is found. `planned` are the trials that the plan asks for; a fixed plan that has not played them all
    /// passes nothing.
    pub fn finding(mut self, planned: u32) -> Finding {
        let recorded = self.finding.counts.trials() + self.finding.counts.not_sent;
        let short = u64::from(planned).saturating_sub(recorded);
        let verdict = match (self.rule, self.crossed) {
            (Rule::Sequential { .. }, crossed) => crossed.map_or(Verdict::Inconclusive, |(verdict, _)| verdict),
            (Rule::Fixed, _) if short == 0 && self.shows_above() => Verdict::Pass,
            (Rule::Fixed, _) if self.shows_below() => Verdict::Fail,
            (Rule::Fixed, _) => Verdict::Inconclusive,
        };
        let counts = self.finding.counts;
        let trials = counts.trials();
        let missing = (verdict == Verdict::Inconclusive).then(|| self.missing(short)).flatten();
        self.finding.reason = self.reason(verdict, missing, short);
        self.finding.missing = missing.filter(|_| self.judged);
        self.finding.verdict = self.judged.then_some(verdict);
        self.finding.rate = if trials == 0 { 0.0 } else { counts.on_time as f64 / trials as f64 };
        self.finding.lower = lower_bound(counts.on_time, trials, self.confidence);
        self.finding.upper = upper_bound(counts.on_time + counts.undecided, trials, self.confidence);
        self.finding
    }

    fn shows_above(&self) -> bool {
        let counts = &self.finding.counts;
        shows_above(counts.on_time, counts.trials(), self.finding.budget.reliability, self.confidence)
    }

    fn shows_below(&self) -> bool {
        let counts = &self.finding.counts;
        let successes = counts.on_time + counts.undecided;
        shows_below(successes, counts.trials(), self.finding.budget.reliability, self.confidence)
    }

    fn sequential(&self) -> Option<Sequential> {
        match self.rule {
            Rule::Fixed => None,
            Rule::Sequential { discrimination } => {
                Some(Sequential::new(self.finding.budget.reliability, discrimination, self.confidence))
            }
        }
    }

    fn crossing(&self) -> Option<(Verdict, u64)> {
        let counts = &self.finding.counts;
        let verdict = match self.sequential()?.decide(counts.on_time, counts.failures(), counts.undecided) {
            sequential::Decision::Accept => Verdict::Pass,
            sequential::Decision::Reject => Verdict::Fail,
            sequential::Decision::Continue => return None,
        };
        Some((verdict, counts.trials()))
    }

    /// How many more trials, all in time, would decide it, with `short` trials of the plan not played.
    fn missing(&self, short: u64) -> Option<u64> {
        let counts = &self.finding.counts;
        let failures = counts.failures() + counts.undecided;
        match self.sequential() {
            Some(test) => test.missing(counts.on_time, failures),
            None => trials_to_pass(self.finding.budget.reliability, self.confidence, failures)
                .map(|needed| needed.saturating_sub(counts.trials()).max(short)),
        }
    }

    fn reason(&self, verdict: Verdict, missing: Option<u64>, short: u64) -> String {
        let counts = &self.finding.counts;
        let (required, confidence) = (percent(self.finding.budget.reliability), percent(self.confidence));
        let undecided = match counts.undecided {
            0 => String::new(),
            some => format!(", {some} undecided,"),
        };
        let seen = format!("{} of {} in time{undecided}", counts.on_time, counts.trials());
        let more = match missing {
            Some(more) => format!("; {more} more in time would decide it"),
            None => "; no count of trials would decide it".into(),
        };
        match (verdict, self.crossed) {
            _ if !self.judged => format!("{seen}; not judged in this session"),
            (Verdict::Pass, None) => format!("{seen} show > {required} at {confidence}"),
            (Verdict::Pass, Some((_, after))) => {
                format!("the sequential test showed > {required} at {confidence} after {after} trials; {seen}")
            }
            (Verdict::Fail, None) => format!("{seen} show < {required} at {confidence}"),
            (Verdict::Fail, Some((_, after))) => {
                format!("the sequential test for > {required} at {confidence} rejected it after {after} trials; {seen}")
            }
            (Verdict::Inconclusive, _) if counts.trials() == 0 => format!("no trial counts{more}"),
            (Verdict::Inconclusive, _) if short > 0 && self.shows_above() => {
                format!("{seen}, but {short} trials of a fixed plan were not played")
            }
            (Verdict::Inconclusive, _) => {
                format!("{seen} show neither more nor less than {required} at {confidence}{more}")
            }
        }
    }
}

fn blank(label: String, id: &str, phase: &str, payload: &str, edge: EdgeId, budget: Budget) -> Finding {
    // Three digits hold a latency to 0.1 %; the histogram grows with what it records.
    let histogram = || Histogram::new(3).expect("three digits are within the range of the type");
    Finding {
        label,
        id: id.into(),
        phase: phase.into(),
        payload: payload.into(),
        edge,
        budget,
        verdict: None,
        reason: String::new(),
        missing: None,
        counts: Counts::default(),
        rate: 0.0,
        lower: 0.0,
        upper: 1.0,
        latency: histogram(),
        detection: histogram(),
        points: Vec::new(),
    }
}
