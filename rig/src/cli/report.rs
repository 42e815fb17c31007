//! `rig report`: a session's reports, made again from its record.

use super::causes::with_causes;
use super::outcome;
use super::{ExitCode, ReportArgs};
use rig::journal;

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
