//! Exact binomial statistics of a success ratio (IEC 61123:2019): Clopper–Pearson bounds and the trials they need.

use std::f64::consts::TAU;

use statrs::distribution::{Beta, ContinuousCDF};

/// Whether `successes` of `trials` show, at a one-sided confidence, a success ratio above `required`.
///
/// The one-sided Clopper–Pearson lower bound exceeds `required` exactly when, at a true ratio of `required`, so many
/// successes or more are less likely than `1 - confidence` (C. J. Clopper, E. S. Pearson, Biometrika 26, 1934).
#[must_use]
pub fn shows_above(successes: u64, trials: u64, required: f64, confidence: f64) -> bool {
    let failures = trials.saturating_sub(successes);
    successes > 0 && cumulative(failures, trials, 1.0 - required) < 1.0 - confidence
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

/// The most failures with which `trials` trials still show a success ratio above `required`; `None` where not even
/// trials without failure do.
#[must_use]
pub fn failures_allowed(trials: u64, required: f64, confidence: f64) -> Option<u64> {
    let shows = |failures: u64| failures < trials && shows_above(trials - failures, trials, required, confidence);
    if !shows(0) {
        return None;
    }
    let (mut yes, mut no) = (0, trials);
    while no - yes > 1 {
        let middle = yes.midpoint(no);
        *(if shows(middle) { &mut yes } else { &mut no }) = middle;
    }
    Some(yes)
}

/// The operating characteristic of a fixed plan (IEC 61123:2019): the probability that a device of a true success
/// ratio of `truth` passes `trials` trials that are to show a ratio above `required`.
#[must_use]
pub fn probability_to_pass(trials: u64, required: f64, confidence: f64, truth: f64) -> f64 {
    failures_allowed(trials, required, confidence).map_or(0.0, |most| cumulative(most, trials, 1.0 - truth))
}

/// The one-sided Clopper–Pearson lower bound of the success ratio: the quantile `1 - confidence` of
/// Beta(successes, failures + 1). For print; a verdict compares by [`shows_above`].
#[must_use]
pub fn lower_bound(successes: u64, trials: u64, confidence: f64) -> f64 {
    if successes == 0 || successes > trials {
        return 0.0;
    }
    if successes == trials {
        return ((1.0 - confidence).ln() / trials as f64).exp();
    }
    quantile(successes, trials - successes + 1, 1.0 - confidence)
}

/// The one-sided Clopper–Pearson upper bound of the success ratio: the quantile `confidence` of
/// Beta(successes + 1, failures). For print; a verdict compares by [`shows_below`].
#[must_use]
pub fn upper_bound(successes: u64, trials: u64, confidence: f64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    1.0 - lower_bound(trials - successes, trials, confidence)
}

fn quantile(a: u64, b: u64, probability: f64) -> f64 {
    Beta::new(a as f64, b as f64).map_or(f64::NAN, |beta| beta.inverse_cdf(probability))
}

/// Probability of at most `k` events in `n` trials at probability `p`.
///
/// The terms are summed from the largest outwards, on the side of the distribution that holds fewer of them, until
/// they vanish. The relative error is below 1e-10 for n up to a million.
fn cumulative(k: u64, n: u64, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = p / (1.0 - p);
    let n_real = n as f64;
    if k as f64 <= n_real * p {
        let steps = (1..=k).rev().map(|i| i as f64 / ((n_real - i as f64 + 1.0) * odds));
        series(log_term(k, n, p), steps).min(1.0)
    } else {
        let steps = (k + 1..n).map(|i| (n_real - i as f64) / (i as f64 + 1.0) * odds);
        (1.0 - series(log_term(k + 1, n, p), steps)).max(0.0)
    }
}

/// Sum of a first term and of those that follow by falling ratios.
fn series(log_first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    (log_first + f64::ln(sum)).exp()
}

/// Logarithm of the probability of exactly `k` events in `n` trials, by the saddle-point expansion of C. Loader,
/// "Fast and Accurate Computation of Binomial Probabilities" (2000), equation 3: differences of large logarithms of
/// factorials, which would cost all precision at a million trials, never appear.
fn log_term(k: u64, n: u64, p: f64) -> f64 {
    let (hits, trials) = (k as f64, n as f64);
    if k == 0 {
        return trials * (-p).ln_1p();
    }
    if k == n {
        return trials * p.ln();
    }
    let misses = trials - hits;
    stirling_error(trials)
        - stirling_error(hits)
        - stirling_error(misses)
        - deviance(hits, trials * p)
        - deviance(misses, trials * (1.0 - p))
        + 0.5 * (trials / (TAU * hits * misses)).ln()
}

/// ln n! less Stirling's approximation of it.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        let log_factorial: f64 = (2..16_u8).map(f64::from).take_while(|&i| i <= n).map(f64::ln).sum();
        return log_factorial - (0.5 * (TAU * n).ln() + n * n.ln() - n);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / n
}

