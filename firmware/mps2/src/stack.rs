use std::path::Path;

use rig_payload::{Actor, Kind};

use crate::image::Image;
use crate::line::{LineError, command};
use crate::machine::{Machine, MachineError};

/// What `cortex-m-rt` paints the stack with before a program runs.
const PAINT: [u8; 4] = 0xCCCC_CCCC_u32.to_le_bytes();

/// The stack of a program, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The deepest that it was.
    pub used: u32,
    /// What there is.
    pub size: u32,
}

/// Why the stack was not measured.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The machine.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// Its field link.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The sense module.
    #[error("the machine takes no word of the sense module")]
    Sense(#[from] std::io::Error),
    /// The image has no stack.
    #[error("the image has no symbols of a stack")]
    NoStack,
}

/// Measures how deep the stack gets: the program of an image that lies in `flash` runs through all that it does, with
/// the stack painted before, and the paint that is left is counted. It is what was seen, not a bound that holds for
/// all: interrupts nest where they happen to come, and last words are not among it.
///
/// # Errors
/// Where the program does not do what it should.
pub fn deepest_stack(image: &Image, flash: &Path, folder: &Path) -> Result<Stack, StackError> {
    let ends = (image.symbol("_stack_end"), image.symbol("_stack_start"));
    let (Some(bottom), Some(top)) = ends else { return Err(StackError::NoStack) };
    let mut machine = Machine::start(flash, folder)?;
    exercise(&mut machine)?;
    let size = top.address - bottom.address;
    let stack = machine.memory(bottom.address, size)?;
    let clean = stack.chunks_exact(PAINT.len()).take_while(|word| *word == PAINT).count() * PAINT.len();
    Ok(Stack { used: size.saturating_sub(u32::try_from(clean).unwrap_or(size)), size })
}

/// All commands in bursts, enough of them that every sector of the state is erased, with the feeder going and coming,
/// and with bytes between them that are no commands.
fn exercise(machine: &mut Machine) -> Result<(), StackError> {
    let boot = machine.field.receive_kind(Kind::Boot)?;
    let device = boot.header.source;
    let commands: &[Kind] = match device {
        Actor::Storage => &[Kind::StorageStatusCmd, Kind::DischargeCmd, Kind::ChargeRateCmd],
        Actor::Meter => &[Kind::CapCmd, Kind::CancelCmd],
        _ => &[Kind::BreakerStatusCmd],
    };
    for round in 0..70_u16 {
        machine.sense.set(round % 4 != 3)?;
        machine.field.send(&[0x11; 30])?;
        machine.field.send(&[0xFF; 200])?;
        machine.field.send(&[0])?;
        let count = u16::try_from(commands.len()).unwrap_or(1);
        for (offset, kind) in (0..).zip(commands) {
            machine.field.send(&command(*kind, device, 1 + round * count + offset, i32::from(round)))?;
        }
        for reply in commands.iter().filter_map(|kind| kind.reply()) {
            machine.field.receive_kind(reply)?;
        }
        if device == Actor::Meter {
            machine.home.receive_kind(Kind::UncappedAlert)?;
        }
    }
    Ok(())
}
