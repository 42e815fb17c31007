//! What the page says, from top to bottom.

use serde::Serialize;

use super::bench::Bench;
use super::buses::BusRow;
use super::claim::{Claim, Detection, Shown, Word, word};
use super::firmware::FirmwareRow;
use super::record::{Record, Remarked};
use crate::event::End;
use crate::plan::{Decision, Plan, Rule};
use crate::report::plot::power::{Lane, lanes};
use crate::report::plot::{Kind, PlotFile, Subject};
use crate::report::quantity::{found, grouped, required, span};
use crate::report::slug::claims;
use crate::verdict::{Findings, Verdict};

/// The page.
#[derive(Serialize)]
pub(super) struct Page {
    session: String,
    plan: String,
    fixture: String,
    wall: String,
    duration: String,
    verdict: Word,
    meaning: &'static str,
    exit: u8,
    reasons: Vec<String>,
    simulated: bool,
    incomplete: Option<&'static str>,
    tally: Vec<Tallied>,
    trials: Trials,
    decision: Vec<String>,
    edges: Vec<Phase>,
    sub_totals: Vec<Phase>,
    blanks: Vec<Blank>,
    boxes: Vec<Shown>,
    detections: Vec<Detected>,
    power: Vec<Shown>,
    rails: Vec<RailPower>,
    firmware: Vec<FirmwareRow>,
    buses: Vec<BusRow>,
    bench: Bench,
    record: Record,
    rig_faults: Remarked,
    misbehaviours: Remarked,
    notes: Remarked,
}

#[derive(Serialize)]
struct Tallied {
    verdict: Word,
    count: usize,
}

#[derive(Serialize)]
struct Trials {
    planned: String,
    counted: String,
    void: String,
    void_share: String,
    void_cap: String,
    any_void: bool,
}

/// Claims of one part of the scenario that follow each other.
#[derive(Serialize)]
struct Phase {
    name: String,
    claims: Vec<Claim>,
}

/// A sub-total without a budget.
#[derive(Serialize)]
struct Blank {
    id: String,
    phase: String,
}

#[derive(Serialize)]
struct Detected {
    label: String,
    times: Detection,
}

#[derive(Serialize)]
struct RailPower {
    rail: String,
    commanded: String,
    cuts: String,
    without: String,
    longest: String,
}

impl Page {
    /// What there is to say of a session.
    pub(super) fn of(findings: &Findings, plots: &[PlotFile]) -> Self {
        let start = &findings.start;
        let mut edges = Vec::new();
        for (place, (anchor, finding)) in claims(findings).into_iter().enumerate() {
            let plots = plots.iter().filter(|plot| plot.subject == Subject::Claim(place)).map(Shown::of).collect();
            edges.push(Claim::of(format!("claim-{anchor}"), finding, findings, plots));
        }
        let sub_totals = edges.split_off(findings.edges.len());
        let labels = findings.edges.iter().chain(&findings.sub_totals).map(|finding| finding.label.clone());
        let detected = edges.iter().chain(&sub_totals).zip(labels);
        let of_session = |kind| {
            let of_kind = plots.iter().filter(move |plot| plot.subject == Subject::Session && plot.kind == kind);
            of_kind.map(Shown::of).collect()
        };
        Self {
            session: start.session.clone(),
            plan: start.plan.title.clone(),
            fixture: start.fixture.title.clone(),
            wall: to_the_second(&start.wall),
            duration: span(findings.duration),
            verdict: word(Some(findings.verdict)),
            meaning: meaning(findings.verdict),
            exit: exit(findings),
            reasons: findings.reasons.clone(),
            simulated: start.simulated,
            incomplete: incomplete(findings.end.as_ref()),
            tally: tally(findings),
            trials: trials(findings),
            decision: decision(&start.plan.decision),
            detections: detected
                .filter_map(|(claim, label)| claim.detection.clone().map(|times| Detected { label, times }))
                .collect(),
            edges: phases(edges),
            sub_totals: phases(sub_totals),
            blanks: blanks(&start.plan),
            boxes: of_session(Kind::Boxes),
            power: of_session(Kind::Power),
            rails: lanes(findings).iter().map(RailPower::of).collect(),
            firmware: FirmwareRow::all(findings),
            buses: BusRow::all(findings),
            bench: Bench::of(&start.fixture, &findings.links),
            record: Record::of(findings),
            rig_faults: Remarked::rig_faults(&findings.rig_faults),
            misbehaviours: Remarked::misbehaviours(&findings.misbehaviours),
            notes: Remarked::notes(&findings.notes),
        }
    }
}

