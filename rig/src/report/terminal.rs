//! The verdict on a terminal: the session's, then a line for every claim.

use std::fmt::Write as _;

use crate::verdict::{Finding, Findings, Verdict};

/// How the verdict is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colours are wanted.
    pub colour: bool,
}

/// The verdict in lines no wider than the layout.
#[must_use]
pub fn render(findings: &Findings, layout: Layout) -> String {
    let mut out = String::new();
    let claims = || findings.edges.iter().chain(&findings.sub_totals);
    let label_width = claims().map(|finding| finding.label.chars().count()).max().unwrap_or(0);
    for finding in claims() {
        let line = layout.claim(finding, label_width);
        let _ = writeln!(out, "{line}");
    }
    let trials = findings.trials;
    let simulated = if findings.start.simulated { ", simulated" } else { "" };
    let void = if trials.void > 0 { format!(", {} void", trials.void) } else { String::new() };
    let _ = writeln!(out, "{} trials of {}{void}{simulated}", trials.counted, trials.planned);
    for reason in &findings.reasons {
        let _ = writeln!(out, "{}", layout.cut(&printable(reason), layout.width));
    }
    let _ = writeln!(out, "verdict: {}", layout.paint(Some(findings.verdict)));
    out
}

impl Layout {
    fn claim(self, finding: &Finding, label_width: usize) -> String {
        let verdict = self.paint(finding.verdict);
        let room = self.width.saturating_sub(VERDICT_WIDTH + 1);
        let label = printable(&finding.label);
        let reason = printable(&finding.reason);
        if room < label_width + 2 + 20 {
            return format!("{verdict} {}", self.cut(&label, room));
        }
        let pad = " ".repeat(label_width.saturating_sub(label.chars().count()));
        format!("{verdict} {label}{pad}  {}", self.cut(&reason, room - label_width - 2))
    }

    fn paint(self, verdict: Option<Verdict>) -> String {
        let (word, colour) = match verdict {
            Some(Verdict::Pass) => ("pass", 32),
            Some(Verdict::Fail) => ("FAIL", 31),
            Some(Verdict::Inconclusive) => ("inconclusive", 33),
            None => ("not judged", 2),
        };
        let word = format!("{word:<VERDICT_WIDTH$}");
        if self.colour { format!("\x1b[{colour}m{word}\x1b[0m") } else { word }
    }

    fn cut(self, text: &str, room: usize) -> String {
        if text.chars().count() <= room {
            return text.to_owned();
        }
        let kept: String = text.chars().take(room.saturating_sub(1)).collect();
        format!("{kept}…")
    }
}

const VERDICT_WIDTH: usize = 12;

/// Text that a terminal shows and does not obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
