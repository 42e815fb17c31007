//! The verdict on a terminal: the session's, then a line for every claim.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::live::text::visible;
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
    let label_width = claims().map(|finding| visible(&finding.label, layout.width).width()).max().unwrap_or(0);
    for finding in claims() {
        let line = layout.claim(finding, label_width);
        let _ = writeln!(out, "{line}");
    }
    let trials = findings.trials;
    let simulated = if findings.start.simulated { ", simulated" } else { "" };
    let void = if trials.void > 0 { format!(", {} void", trials.void) } else { String::new() };
    let _ = writeln!(out, "{} trials of {}{void}{simulated}", trials.counted, trials.planned);
    for reason in &findings.reasons {
        layout.wrap(&mut out, reason);
    }
    let _ = writeln!(out, "verdict: {}", layout.paint(Some(findings.verdict), 0));
    out
}

impl Layout {
    fn claim(self, finding: &Finding, label_width: usize) -> String {
        let verdict = self.paint(finding.verdict, VERDICT_WIDTH);
        let room = self.width.saturating_sub(VERDICT_WIDTH + 1);
        if room < label_width + 2 + 20 {
            return format!("{verdict} {}", visible(&finding.label, room));
        }
        let label = visible(&finding.label, label_width);
        let pad = " ".repeat(label_width.saturating_sub(label.width()));
        format!("{verdict} {label}{pad}  {}", visible(&finding.reason, room - label_width - 2))
    }

    fn paint(self, verdict: Option<Verdict>, columns: usize) -> String {
        let (word, colour) = match verdict {
            Some(Verdict::Pass) => ("pass", 32),
            Some(Verdict::Fail) => ("FAIL", 31),
            Some(Verdict::Inconclusive) => ("inconclusive", 33),
            None => ("not judged", 2),
        };
        let word = format!("{word:<columns$}");
        if self.colour { format!("\x1b[{colour}m{word}\x1b[0m") } else { word }
    }

    /// Writes a text in lines that end between words. A reason holds numbers that must not be cut off.
    fn wrap(self, out: &mut String, text: &str) {
        let mut line = String::new();
        for word in text.split(' ').map(|word| visible(word, self.width)) {
            if !line.is_empty() && line.width() + 1 + word.width() > self.width {
                let _ = writeln!(out, "{line}");
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += &word;
        }
        let _ = writeln!(out, "{line}");
    }
}

const VERDICT_WIDTH: usize = 12;
