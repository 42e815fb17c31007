//! How the program ends, for scripts and CI.

use std::fmt::Write;

use rig::verdict::Verdict;

/// The program's exit code. A CI may run again on 3; never on 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// All judged claims pass, or what was asked for was done.
    Pass = 0,
    /// A claim fails: a budget is shown not to be met.
    Fail = 1,
    /// The command line is wrong.
    Usage = 2,
    /// No verdict: too few trials, or the rig's own fault.
    Inconclusive = 3,
    /// A plan or a fixture has problems.
    BadInput = 5,
    /// Results could not be written whole.
    NotWritten = 6,
    /// A signal ended it, after the safe state was applied; 128 and the number of SIGINT, as shells count.
    Interrupted = 130,
}

impl ExitCode {
    /// All exit codes.
    pub const ALL: [Self; 7] =
        [Self::Pass, Self::Fail, Self::Usage, Self::Inconclusive, Self::BadInput, Self::NotWritten, Self::Interrupted];

    /// The number that the caller sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in the words of the help text.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Pass => "pass, or done",
            Self::Fail => "a budget is shown not to be met",
            Self::Usage => "wrong usage",
            Self::Inconclusive => "inconclusive, or the rig's own fault",
            Self::BadInput => "bad plan or fixture",
            Self::NotWritten => "results could not be written",
            Self::Interrupted => "interrupted, after the safe state was applied",
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Fail => Self::Fail,
            Verdict::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        code.code().into()
    }
}

/// The end of a long help text: examples, and the exit codes.
pub(super) fn help(examples: &str) -> String {
    let mut help = format!("{examples}\nExit codes:\n");
    for code in ExitCode::ALL {
        writeln!(help, "  {:>3}  {}", code.code(), code.meaning()).expect("a String takes all that is written to it");
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_what_scripts_rely_on() {
        insta::assert_snapshot!(help("Examples:"), @r"
        Examples:
        Exit codes:
            0  pass, or done
            1  a budget is shown not to be met
            2  wrong usage
            3  inconclusive, or the rig's own fault
            5  bad plan or fixture
            6  results could not be written
          130  interrupted, after the safe state was applied
        ");
    }

    #[test]
    fn a_verdict_has_its_code() {
        let codes = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive].map(|verdict| ExitCode::from(verdict).code());
        assert_eq!(codes, [0, 1, 3]);
    }
}
