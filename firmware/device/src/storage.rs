use rig_payload::{Actor, Kind, Mode, State};

use crate::chassis::{Chassis, Command, Edge};
use crate::device::{Output, Settings};

/// Whom storage tells of an island and of its end: the destinations of rows I1, I3, I7 and I9.
const TOLD: [Actor; 3] = [Actor::DacSub, Actor::ScadaFep, Actor::Lms];

/// What the battery holds when it is full, in watt-hours; at boot it is half full.
const CAPACITY_WH: i64 = 10_000;

/// The storage controller: detects that the feeder fell, rides through a dip, feeds the island, and enters service
/// again when the feeder has been back for long enough.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    phase: Phase,
    ride_through: u64,
    enter_service: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Connected,
    /// The feeder fell at `since`, and it may be a dip.
    Riding {
        since: u64,
    },
    Islanded,
    /// The feeder is back since `since`.
    Returning {
        since: u64,
    },
}

impl Storage {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { phase: Phase::Connected, ride_through: settings.ride_through, enter_service: settings.enter_service }
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.phase {
            Phase::Connected | Phase::Riding { .. } => Mode::Normal,
            Phase::Islanded => Mode::Islanded,
            Phase::Returning { .. } => Mode::Returning,
        }
    }

    /// Power to the grid: what was set, while there is a grid to feed and it is in service.
    pub(crate) fn watts(&self, chassis: &Chassis) -> i32 {
        if self.mode() == Mode::Normal && chassis.energised() { chassis.memory().setting } else { 0 }
    }

    pub(crate) fn edge(&mut self, edge: Edge, chassis: &Chassis) {
        let since = chassis.now();
        self.phase = match (edge, self.phase) {
            (Edge::Fell, Phase::Connected) => Phase::Riding { since },
            // Any interruption restarts the delay, however short (IEEE 1547.1-2020 5.6).
            (Edge::Fell, Phase::Returning { .. }) => Phase::Islanded,
            (Edge::Returned, Phase::Riding { .. }) => Phase::Connected,
            (Edge::Returned, Phase::Islanded) => Phase::Returning { since },
            (_, phase) => phase,
        };
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        match self.phase {
            Phase::Riding { since } => Some(since.saturating_add(self.ride_through)),
            Phase::Returning { since } => Some(since.saturating_add(self.enter_service)),
            Phase::Connected | Phase::Islanded => None,
        }
    }

    pub(crate) fn due(&mut self, chassis: &mut Chassis, output: &mut impl Output) {
        if self.wake().is_none_or(|wake| chassis.now() < wake) {
            return;
        }
        match self.phase {
            Phase::Riding { since } => {
                self.phase = Phase::Islanded;
                chassis.remember(|memory| memory.trips = memory.trips.wrapping_add(1), output);
                self.tell(Kind::InIslandAlarm, since, chassis, output);
            }
            Phase::Returning { since } => {
                self.phase = Phase::Connected;
                self.tell(Kind::OutOfIslandAlert, since, chassis, output);
            }
            Phase::Connected | Phase::Islanded => {}
        }
    }

    pub(crate) fn command(&self, command: &Command, chassis: &mut Chassis, output: &mut impl Output) {
        let watts = command.setting.value.saturating_abs();
        match command.header.kind {
            Kind::StorageStatusCmd => {
                let state = self.state(chassis.now(), chassis);
                chassis.reply(command, state.into(), output);
            }
            Kind::DischargeCmd => set(watts, command, chassis, output),
            Kind::ChargeRateCmd => set(-watts, command, chassis, output),
            _ => {}
        }
    }

    pub(crate) fn state(&self, cause: u64, chassis: &Chassis) -> State {
        let held = (CAPACITY_WH / 2 - chassis.delivered_wh()).clamp(0, CAPACITY_WH);
        let charge_permille = u16::try_from(held * 1000 / CAPACITY_WH).unwrap_or(0);
        State { charge_permille, ..chassis.state(self.mode(), self.watts(chassis), cause) }
    }

    fn tell(&self, kind: Kind, since: u64, chassis: &mut Chassis, output: &mut impl Output) {
        let state = self.state(since, chassis);
        for destination in TOLD {
            chassis.send(kind, destination, chassis.memory().trips, state.into(), output);
        }
    }
}

fn set(watts: i32, command: &Command, chassis: &mut Chassis, output: &mut impl Output) {
    chassis.remember(
        |memory| {
            memory.setting = watts;
            memory.last_setting = command.header.sequence;
        },
        output,
    );
    chassis.acknowledge(command, output);
}
