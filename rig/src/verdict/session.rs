//! The verdict on a whole session.

use std::collections::BTreeMap;

use crate::event::End;

use super::{Finding, Findings, Verdict, percent};

/// The session's verdict and why.
///
/// A failed claim rests on trials that no rig's fault touched, so it stands however the session ended; but a session
/// in which more trials were void than its plan allows says nothing.
pub(super) fn session_verdict(findings: &Findings) -> (Verdict, Vec<String>) {
    let claims: Vec<_> = findings.edges.iter().chain(&findings.sub_totals).collect();
    let of = |verdict| claims.iter().filter(|claim| claim.verdict == Some(verdict)).copied().collect::<Vec<_>>();
    let (passed, failed, open) = (of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Inconclusive));
    let judged = passed.len() + failed.len() + open.len();
    let over_cap = void_share(findings) > findings.start.plan.decision.void_cap;
    let verdict = if over_cap {
        Verdict::Inconclusive
    } else if !failed.is_empty() {
        Verdict::Fail
    } else if judged > 0 && open.is_empty() && findings.end == Some(End::Complete) {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    };

    let mut reasons = Vec::new();
    if judged == 0 {
        reasons.push("no claim is judged".into());
    } else if passed.len() == judged {
        reasons.push(format!("all {judged} claims are shown to be met"));
    }
    if !failed.is_empty() {
        reasons.push(format!("{} of {judged} claims are shown not to be met: {}", failed.len(), labels(&failed)));
    }
    if !open.is_empty() {
        reasons.push(format!("{} of {judged} claims are not decided{}", open.len(), more(&open)));
    }
    reasons.extend(over_cap.then(|| {
        format!(
            "{} of {} trials were void by faults of the rig, and the plan allows {}",
            findings.trials.void,
            findings.trials.void + findings.trials.counted,
            percent(findings.start.plan.decision.void_cap)
        )
    }));
    reasons.extend(ending(findings));
    reasons.extend(misbehaviour(findings));
    (verdict, reasons)
}

fn void_share(findings: &Findings) -> f64 {
    let trials = findings.trials.void + findings.trials.counted;
    f64::from(findings.trials.void) / f64::from(trials.max(1))
}

fn labels(claims: &[&Finding]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = claims.iter().take(SHOWN).map(|claim| claim.label.as_str()).collect();
    let rest = claims.len().saturating_sub(SHOWN);
    let end = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    shown.join(", ") + &end
}

fn more(open: &[&Finding]) -> String {
    match open.iter().map(|claim| claim.missing).collect::<Option<Vec<_>>>() {
        Some(missing) => {
            let most = missing.into_iter().max().unwrap_or(0);
            format!("; {most} more trials, all in time, would decide them")
        }
        None => "; some of them by no count of trials".into(),
    }
}

fn ending(findings: &Findings) -> Option<String> {
    let played = findings.trials.counted;
    let planned = findings.trials.planned;
    let fault = findings.rig_faults.last().map_or(String::new(), |fault| format!(": {}", fault.detail));
    match findings.end {
        Some(End::Complete) => None,
        Some(End::GaveUp) => Some(format!(
            "the session gave up after {played} of {planned} trials, because payloads of one edge were lost trial \
             after trial"
        )),
        Some(End::Interrupted) => Some(format!("the session was interrupted after {played} of {planned} trials")),
        Some(End::Aborted) => Some(format!("a fault of the rig ended the session after {played} trials{fault}")),
        None => Some(format!("the record breaks off after {played} of {planned} trials")),
    }
}

fn misbehaviour(findings: &Findings) -> Option<String> {
    let mut times = BTreeMap::new();
    for remark in &findings.misbehaviours {
        *times.entry(remark.kind).or_insert(0_u64) += 1;
    }
    let words: Vec<_> = times.iter().map(|(kind, times)| format!("{} {times} times", kind.word())).collect();
    (!words.is_empty()).then(|| format!("devices misbehaved: {}", words.join(", ")))
}
