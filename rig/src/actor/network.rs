//! The network between actors, hop by hop: what becomes of a payload on its way.
//!
//! The model only draws; whoever carries the payload waits the delays out. Every path has a random stream of its own,
//! so what is drawn for a payload depends on the seed, the path's two names and how many payloads passed it before,
//! and on nothing else that the session does.

use std::collections::HashMap;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, StandardNormal};
use sha2::{Digest, Sha256};
use smallvec::{SmallVec, smallvec};

use crate::fixture::{Delay, Fixture, Hop};

/// The most copies of one payload that are carried, so that duplicating hops in a row stay bounded.
pub const MOST_COPIES: usize = 8;

/// The least time by which a hop holds a payload back to reorder it; a slow hop holds it for twice its mean delay.
/// Longer than the pause between two payloads of a quick plan, so that the next one does overtake.
pub const HELD_BACK: Duration = Duration::from_millis(100);

/// What becomes of one payload between two actors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// Nothing comes out: the last copy was lost in the hop of this name.
    LostIn(String),
    /// The delay of every copy that comes out, in the order of time: one normally, more where a hop duplicated.
    Copies(SmallVec<[Duration; 2]>),
}

/// The emulated network of a fixture.
#[derive(Debug)]
pub struct Network {
    routes: HashMap<String, HashMap<String, Route>>,
}

/// The hops of a path, and its random stream.
#[derive(Debug)]
struct Route {
    hops: Vec<(String, Hop)>,
    rng: ChaCha8Rng,
}

impl Network {
    /// The network of a checked fixture.
    ///
    /// The same seed draws the same passages on every machine; where a hop's delay is normal or exponential, up to
    /// the last bit of the machine's `exp` and `ln`, which can move a delay by a nanosecond.
    #[must_use]
    pub fn new(fixture: &Fixture, seed: u64) -> Self {
        let mut routes: HashMap<String, HashMap<String, Route>> = HashMap::new();
        for path in &fixture.paths {
            let hops = path.via.iter().filter_map(|name| Some((name.clone(), fixture.hops.get(name)?.clone())));
            let route = Route { hops: hops.collect(), rng: stream(seed, &path.from, &path.to) };
            routes.entry(path.from.clone()).or_default().insert(path.to.clone(), route);
        }
        Self { routes }
    }

    /// Sends one payload from an actor to another; without a path between them it passes at once.
    pub fn pass(&mut self, from: &str, to: &str) -> Passage {
        match self.routes.get_mut(from).and_then(|routes| routes.get_mut(to)) {
            Some(route) => route.pass(),
            None => Passage::Copies(smallvec![Duration::ZERO]),
        }
    }
}

impl Route {
    fn pass(&mut self) -> Passage {
        let mut copies: SmallVec<[Duration; 2]> = smallvec![Duration::ZERO];
        for (name, hop) in &self.hops {
            for position in (0..copies.len()).rev() {
                let fate = Fate::draw(hop, &mut self.rng);
                if fate.lost {
                    copies.swap_remove(position);
                    continue;
                }
                if let Some(second) = fate.second.filter(|_| copies.len() < MOST_COPIES) {
                    let delay = copies[position].saturating_add(second);
                    copies.push(delay);
                }
                copies[position] = copies[position].saturating_add(fate.delay);
            }
            if copies.is_empty() {
                return Passage::LostIn(name.clone());
            }
        }
        copies.sort_unstable();
        Passage::Copies(copies)
    }
}

/// What one hop does to one copy.
struct Fate {
    lost: bool,
    delay: Duration,
    /// The delay of a second copy, where the hop passes the payload on twice.
    second: Option<Duration>,
}

impl Fate {
    /// Draws the same numbers whatever the shares are, so that two fixtures that differ in a share alone give the
    /// payloads that both let pass the same delays.
    fn draw(hop: &Hop, rng: &mut ChaCha8Rng) -> Self {
        let mut chance = |share: f64| rng.random::<f64>() < share;
        let (lost, twice, held) = (chance(hop.loss), chance(hop.duplicate), chance(hop.reorder));
        let (delay, second) = (draw(hop.delay, rng), draw(hop.delay, rng));
        let delay = if held { delay.saturating_add(held_back(hop.delay)) } else { delay };
        Self { lost, delay, second: twice.then_some(second) }
    }
}

/// One delay of a distribution. A normal one is moved up to 0 where it would be negative.
fn draw(delay: Delay, rng: &mut ChaCha8Rng) -> Duration {
    match delay {
        Delay::Fixed(delay) => delay,
        Delay::Uniform(a, b) => {
            let share: f64 = rng.random();
            a.min(b).saturating_add(scaled(a.abs_diff(b), share))
        }
        Delay::Normal { mean, deviation } => {
            let deviations: f64 = StandardNormal.sample(rng);
            let distance = scaled(deviation, deviations.abs());
            if deviations < 0.0 { mean.saturating_sub(distance) } else { mean.saturating_add(distance) }
        }
        Delay::Exponential { floor, mean } => floor.saturating_add(scaled(mean, Exp1.sample(rng))),
    }
}

fn held_back(delay: Delay) -> Duration {
    let mean = match delay {
        Delay::Fixed(delay) => delay,
        Delay::Uniform(a, b) => a.saturating_add(b) / 2,
        Delay::Normal { mean, .. } => mean,
        Delay::Exponential { floor, mean } => floor.saturating_add(mean),
    };
    mean.saturating_mul(2).max(HELD_BACK)
}

/// `duration * factor`; a factor below 0 is 0, and what is longer than a duration can be is the longest one.
fn scaled(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor.max(0.0)).unwrap_or(Duration::MAX)
}

/// The random stream of a path. The names go through SHA-256, which is the same on every platform and in every version
/// of Rust, as a standard hasher is not; a length before each name keeps ("a", "bc") and ("ab", "c") apart.
fn stream(seed: u64, from: &str, to: &str) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    for name in [from, to] {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests;
