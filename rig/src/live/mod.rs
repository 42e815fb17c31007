//! Progress on the terminal: a fold over the session's events that keeps nothing and judges nothing.
//!
//! Everything goes to standard error. Times come from the events, so a session read back or simulated is told in its
//! own time. What devices said is made [visible](crate::visible) and cut to the window before it is written.

mod bar;
mod plain;
mod problem;
mod scene;

use std::io::{self, IsTerminal};

use bar::Bar;
use plain::Plain;
use problem::Problem;
use scene::Scene;

use crate::event::{Event, Start};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A bar that is drawn again and again.
    Bar,
    /// Lines, for a log.
    Plain,
}

impl Mode {
    /// A bar where standard error is a terminal that can move its cursor; else lines.
    #[must_use]
    pub fn detect() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !dumb { Self::Bar } else { Self::Plain }
    }
}

/// How far the verdict is. It is the verdict's to know; progress only shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Judged claims that have enough trials for a verdict.
    pub decided: usize,
    /// Claims that are judged.
    pub judged: usize,
}

/// Progress of one session on the terminal.
#[derive(Debug)]
pub struct Live {
    scene: Scene,
    screen: Screen,
}

#[derive(Debug)]
enum Screen {
    Bar(Bar),
    Plain(Plain<io::Stderr>),
}

impl Live {
    /// Progress of the session that starts so.
    #[must_use]
    pub fn new(mode: Mode, start: &Start) -> Self {
        let screen = match mode {
            Mode::Bar => Screen::Bar(Bar::on_stderr(start.plan.trials)),
            Mode::Plain => Screen::Plain(Plain::new(io::stderr(), start.simulated, console::colors_enabled_stderr())),
        };
        Self { scene: Scene::new(start), screen }
    }

    /// Takes an event in, and how far the verdict is with it, and shows what that changes.
    pub fn note(&mut self, event: &Event, progress: Progress) {
        let problem = Problem::of(event, self.scene.plan());
        self.scene.progress = progress;
        let changed = self.scene.note(event, problem.as_ref());
        match &mut self.screen {
            Screen::Bar(bar) if changed => bar.show(&self.scene),
            Screen::Bar(_) => {}
            Screen::Plain(plain) => plain.show(&self.scene, problem.as_ref()),
        }
    }

    /// Takes the bar away and leaves one line that says how far the session came.
    pub fn finish(self) {
        match self.screen {
            Screen::Bar(bar) => {
                bar.clear();
                Plain::new(io::stderr(), true, false).finish(&self.scene);
            }
            Screen::Plain(plain) => plain.finish(&self.scene),
        }
    }
}

#[cfg(test)]
mod tests;
