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
        buses: BTreeMap::new(),
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
