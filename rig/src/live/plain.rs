//! Progress as lines, for a log.

use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

use console::Style;

use super::problem::Problem;
use super::scene::{Scene, whole_seconds};
use crate::stamp::Nanos;
use crate::visible::visible_in;

/// Columns of a line; a log has no window to fit in.
const COLUMNS: usize = 160;
/// Problems told between two lines of progress; the others are counted.
const MOST_PROBLEMS: u64 = 10;
/// Time between two lines of progress, where trials are slow.
const PAUSE: Nanos = 10_000_000_000;

/// Lines of progress on a writer.
#[derive(Debug)]
pub(super) struct Plain<W> {
    out: W,
    /// Whether lines come by trials alone: virtual time runs off at hours a second.
    by_trials: bool,
    /// How problems are set off: in colour or not at all.
    style: Style,
    /// Tenths of the trials at the last line.
    tenths: u32,
    /// Session time of the last line.
    told: Nanos,
    /// Problems since then.
    problems: u64,
    /// What that line said.
    said: String,
}

impl<W: Write> Plain<W> {
    pub fn new(out: W, by_trials: bool, colour: bool) -> Self {
        let style = Style::new().yellow().force_styling(colour);
        Self { out, by_trials, style, tenths: 0, told: 0, problems: 0, said: String::new() }
    }

    pub fn show(&mut self, scene: &Scene, problem: Option<&Problem>) {
        if let Some(problem) = problem {
            self.problems += 1;
            if self.problems <= MOST_PROBLEMS {
                self.problem(problem.at, &problem.to_string());
            }
        }
        let tenths = scene.percent() / 10;
        // In a session of days a line every 10 s would bury the problems: no more than one in 20 of the time so far.
        let pause = PAUSE.max(scene.now / 20);
        let due = !self.by_trials && scene.trial > 0 && scene.now.saturating_sub(self.told) >= pause;
        if tenths > self.tenths || due {
            self.tenths = tenths;
            self.progress(scene);
        }
    }

    /// The last line, where there is anything new to say.
    pub fn finish(mut self, scene: &Scene) {
        self.progress(scene);
    }

    fn progress(&mut self, scene: &Scene) {
        let untold = self.problems.saturating_sub(MOST_PROBLEMS);
        if untold > 0 {
            self.problem(scene.now, &format!("and {untold} more"));
        }
        self.problems = 0;
        self.told = scene.now;

        let trials = format!("trials {}/{} ({} %)", scene.counted, scene.planned(), scene.percent());
        let void = (scene.void > 0).then(|| format!("{} void", scene.void));
        let problems = (scene.problems > 0).then(|| format!("{} so far", count(scene.problems)));
        let parts =
            [Some(trials), void, scene.decided_in_words(), scene.rails_in_words(), problems, scene.left_in_words()];
        let state = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        if state != self.said {
            self.line(scene.now, visible_in(&state, COLUMNS));
            self.said = state;
        }
    }

    fn problem(&mut self, at: Nanos, text: &str) {
        self.line(at, self.style.apply_to(visible_in(text, COLUMNS)).to_string());
    }

    fn line(&mut self, at: Nanos, text: impl Display) {
        let time = whole_seconds(Duration::from_nanos(at));
        // Progress that cannot be written (standard error closed) must not end a session.
        let _ = writeln!(self.out, "[{time}] {text}");
    }
}

fn count(problems: u64) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}
