//! Progress as a bar on a terminal.

use std::fmt;
use std::time::Duration;

use console::{Term, style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::scene::Scene;
use crate::visible::visible_in;

/// Three lines: the bar, the state, the last problem.
const TEMPLATE: &str = "{spinner} {prefix} [{wide_bar:.green}] {percent}%\n{msg}";

/// A bar of the trials.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Columns of the terminal, now.
    width: Box<dyn Fn() -> usize + Send>,
}

impl fmt::Debug for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bar").field("bar", &self.bar).finish_non_exhaustive()
    }
}

impl Bar {
    pub fn on_stderr(trials: u32) -> Self {
        let width = || usize::from(Term::stderr().size().1);
        let bar = Self::new(ProgressDrawTarget::stderr(), Box::new(width), trials);
        // Something must move while a trial waits for minutes.
        bar.bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }

    pub fn new(target: ProgressDrawTarget, width: Box<dyn Fn() -> usize + Send>, trials: u32) -> Self {
        let bar = ProgressBar::with_draw_target(Some(trials.into()), target);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).expect("the template is right").progress_chars("=> "));
        Self { bar, width }
    }

    pub fn show(&self, scene: &Scene) {
        self.bar.set_prefix(format!("trial {}/{}", scene.trial, scene.planned()));
        self.bar.set_message(below(scene, (self.width)()));
        self.bar.set_position(scene.counted.into());
    }

    pub fn clear(self) {
        self.bar.finish_and_clear();
    }
}

/// The lines below the bar; what matters most comes first, a narrow window cuts the rest.
fn below(scene: &Scene, columns: usize) -> String {
    let void = (scene.void > 0).then(|| format!("{} void", scene.void));
    let parts = [scene.left_in_words(), scene.decided_in_words(), scene.rails_in_words(), void];
    let state = visible_in(&parts.into_iter().flatten().collect::<Vec<_>>().join(" · "), columns);
    match &scene.last {
        None => state,
        Some(last) => {
            let problem = match scene.problems {
                1 => last.to_string(),
                count => format!("{count} problems, last: {last}"),
            };
            format!("{state}\n{}", style(visible_in(&problem, columns)).for_stderr().yellow())
        }
    }
}
