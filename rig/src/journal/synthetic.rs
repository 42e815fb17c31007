//! Made-up records of any length, for tests and measurements of everything after the event stream.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::event::{Arrival, Delivery, End, Event, Fact, PowerStage, Size, Start, VERSION};
use crate::fixture::{Fixture, Level};
use crate::plan::{Action, Budget, Cause, Decision, Edge, EdgeId, Plan, RoundTrip, Row, RowId, Rule, Step, SubTotal};
use crate::stamp::{Nanos, Source, Stamp};

use super::{Journal, JournalError};

/// Deliveries of a trial: a request, its reply, and an alarm to three destinations.
pub const EDGES: u32 = 5;

const TRIAL: Nanos = 60_000_000_000;
const MILLISECOND: u64 = 1_000_000;

/// What a made-up session is like. Its devices are good unless told otherwise: of `lost` deliveries, none.
#[derive(Clone, Copy, Debug)]
pub struct Synthetic {
    /// Trials that the plan asks for.
    pub planned: u32,
    /// Trials that were played; each has [`EDGES`] deliveries and a power cut.
    pub played: u32,
    /// Share of alarms that are lost.
    pub lost: f64,
    /// Seed of latencies and losses.
    pub seed: u64,
}

impl Synthetic {
    /// A complete session of good devices, with at least so many deliveries.
    #[must_use]
    pub fn of_deliveries(deliveries: u32) -> Self {
        let trials = deliveries.div_ceil(EDGES);
        Self { planned: trials, played: trials, lost: 0.0, seed: 1 }
    }

    /// The session's first fact.
    #[must_use]
    pub fn start(&self) -> Start {
        Start {
            version: VERSION,
            rig: env!("CARGO_PKG_VERSION").into(),
            session: "synthetic".into(),
            wall: "2026-01-01T00:00:00Z".into(),
            wall_gap: 1_000,
            simulated: true,
            seed: self.seed,
            command: Vec::new(),
            sources: BTreeMap::new(),
            plan: plan(self.planned),
            fixture: fixture(),
            host: BTreeMap::new(),
        }
    }

    /// All events of the session, in order.
    pub fn events(&self) -> impl Iterator<Item = Event> + use<> {
        let synthetic = *self;
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let start = Event { at: 0, trial: None, fact: Fact::Started(Box::new(self.start())) };
        let trials = (1..=self.played).flat_map(move |trial| synthetic.trial(trial, &mut random));
        let end = Event { at: (u64::from(self.played) + 1) * TRIAL, trial: None, fact: Fact::Ended(End::Complete) };
        std::iter::once(start).chain(trials).chain(std::iter::once(end))
    }

    /// Writes the session's record into a new folder.
    ///
    /// # Errors
    /// See [`Journal`].
    pub fn write(&self, folder: &Path) -> Result<(), JournalError> {
        let mut journal = Journal::create(folder)?;
        for event in self.events() {
            journal.event(&event)?;
        }
        journal.finish()
    }

    fn trial(&self, trial: u32, random: &mut ChaCha8Rng) -> Vec<Event> {
        let at = u64::from(trial) * TRIAL;
        let mut facts = vec![(at, Fact::TrialStarted)];
        let mut latency = || random.random_range(5..900) * MILLISECOND;
        let (there, back) = (latency(), latency());
        facts.push((at + there, delivery(0, at, there, 25, None)));
        facts.push((at + there + back, delivery(1, at + there, back, 50, None)));
        let cut = at + 10_000 * MILLISECOND;
        facts.extend(
            [PowerStage::Commanded, PowerStage::Acknowledged, PowerStage::Sensed]
                .map(|stage| (cut, power(cut, Level::Off, stage))),
        );
        for edge in 2..5 {
            let latency = random.random_range(20..3_000) * MILLISECOND;
            let fact = if random.random_bool(self.lost) {
                absent(edge, cut)
            } else {
                delivery(edge, cut + 50 * MILLISECOND, latency, 50, Some(cut))
            };
            facts.push((cut + 50 * MILLISECOND + latency, fact));
        }
        let back = cut + 20_000 * MILLISECOND;
        facts.push((back, power(back, Level::On, PowerStage::Sensed)));
        facts.push((back, Fact::TrialEnded { void: false }));
        facts.into_iter().map(|(at, fact)| Event { at, trial: Some(trial), fact }).collect()
    }
}

