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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::fixture::Path;

    const DRAWS: usize = 20_000;
    const MS: Duration = Duration::from_millis(1);

    fn hop(delay: Delay) -> Hop {
        Hop { delay, loss: 0.0, duplicate: 0.0, reorder: 0.0 }
    }

    fn path(from: &str, to: &str, hops: &[(&str, Hop)]) -> (Path, Vec<(String, Hop)>) {
        let via = hops.iter().map(|(name, _)| (*name).to_owned()).collect();
        (
            Path { from: from.into(), to: to.into(), via },
            hops.iter().map(|(name, hop)| ((*name).to_owned(), hop.clone())).collect(),
        )
    }

    fn network(paths: impl IntoIterator<Item = (Path, Vec<(String, Hop)>)>, seed: u64) -> Network {
        let mut fixture = Fixture {
            name: "bench".into(),
            title: String::new(),
            actors: BTreeMap::new(),
            devices: BTreeMap::new(),
            instruments: BTreeMap::new(),
            rails: BTreeMap::new(),
            hops: BTreeMap::new(),
            paths: Vec::new(),
            stall_limit: Duration::from_millis(50),
            bench: None,
        };
        for (path, hops) in paths {
            fixture.paths.push(path);
            fixture.hops.extend(hops);
        }
        Network::new(&fixture, seed)
    }

    fn one(hop: Hop, seed: u64) -> Network {
        network([path("A", "B", &[("hop", hop)])], seed)
    }

    fn passages(network: &mut Network, count: usize) -> Vec<Passage> {
        (0..count).map(|_| network.pass("A", "B")).collect()
    }

    /// Delays in milliseconds of payloads that come out once.
    fn delays(delay: Delay) -> Vec<f64> {
        let mut network = one(hop(delay), 7);
        let out = passages(&mut network, DRAWS).into_iter().map(|passage| match passage {
            Passage::Copies(copies) if copies.len() == 1 => copies[0].as_secs_f64() * 1e3,
            other => panic!("{other:?}"),
        });
        out.collect()
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn deviation(values: &[f64]) -> f64 {
        let mean = mean(values);
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    }

    fn restless() -> Hop {
        Hop { delay: Delay::Exponential { floor: MS, mean: 10 * MS }, loss: 0.1, duplicate: 0.1, reorder: 0.1 }
    }

    #[test]
    fn without_a_path_a_payload_passes_at_once() {
        let mut network = one(restless(), 1);
        assert_eq!(network.pass("B", "A"), Passage::Copies(smallvec![Duration::ZERO]));
    }

    #[test]
    fn fixed_delays_of_hops_add_up() {
        let hops = [("a", hop(Delay::Fixed(3 * MS))), ("b", hop(Delay::Fixed(4 * MS)))];
        let mut network = network([path("A", "B", &hops)], 1);
        assert_eq!(network.pass("A", "B"), Passage::Copies(smallvec![7 * MS]));
    }

    #[test]
    fn a_seed_replays_and_another_does_not() {
        let first = passages(&mut one(restless(), 42), 200);
        assert_eq!(first, passages(&mut one(restless(), 42), 200));
        assert_ne!(first, passages(&mut one(restless(), 43), 200));
    }

    #[test]
    fn a_seed_draws_these_delays_on_every_machine() {
        let mut network = one(hop(Delay::Uniform(Duration::ZERO, 1000 * MS)), 1);
        let drawn: Vec<u128> = passages(&mut network, 4)
            .into_iter()
            .map(|passage| match passage {
                Passage::Copies(copies) => copies[0].as_micros(),
                Passage::LostIn(hop) => panic!("lost in {hop}"),
            })
            .collect();
        // Computed apart from this code: SHA-256, ChaCha8 and the fourth of every five draws, in microseconds.
        assert_eq!(drawn, [457_759, 669_016, 314_154, 721_364]);
    }

    #[test]
    fn what_other_paths_carry_changes_nothing() {
        let both = || [path("A", "B", &[("hop", restless())]), path("C", "B", &[("hop", restless())])];
        let mut quiet = network(both(), 5);
        let alone = passages(&mut quiet, 100);
        let mut busy = network(both(), 5);
        let mut mixed = Vec::new();
        for turn in 0..100 {
            for _ in 0..turn % 3 {
                busy.pass("C", "B");
            }
            mixed.push(busy.pass("A", "B"));
        }
        assert_eq!(alone, mixed);
        assert_ne!(alone, (0..100).map(|_| quiet.pass("C", "B")).collect::<Vec<_>>(), "each path has its own stream");
    }

    #[test]
    fn a_uniform_delay_fills_its_bounds() {
        let ms = delays(Delay::Uniform(20 * MS, 60 * MS));
        assert!(ms.iter().all(|ms| (20.0..=60.0).contains(ms)));
        assert!((mean(&ms) - 40.0).abs() < 0.5, "{}", mean(&ms));
        // The deviation of a uniform distribution is its width over the root of 12.
        assert!((deviation(&ms) - 40.0 / 12f64.sqrt()).abs() < 0.5, "{}", deviation(&ms));
    }

    #[test]
    fn a_normal_delay_has_its_mean_and_deviation() {
        let ms = delays(Delay::Normal { mean: 100 * MS, deviation: 10 * MS });
        assert!((mean(&ms) - 100.0).abs() < 0.5, "{}", mean(&ms));
        assert!((deviation(&ms) - 10.0).abs() < 0.5, "{}", deviation(&ms));
    }

    #[test]
    fn a_normal_delay_is_never_negative() {
        let ms = delays(Delay::Normal { mean: MS, deviation: 10 * MS });
        let at_once = ms.iter().filter(|ms| **ms == 0.0).count() as f64 / ms.len() as f64;
        // Φ(−0.1) of the draws are below 0.
        assert!((at_once - 0.460).abs() < 0.02, "{at_once}");
    }

    #[test]
    fn an_exponential_delay_has_its_floor_and_mean() {
        let ms = delays(Delay::Exponential { floor: 5 * MS, mean: 20 * MS });
        assert!(ms.iter().all(|ms| *ms >= 5.0));
        assert!((mean(&ms) - 25.0).abs() < 0.7, "{}", mean(&ms));
        assert!((deviation(&ms) - 20.0).abs() < 0.9, "{}", deviation(&ms));
    }

    #[test]
    fn losses_name_their_hop_and_come_at_their_rate() {
        let lossy = Hop { loss: 0.05, ..hop(Delay::Fixed(MS)) };
        let mut network = network([path("A", "B", &[("clean", hop(Delay::Fixed(MS))), ("lossy", lossy)])], 3);
        let out = passages(&mut network, DRAWS);
        let lost = out.iter().filter(|passage| matches!(passage, Passage::LostIn(_))).collect::<Vec<_>>();
        assert!(lost.iter().all(|passage| **passage == Passage::LostIn("lossy".into())));
        let share = lost.len() as f64 / DRAWS as f64;
        assert!((share - 0.05).abs() < 0.01, "{share}");
    }

    #[test]
    fn a_loss_of_one_loses_all_and_of_zero_none() {
        let all = passages(&mut one(Hop { loss: 1.0, ..restless() }, 9), 1000);
        assert!(all.iter().all(|passage| *passage == Passage::LostIn("hop".into())));
        let none = passages(&mut one(Hop { loss: 0.0, ..restless() }, 9), 1000);
        assert!(none.iter().all(|passage| matches!(passage, Passage::Copies(_))));
    }

    #[test]
    fn a_duplicate_is_a_second_copy_with_a_delay_of_its_own() {
        let twice = Hop { duplicate: 0.2, ..hop(Delay::Uniform(MS, 2 * MS)) };
        let out = passages(&mut one(twice, 4), DRAWS);
        let doubled: Vec<_> = out
            .iter()
            .filter_map(|passage| match passage {
                Passage::Copies(copies) if copies.len() == 2 => Some((copies[0], copies[1])),
                _ => None,
            })
            .collect();
        let share = doubled.len() as f64 / DRAWS as f64;
        assert!((share - 0.2).abs() < 0.02, "{share}");
        assert!(doubled.iter().all(|(first, second)| first <= second));
        assert!(doubled.iter().any(|(first, second)| first < second));
    }

    #[test]
    fn a_payload_held_back_is_overtaken_by_the_next() {
        let reorder = Hop { reorder: 0.1, ..hop(Delay::Fixed(80 * MS)) };
        let out = passages(&mut one(reorder, 4), DRAWS);
        let held = out.iter().filter(|passage| **passage == Passage::Copies(smallvec![240 * MS])).count();
        let straight = out.iter().filter(|passage| **passage == Passage::Copies(smallvec![80 * MS])).count();
        assert_eq!(held + straight, DRAWS);
        let share = held as f64 / DRAWS as f64;
        assert!((share - 0.1).abs() < 0.01, "{share}");
    }

    #[test]
    fn a_share_changed_alone_leaves_the_delays() {
        let clean = passages(&mut one(hop(Delay::Uniform(MS, 9 * MS)), 6), 500);
        let lossy = passages(&mut one(Hop { loss: 0.3, ..hop(Delay::Uniform(MS, 9 * MS)) }, 6), 500);
        let kept: Vec<_> = clean.iter().zip(&lossy).filter(|(_, lossy)| matches!(lossy, Passage::Copies(_))).collect();
        assert!(kept.len() < 500);
        assert!(kept.iter().all(|(clean, lossy)| clean == lossy));
    }

    proptest! {
        #[test]
        fn copies_are_bounded_and_numbers_of_any_size_do_no_harm(
            seed: u64,
            secs in any::<u64>(),
            share in prop_oneof![Just(1.0), Just(f64::NAN), Just(-1.0), Just(f64::INFINITY), 0.0..1.0],
            hops in 1usize..12,
        ) {
            let long = Duration::from_secs(secs);
            for delay in [
                Delay::Fixed(long),
                Delay::Uniform(long, Duration::ZERO),
                Delay::Normal { mean: long, deviation: long },
                Delay::Exponential { floor: long, mean: long },
            ] {
                let hop = Hop { delay, loss: 0.0, duplicate: share, reorder: share };
                let via = vec![("hop", hop); hops];
                if let Passage::Copies(copies) = network([path("A", "B", &via)], seed).pass("A", "B") {
                    prop_assert!((1..=MOST_COPIES).contains(&copies.len()));
                    prop_assert!(copies.is_sorted());
                }
            }
        }
    }
}
