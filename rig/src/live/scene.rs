//! What the terminal shows of a session at an instant.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Problem, Progress};
use crate::event::{Event, Fact, PowerStage, Start};
use crate::fixture::Level;
use crate::plan::{Plan, Rule};
use crate::stamp::Nanos;

/// The state of the fold.
#[derive(Debug)]
pub(super) struct Scene {
    plan: Plan,
    /// Session time of the last event.
    pub now: Nanos,
    /// The trial that plays, from 1; 0 before the first.
    pub trial: u32,
    /// Trials that count.
    pub counted: u32,
    /// Trials that do not.
    pub void: u32,
    /// How far the verdict is.
    pub progress: Progress,
    /// Problems so far.
    pub problems: u64,
    /// The last of them.
    pub last: Option<Problem>,
    rails: BTreeMap<String, Level>,
    /// Start of the first trial, end of the last.
    played: Option<(Nanos, Nanos)>,
}

impl Scene {
    pub fn new(start: &Start) -> Self {
        Self {
            plan: start.plan.clone(),
            now: 0,
            trial: 0,
            counted: 0,
            void: 0,
            progress: Progress::default(),
            problems: 0,
            last: None,
            rails: BTreeMap::new(),
            played: None,
        }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Trials that are to count.
    pub fn planned(&self) -> u32 {
        self.plan.trials
    }

    /// Takes an event in and says whether it changes the picture.
    pub fn note(&mut self, event: &Event, problem: Option<&Problem>) -> bool {
        self.now = self.now.max(event.at);
        let mut changed = true;
        match &event.fact {
            Fact::TrialStarted => {
                self.trial = event.trial.unwrap_or(self.trial);
                self.played.get_or_insert((event.at, event.at));
            }
            Fact::TrialEnded { void } => {
                *(if *void { &mut self.void } else { &mut self.counted }) += 1;
                if let Some((_, end)) = &mut self.played {
                    *end = event.at;
                }
            }
            Fact::Power { rail, to, stage: PowerStage::Sensed, .. } => {
                self.rails.insert(rail.clone(), *to);
            }
            _ => changed = false,
        }
        if let Some(problem) = problem {
            self.problems += 1;
            self.last = Some(problem.clone());
            changed = true;
        }
        changed
    }

    /// Whole percents of the trials that count.
    pub fn percent(&self) -> u32 {
        let percent = u64::from(self.counted) * 100 / u64::from(self.planned().max(1));
        u32::try_from(percent.min(100)).expect("a percentage fits")
    }

    /// Time that the trials to come take at the pace so far; none before the first has ended.
    fn left(&self) -> Option<Duration> {
        let (start, end) = self.played?;
        let to_come = self.planned().saturating_sub(self.counted);
        if self.counted == 0 || to_come == 0 {
            return None;
        }
        let pace = end.saturating_sub(start) / u64::from(self.counted);
        let whole = pace.saturating_mul(u64::from(to_come));
        Some(Duration::from_nanos(whole.saturating_sub(self.now.saturating_sub(end))))
    }

    /// Time left in words. A sequential plan may end sooner.
    pub fn left_in_words(&self) -> Option<String> {
        let left = whole_seconds(self.left()?);
        Some(match self.plan.decision.rule {
            Rule::Fixed => format!("{left} left"),
            Rule::Sequential { .. } => format!("at most {left} left"),
        })
    }

    /// `edges 3/15 decided`, where anything is judged.
    pub fn decided_in_words(&self) -> Option<String> {
        let Progress { decided, judged } = self.progress;
        (judged > 0).then(|| format!("edges {decided}/{judged} decided"))
    }

    /// `feeder off`: the rails that were last sensed without power; `power on` where none is.
    pub fn rails_in_words(&self) -> Option<String> {
        let off: Vec<_> =
            self.rails.iter().filter(|(_, level)| **level == Level::Off).map(|(rail, _)| rail.as_str()).collect();
        match (self.rails.is_empty(), off.is_empty()) {
            (true, _) => None,
            (false, true) => Some("power on".to_owned()),
            (false, false) => Some(format!("{} off", off.join(", "))),
        }
    }
}

/// A duration to the second, `1m 12s`.
pub(super) fn whole_seconds(duration: Duration) -> String {
    humantime::format_duration(Duration::from_secs(duration.as_secs())).to_string()
}
