//! The verdict on a terminal: what passes first, what does not last, so that it stands next to the prompt.

use std::fmt::Write as _;

use super::label::claims;
use super::quantity::{grouped, load, plain, setting};
use super::spread::{Quantile, Spread};
use crate::event::{Firmware, Installed};
use crate::verdict::{BusUse, Finding, Findings, Outcome, Verdict};
use crate::visible::{columns_of, visible, visible_in};

/// Digits of a digest that are shown.
const DIGITS: usize = 12;
/// The most faults of the rig told one by one; all of them are in the report.
const FAULTS: usize = 5;
/// Columns that a line which goes on is set in.
const INDENT: usize = 6;

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
    let mut shown: Vec<_> = claims(findings).collect();
    shown.sort_by_key(|finding| rank(finding.verdict));
    let words = shown.iter().map(|finding| word(finding.verdict).len()).max().unwrap_or(0);
    let labels = shown.iter().map(|finding| columns_of(&visible(&finding.label))).max().unwrap_or(0);
    for finding in shown {
        layout.claim(&mut out, finding, words, labels);
    }
    let faults = &findings.rig_faults;
    for fault in faults.iter().take(FAULTS) {
        layout.wrap(&mut out, &format!("the rig's fault: {}", fault.detail));
    }
    if faults.len() > FAULTS {
        layout.wrap(&mut out, &format!("and {} more faults of the rig, in the report", faults.len() - FAULTS));
    }
    for held in &findings.firmware {
        layout.wrap(&mut out, &firmware_line(held));
    }
    for (name, bus) in &findings.buses {
        layout.wrap(&mut out, &bus_line(name, bus));
    }
    let trials = findings.trials;
    let simulated = if findings.start.simulated { ", simulated" } else { "" };
    let void = if trials.void > 0 { format!(", {} void", trials.void) } else { String::new() };
    layout.wrap(&mut out, &format!("{} of {} trials count{void}{simulated}", trials.counted, trials.planned));
    for reason in &findings.reasons {
        layout.wrap(&mut out, reason);
    }
    let _ = writeln!(out, "verdict: {}", layout.paint(Some(findings.verdict)));
    out
}

fn firmware_line(held: &Firmware) -> String {
    let Firmware { device, elf, sha256, version, how, .. } = held;
    let version = version.as_ref().map(|version| format!(" version {version}")).unwrap_or_default();
    let digest: String = sha256.chars().take(DIGITS).collect();
    let how = match how {
        Installed::Flashed => "flashed",
        Installed::Held => "already there",
        Installed::Trusted => "trusted to be there",
    };
    plain(&format!("firmware {device}: {elf}{version} (SHA-256 {digest}…), {how}"))
}

fn bus_line(name: &str, bus: &BusUse) -> String {
    let BusUse { frames, lost, peak, .. } = bus;
    let lost = if *lost > 0 { format!(", {} lost by rig", grouped(*lost)) } else { String::new() };
    let troubles: Vec<_> =
        bus.troubles.iter().map(|(trouble, count)| format!(", {count} {}", trouble.word())).collect();
    let troubles = troubles.concat();
    let (frames, mean, peak) = (grouped(*frames), load(bus.mean()), load(*peak));
    plain(&format!("bus {name}: {frames} frames, load {mean}, {peak} in the busiest trial{lost}{troubles}"))
}

/// What has to be seen comes last.
fn rank(verdict: Option<Verdict>) -> u8 {
    match verdict {
        None => 0,
        Some(Verdict::Pass) => 1,
        Some(Verdict::Inconclusive) => 2,
        Some(Verdict::Fail) => 3,
    }
}

fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Fail) => "FAIL",
        Some(Verdict::Inconclusive) => "inconclusive",
        None => "not judged",
    }
}

