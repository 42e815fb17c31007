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
    /// Makes the progress on the terminal follow the choice, and says whether standard error takes colours now.
    pub fn apply(self) -> bool {
        match self {
            Self::Auto => {}
            Self::Always => console::set_colors_enabled_stderr(true),
            Self::Never => console::set_colors_enabled_stderr(false),
        }
        console::colors_enabled_stderr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_stronger_than_the_terminal() {
        assert!(Color::Always.apply());
        assert!(!Color::Never.apply());
    }
}