impl RailPower {
    fn of(lane: &Lane) -> Self {
        let some = |nanos| if nanos == 0 { "–".to_owned() } else { span(nanos) };
        Self {
            rail: lane.rail.clone(),
            commanded: grouped(lane.commanded),
            cuts: grouped(lane.cuts),
            without: some(lane.without()),
            longest: some(lane.outages.iter().map(|(from, to)| to - from).max().unwrap_or(0)),
        }
    }
}

/// `2026-01-01 00:00:00 UTC` for an RFC 3339 time in UTC; anything else as it is.
fn to_the_second(wall: &str) -> String {
    match (wall.get(..10), wall.get(11..19), wall.ends_with('Z')) {
        (Some(day), Some(time), true) => format!("{day} {time} UTC"),
        _ => wall.to_owned(),
    }
}

fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "Every requirement that was judged is shown to be met.",
        Verdict::Fail => "At least one requirement is shown not to be met.",
        Verdict::Inconclusive => "Nothing is shown to fail, and not everything is shown to pass.",
    }
}

/// The program's exit code for such a session.
fn exit(findings: &Findings) -> u8 {
    match (findings.end.as_ref(), findings.verdict) {
        (Some(End::Interrupted), _) => 130,
        (_, Verdict::Pass) => 0,
        (_, Verdict::Fail) => 1,
        (_, Verdict::Inconclusive) => 3,
    }
}

fn incomplete(end: Option<&End>) -> Option<&'static str> {
    match end {
        Some(End::Complete) => None,
        None => {
            Some("The record breaks off: rig did not write its end. What follows is what had been recorded by then.")
        }
        Some(End::GaveUp) => {
            Some("The session gave up: a device lost payloads in so many trials in a row that the rest was not played.")
        }
        Some(End::Interrupted) => {
            Some("The session was interrupted by a signal; the trials that follow were not played.")
        }
        Some(End::Aborted) => {
            Some("The session was aborted: a fault of the rig made it impossible to go on, or voided too many trials.")
        }
    }
}

fn tally(findings: &Findings) -> Vec<Tallied> {
    let all = [Some(Verdict::Fail), Some(Verdict::Inconclusive), Some(Verdict::Pass), None];
    let claims = || findings.edges.iter().chain(&findings.sub_totals);
    let tallied = all.map(|verdict| Tallied {
        verdict: word(verdict),
        count: claims().filter(|claim| claim.verdict == verdict).count(),
    });
    tallied.into_iter().filter(|tallied| tallied.count > 0).collect()
}

fn trials(findings: &Findings) -> Trials {
    let trials = findings.trials;
    let played = u64::from(trials.counted) + u64::from(trials.void);
    Trials {
        planned: grouped(trials.planned.into()),
        counted: grouped(trials.counted.into()),
        void: grouped(trials.void.into()),
        any_void: trials.void > 0,
        void_share: found(trials.void.into(), played),
        void_cap: required(findings.start.plan.decision.void_cap),
    }
}

fn decision(decision: &Decision) -> Vec<String> {
    let rule = match decision.rule {
        Rule::Fixed => "Judged once, after all trials, by exact binomial bounds (one-sided Clopper–Pearson): an edge \
                        passes when the lower bound of its success ratio is above the requirement, fails when the \
                        upper bound is below it, and is inconclusive otherwise."
            .to_owned(),
        Rule::Sequential { discrimination } => format!(
            "Judged trial by trial by Wald's sequential probability ratio test with a discrimination ratio of \
             {discrimination}, at the latest after all trials."
        ),
    };
    let confidence = required(decision.confidence);
    let reach = if decision.family_wise {
        format!(
            "The confidence of {confidence} holds for all claims together (family-wise, by Bonferroni): each alone is \
             held to a higher one."
        )
    } else {
        format!(
            "The confidence of {confidence} holds for each claim alone (per edge), not for all together: of many \
             claims, some may be wrong."
        )
    };
    let undecided = "Limits and requirements are strict: “under 2 s” is not met by 2.000 s. An undecided delivery \
                     counts as a failure in the lower bound and as a success in the upper bound.";
    vec![rule, reach, undecided.to_owned()]
}

fn phases(claims: Vec<Claim>) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for claim in claims {
        match phases.last_mut() {
            Some(last) if last.name == claim.phase => last.claims.push(claim),
            _ => phases.push(Phase { name: claim.phase.clone(), claims: vec![claim] }),
        }
    }
    phases
}

fn blanks(plan: &Plan) -> Vec<Blank> {
    let blanks = plan.sub_totals.iter().filter(|sub| sub.claim.is_none());
    blanks.map(|sub| Blank { id: sub.id.clone(), phase: sub.phase.clone() }).collect()
}