impl Layout {
    /// A line for what passes, cut where it is too long; for everything else as many as it takes.
    fn claim(self, out: &mut String, finding: &Finding, words: usize, labels: usize) {
        let verdict = self.paint(finding.verdict);
        let gap = " ".repeat(words - word(finding.verdict).len());
        let room = self.width.saturating_sub(words + 1);
        let label = visible(&finding.label);
        let pad = " ".repeat(labels.saturating_sub(columns_of(&label)));
        let rest = room.saturating_sub(labels + 2);
        let passes = matches!(finding.verdict, Some(Verdict::Pass) | None);
        let why = if passes { numbers(finding) } else { why(finding) };
        if columns_of(&visible(&why)) <= rest {
            let _ = writeln!(out, "{verdict}{gap} {label}{pad}  {}", visible(&why));
            return;
        }
        // Too narrow: the label as it is, the first of the numbers where it fits, and the whole of what went wrong.
        let short = why.split(" · ").next().filter(|short| passes && columns_of(short) <= rest);
        let short = short.map(|short| format!("{pad}  {short}")).unwrap_or_default();
        let _ = write!(out, "{verdict}{gap} ");
        self.lines(out, &format!("{label}{short}"), words + 1);
        if !passes {
            self.lines(out, &format!("{}{why}", " ".repeat(INDENT)), 0);
        }
    }

    fn paint(self, verdict: Option<Verdict>) -> String {
        let word = word(verdict);
        let colour = match verdict {
            Some(Verdict::Pass) => "32",
            Some(Verdict::Fail) => "1;31",
            Some(Verdict::Inconclusive) => "33",
            None => "2",
        };
        if self.colour { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() }
    }

    /// Writes a text in as many lines as it takes; the first begins at the margin.
    fn wrap(self, out: &mut String, text: &str) {
        self.lines(out, text, 0);
    }

    /// Writes the rest of a line, of which `used` columns are taken, and as many lines as it goes on for.
    fn lines(self, out: &mut String, text: &str, mut used: usize) {
        let mut first = true;
        for word in visible(text).split(' ') {
            let word = visible_in(word, self.width.saturating_sub(INDENT).max(1));
            if !first && used + 1 + columns_of(&word) > self.width {
                let _ = write!(out, "\n{:INDENT$}", "");
                used = INDENT;
            } else if !first {
                out.push(' ');
                used += 1;
            }
            out.push_str(&word);
            used += columns_of(&word);
            first = false;
        }
        out.push('\n');
    }
}

/// `600 of 600 in time · p99 45.12 ms · limit 8 s`.
fn numbers(finding: &Finding) -> String {
    let mut parts = vec![format!("{} of {} in time", finding.counts.on_time, finding.counts.trials())];
    match Spread::of(finding).quantile(99, 100) {
        Quantile::TooFew => {}
        shown => parts.push(format!("p99 {}", shown.words())),
    }
    parts.push(format!("limit {}", setting(finding.budget.latency)));
    plain(&parts.join(" · "))
}

