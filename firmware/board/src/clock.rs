//! The device's clock: nanoseconds since it booted, from SysTick, which every Cortex-M has.

use core::cell::Cell;

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use critical_section::Mutex;

use crate::board::{Board, Here};

/// Ticks from one SysTick interrupt to the next: all 24 bits, so that it wakes the core a few times a second at most.
const PERIOD: u32 = 1 << 24;

/// What SysTick's 24 bits do not hold.
static COUNT: Mutex<Cell<Count>> = Mutex::new(Cell::new(Count::ZERO));

#[derive(Clone, Copy)]
struct Count {
    periods: u64,
    /// The last tick that was told.
    last: u64,
}

impl Count {
    const ZERO: Self = Self { periods: 0, last: 0 };
}

/// Starts the clock at zero.
pub(crate) fn start(systick: &mut SYST) {
    systick.set_clock_source(SystClkSource::Core);
    systick.set_reload(PERIOD - 1);
    critical_section::with(|section| {
        systick.clear_current();
        COUNT.borrow(section).set(Count::ZERO);
        systick.enable_counter();
        systick.enable_interrupt();
    });
}

/// Nanoseconds since [`start`]; never less than before, and no wrap in 500 years.
pub(crate) fn now() -> u64 {
    let ticks = ticks();
    let (seconds, rest) = (ticks / Here::TICKS_PER_SECOND, ticks % Here::TICKS_PER_SECOND);
    seconds * 1_000_000_000 + rest * 1_000_000_000 / Here::TICKS_PER_SECOND
}

fn ticks() -> u64 {
    critical_section::with(|section| {
        let cell = COUNT.borrow(section);
        let count = cell.get();
        // The interrupt comes when the counter reaches 0, which therefore is the first tick of a period.
        let mut left = SYST::get_current();
        let mut periods = count.periods;
        if SCB::is_pendst_pending() {
            left = SYST::get_current();
            periods += 1;
        }
        let ticks = periods * u64::from(PERIOD) + u64::from((PERIOD - left) % PERIOD);
        // An emulator may show the 0 before it raises the interrupt: time stands still until it does.
        let ticks = ticks.max(count.last);
        cell.set(Count { last: ticks, ..count });
        ticks
    })
}

#[exception]
fn SysTick() {
    critical_section::with(|section| {
        let cell = COUNT.borrow(section);
        let count = cell.get();
        cell.set(Count { periods: count.periods + 1, ..count });
    });
}
