use defmt::{error, info, warn};
use heapless::Vec;
use rig_device::{Device, Input, Memory, Role, Settings};
use rig_payload::{Actor, Chunk, Decoder, Frame};
use rig_store::Store;

use crate::board::{Board, Here};
use crate::bug::Bug;
use crate::clock;
use crate::identity::{BUILD_ID, VERSION};
use crate::last_words::{self, Reset, Said};
use crate::output::Effects;
use crate::port::{Arrival, COMMANDS, FIELD};

/// The settings of the bench build, those of the twins in fixtures/virtual.toml: a dip of less than 40 ms is ridden
/// through, and the feeder has to be back for 20 ms before storage enters service. IEEE 1547-2018 has 300 s for that;
/// the delay is in no budget, so that a shorter one tests the same rows.
const SETTINGS: Settings = Settings { ride_through: 40_000_000, enter_service: 20_000_000, reclose: 100_000_000 };

/// How long a boot waits for the first word of the feeder's sense, in nanoseconds. A module that is there takes a
/// fraction of it; without one the feeder is down.
const SENSE_PATIENCE: u64 = 500_000_000;
/// Bytes that the device takes in at a step.
const CHUNK: usize = 64;

defmt::timestamp!("{=u64:us}", clock::now() / 1000);

/// Runs a device, for ever.
pub fn run(role: Role) -> ! {
    let (reset, said) = last_words::take();
    let mut core = cortex_m::Peripherals::take().unwrap_or_else(|| unreachable!("a program starts once"));
    Here::start();
    clock::start(&mut core.SYST);

    let store = Store::open(Here::STATE);
    let memory = store.memory().unwrap_or_default();
    tell_boot(role, memory, reset, said.as_ref());
    let feeder = first_sense();
    // Ends what the last loss of power cut short, so that the boot payload does not run into it.
    FIELD.send(&[0]);
    let device = Device::boot(role, SETTINGS, memory);
    let commands = Commands { decoder: Decoder::default(), address: role.actor() };
    Program { device, store, commands, feeder, bug: Bug::default() }.run()
}

fn tell_boot(role: Role, memory: Memory, reset: Reset, said: Option<&Said>) {
    info!(
        "boot role={=str} version={=str} build={=str} board={=str} boots={=u16} reset={=str}",
        match role {
            Role::Storage => "storage",
            Role::Breaker => "breaker",
            Role::Meter => "meter",
        },
        VERSION,
        BUILD_ID,
        Here::NAME,
        memory.boots.wrapping_add(1),
        reset.name()
    );
    if let Some(said) = said {
        error!(
            "crashed before: {=str} at pc {=u32:#010x} lr {=u32:#010x} status {=u32:#x}: {=str}",
            reset.name(),
            said.pc,
            said.lr,
            said.status,
            said.message()
        );
    }
}

/// Waits until the sense has said something, or for as long as that may take.
fn first_sense() -> bool {
    loop {
        if let Some(feeder) = Here::feeder() {
            return feeder;
        }
        if clock::now() >= SENSE_PATIENCE {
            warn!("the feeder's sense says nothing");
            return false;
        }
        sleep_until(Some(SENSE_PATIENCE), || Here::feeder().is_none());
    }
}

/// A device on its board, from boot to reset.
struct Program {
    device: Device,
    store: Store<<Here as Board>::State>,
    commands: Commands,
    feeder: bool,
    bug: Bug,
}

impl Program {
    fn run(mut self) -> ! {
        loop {
            // SysTick alone brings the program round more often than the watchdog wants it.
            Here::feed();
            let wake = self.turn();
            let feeder = self.feeder;
            sleep_until(wake, || COMMANDS.is_empty() && Here::feeder().unwrap_or(false) == feeder);
        }
    }

    /// Gives the device what has happened. Returns when it wants to be woken.
    fn turn(&mut self) -> Option<u64> {
        let feeder = Here::feeder().unwrap_or(false);
        if feeder != self.feeder {
            self.feeder = feeder;
            info!("feeder {=str} at={=u64}", if feeder { "energised" } else { "down" }, clock::now());
        }
        let mut bytes = Vec::<u8, CHUNK>::new();
        while let Some(arrival) = (!bytes.is_full()).then(|| COMMANDS.take()).flatten() {
            // There is room, as was just seen.
            let _ = bytes.push(arrival.byte);
            if let Some(frame) = self.commands.find(arrival) {
                self.bug.command(frame.header.kind);
                // What comes after a command is for the next step, so that each has its own instant.
                break;
            }
        }
        match COMMANDS.take_lost() {
            0 => {}
            lost => warn!("lost {=u32} bytes of the field link", lost),
        }
        let input = Input { now: clock::now(), feeder, bytes: &bytes };
        self.device.step(input, &mut Effects { store: &mut self.store })
    }
}

/// The commands among what arrives, for the log; the device finds them by itself.
struct Commands {
    decoder: Decoder,
    address: Actor,
}

impl Commands {
    fn find(&mut self, arrival: Arrival) -> Option<Frame> {
        let (chunk, spent) = self.decoder.push(arrival.byte)?;
        let Chunk::Frame(frame) = chunk else {
            warn!("broken {=usize} bytes at={=u64}", spent, arrival.at);
            return None;
        };
        let header = frame.header;
        if header.destination != self.address || header.kind.reply().is_none() {
            return None;
        }
        info!("received {=str} sequence={=u16} at={=u64}", header.kind.name(), header.sequence, arrival.at);
        Some(frame)
    }
}

/// Sleeps until an interrupt, and not past `wake`; not at all where there is something to do.
fn sleep_until(wake: Option<u64>, is_idle: impl Fn() -> bool) {
    // With interrupts held back, one that comes after the look still ends the sleep.
    critical_section::with(|_| {
        let now = clock::now();
        if !is_idle() || wake.is_some_and(|wake| wake <= now) {
            return;
        }
        if let Some(wake) = wake {
            Here::alarm(wake - now);
        }
        cortex_m::asm::dsb();
        cortex_m::asm::wfi();
    });
}
