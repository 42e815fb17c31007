//! What differs from board to board. A board has
//!
//! - `NAME`, and `TICKS_PER_SECOND` of the core's clock;
//! - `start`, which sets up its clocks, ports, sense, alarm and watchdog, and lets their interrupts come;
//! - `Uart`, with the ports `FIELD` and `HOME` at 115200 baud, 8N1;
//! - `feeder`, whether the feeder is energised, as far as the board knows;
//! - `alarm`, an interrupt after a time; it may come early, the program looks again;
//! - `feed` for the watchdog, and `was_reset_by_watchdog`;
//! - `StateFlash`, the sectors of the map's STATE.
//!
//! Its memory map lies in boards/.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;

#[cfg(feature = "blue-pill")]
mod blue_pill;
#[cfg(feature = "mps2-an385")]
mod mps2_an385;

#[cfg(feature = "blue-pill")]
pub(crate) use blue_pill::*;
#[cfg(feature = "mps2-an385")]
pub(crate) use mps2_an385::*;

/// Bits per second on both ports.
const BAUD: u32 = 115_200;

/// The number of an interrupt line.
#[derive(Clone, Copy)]
struct Line(u16);

#[expect(unsafe_code, reason = "the trait wants the word of whoever implements it")]
// SAFETY: a board makes lines of the numbers in its manual.
unsafe impl InterruptNumber for Line {
    fn number(self) -> u16 {
        self.0
    }
}

impl Line {
    /// Lets the interrupt come. A handler for it stands in the board's vectors.
    #[expect(unsafe_code, reason = "an interrupt can break into a critical section that masks it alone")]
    fn enable(self) {
        // SAFETY: critical sections here mask all interrupts, never one.
        unsafe { NVIC::unmask(self) }
    }
}

/// Where the map has the sectors of the state.
#[expect(unsafe_code, reason = "the linker's script knows the address")]
fn state_address() -> usize {
    unsafe extern "C" {
        static __state_start: u32;
    }
    (&raw const __state_start).expose_provenance()
}
