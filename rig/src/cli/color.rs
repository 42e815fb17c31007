//! Whether to write in colour. Everything that colours asks `console`, and `console` is told here.

use clap::ValueEnum;
use console::Term;

/// When to write in colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set; always with `CLICOLOR_FORCE`
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// Makes all that is written to standard output and standard error follow the choice.
    pub fn apply(self) {
        let variable = |name: &str| std::env::var(name).ok();
        console::set_colors_enabled(self.decide(Term::stdout().is_term(), &variable));
        console::set_colors_enabled_stderr(self.decide(Term::stderr().is_term(), &variable));
    }

    /// Whether standard output takes colours.
    #[must_use]
    pub fn on_stdout() -> bool {
        console::colors_enabled()
    }

    /// Whether standard error takes colours, for what does not ask by itself: the reports of bad plans and fixtures.
    #[must_use]
    pub fn on_stderr() -> bool {
        console::colors_enabled_stderr()
    }

    /// The choice, then `NO_COLOR` (<https://no-color.org>: set and not empty), then `CLICOLOR_FORCE` and `CLICOLOR`
    /// (<https://bixense.com/clicolors>), then the terminal.
    fn decide(self, terminal: bool, variable: &impl Fn(&str) -> Option<String>) -> bool {
        let set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let is = |name, expected: &str| variable(name).as_deref() == Some(expected);
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0") => true,
            Self::Auto => terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case(Color::Auto, true, &[], true; "a terminal")]
    #[test_case(Color::Auto, false, &[], false; "a file")]
    #[test_case(Color::Auto, true, &[("TERM", "dumb")], false; "a terminal without colours")]
    #[test_case(Color::Auto, true, &[("CLICOLOR", "0")], false; "not wanted on terminals")]
    #[test_case(Color::Auto, true, &[("NO_COLOR", "")], true; "an empty wish is none")]
    #[test_case(Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true; "forced")]
    #[test_case(Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false; "not forced")]
    #[test_case(Color::Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false; "none is stronger than forced")]
    #[test_case(Color::Always, false, &[("NO_COLOR", "1")], true; "the command line is stronger")]
    #[test_case(Color::Never, true, &[("CLICOLOR_FORCE", "1")], false; "also when it says never")]
    fn colours(choice: Color, terminal: bool, variables: &[(&str, &str)], coloured: bool) {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(choice.decide(terminal, &variable), coloured);
    }

    #[test]
    fn both_streams_follow_the_choice() {
        Color::Always.apply();
        assert!(Color::on_stdout() && Color::on_stderr());
        Color::Never.apply();
        assert!(!Color::on_stdout() && !Color::on_stderr());
    }
}
