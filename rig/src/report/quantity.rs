//! Durations and shares in words, rounded so that no rounding contradicts a verdict. No line breaks inside them.

use std::time::Duration;

use crate::stamp::{Nanos, nanos};

/// Units of time, the largest first: its symbol and its length in nanoseconds.
const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000), ("ns", 1)];

/// A measured duration with four significant digits: `1.999 s`, `12.34 ms`, `250 ns`.
///
/// Cut off, not rounded: 1.9996 s is under a limit of 2 s and must not read as 2.000 s.
pub(super) fn latency(nanos: Nanos) -> String {
    let &(symbol, unit) = UNITS.iter().find(|(_, unit)| nanos >= *unit).unwrap_or(&UNITS[3]);
    if unit == 1 {
        return format!("{nanos}\u{a0}ns");
    }
    let whole = nanos / unit;
    let decimals = match whole {
        0..10 => 3,
        10..100 => 2,
        100..1000 => 1,
        _ => 0,
    };
    if decimals == 0 {
        return format!("{}\u{a0}{symbol}", grouped(whole));
    }
    let fraction = nanos % unit / (unit / 10_u64.pow(decimals));
    format!("{whole}.{fraction:0width$}\u{a0}{symbol}", width = decimals as usize)
}

/// A duration that someone set, exactly: `8 s`, `2.5 s`, `20 ms`.
pub(super) fn setting(duration: Duration) -> String {
    let nanos = nanos(duration);
    let &(symbol, unit) = UNITS.iter().find(|(_, unit)| nanos >= *unit).unwrap_or(&UNITS[3]);
    let (whole, rest) = (nanos / unit, nanos % unit);
    if nanos == 0 {
        return "0\u{a0}s".to_owned();
    }
    if rest == 0 {
        return format!("{}\u{a0}{symbol}", grouped(whole));
    }
    let digits = unit.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{}.{}\u{a0}{symbol}", grouped(whole), fraction.trim_end_matches('0'))
}

/// A long duration: `41 s`, `2 min 05 s`, `3 h 12 min`.
pub(super) fn span(nanos: Nanos) -> String {
    let seconds = nanos / 1_000_000_000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => latency(nanos),
        (0, minutes, seconds) => format!("{minutes}\u{a0}min\u{a0}{seconds:02}\u{a0}s"),
        (hours, minutes, _) => format!("{hours}\u{a0}h\u{a0}{minutes:02}\u{a0}min"),
    }
}

/// A time of the session to the millisecond: `0:02:05.123`.
pub(super) fn clock(nanos: Nanos) -> String {
    let millis = nanos / 1_000_000;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    format!("{}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A share that someone set: `99.5 %`.
pub(super) fn required(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    format!("{}\u{a0}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A lower bound as a percentage with four decimals, cut off: it never reads higher than it is.
pub(super) fn at_least(share: f64) -> String {
    format!("{:.4}\u{a0}%", (share * 1e6).floor() / 1e4)
}

/// An upper bound as a percentage with four decimals: it never reads lower than it is.
pub(super) fn at_most(share: f64) -> String {
    format!("{:.4}\u{a0}%", (share * 1e6).ceil() / 1e4)
}

/// A found share as a percentage with two decimals; 100 % only where nothing is missing, 0 % only where nothing is.
pub(super) fn found(part: u64, of: u64) -> String {
    if of == 0 {
        return "–".to_owned();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(of);
    let hundredths = if part > 0 { hundredths.max(1) } else { 0 };
    format!("{}.{:02}\u{a0}%", hundredths / 100, hundredths % 100)
}

/// How busy a bus was, as a percentage with one decimal: `3.2 %`.
pub(super) fn load(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// A count with thin spaces between thousands: `1 000 000`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Words of this module with ordinary spaces, for readers that search them.
pub(super) fn plain(words: &str) -> String {
    words.replace(['\u{a0}', '\u{202f}'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    use test_case::test_case;

    #[test_case(1_999_600_000, "1.999 s"; "just under a limit stays under it")]
    #[test_case(2_000_000_000, "2.000 s"; "a whole second")]
    #[test_case(12_345_678, "12.34 ms"; "milliseconds")]
    #[test_case(1_050_000, "1.050 ms"; "zeros are kept")]
    #[test_case(999, "999 ns"; "nanoseconds")]
    #[test_case(0, "0 ns"; "nothing")]
    #[test_case(12_345_000_000_000, "12 345 s"; "hours stay seconds")]
    fn latencies(nanos: Nanos, text: &str) {
        assert_eq!(plain(&latency(nanos)), text);
    }

    #[test_case(Duration::from_millis(2500), "2.5 s"; "fraction")]
    #[test_case(Duration::from_secs(8), "8 s"; "whole")]
    #[test_case(Duration::from_micros(20), "20 µs"; "micro")]
    #[test_case(Duration::ZERO, "0 s"; "none")]
    fn settings(duration: Duration, text: &str) {
        assert_eq!(plain(&setting(duration)), text);
    }

    #[test]
    fn bounds_are_rounded_away_from_what_would_flatter() {
        assert_eq!(plain(&at_least(0.995_003_99)), "99.5003 %");
        assert_eq!(plain(&at_most(0.994_999_91)), "99.5000 %");
        assert_eq!(plain(&found(99_999, 100_000)), "99.99 %");
        assert_eq!(plain(&found(1, 100_000)), "0.01 %");
        assert_eq!(plain(&found(598, 598)), "100.00 %");
        assert_eq!(plain(&required(0.995)), "99.5 %");
    }

    #[test]
    fn times_of_a_session() {
        assert_eq!(plain(&clock(3_723_004_000_000)), "1:02:03.004");
        assert_eq!(plain(&span(125_000_000_000)), "2 min 05 s");
        assert_eq!(plain(&span(11_520_000_000_000)), "3 h 12 min");
    }
}
