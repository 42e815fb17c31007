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
    /// Makes all that is written to standard output and standard error follow the choice.
    pub fn apply(self) {
        let wanted = match self {
            Self::Auto => return,
            Self::Always => true,
            Self::Never => false,
        };
        console::set_colors_enabled(wanted);
        console::set_colors_enabled_stderr(wanted);
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
        assert!(Color::on_stderr() && console::colors_enabled());
        Color::Never.apply();
        assert!(!Color::on_stderr() && !console::colors_enabled());
    }
}
