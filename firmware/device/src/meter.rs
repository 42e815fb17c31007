use rig_payload::{Actor, Body, Kind, MAX_PAYLOAD, Mode, OVERHEAD, State};

use crate::chassis::{Chassis, Command};
use crate::device::Output;
use crate::memory::Memory;

/// Whom the meter tells of a cap and of its end: the destinations of rows I6 and I12.
const TOLD: [Actor; 3] = [Actor::Ipd, Actor::CustomerEms, Actor::Mdms];
/// What the customer draws with and without a cap.
const CAPPED_W: i32 = -400;
const UNCAPPED_W: i32 = -1_500;
/// Bytes of an interval reading: watt-hours, little endian.
const READING: usize = 4;
/// The most readings that an alert of 150 bytes has room for.
const MAX_READINGS: usize = (MAX_PAYLOAD - OVERHEAD - State::SIZE) / READING;

/// The two-way meter: caps the customer's energy and lifts the cap when it is told to, and reports both. All of its
/// state is in its memory.
#[derive(Clone, Debug)]
pub(crate) struct Meter;

impl Meter {
    pub(crate) fn mode(memory: &Memory) -> Mode {
        if memory.capped { Mode::Capped } else { Mode::Normal }
    }

    /// Power to the grid: negative, as the customer draws it.
    pub(crate) fn watts(chassis: &Chassis) -> i32 {
        match (chassis.energised(), chassis.memory().capped) {
            (false, _) => 0,
            (true, true) => CAPPED_W,
            (true, false) => UNCAPPED_W,
        }
    }

    pub(crate) fn state(cause: u64, chassis: &Chassis) -> State {
        chassis.state(Self::mode(chassis.memory()), Self::watts(chassis), cause)
    }

    pub(crate) fn command(command: &Command, chassis: &mut Chassis, output: &mut impl Output) {
        let (capped, alert) = match command.header.kind {
            Kind::CapCmd => (true, Kind::CappedAlert),
            Kind::CancelCmd => (false, Kind::UncappedAlert),
            _ => return,
        };
        if repeats(command, capped, chassis.memory()) {
            chassis.acknowledge(command, output);
            return;
        }
        chassis.remember(
            |memory| {
                memory.last_setting = command.header.sequence;
                memory.capped = capped;
                memory.setting = if capped { command.setting.value } else { 0 };
                memory.trips = memory.trips.wrapping_add(u16::from(capped));
            },
            output,
        );
        chassis.acknowledge(command, output);
        let body = report(chassis);
        for destination in TOLD {
            chassis.send(alert, destination, command.header.sequence, body, output);
        }
    }
}

/// Whether this is the command that was accepted last, once more. 0 is what a memory holds that has accepted none.
fn repeats(command: &Command, capped: bool, memory: &Memory) -> bool {
    memory.last_setting != 0
        && memory.last_setting == command.header.sequence
        && memory.capped == capped
        && (!capped || memory.setting == command.setting.value)
}

/// The state, and as many interval readings as the count of caps says, so that the sizes of 50 to 150 bytes all occur.
fn report(chassis: &Chassis) -> Body {
    let state = Meter::state(chassis.now(), chassis);
    let mut bytes = [0; State::SIZE + MAX_READINGS * READING];
    bytes[..State::SIZE].copy_from_slice(Body::from(state).as_bytes());
    let readings = usize::from(state.trips) % (MAX_READINGS + 1);
    let mut reading = state.energy_wh;
    for slot in bytes[State::SIZE..].chunks_exact_mut(READING).take(readings) {
        slot.copy_from_slice(&reading.to_le_bytes());
        // A quarter of an hour of the uncapped load, backwards in time.
        reading = reading.saturating_sub(UNCAPPED_W.unsigned_abs() / 4);
    }
    Body::new(&bytes[..State::SIZE + readings * READING])
}
