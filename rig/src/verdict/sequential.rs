//! Wald's sequential probability ratio test of a failure share (A. Wald, "Sequential Analysis", 1947; IEC 61123:2019).

/// A test of "good" (the failure share is the requirement's divided by the discrimination ratio) against "bad" (it is
/// the requirement's).
///
/// Both lines are the strict ones of Ville's inequality, ln β and ln 1/α, instead of Wald's approximations
/// ln β/(1-α) and ln (1-β)/α: whenever one looks and however long the session goes on, a device that does not exceed
/// the requirement is accepted with a probability of at most β, and a good device is rejected with at most α.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequential {
    per_success: f64,
    per_failure: f64,
    accept: f64,
    reject: f64,
}

/// What a sequential test says so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The requirement is shown to be exceeded.
    Accept,
    /// The device is shown to be worse than a good one.
    Reject,
    /// More trials are needed.
    Continue,
}

impl Sequential {
    /// A test for a success ratio above `required` at a discrimination ratio above 1; both risks are
    /// `1 - confidence`.
    #[must_use]
    pub fn new(required: f64, discrimination: f64, confidence: f64) -> Self {
        let bad = 1.0 - required;
        let good = bad / discrimination;
        let risk = 1.0 - confidence;
        Self {
            per_success: (-bad).ln_1p() - (-good).ln_1p(),
            per_failure: (bad / good).ln(),
            accept: risk.ln(),
            reject: -risk.ln(),
        }
    }

    /// The decision after `successes` and `failures`, with `undecided` trials taken as failures where it is about
    /// accepting and as successes where it is about rejecting.
    #[must_use]
    pub fn decide(&self, successes: u64, failures: u64, undecided: u64) -> Decision {
        if self.log_ratio(successes, failures + undecided) <= self.accept {
            Decision::Accept
        } else if self.log_ratio(successes + undecided, failures) >= self.reject {
            Decision::Reject
        } else {
            Decision::Continue
        }
    }

    /// How many more trials, all successes, lead to [`Decision::Accept`] after `successes` and `failures`.
    #[must_use]
    pub fn missing(&self, successes: u64, failures: u64) -> Option<u64> {
        let gap = self.log_ratio(successes, failures) - self.accept;
        let trials = (gap / -self.per_success).ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within the range before")]
        (trials.is_finite() && trials < 1e15).then_some(trials.max(0.0) as u64)
    }

    /// Logarithm of how much likelier the trials are of a bad device than of a good one.
    fn log_ratio(&self, successes: u64, failures: u64) -> f64 {
        successes as f64 * self.per_success + failures as f64 * self.per_failure
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use test_case::test_case;

    use super::*;

    #[test_case(0.995, [1194, 896, 747, 664])]
    #[test_case(0.99, [595, 447, 373, 332])]
    #[test_case(0.98, [296, 222, 185, 165])]
    fn trials_without_failure(required: f64, table: [u64; 4]) {
        for (discrimination, trials) in [2.0, 3.0, 5.0, 10.0].into_iter().zip(table) {
            let test = Sequential::new(required, discrimination, 0.95);
            assert_eq!(test.missing(0, 0), Some(trials));
            assert_eq!(test.decide(trials, 0, 0), Decision::Accept);
            assert_eq!(test.decide(trials - 1, 0, 0), Decision::Continue);
        }
    }

    #[test_case(0.995, 2.0, 276)]
    #[test_case(0.995, 3.0, 328)]
    #[test_case(0.995, 5.0, 401)]
    #[test_case(0.995, 10.0, 510)]
    #[test_case(0.99, 3.0, 164)]
    #[test_case(0.99, 10.0, 254)]
    #[test_case(0.98, 3.0, 81)]
    #[test_case(0.98, 10.0, 127)]
    fn trials_that_a_failure_costs(required: f64, discrimination: f64, extra: u64) {
        let test = Sequential::new(required, discrimination, 0.95);
        let cost = test.per_failure / -test.per_success;
        assert!((cost - extra as f64).abs() <= 1.0, "{cost}");
    }

    #[test]
    fn undecided_trials_help_neither_side() {
        let test = Sequential::new(0.98, 3.0, 0.95);
        assert_eq!(test.decide(0, 3, 0), Decision::Reject);
        assert_eq!(test.decide(0, 0, 3), Decision::Continue);
        assert_eq!(test.decide(222, 0, 1), Decision::Continue);
    }

    proptest! {
        #[test]
        fn what_is_missing_is_what_decides(
            required in 0.9..0.999_f64, discrimination in 1.5..10.0_f64, successes in 0..3_000_u64, failures in 0..5_u64,
        ) {
            let test = Sequential::new(required, discrimination, 0.95);
            let missing = test.missing(successes, failures).unwrap_or(0);
            prop_assert_eq!(test.decide(successes + missing, failures, 0), Decision::Accept);
            if missing > 0 {
                prop_assert_ne!(test.decide(successes + missing - 1, failures, 0), Decision::Accept);
            }
        }
    }
}
