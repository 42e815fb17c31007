//! The end of a session: reports written, verdict shown, exit code given.

use std::path::Path;

use super::{Color, ExitCode, stdout};
use rig::journal::Recorded;
use rig::report::{self, terminal};
use rig::verdict::Findings;

/// Columns of a line where no terminal says how many it has.
const LINE: usize = 160;

/// Writes the reports of a session that was just recorded, and shows its verdict.
#[must_use]
pub fn write(folder: &Path, recorded: Recorded, interrupted: bool) -> ExitCode {
    if let Some(error) = recorded.error {
        show(folder, &recorded.findings);
        eprintln!("error: the record is not whole: {error}");
        return ExitCode::NotWritten;
    }
    match reports(folder, &recorded.findings) {
        ExitCode::NotWritten => ExitCode::NotWritten,
        _ if interrupted => ExitCode::Interrupted,
        code => code,
    }
}

/// Writes reports from findings, and shows the verdict.
#[must_use]
pub fn reports(folder: &Path, findings: &Findings) -> ExitCode {
    let written = report::write_all(folder, findings);
    show(folder, findings);
    if let Err(error) = written {
        eprintln!("error: the reports could not be written: {error}");
        return ExitCode::NotWritten;
    }
    findings.verdict.into()
}

fn show(folder: &Path, findings: &Findings) {
    let terminal = console::Term::stdout();
    let width = if terminal.is_term() { usize::from(terminal.size().1) } else { LINE };
    let layout = terminal::Layout { width, colour: Color::on_stdout() };
    let text = terminal::render(findings, layout);
    let report = folder.join("report.html");
    if let Err(error) = stdout::print(format!("{text}report:  {}\n", report.display()).as_bytes()) {
        eprintln!("error: cannot write to standard output: {error}");
    }
}
