//! A share in percent, for people.

/// A share in percent to six decimals, without the zeros at its end: `99.5 %`, `99.878049 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    #[test_case(0.995, "99.5 %")]
    #[test_case(0.98, "98 %")]
    #[test_case(1.0, "100 %")]
    #[test_case(0.0, "0 %")]
    #[test_case(0.994_994_6, "99.49946 %")]
    fn in_words(share: f64, text: &str) {
        assert_eq!(super::percent(share), text);
    }
}
