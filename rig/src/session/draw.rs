use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::plan::{Action, Step};

/// A step whose pause has been drawn.
#[derive(Clone, Debug)]
pub struct Drawn<'a> {
    /// The pause before it.
    pub pause: Duration,
    /// What happens.
    pub act: Act<'a>,
}

/// What happens in a drawn step.
#[derive(Clone, Debug)]
pub enum Act<'a> {
    /// Anything but branches.
    One(&'a Action),
    /// Branches of steps at the same time.
    Parallel(Vec<Vec<Drawn<'a>>>),
}

/// The random source of a trial: the same for a session's seed and the trial's number, whatever ran before it.
#[must_use]
pub fn random(seed: u64, trial: u32) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::from(trial));
    random
}

/// Draws all pauses of a trial before it starts, in the plan's order, so that they do not depend on who is faster.
#[must_use]
pub fn draw<'a>(steps: &'a [Step], random: &mut ChaCha8Rng) -> Vec<Drawn<'a>> {
    steps
        .iter()
        .map(|step| {
            let (shortest, longest) = step.after;
            let pause = random.random_range(shortest..=longest.max(shortest));
            let act = match &step.action {
                Action::Parallel(branches) => {
                    Act::Parallel(branches.iter().map(|branch| draw(branch, random)).collect())
                }
                action => Act::One(action),
            };
            Drawn { pause, act }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays_and_trials_differ() {
        let pause = (Duration::ZERO, Duration::from_secs(1));
        let steps = vec![Step { after: pause, action: Action::Wait }; 4];
        let pauses = |seed, trial| -> Vec<_> {
            draw(&steps, &mut random(seed, trial)).into_iter().map(|drawn| drawn.pause).collect()
        };
        assert_eq!(pauses(1, 7), pauses(1, 7));
        assert_ne!(pauses(1, 7), pauses(1, 8));
        assert_ne!(pauses(1, 7), pauses(2, 7));
    }
}
