//! The steps that switch rails, and those that run side by side.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::{Past, Route};
use crate::document::Given;
use crate::plan::Action;
use crate::plan::raw::{RawBounce, RawBrownOut, RawStep};
use crate::quantity::{Name, Time};

/// The most branches of a parallel step.
const MOST_BRANCHES: usize = 16;

/// How deep parallel steps may be nested.
const DEEPEST: usize = 4;

impl Route<'_> {
    pub(super) fn cut(&mut self, rail: &Name, at: Range<usize>) -> Action {
        self.up(rail, &at);
        self.past.down.insert(rail.0.clone(), at);
        Action::Cut { rail: rail.0.clone() }
    }

    pub(super) fn restore(&mut self, rail: &Name, at: Range<usize>) -> Action {
        self.note_rail(rail, &at);
        if self.past.down.remove(&rail.0).is_none() {
            let message = format!("rail `{}` is not cut before this step", rail.0);
            self.review.at(Some(at), &message, "cut it in an earlier step, or leave this one out");
        }
        Action::Restore { rail: rail.0.clone() }
    }

    pub(super) fn brown_out(&mut self, raw: &RawBrownOut, at: &Range<usize>) -> Option<Action> {
        let example = r#"rail = "feeder""#;
        let rail = self.review.need(&raw.rail, at, example);
        let down = self.time(&raw.down, at, r#"down = "5ms""#);
        let (rail, down) = (rail?, down?.0);
        self.up(&rail, &raw.rail.span().unwrap_or(at.clone()));
        Some(Action::BrownOut { rail: rail.0, down, at_most: self.at_most(&raw.at_most, down) })
    }

    pub(super) fn bounce(&mut self, raw: &RawBounce, at: &Range<usize>) -> Option<Action> {
        let rail = self.review.need(&raw.rail, at, r#"rail = "feeder""#);
        let cuts = self.review.count(&raw.cuts, at, "cuts = 3", 1_000);
        let each = self.time(&raw.each, at, r#"each = "5ms""#);
        let (rail, each) = (rail?, each?.0);
        self.up(&rail, &raw.rail.span().unwrap_or(at.clone()));
        Some(Action::Bounce { rail: rail.0, cuts, each, at_most: self.at_most(&raw.at_most, each) })
    }

    /// The longest that a dip may last; never what it is to last at least.
    fn at_most(&mut self, given: &Given<Time>, down: Duration) -> Option<Duration> {
        let (at_most, span) = given.spanned()?;
        if at_most.0 <= down {
            let help = "name more than the time that it is down, and less than what the devices ride through";
            self.review.at(Some(span), "every dip would last too long", help);
        }
        Some(at_most.0)
    }

    fn time(&mut self, given: &Given<Time>, table: &Range<usize>, example: &str) -> Option<Time> {
        let time = self.review.need(given, table, example)?;
        if time.0.is_zero() {
            self.review.at(given.span(), "no time at all", &format!("write a time such as {example}"));
        }
        Some(time)
    }

    /// Checks that a rail is up before it is cut.
    fn up(&mut self, rail: &Name, at: &Range<usize>) {
        self.note_rail(rail, at);
        if self.past.down.contains_key(&rail.0) {
            let message = format!("rail `{}` is already down before this step", rail.0);
            self.review.at(Some(at.clone()), &message, "restore it in an earlier step");
        }
    }

    fn note_rail(&mut self, rail: &Name, at: &Range<usize>) {
        self.past.switched.insert(rail.0.clone());
        self.review.places.entry(format!("rail.{}", rail.0)).or_insert_with(|| at.clone());
    }

    pub(super) fn parallel(
        &mut self,
        branches: &[Vec<Spanned<RawStep>>],
        at: Range<usize>,
        depth: usize,
    ) -> Option<Action> {
        if !(2..=MOST_BRANCHES).contains(&branches.len()) {
            let help = format!("write 2 to {MOST_BRANCHES} lists of steps: parallel = [[…], […]]");
            self.review.at(Some(at.clone()), "a parallel step has branches", &help);
        }
        if depth >= DEEPEST {
            self.review.at(Some(at), "steps in parallel are nested too deep", "move them into one parallel step");
            return None;
        }
        let before = self.past.clone();
        let mut after = before.clone();
        let mut checked = Vec::new();
        let mut touched = BTreeSet::new();
        for branch in branches.iter().take(MOST_BRANCHES) {
            // A branch cannot count on what happens in another one: only on what was before both.
            self.past = before.clone();
            checked.push(self.branch(branch, depth + 1));
            let rails = rails_of(branch);
            if let Some(rail) = rails.intersection(&touched).next() {
                let message = format!("two branches switch rail `{rail}` at the same time");
                self.review.at(Some(at.clone()), &message, "switch a rail in one branch only");
            }
            touched.extend(rails);
            after.join(&before, std::mem::take(&mut self.past));
        }
        self.past = after;
        Some(Action::Parallel(checked))
    }
}

impl Past {
    /// Adds what a branch did since `before`.
    fn join(&mut self, before: &Self, branch: Self) {
        self.sent.retain(|edge, _| branch.sent.contains_key(edge) || !before.sent.contains_key(edge));
        self.down.retain(|rail, _| branch.down.contains_key(rail) || !before.down.contains_key(rail));
        self.sent.extend(branch.sent.into_iter().filter(|(edge, _)| !before.sent.contains_key(edge)));
        self.down.extend(branch.down.into_iter().filter(|(rail, _)| !before.down.contains_key(rail)));
        self.arrived.extend(branch.arrived);
        self.switched.extend(branch.switched);
    }
}

/// The rails that steps switch.
fn rails_of(steps: &[Spanned<RawStep>]) -> BTreeSet<String> {
    let mut rails = BTreeSet::new();
    for step in steps.iter().map(Spanned::get_ref) {
        let direct = [
            step.cut.get(),
            step.restore.get(),
            step.brown_out.get().and_then(|brown_out| brown_out.rail.get()),
            step.bounce.get().and_then(|bounce| bounce.rail.get()),
        ];
        rails.extend(direct.into_iter().flatten().map(|rail| rail.0.clone()));
        rails.extend(step.parallel.get().into_iter().flatten().flat_map(|branch| rails_of(branch)));
    }
    rails
}
