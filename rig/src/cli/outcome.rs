//! The end of a session: reports written, verdict shown, exit code given.

use std::path::Path;

use super::causes::with_causes;
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
        // Reports of a record with a gap would look whole.
        show(&recorded.findings, None);
        eprintln!("error: {}", with_causes(&error));
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
    let page = folder.join("report.html");
    show(findings, written.is_ok().then_some(&*page));
    if let Err(error) = written {
        eprintln!("error: the reports could not be written: {}", with_causes(&error));
        return ExitCode::NotWritten;
    }
    findings.verdict.into()
}

/// Shows the verdict, and where the page is that explains it.
fn show(findings: &Findings, page: Option<&Path>) {
    let terminal = console::Term::stdout();
    let width = if terminal.is_term() { usize::from(terminal.size().1) } else { LINE };
    let layout = terminal::Layout { width, colour: Color::on_stdout() };
    let mut text = terminal::render(findings, layout);
    if let Some(page) = page {
        text += &format!("report:  {}\n", page.display());
    }
    if let Err(error) = stdout::print(text.as_bytes()) {
        eprintln!("error: cannot write to standard output: {error}");
    }
}
