//! Seeded bugs, each behind a feature of its name. They are for tests of rig, which has to find and name them.

use rig_payload::Kind;

/// What the program does wrong, and how often it has had the chance.
#[derive(Default)]
pub(crate) struct Bug {
    commands: u32,
    caps: u32,
    slots: Slots,
}

impl Bug {
    /// Strikes, or not, when a command has arrived and before the device sees it.
    pub(crate) fn command(&mut self, kind: Kind) {
        self.commands += 1;
        self.caps += u32::from(kind == Kind::CapCmd);
        if cfg!(feature = "bug-crash") && self.caps == CRASH_AT && kind == Kind::CapCmd {
            cortex_m::asm::udf();
        }
        if cfg!(feature = "bug-hang") && self.commands == HANG_AT {
            loop {
                cortex_m::asm::nop();
            }
        }
        if cfg!(feature = "bug-leak") {
            self.slots.take();
        }
        if cfg!(feature = "bug-stall") && self.commands.is_multiple_of(STALL_EVERY) {
            let until = crate::clock::now() + STALL;
            while crate::clock::now() < until {}
        }
    }
}

/// `bug-crash`: the 7th cap command since the boot ends in an undefined instruction.
const CRASH_AT: u32 = 7;
/// `bug-hang`: the 5th command since the boot never ends.
const HANG_AT: u32 = 5;
/// `bug-stall`: every 5th command takes this long, in nanoseconds. The watchdog has more patience.
const STALL_EVERY: u32 = 5;
const STALL: u64 = 3_000_000_000;

/// `bug-leak`: every command takes a slot of a pool that nobody gives back.
#[derive(Default)]
struct Slots {
    taken: usize,
}

impl Slots {
    const COUNT: usize = 32;

    fn take(&mut self) {
        assert!(self.taken < Self::COUNT, "out of slots");
        self.taken += 1;
    }
}
