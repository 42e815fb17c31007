//! Problems of plans and fixtures on the terminal.

use super::ExitCode;
use crate::problem::Problems;

/// Shows the problems of several files.
pub fn show_all(problems: impl IntoIterator<Item = Problems>) -> ExitCode {
    for problems in problems {
        eprintln!("{problems}");
    }
    ExitCode::BadInput
}
