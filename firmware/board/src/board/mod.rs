//! What differs from board to board. The memory map of each lies in boards/.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use rig_store::Flash;

use crate::last_words::Reset;

#[cfg(feature = "blue-pill")]
mod blue_pill;
#[cfg(feature = "mps2-an385")]
mod mps2_an385;

/// The board that this is built for.
#[cfg(feature = "blue-pill")]
pub(crate) type Here = blue_pill::BluePill;
/// The board that this is built for.
#[cfg(feature = "mps2-an385")]
pub(crate) type Here = mps2_an385::Mps2An385;

/// A board.
pub(crate) trait Board {
    const NAME: &'static str;
    /// Ticks of the core's clock, which SysTick counts.
    const TICKS_PER_SECOND: u64;

    type Uart: Uart;
    /// The field link.
    const FIELD: Self::Uart;
    /// The meter's in-home port.
    const HOME: Self::Uart;

    /// The sectors that the map calls STATE.
    type State: Flash;
    const STATE: Self::State;

    /// Sets up clocks, ports, sense, alarm and watchdog, and lets their interrupts come.
    fn start();

    /// Whether the feeder is energised; `None` while the board does not know.
    fn feeder() -> Option<bool>;

    /// Raises an interrupt once that many nanoseconds have passed. It may come early: who waits for it looks again.
    fn alarm(nanoseconds: u64);

    /// Tells the watchdog that the program comes round. Its patience is 5 s.
    fn feed();

    /// Why it boots, as far as its own registers tell.
    fn reset() -> Option<Reset>;
}

/// A serial port's registers.
pub(crate) trait Uart: Copy {
    /// Ends the interrupt, before what it came for is looked at.
    fn acknowledge(self);

    /// The byte that has arrived.
    fn read(self) -> Option<u8>;

    /// Whether it takes a byte to send.
    fn has_room(self) -> bool;

    /// Sends a byte.
    fn write(self, byte: u8);

    /// Asks for an interrupt when it takes a byte to send, or no longer.
    fn want_room(self, wanted: bool);
}

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
