//! The end of a session: reports written, verdict shown, exit code given.

use std::io::{IsTerminal, Write as _};
use std::path::Path;

use super::ExitCode;
use crate::journal::Recorded;
use crate::report::{self, terminal};
use crate::verdict::{Findings, Verdict};

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
    for fault in findings.rig_faults.iter().take(5) {
        eprintln!("rig fault: {}", crate::live::text::visible(&fault.detail));
    }
    match findings.verdict {
        Verdict::Pass => ExitCode::Pass,
        Verdict::Fail => ExitCode::Fail,
        Verdict::Inconclusive => ExitCode::Inconclusive,
    }
}

fn show(folder: &Path, findings: &Findings) {
    let mut out = anstream_like_stdout();
    // A reader that has gone away has seen what it wanted.
    let _ = write!(out.0, "{}", terminal::render(findings, out.1));
    let _ = writeln!(out.0, "report:  {}", folder.join("report.html").display());
}

fn anstream_like_stdout() -> (std::io::Stdout, terminal::Layout) {
    let out = std::io::stdout();
    let is_terminal = out.is_terminal();
    let width = if is_terminal { console_width().unwrap_or(80) } else { 160 };
    let colour = is_terminal && std::env::var_os("NO_COLOR").is_none();
    (out, terminal::Layout { width, colour })
}

fn console_width() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}