fn delivery(edge: u16, sent: Nanos, latency: Nanos, size: u16, cause: Option<Nanos>) -> Fact {
    let stamp = |at| Stamp::new(at, at + 20_000, Source::User);
    Fact::Delivery(Delivery {
        edge: EdgeId(edge),
        sent: Some(stamp(sent)),
        on_wire: None,
        arrived: Some(stamp(sent + latency)),
        cause: cause.map(stamp),
        size: Some(Size { payload: size, pdu: size, wire: size + 2 }),
        sequence: Some(edge),
        correlation: Some(0),
        end: Arrival::Whole,
    })
}

fn absent(edge: u16, cause: Nanos) -> Fact {
    Fact::Delivery(Delivery {
        edge: EdgeId(edge),
        sent: None,
        on_wire: None,
        arrived: None,
        cause: Some(Stamp::new(cause, cause, Source::User)),
        size: None,
        sequence: None,
        correlation: None,
        end: Arrival::Absent,
    })
}

fn power(at: Nanos, to: Level, stage: PowerStage) -> Fact {
    Fact::Power { rail: "feeder".into(), to, stage, at: Stamp::new(at, at + MILLISECOND, Source::User) }
}

fn plan(trials: u32) -> Plan {
    let row = |id: &str, phase: &str, payload: &str, size, seconds, reliability| Row {
        id: id.into(),
        phase: phase.into(),
        payload: payload.into(),
        size: (size, size),
        budget: Budget { latency: Duration::from_secs(seconds), reliability },
        judged: true,
    };
    let edge = |row, from: &str, to: &str| Edge { row: RowId(row), from: from.into(), to: to.into() };
    let step = |action| Step { after: (Duration::ZERO, Duration::ZERO), action };
    let alarms = vec![EdgeId(2), EdgeId(3), EdgeId(4)];
    Plan {
        name: "synthetic".into(),
        title: "A made-up session".into(),
        trials,
        decision: Decision { rule: Rule::Fixed, confidence: 0.95, family_wise: false, void_cap: 0.05 },
        patience: Duration::from_secs(5),
        settle: Duration::from_secs(1),
        give_up_after: 20,
        rows: vec![
            row("S1", "status", "circuit-brk_device_status_cmd", 25, 2, 0.995),
            row("S2", "status", "circuit-brk_status_resp-data", 50, 2, 0.995),
            row("S3", "into-island", "distr_cust_storage_in-island-mode_alarm", 50, 4, 0.98),
        ],
        edges: vec![
            edge(0, "DAC - sub", "Feeder Circuit Breaker"),
            edge(1, "Feeder Circuit Breaker", "DAC - sub"),
            edge(2, "Distr. Cust. Storage", "DMS"),
            edge(2, "Distr. Cust. Storage", "OMS"),
            edge(2, "Distr. Cust. Storage", "LMS - Utility"),
        ],
        sub_totals: vec![
            SubTotal {
                id: "S-T1".into(),
                phase: "status".into(),
                claim: Some(RoundTrip {
                    request: EdgeId(0),
                    reply: EdgeId(1),
                    budget: Budget { latency: Duration::from_secs(4), reliability: 0.99 },
                    size: (75, 75),
                }),
            },
            SubTotal { id: "S-T2".into(), phase: "into-island".into(), claim: None },
        ],
        steps: vec![
            step(Action::Exchange { request: EdgeId(0), reply: EdgeId(1) }),
            step(Action::Cut { rail: "feeder".into() }),
            step(Action::Expect { edges: alarms, cause: Cause::Rail("feeder".into()) }),
            step(Action::Restore { rail: "feeder".into() }),
        ],
    }
}

fn fixture() -> Fixture {
    Fixture {
        name: "nothing".into(),
        title: "No bench: a made-up session".into(),
        actors: BTreeMap::new(),
        devices: BTreeMap::new(),
        buses: BTreeMap::new(),
        instruments: BTreeMap::new(),
        rails: BTreeMap::new(),
        hops: BTreeMap::new(),
        paths: Vec::new(),
        stall_limit: Duration::from_millis(50),
        bench: None,
    }
}
