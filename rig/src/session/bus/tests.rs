//! What a bus tells of its adapter's troubles, trial by trial.

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

use rig_can::Frame;
use time::OffsetDateTime;
use tokio::task::{LocalSet, spawn_local};

use super::*;
use crate::event::Event;
use crate::fixture::Fixture;
use crate::journal::Record;
use crate::link::MemoryPort;
use crate::stamp::{Clock, Source};

struct Scene {
    bus: Rc<Bus>,
    opened: Rc<Opened>,
    records: Receiver<Record>,
}

impl Scene {
    /// The bus of the committed virtual bench, open.
    async fn open() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/virtual-can.toml");
        let fixture = Fixture::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value;
        let (bench, ports) = rig_virtual::Bench::in_memory(fixture.bench.as_ref().expect("a bench")).expect("a bench");
        spawn_local(bench.run());
        let ports = ports.into_iter().map(|(name, port)| {
            let port: MemoryPort = Rc::new(move || port.open());
            (name, port)
        });
        let ports = BenchPorts::Memory(ports.collect());
        let (sender, records) = mpsc::channel();
        let notes = Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, sender);
        let bus = Rc::new(Bus::new("storage", &fixture, notes).expect("a bus"));
        let listening = Rc::clone(&bus);
        spawn_local(async move { listening.listen(&ports).await });
        let opened = bus.opened().await;
        Self { bus, opened, records }
    }

    /// Plays a trial in which the adapter tells of these; returns its facts.
    async fn trial(&self, troubles: &[Trouble], lost: u32) -> Vec<Fact> {
        let tap = Listener { bus: &self.bus, opened: &self.opened };
        self.bus.start_trial();
        self.facts();
        for trouble in troubles {
            tap.trouble(*trouble, Stamp::new(0, 0, Source::Kernel));
        }
        if lost > 0 {
            tap.lost(lost);
        }
        self.trial_end().await
    }

    async fn trial_end(&self) -> Vec<Fact> {
        self.bus.end_trial().await;
        self.facts()
    }

    fn facts(&self) -> Vec<Fact> {
        let facts = self.records.try_iter().filter_map(|record| match record {
            Record::Event(Event { fact, .. }) => Some(fact),
            Record::Traffic(_) => None,
        });
        facts.collect()
    }
}

fn faults(facts: &[Fact]) -> Vec<RigFault> {
    let fault = |fact: &Fact| match fact {
        Fact::RigFault { fault, .. } => Some(*fault),
        _ => None,
    };
    facts.iter().filter_map(fault).collect()
}

async fn on_bus(play: impl AsyncFnOnce(Scene)) {
    LocalSet::new().run_until(async { play(Scene::open().await).await }).await;
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_is_off_the_bus_when_it_is_opened_speaks_against_playing() {
    on_bus(async |scene| {
        let listener = Listener { bus: &scene.bus, opened: &scene.opened };
        scene.facts();
        listener.found(Trouble::ErrorPassive);
        let facts = scene.facts();
        let [Fact::Warning { detail }] = &facts[..] else { panic!("{facts:?}") };
        insta::assert_snapshot!(detail, @"bus storage: error-passive since before it was opened: the adapter counts so many errors that it is error passive: check that another node is there and powered, bit rates, termination and cable");
        assert_eq!(scene.bus.symptom().await, None, "its counters tell of what was before");
        listener.found(Trouble::BusOff);
        assert_eq!(faults(&scene.facts()), [RigFault::BusOff]);
        assert_eq!(scene.bus.symptom().await, Some(Trouble::BusOff));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_stays_off_the_bus_voids_each_trial_until_it_is_back() {
    on_bus(async |scene| {
        assert_eq!(faults(&scene.trial(&[Trouble::BusOff, Trouble::BusOff], 0).await), [RigFault::BusOff]);
        assert_eq!(faults(&scene.trial(&[], 0).await), [RigFault::BusOff]);
        assert_eq!(faults(&scene.trial(&[Trouble::Restarted], 0).await), []);
        assert_eq!(faults(&scene.trial(&[], 0).await), []);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_on_the_bus_shows_that_the_adapter_is_back() {
    on_bus(async |scene| {
        scene.trial(&[Trouble::BusOff], 0).await;
        let frame = Frame::classic(Id::Standard(1), &[]).expect("a frame");
        scene.opened.transmit(&frame).await.expect("the adapter takes it");
        assert_eq!(faults(&scene.trial(&[], 0).await), []);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_between_two_trials_hides_no_loss_in_the_next() {
    on_bus(async |scene| {
        let lost = |facts: &[Fact]| match facts.last() {
            Some(Fact::BusLoad { lost, .. }) => *lost,
            last => panic!("{last:?}"),
        };
        let tap = Listener { bus: &scene.bus, opened: &scene.opened };
        tap.lost(3);
        tap.trouble(Trouble::Overrun, Stamp::new(0, 0, Source::Kernel));
        let facts = scene.trial(&[Trouble::Overrun], 4).await;
        assert_eq!((faults(&facts), lost(&facts)), (vec![RigFault::Overrun, RigFault::Overrun], 4));
        let facts = scene.trial(&[], 0).await;
        assert_eq!((faults(&facts), lost(&facts)), (vec![], 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn other_troubles_are_told_once_a_trial_and_warned_of_once_and_are_no_fault() {
    on_bus(async |scene| {
        for warnings in [2, 0] {
            let facts = scene.trial(&[Trouble::NoAcknowledge, Trouble::ErrorPassive, Trouble::ErrorPassive], 0).await;
            assert_eq!(faults(&facts), []);
            let count = |is: fn(&&Fact) -> bool| facts.iter().filter(is).count();
            assert_eq!(count(|fact| matches!(fact, Fact::BusTrouble { .. })), 2);
            assert_eq!(count(|fact| matches!(fact, Fact::Warning { .. })), warnings);
            let Some(Fact::BusLoad { troubles, .. }) = facts.last() else { panic!("{facts:?}") };
            assert_eq!(troubles[&Trouble::ErrorPassive], 2);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_that_waited_for_rig_are_its_fault_once_a_trial() {
    on_bus(async |scene| {
        let frame = Frame::classic(Id::Standard(1), &[]).expect("a frame");
        let tap = Listener { bus: &scene.bus, opened: &scene.opened };
        let heard_after = async |wait: u64| {
            let now = scene.bus.notes.now();
            let seen = Seen { frame, at: Stamp::new(now, now, Source::Kernel) };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            tap.frame(false, &seen);
        };
        let played = async |wait| {
            scene.bus.start_trial();
            scene.facts();
            heard_after(wait).await;
            heard_after(wait).await;
            scene.trial_end().await
        };
        assert_eq!(faults(&played(100).await), []);
        assert_eq!(faults(&played(101).await), [RigFault::Stalled]);
        assert_eq!(faults(&played(101).await), [RigFault::Stalled]);
        assert_eq!(faults(&played(1).await), []);
    })
    .await;
}