/// The reason, and what became of those that were not in time.
fn why(finding: &Finding) -> String {
    // The reason counts the undecided itself.
    let unmet = finding.counts.unmet().filter(|(outcome, count)| *count > 0 && *outcome != Outcome::Undecided);
    let kinds: Vec<_> = unmet.map(|(outcome, count)| format!("{count} {}", outcome.word())).collect();
    if kinds.is_empty() { finding.reason.clone() } else { format!("{}: {}", kinds.join(", "), finding.reason) }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::report::demo;

    fn shown(width: usize) -> String {
        let mut findings = demo::large();
        findings.edges.truncate(8);
        findings.rig_faults[0].detail.push_str(" \x1b[2J");
        render(&findings, Layout { width, colour: false })
    }

    #[test]
    fn what_does_not_pass_comes_last_and_says_why() {
        insta::assert_snapshot!(shown(120), @r"
        pass         D1 DAC - sub → Feeder Circuit Breaker    598 of 598 in time · p99 16.52 ms · limit 2 s
        pass         D2 Feeder Circuit Breaker → DAC - sub    598 of 598 in time · p99 32.77 ms · limit 2 s
        pass         D5 DAC - sub → DMS                       598 of 598 in time · p99 48.66 ms · limit 4 s
        pass         I1 Distr. Cust. Storage → DAC - sub      598 of 598 in time · p99 499.0 ms · limit 8 s
        pass         I3 DAC - Ops/Regnl → LMS - Utility       598 of 598 in time · p99 3.820 s · limit 6 s
        pass         D-T1 sub-total                           598 of 598 in time · p99 74.65 ms · limit 4 s
        inconclusive I6 2-Way Meter - Electr → IPD            592 of 598 in time do not decide 98 % at 95 %
        FAIL         I3 Distr. Cust. Storage → LMS - Utility  27 lost: 571 of 598 in time show < 98 % at 95 %
        FAIL         I4 LMS - Utility → 2-Way Meter - Electr  34 late: 564 of 598 in time show < 98 % at 95 %
        the rig's fault: the wire thread stood still for 61 ms; is the machine busy? ␛[2J
        firmware storage: storage <b>.elf version 0.1.0⟨U+202E⟩ (SHA-256 60303ae22b99…), flashed
        bus storage: 2 408 frames, load 16.1 %, 31.0 % in the busiest trial, 1 lost by rig, 2 no-acknowledge
        598 of 600 trials count, 2 void
        I3 Distr. Cust. Storage → LMS - Utility fails: 571 of 598 in time show < 98 % at 95 %
        2 of 600 trials are void by the rig's fault, fewer than the plan's cap of 2 %
        verdict: FAIL
        ");
    }

    #[test]
    fn a_narrow_window_wraps_what_does_not_pass_and_cuts_what_does() {
        insta::assert_snapshot!(shown(40), @r"
        pass         D1 DAC - sub → Feeder
              Circuit Breaker
        pass         D2 Feeder Circuit Breaker →
              DAC - sub
        pass         D5 DAC - sub → DMS
        pass         I1 Distr. Cust. Storage →
              DAC - sub
        pass         I3 DAC - Ops/Regnl → LMS -
              Utility
        pass         D-T1 sub-total
        inconclusive I6 2-Way Meter - Electr →
              IPD
              592 of 598 in time do not decide
              98 % at 95 %
        FAIL         I3 Distr. Cust. Storage →
              LMS - Utility
              27 lost: 571 of 598 in time show <
              98 % at 95 %
        FAIL         I4 LMS - Utility → 2-Way
              Meter - Electr
              34 late: 564 of 598 in time show <
              98 % at 95 %
        the rig's fault: the wire thread stood
              still for 61 ms; is the machine
              busy? ␛[2J
        firmware storage: storage <b>.elf
              version 0.1.0⟨U+202E⟩ (SHA-256
              60303ae22b99…), flashed
        bus storage: 2 408 frames, load 16.1 %,
              31.0 % in the busiest trial, 1
              lost by rig, 2 no-acknowledge
        598 of 600 trials count, 2 void
        I3 Distr. Cust. Storage → LMS - Utility
              fails: 571 of 598 in time show <
              98 % at 95 %
        2 of 600 trials are void by the rig's
              fault, fewer than the plan's cap
              of 2 %
        verdict: FAIL
        ");
    }

    #[test]
    fn no_line_is_wider_than_the_window() {
        for width in [24, 40, 80, 200] {
            let text = shown(width);
            assert!(text.lines().all(|line| line.width() <= width), "{width} columns:\n{text}");
            assert!(!text.contains('\x1b'));
        }
    }

    #[test]
    fn colour_changes_no_word() {
        let findings = demo::large();
        let coloured = render(&findings, Layout { width: 100, colour: true });
        assert!(coloured.contains("\x1b[1;31mFAIL\x1b[0m"));
        assert_eq!(console::strip_ansi_codes(&coloured), render(&findings, Layout { width: 100, colour: false }));
    }
}
