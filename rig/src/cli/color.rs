//! Whether to write in colour.

use clap::ValueEnum;

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
    /// Makes all that is written to standard error follow the choice.
    pub fn apply(self) {
        match self {
            Self::Auto => {}
            Self::Always => console::set_colors_enabled_stderr(true),
            Self::Never => console::set_colors_enabled_stderr(false),
        }
    }

    /// Whether standard error takes colours, for what does not ask by itself: the reports of bad plans and fixtures.
    #[must_use]
    pub fn on_stderr() -> bool {
        console::colors_enabled_stderr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_stronger_than_the_terminal() {
        Color::Always.apply();
        assert!(Color::on_stderr());
        Color::Never.apply();
        assert!(!Color::on_stderr());
    }
}
