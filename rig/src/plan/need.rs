//! How many trials each claim of a plan needs, and whether the plan's count can decide it.

use super::{Plan, Rule};
use crate::verdict::binomial;

/// What a claim needs: an edge's or a sub-total's.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// `I3 Distr. Cust. Storage → LMS - Utility`, or `D-T1 sub-total`.
    pub label: String,
    /// The share that must be exceeded.
    pub reliability: f64,
    /// The confidence at which it must be shown; over the plan's where that is family-wise.
    pub confidence: f64,
    /// The fewest trials that show it, without a failure among them.
    pub trials: u64,
    /// The most failures among the plan's trials with which it is still shown; `None` where the plan's count cannot
    /// show it at all. Of a sequential plan: what its first decision allows, so 0 or `None`.
    pub failures: Option<u64>,
}

impl Plan {
    /// What each judged claim needs, edges first.
    #[must_use]
    pub fn needs(&self) -> Vec<Need> {
        let edges = self.edges().filter(|(id, _)| self.row_of(*id).judged);
        let mut claims: Vec<_> = edges.map(|(id, _)| (self.label(id), self.row_of(id).budget.reliability)).collect();
        for sub_total in &self.sub_totals {
            if let Some(claim) = &sub_total.claim
                && [claim.request, claim.reply].into_iter().all(|edge| self.row_of(edge).judged)
            {
                claims.push((format!("{} sub-total", sub_total.id), claim.budget.reliability));
            }
        }
        let confidence = self.confidence_of_each(claims.len());
        claims.into_iter().map(|(label, reliability)| self.need(label, reliability, confidence)).collect()
    }

    /// The confidence of one of so many claims. Family-wise, each may err with its equal part of the error that all
    /// together may make (C. E. Bonferroni's inequality).
    fn confidence_of_each(&self, claims: usize) -> f64 {
        let confidence = self.decision.confidence;
        if self.decision.family_wise { 1.0 - (1.0 - confidence) / claims.max(1) as f64 } else { confidence }
    }

    fn need(&self, label: String, reliability: f64, confidence: f64) -> Need {
        let planned = u64::from(self.trials);
        let trials = match self.decision.rule {
            Rule::Fixed => binomial::trials_to_pass(reliability, confidence, 0),
            Rule::Sequential { discrimination } => Some(trials_to_accept(reliability, discrimination, confidence)),
        }
        // A checked plan has no such budget alone, but a family's confidence can be too much for it.
        .unwrap_or(u64::MAX);
        let failures = (trials <= planned).then(|| match self.decision.rule {
            Rule::Fixed => most_failures(planned, reliability, confidence),
            Rule::Sequential { .. } => 0,
        });
        Need { label, reliability, confidence, trials, failures }
    }
}

/// The most failures among so many trials with which a reliability is still shown; the trials show it with none.
fn most_failures(trials: u64, reliability: f64, confidence: f64) -> u64 {
    let (mut yes, mut no) = (0, trials);
    while no - yes > 1 {
        let middle = yes.midpoint(no);
        let shown = binomial::shows_above(trials - middle, trials, reliability, confidence);
        *(if shown { &mut yes } else { &mut no }) = middle;
    }
    yes
}

/// The trials without a failure after which Wald's sequential probability ratio test accepts: the good device fails
/// with `q1 / discrimination`, the bad one with `q1 = 1 - reliability`, and both errors are `1 - confidence`
/// (A. Wald, Sequential Analysis, 1947, section 5.3; IEC 61124).
fn trials_to_accept(reliability: f64, discrimination: f64, confidence: f64) -> u64 {
    let bad = 1.0 - reliability;
    let good = bad / discrimination;
    let error = 1.0 - confidence;
    let boundary = (error / (1.0 - error)).ln();
    let success = ((1.0 - bad) / (1.0 - good)).ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive ratio; `as` saturates")]
    let trials = (boundary / success).ceil() as u64;
    trials
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use test_case::test_case;

    use super::*;

    fn islanded() -> Plan {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testplans/islanded.toml");
        Plan::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value
    }

    /// Exact values of the sequential test at errors of 5 %.
    #[test_case(2.0, 1174)]
    #[test_case(3.0, 881)]
    #[test_case(5.0, 734)]
    #[test_case(10.0, 653)]
    fn a_sequential_test_accepts_after_so_many_successes(discrimination: f64, trials: u64) {
        assert_eq!(trials_to_accept(0.995, discrimination, 0.95), trials);
    }

    #[test]
    fn a_plan_of_598_trials_decides_and_one_of_597_does_not() {
        let mut plan = islanded();
        plan.trials = 598;
        assert!(plan.needs().iter().all(|need| need.failures.is_some()));
        plan.trials = 597;
        let undecided: Vec<_> = plan.needs().into_iter().filter(|need| need.failures.is_none()).collect();
        assert_eq!(undecided.len(), 12, "the edges of I1, I2, I7 and I8");
        assert!(undecided.iter().all(|need| need.trials == 598));
    }

    #[test]
    fn six_hundred_trials_allow_no_failure_at_99_5_and_six_at_98_percent() {
        let needs = islanded().needs();
        let failures =
            |label: &str| needs.iter().find(|need| need.label.starts_with(label)).and_then(|need| need.failures);
        assert_eq!((failures("I1 "), failures("I4 ")), (Some(0), Some(6)));
    }

    #[test]
    fn a_family_of_claims_needs_more() {
        let mut plan = islanded();
        plan.only(&["I1".to_owned()]).expect("the plan has the row");
        assert_eq!(plan.needs().len(), 2);
        plan.decision.family_wise = true;
        // Two claims at 97.5 % each.
        assert!(plan.needs().iter().all(|need| need.trials == 736), "{:?}", plan.needs());
    }

    #[test]
    fn only_judges_the_rows_it_names_and_refuses_others() {
        let mut plan = islanded();
        let error = plan.only(&["I1".to_owned(), "X9".to_owned()]).expect_err("there is no X9");
        assert_eq!(error.row, "X9");
        assert!(plan.rows.iter().all(|row| row.judged), "the plan is left as it was");
        plan.only(&["I3".to_owned()]).expect("the plan has the row");
        let judged: Vec<_> = plan.rows.iter().filter(|row| row.judged).map(|row| row.id.as_str()).collect();
        assert_eq!(judged, ["I3"]);
    }
}
