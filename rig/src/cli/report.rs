//! `rig report`: a session's reports, made again from its record.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::causes::with_causes;
use super::{ExitCode, outcome};
use rig::journal;

/// How `rig report` is used.
pub(super) const EXAMPLES: &str = "\
Examples:
  rig report reports/20260102T030405Z-islanded-virtual
";

/// Which session to report.
#[derive(Clone, Debug, Args)]
pub struct ReportArgs {
    /// The session's folder
    #[arg(value_name = "SESSION", value_hint = ValueHint::DirPath)]
    pub session: PathBuf,
}

/// Makes the reports of a session's folder again.
#[must_use]
pub fn run(args: &ReportArgs) -> ExitCode {
    match journal::findings(&args.session) {
        Ok(findings) => outcome::reports(&args.session, &findings),
        Err(error) => {
            eprintln!("error: {}", with_causes(&error));
            ExitCode::NotWritten
        }
    }
}
