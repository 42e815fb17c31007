//! Exact binomial statistics of a success ratio (IEC 61123:2019): Clopper–Pearson bounds and the trials they need.

/// Whether `successes` of `trials` show, at a one-sided confidence, a success ratio above `required`.
///
/// The one-sided Clopper–Pearson lower bound exceeds `required` exactly when, at a true ratio of `required`, so many
/// successes or more are less likely than `1 - confidence` (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934).
#[must_use]
pub fn shows_above(successes: u64, trials: u64, required: f64, confidence: f64) -> bool {
    successes > 0 && cumulative(trials - successes, trials, 1.0 - required) < 1.0 - confidence
}

/// Whether `successes` of `trials` show, at a one-sided confidence, a success ratio below `required`.
#[must_use]
pub fn shows_below(successes: u64, trials: u64, required: f64, confidence: f64) -> bool {
    successes < trials && cumulative(successes, trials, required) < 1.0 - confidence
}

/// The fewest trials that, with `failures` among them, show a success ratio above `required`; `None` where no count
/// below a million does.
#[must_use]
pub fn trials_to_pass(required: f64, confidence: f64, failures: u64) -> Option<u64> {
    const MOST: u64 = 1_000_000;
    let shows = |trials: u64| trials > failures && shows_above(trials - failures, trials, required, confidence);
    if !shows(MOST) {
        return None;
    }
    let (mut no, mut yes) = (0, MOST);
    while yes - no > 1 {
        let middle = no.midpoint(yes);
        *(if shows(middle) { &mut yes } else { &mut no }) = middle;
    }
    Some(yes)
}

/// Probability of at most `k` events in `n` trials at probability `p`.
fn cumulative(k: u64, n: u64, p: f64) -> f64 {
    use statrs::distribution::{Binomial, DiscreteCDF as _};
    Binomial::new(p, n).map_or(0.0, |binomial| binomial.cdf(k))
}