/// x ln(x/mean) + mean − x, without cancellation where both are near.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let v = difference / (x + mean);
    let (mut sum, mut term) = (difference * v, 2.0 * x * v);
    for odd in (3..).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        #[expect(clippy::float_cmp, reason = "the series ends where a term changes nothing any more")]
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::function::beta::beta_reg;
    use test_case::test_case;

    use super::*;

    #[test_case(0.98, [149, 236, 313, 386, 456, 523, 590, 655, 719, 782, 845])]
    #[test_case(0.99, [299, 473, 628, 773, 913, 1049, 1182, 1312, 1441, 1568, 1693])]
    #[test_case(0.995, [598, 947, 1258, 1549, 1829, 2100, 2366, 2627, 2884, 3138, 3389])]
    fn trials_for_so_many_failures(required: f64, table: [u64; 11]) {
        for (failures, trials) in (0..).zip(table) {
            assert_eq!(trials_to_pass(required, 0.95, failures), Some(trials), "{failures} failures");
            assert_eq!(failures_allowed(trials, required, 0.95), Some(failures));
            assert_eq!(failures_allowed(trials - 1, required, 0.95), failures.checked_sub(1));
        }
    }

    #[test_case(0.98, [80, 114, 149, 183, 228, 342])]
    #[test_case(0.99, [161, 230, 299, 368, 459, 688])]
    #[test_case(0.995, [322, 460, 598, 736, 919, 1379])]
    fn trials_without_failure_at_other_confidences(required: f64, table: [u64; 6]) {
        for (confidence, trials) in [0.80, 0.90, 0.95, 0.975, 0.99, 0.999].into_iter().zip(table) {
            assert_eq!(trials_to_pass(required, confidence, 0), Some(trials), "at {confidence}");
        }
    }

    #[test_case(25.0, [1240, 619, 308])]
    #[test_case(21.0, [1206, 602, 299])]
    fn trials_for_a_family_of_claims(claims: f64, table: [u64; 3]) {
        for (required, trials) in [0.995, 0.99, 0.98].into_iter().zip(table) {
            assert_eq!(trials_to_pass(required, 1.0 - 0.05 / claims, 0), Some(trials), "above {required}");
        }
    }

    #[test]
    fn one_trial_less_does_not_show_it() {
        assert!(shows_above(598, 598, 0.995, 0.95) && !shows_above(597, 597, 0.995, 0.95));
        assert!((lower_bound(598, 598, 0.95) - 0.995_002_9).abs() < 5e-8);
        assert!((lower_bound(597, 597, 0.95) - 0.994_994_6).abs() < 5e-8);
    }

    #[test]
    fn a_rate_above_the_requirement_can_still_show_nothing() {
        assert!(!shows_above(2003, 2039, 0.98, 0.95) && !shows_below(2003, 2039, 0.98, 0.95));
        assert!((lower_bound(2003, 2039, 0.95) - 0.97675).abs() < 5e-6);
        assert!((upper_bound(2003, 2039, 0.95) - 0.98686).abs() < 5e-6);
    }

    #[test_case(598, 0.995)]
    #[test_case(299, 0.99)]
    #[test_case(149, 0.98)]
    fn seven_failures_refute_and_six_do_not(trials: u64, required: f64) {
        assert!(shows_below(trials - 7, trials, required, 0.95));
        assert!(!shows_below(trials - 6, trials, required, 0.95));
    }

    #[test_case(0.998, 0.30)]
    #[test_case(0.999, 0.55)]
    #[test_case(0.9995, 0.74)]
    #[test_case(0.9999, 0.94)]
    fn good_devices_fail_a_plan_without_room(truth: f64, passes: f64) {
        assert!((probability_to_pass(598, 0.995, 0.95, truth) - passes).abs() < 0.005);
    }

    #[test]
    fn nothing_is_shown_by_nothing() {
        assert!(!shows_above(0, 0, 0.5, 0.95) && !shows_below(0, 0, 0.5, 0.95));
        assert!(lower_bound(0, 0, 0.95) <= 0.0 && upper_bound(0, 0, 0.95) >= 1.0);
        assert_eq!(trials_to_pass(1.0, 0.95, 0), None);
        assert_eq!(failures_allowed(0, 0.9, 0.95), None);
    }

    // Golden values: the sum in decimal arithmetic of 60 digits.
    #[test_case(78_212, 417_637, 0.187_273_635_833_737_88, 5.003_240_532_169_215e-1)]
    #[test_case(5_000, 1_000_000, 0.005, 5.037_611_795_836_454e-1)]
    #[test_case(4_883, 1_000_000, 0.005, 4.888_225_297_718_058e-2)]
    #[test_case(6, 598, 0.005, 9.673_689_341_035_163e-1)]
    #[test_case(36, 2039, 0.02, 2.535_716_813_985_789_4e-1)]
    fn the_sum_is_exact(k: u64, n: u64, p: f64, golden: f64) {
        let sum = cumulative(k, n, p);
        assert!((sum / golden - 1.0).abs() < 1e-11, "{sum:e}");
    }

    proptest! {
        #[test]
        fn the_sum_agrees_with_the_incomplete_beta_function(n in 1..1_000_000_u64, k: u64, p in 1e-4..0.9999_f64) {
            let k = k % n;
            let beta = beta_reg((n - k) as f64, k as f64 + 1.0, 1.0 - p);
            let sum = cumulative(k, n, p);
            // The function's continued fraction is cut off at 140 terms, which near the mean leaves an error of 1e-6.
            prop_assert!((sum - beta).abs() < 1e-5, "{sum} {beta}");
        }

        #[test]
        fn printed_bounds_agree_with_the_exact_test(
            trials in 1..20_000_u64, failures in 0..200_u64, required in 0.9..0.9999_f64, confidence in 0.8..0.999_f64,
        ) {
            let successes = trials.saturating_sub(failures);
            let (lower, upper) = (lower_bound(successes, trials, confidence), upper_bound(successes, trials, confidence));
            prop_assert!(lower <= upper);
            if (lower - required).abs() > 1e-9 {
                prop_assert_eq!(shows_above(successes, trials, required, confidence), lower > required);
            }
            if (upper - required).abs() > 1e-9 {
                prop_assert_eq!(shows_below(successes, trials, required, confidence), upper < required);
            }
        }

        #[test]
        fn a_success_more_never_lowers_the_bounds(trials in 1..5_000_u64, successes: u64, confidence in 0.8..0.999_f64) {
            let successes = successes % trials;
            prop_assert!(lower_bound(successes, trials, confidence) <= lower_bound(successes + 1, trials, confidence));
            prop_assert!(upper_bound(successes, trials, confidence) <= upper_bound(successes + 1, trials, confidence));
            prop_assert!(cumulative(successes, trials, 0.01) <= cumulative(successes + 1, trials, 0.01) + 1e-12);
        }
    }
}
