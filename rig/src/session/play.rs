//! Trial after trial, until the plan is done, decided, hopeless or interrupted.

use std::collections::HashMap;

use tokio::sync::watch::Receiver;

use super::Session;
use super::bench::{Bench, Buses, PORT_APPEARS};
use super::notes::Notes;
use super::player::{Player, Scene};
use super::watch;
use crate::event::{End, Fact, RigFault};
use crate::plan::{EdgeId, Plan};
use crate::power::PowerError;
use crate::stamp::ClockWatch;

/// Void trials that are replaced whatever the plan's cap says: a cap in percent means little for a short plan.
const FREE_VOIDS: u32 = 3;

/// Plays all trials of a session.
pub async fn all(session: &Session, bench: &mut Bench, notes: &Notes, mut stop: Receiver<bool>) -> End {
    let scene = bench.scene.clone();
    let buses = bench.buses().clone();
    tokio::select! {
        biased;
        // The trial does not end: it counts for nothing, and no fault of the rig voids it.
        _ = stop.wait_for(|stop| *stop) => End::Interrupted,
        end = trials(session, scene, &buses) => end,
        how = bench.lost() => {
            let why = format!("the virtual bench ended by itself ({how}) while the session ran");
            notes.fault(RigFault::BenchGone, why);
            if notes.trial().is_some() {
                notes.note(Fact::TrialEnded { void: true });
            }
            End::Aborted
        }
    }
}

async fn trials(session: &Session, scene: Scene, buses: &Buses) -> End {
    let plan = &session.plan;
    let player = Player::new(scene.clone(), session.seed);
    let mut clock = (!session.simulated).then(ClockWatch::start);
    let mut losses = Losses::default();
    let (mut trial, mut counted, mut voids) = (0, 0, 0);
    // A panic between two trials spoils the next one too.
    let panics = watch::panics();
    while counted < plan.trials {
        if let Some(lost) = adrift(&scene).await {
            scene.notes.fault(RigFault::AdapterGone, format!("a port of {lost} does not come back"));
            return End::Aborted;
        }
        trial += 1;
        for bus in buses.values() {
            bus.start_trial();
        }
        let faults = scene.notes.faults();
        let missed = one(session, &scene, &player, trial).await;
        if let Some(step) = clock.as_mut().and_then(ClockWatch::stepped) {
            scene.notes.fault(RigFault::ClockStep, format!("the wall clock was stepped by {step} ns"));
        }
        if watch::panics() > panics {
            scene.notes.fault(RigFault::Panic, "a task of rig panicked; this is a bug in rig");
            scene.notes.note(Fact::TrialEnded { void: true });
            return End::Aborted;
        }
        for bus in buses.values() {
            bus.end_trial().await;
        }
        let void = scene.notes.faults() > faults || missed.is_err();
        scene.notes.note(Fact::TrialEnded { void });
        scene.notes.enter(None);
        if void {
            voids += 1;
            if f64::from(voids) > (plan.decision.void_cap * f64::from(plan.trials)).max(FREE_VOIDS.into()) {
                return End::Aborted;
            }
            let whole = missed.is_ok_and(|missed| missed.is_empty());
            // Nothing is played on rails that may be down, or between actors of which one is gone.
            if (!whole && recover(session, &scene).await.is_err()) || scene.carrier.is_severed() {
                return End::Aborted;
            }
            continue;
        }
        counted += 1;
        if losses.count(&missed.unwrap_or_default()) >= plan.give_up_after {
            return End::GaveUp;
        }
        if scene.notes.is_decided() {
            break;
        }
    }
    End::Complete
}

async fn one(session: &Session, scene: &Scene, player: &Player, trial: u32) -> Result<Vec<EdgeId>, PowerError> {
    scene.notes.enter(Some(trial));
    scene.notes.note(Fact::TrialStarted);
    let heard: Vec<_> = scene.carrier.ports().map(|port| port.heard()).collect();
    for port in scene.carrier.ports() {
        port.start_trial();
    }
    let missed = player.play(trial).await;
    if let Ok(missed) = &missed {
        for (port, before) in scene.carrier.ports().zip(heard) {
            let awaited = missed.iter().any(|edge| plays(&session.plan, *edge, port.actor().name()));
            port.judge_silence(awaited && port.is_powered() && port.is_open() && port.heard() == before);
        }
    }
    let restored = scene.supply.restore_all(&session.fixture).await;
    scene.desk.clear();
    scene.carrier.clear();
    missed.and_then(|missed| restored.map(|()| missed))
}

/// After a trial that broke off or missed something, rails may be down and devices busy with it: restores the rails and waits until the
/// longest of the devices' delays is over.
async fn recover(session: &Session, scene: &Scene) -> Result<(), PowerError> {
    scene.supply.restore_all(&session.fixture).await?;
    let devices = session.fixture.devices.values();
    let longest = devices.map(|device| device.boot.max(device.detection + device.enter_service)).max();
    tokio::time::sleep(longest.unwrap_or_default() + session.plan.settle).await;
    scene.desk.clear();
    scene.carrier.clear();
    Ok(())
}

/// A device of which a port was lost although it has power, and does not come back however long it is waited for. What
/// it would send is lost by the rig: no trial can be played.
async fn adrift(scene: &Scene) -> Option<&str> {
    for port in scene.carrier.ports().filter(|port| port.is_adrift()) {
        if tokio::time::timeout(port.device().boot + PORT_APPEARS, port.found_again()).await.is_err() {
            return Some(port.name());
        }
    }
    None
}

fn plays(plan: &Plan, edge: EdgeId, actor: &str) -> bool {
    plan.edge(edge).from == actor
}

/// How many trials in a row an edge has had nothing whole.
#[derive(Default)]
struct Losses {
    streaks: HashMap<EdgeId, u32>,
}

impl Losses {
    /// Takes a trial's missed edges and returns the longest streak.
    fn count(&mut self, missed: &[EdgeId]) -> u32 {
        self.streaks.retain(|edge, _| missed.contains(edge));
        for edge in missed {
            *self.streaks.entry(*edge).or_default() += 1;
        }
        self.streaks.values().copied().max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_ends_with_the_first_trial_that_misses_nothing() {
        let mut losses = Losses::default();
        assert_eq!(losses.count(&[EdgeId(1), EdgeId(2)]), 1);
        assert_eq!(losses.count(&[EdgeId(2)]), 2);
        assert_eq!(losses.count(&[]), 0);
        assert_eq!(losses.count(&[EdgeId(2)]), 1);
    }
}
