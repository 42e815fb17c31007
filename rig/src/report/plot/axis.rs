//! An axis: which values it spans, on which scale, with which ticks.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, KeyPointWeight, NoDefaultFormatting, Ranged, ValueFormatter};

use crate::report::quantity;
use crate::stamp::Nanos;

/// A spread of latencies wider than this asks for a logarithmic axis: on a linear one the smallest tenth of the
/// values would share a few pixels.
const WIDE: f64 = 30.0;

/// The smallest latency that a logarithmic axis tells apart. Virtual time has latencies of 0, and budgets are of seconds:
/// decades of nanoseconds would take the room of those that matter.
const FINEST: Nanos = 1_000;

/// Values, scale and ticks of one direction of a plot. Values beyond the ends are placed on the ends.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    log: bool,
    lo: f64,
    hi: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Latencies in nanoseconds, from the smallest to the largest to be shown, the limit among them.
    pub(super) fn latency(least: Nanos, most: Nanos) -> Self {
        let (shown, most) = (least.max(FINEST) as f64, most.max(10) as f64);
        if most / shown > WIDE {
            Self::logarithmic(least, most)
        } else {
            let hi = most * 1.12;
            Self { log: false, lo: 0.0, hi, ticks: times(hi, 6.0) }
        }
    }

    /// Latencies in nanoseconds on a logarithmic axis, however small the spread.
    pub(super) fn latency_log(least: Nanos, most: Nanos) -> Self {
        Self::logarithmic(least, most.max(10) as f64)
    }

    fn logarithmic(least: Nanos, most: f64) -> Self {
        let (lo, hi) = (least.max(FINEST) as f64 / 1.5, most.max(FINEST as f64) * 2.0);
        let mut ticks = decades(lo, hi);
        if let Some(first) = ticks.first_mut().filter(|_| least < FINEST) {
            first.1 = format!("≤ {}", first.1);
        }
        Self { log: true, lo, hi, ticks }
    }

    /// Time since the session started.
    pub(super) fn session(duration: Nanos) -> Self {
        let hi = duration.max(1) as f64;
        Self { log: false, lo: 0.0, hi, ticks: times(hi, 9.0) }
    }

    /// Shares from 0 to 100 %, with a little room above.
    pub(super) fn share() -> Self {
        let ticks = (0..=5_u32).map(|fifth| (f64::from(fifth) / 5.0, format!("{} %", fifth * 20))).collect();
        Self { log: false, lo: 0.0, hi: 1.06, ticks }
    }

    /// Quantiles `q` as `1 / (1 - q)`, one decade for each further nine, as `HdrHistogram`'s percentile plots have it;
    /// up to the quantile that `n` values can show.
    pub(super) fn nines(n: u64) -> Self {
        let hi = n.max(10) as f64 * 1.6;
        let mut ticks = vec![(1.0, "0 %".to_owned()), (2.0, "50 %".to_owned())];
        ticks.extend((1..=18_i32).map(|nines| (10_f64.powi(nines), nines_text(nines))).take_while(|(at, _)| *at <= hi));
        Self { log: true, lo: 1.0, hi, ticks }
    }

    /// Rows from top to bottom, each with its name.
    pub(super) fn rows(names: Vec<String>) -> Self {
        let lo = names.len() as f64 - 0.5;
        let ticks = names.into_iter().enumerate().map(|(row, name)| (row as f64, name)).collect();
        Self { log: false, lo, hi: -0.5, ticks }
    }

    /// Whether the scale is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// The largest value shown.
    pub(super) fn end(&self) -> f64 {
        self.hi
    }

    /// The smallest value shown.
    pub(super) fn start(&self) -> f64 {
        self.lo
    }

    /// Where a value is: 0 at the start of the axis, 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.lo).ln() / (self.hi / self.lo).ln()
        } else {
            (value - self.lo) / (self.hi - self.lo)
        };
        place.clamp(0.0, 1.0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let (start, end) = (f64::from(limit.0), f64::from(limit.1));
        #[expect(clippy::cast_possible_truncation, reason = "a pixel of a plot of some hundred")]
        let pixel = (start + self.place(*value) * (end - start)).round() as i32;
        pixel
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight() {
            KeyPointWeight::Bold => self.ticks.iter().map(|(at, _)| *at).collect(),
            KeyPointWeight::Any => Vec::new(),
        }
    }

    fn range(&self) -> Range<f64> {
        self.lo..self.hi
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let nearest = self.ticks.iter().min_by(|a, b| (a.0 - value).abs().total_cmp(&(b.0 - value).abs()));
        nearest.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

/// `90 %`, `99 %`, `99.9 %`…
fn nines_text(nines: i32) -> String {
    match nines {
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        more => format!("99.{} %", "9".repeat(usize::try_from(more - 2).unwrap_or(1))),
    }
}

/// A tick for every power of ten of nanoseconds, and for its double and fivefold where there are few.
fn decades(lo: f64, hi: f64) -> Vec<(f64, String)> {
    let factors: &[u64] = if hi / lo < 1e3 { &[1, 2, 5] } else { &[1] };
    (0..19_u32)
        .flat_map(|power| factors.iter().map(move |factor| 10_u64.pow(power).saturating_mul(*factor)))
        .filter(|at| (lo..=hi).contains(&(*at as f64)))
        .map(|at| (at as f64, quantity::setting(std::time::Duration::from_nanos(at))))
        .collect()
}

/// Ticks at round times from 0 to `hi` nanoseconds, `most` at the most.
fn times(hi: f64, most: f64) -> Vec<(f64, String)> {
    const SECOND: f64 = 1e9;
    /// Steps above a second, in seconds: of a minute, an hour, a day, and beyond that of days.
    const LONG: [f64; 18] =
        [1., 2., 5., 10., 15., 30., 60., 120., 300., 600., 900., 1800., 3600., 7200., 10800., 21600., 43200., 86400.];
    let fine = (0..9).flat_map(|power| [1., 2., 5.].map(|factor| factor * 10_f64.powi(power)));
    let days = (0..6).flat_map(|power| [2., 5., 10.].map(|factor| factor * 10_f64.powi(power) * 86400. * SECOND));
    let step =
        fine.chain(LONG.map(|seconds| seconds * SECOND)).chain(days).find(|step| hi / step <= most).unwrap_or(hi);
    std::iter::successors(Some(0.0), |at| Some(at + step))
        .take_while(|at| *at <= hi)
        .take(64)
        .map(|at| (at, tick_time(at, if step < SECOND { hi.min(SECOND) } else { step })))
        .collect()
}

/// A tick's time, in the largest unit that is not over `scale`.
fn tick_time(at: f64, scale: f64) -> String {
    let (unit, symbol) = match scale {
        _ if scale < 1e3 => (1.0, "ns"),
        _ if scale < 1e6 => (1e3, "µs"),
        _ if scale < 1e9 => (1e6, "ms"),
        _ if scale < 60e9 => (1e9, "s"),
        _ if scale < 3600e9 => (60e9, "min"),
        _ if scale < 86400e9 => (3600e9, "h"),
        _ => (86400e9, "d"),
    };
    let value = (at / unit * 1e3).round() / 1e3;
    format!("{value}\u{a0}{symbol}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(axis: &Axis) -> String {
        let texts: Vec<_> = axis.ticks.iter().map(|(_, text)| text.replace('\u{a0}', " ")).collect();
        texts.join(" | ")
    }

    #[test]
    fn a_narrow_spread_is_linear_from_zero_and_a_wide_one_logarithmic() {
        let narrow = Axis::latency(500_000_000, 2_000_000_000);
        assert!(!narrow.is_log());
        assert_eq!(texts(&narrow), "0 s | 0.5 s | 1 s | 1.5 s | 2 s");
        let wide = Axis::latency(2_000_000, 8_000_000_000);
        assert!(wide.is_log());
        assert_eq!(texts(&wide), "10 ms | 100 ms | 1 s | 10 s");
    }

    #[test]
    fn the_nines_go_no_further_than_the_values_show() {
        assert_eq!(texts(&Axis::nines(598)), "0 % | 50 % | 90 % | 99 %");
        assert_eq!(texts(&Axis::nines(100_000)), "0 % | 50 % | 90 % | 99 % | 99.9 % | 99.99 % | 99.999 %");
    }

    #[test]
    fn session_time_is_labelled_in_the_unit_that_fits() {
        assert_eq!(texts(&Axis::session(170_000_000_000)), "0 s | 30 s | 60 s | 90 s | 120 s | 150 s");
        assert_eq!(
            texts(&Axis::session(7_200_000_000_000)),
            "0 min | 15 min | 30 min | 45 min | 60 min | 75 min | 90 min | 105 min | 120 min"
        );
    }

    proptest! {
        #[test]
        fn every_value_has_a_place_and_few_ticks(least: u64, most: u64, value in any::<f64>()) {
            for axis in [Axis::latency(least, most), Axis::latency_log(least, most), Axis::session(most), Axis::nines(most)] {
                let place = axis.place(value);
                prop_assert!(value.is_nan() || (0.0..=1.0).contains(&place));
                prop_assert!(axis.ticks.len() <= 64);
            }
        }
    }
}
