use rig_payload::{Kind, Mode, State};

use crate::chassis::{Chassis, Command, Edge};
use crate::device::{Output, Settings};

/// What the feeder carries while the breaker is closed.
const LOAD_W: i32 = 250_000;

/// The breaker relay: opens when the feeder falls, recloses when it has been back for a while, and says so when it is
/// asked.
#[derive(Clone, Debug)]
pub(crate) struct Breaker {
    phase: Phase,
    reclose: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    Open,
    /// Open, and the feeder is back since `since`.
    Reclosing {
        since: u64,
    },
}

impl Breaker {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { phase: Phase::Closed, reclose: settings.reclose }
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.phase {
            Phase::Closed => Mode::Normal,
            Phase::Open | Phase::Reclosing { .. } => Mode::Tripped,
        }
    }

    pub(crate) fn watts(&self, chassis: &Chassis) -> i32 {
        if self.phase == Phase::Closed && chassis.energised() { LOAD_W } else { 0 }
    }

    pub(crate) fn edge(&mut self, edge: Edge, chassis: &mut Chassis, output: &mut impl Output) {
        self.phase = match (edge, self.phase) {
            (Edge::Fell, Phase::Closed) => {
                chassis.remember(|memory| memory.trips = memory.trips.wrapping_add(1), output);
                Phase::Open
            }
            (Edge::Fell, _) => Phase::Open,
            (Edge::Returned, Phase::Open) => Phase::Reclosing { since: chassis.now() },
            (Edge::Returned, phase) => phase,
        };
    }

    pub(crate) fn wake(&self) -> Option<u64> {
        match self.phase {
            Phase::Reclosing { since } => Some(since.saturating_add(self.reclose)),
            Phase::Closed | Phase::Open => None,
        }
    }

    pub(crate) fn due(&mut self, chassis: &Chassis) {
        if self.wake().is_some_and(|wake| chassis.now() >= wake) {
            self.phase = Phase::Closed;
        }
    }

    pub(crate) fn command(&self, command: &Command, chassis: &mut Chassis, output: &mut impl Output) {
        if command.header.kind == Kind::BreakerStatusCmd {
            let state = self.state(chassis.now(), chassis);
            chassis.reply(command, state.into(), output);
        }
    }

    pub(crate) fn state(&self, cause: u64, chassis: &Chassis) -> State {
        chassis.state(self.mode(), self.watts(chassis), cause)
    }
}
