//! QEMU's mps2-an385: a Cortex-M3 with the CMSDK peripherals of Arm's application note AN385.
//!
//! | what | where |
//! | --- | --- |
//! | flash | the 16 MB PSRAM at `0x2100_0000`, which QEMU can back with a file; the state has its last 4 KB |
//! | RAM | 64 KB of the SSRAM at `0x2000_0000` |
//! | field link | UART0, `0x4000_4000` |
//! | in-home port | UART1, `0x4000_5000` |
//! | sense of the feeder | UART2, `0x4000_6000`: an isolated sense module. It says `1` where the feeder is energised and `0` where it is not, at each change, every second, and when it is asked with `?` |
//! | alarm | timer 0, `0x4000_0000` |
//! | watchdog | `0x4000_8000`: its first time-out is an NMI, its second resets |

use core::sync::atomic::{AtomicU8, Ordering};

use rig_store::Flash;

use super::{BAUD, Board, Line, Uart};
use crate::last_words::Reset;
use crate::peripheral::Peripheral;
use crate::port;

/// The system clock in Hz, which the core, timers, watchdog and UARTs count.
const CLOCK: u32 = 25_000_000;

const SENSE: CmsdkUart = CmsdkUart(UART2);

#[expect(unsafe_code, reason = "the memory map")]
mod map {
    use super::Peripheral;

    // SAFETY: AN385's memory map has these blocks at these addresses.
    pub(super) const TIMER0: Peripheral = unsafe { Peripheral::at(0x4000_0000) };
    pub(super) const UART0: Peripheral = unsafe { Peripheral::at(0x4000_4000) };
    pub(super) const UART1: Peripheral = unsafe { Peripheral::at(0x4000_5000) };
    pub(super) const UART2: Peripheral = unsafe { Peripheral::at(0x4000_6000) };
    pub(super) const WATCHDOG: Peripheral = unsafe { Peripheral::at(0x4000_8000) };
}
use map::{TIMER0, UART0, UART1, UART2, WATCHDOG};

/// Interrupt lines (AN385, interrupt assignments).
const LINES: [Line; 7] = [Line(0), Line(1), Line(2), Line(3), Line(4), Line(5), Line(8)];

#[expect(unsafe_code, reason = "the handler that cortex-m-rt has for what has none")]
unsafe extern "C" {
    fn DefaultHandler();
}

#[expect(unsafe_code, reason = "a section of the linker's script, and the symbol that keeps it")]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [unsafe extern "C" fn(); 9] =
    [field, field, home, home, sense, sense, DefaultHandler, DefaultHandler, alarmed];

extern "C" fn field() {
    port::FIELD.interrupt();
}

extern "C" fn home() {
    port::HOME.interrupt();
}

extern "C" fn sense() {
    SENSE.acknowledge();
    while let Some(byte) = SENSE.read() {
        if matches!(byte, b'0' | b'1') {
            FEEDER.store(byte, Ordering::Relaxed);
        }
    }
}

/// The last word of the sense; 0 before its first.
static FEEDER: AtomicU8 = AtomicU8::new(0);

/// The board.
pub(crate) struct Mps2An385;

impl Board for Mps2An385 {
    const NAME: &'static str = "mps2-an385";
    const TICKS_PER_SECOND: u64 = CLOCK as u64;

    type Uart = CmsdkUart;
    const FIELD: CmsdkUart = CmsdkUart(UART0);
    const HOME: CmsdkUart = CmsdkUart(UART1);

    type State = Psram;
    const STATE: Psram = Psram;

    fn start() {
        WATCHDOG.write(watchdog::LOCK, watchdog::UNLOCK);
        WATCHDOG.write(watchdog::LOAD, watchdog::PATIENCE);
        WATCHDOG.write(watchdog::CONTROL, watchdog::INTERRUPT | watchdog::RESET);
        for uart in [Self::FIELD, Self::HOME, SENSE] {
            uart.start();
        }
        for line in LINES {
            line.enable();
        }
        SENSE.write(b'?');
    }

    fn feeder() -> Option<bool> {
        match FEEDER.load(Ordering::Relaxed) {
            b'0' => Some(false),
            b'1' => Some(true),
            _ => None,
        }
    }

    fn alarm(nanoseconds: u64) {
        let ticks = nanoseconds.saturating_mul(Self::TICKS_PER_SECOND) / 1_000_000_000 + 1;
        let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
        TIMER0.write(timer::CONTROL, 0);
        TIMER0.write(timer::RELOAD, ticks);
        TIMER0.write(timer::VALUE, ticks);
        TIMER0.write(timer::CONTROL, timer::RUNS | timer::INTERRUPT);
    }

    fn feed() {
        // Reloads the counter too.
        WATCHDOG.write(watchdog::CLEAR, 1);
    }

    /// Nothing tells. RAM is lost with the power, and the watchdog's first time-out is an NMI, which keeps last words.
    fn reset() -> Option<Reset> {
        None
    }
}

extern "C" fn alarmed() {
    TIMER0.write(timer::CONTROL, 0);
    TIMER0.write(timer::CLEAR, 1);
}

/// A CMSDK APB watchdog (Arm DDI 0479, APB watchdog).
mod watchdog {
    pub(super) const LOAD: usize = 0x00;
    pub(super) const CONTROL: usize = 0x08;
    pub(super) const CLEAR: usize = 0x0C;
    pub(super) const LOCK: usize = 0xC00;
    pub(super) const UNLOCK: u32 = 0x1ACC_E551;
    pub(super) const INTERRUPT: u32 = 1 << 0;
    pub(super) const RESET: u32 = 1 << 1;
    pub(super) const PATIENCE: u32 = 5 * super::CLOCK;
}

/// A CMSDK APB timer (Arm DDI 0479, APB timer).
mod timer {
    pub(super) const CONTROL: usize = 0x0;
    pub(super) const VALUE: usize = 0x4;
    pub(super) const RELOAD: usize = 0x8;
    pub(super) const CLEAR: usize = 0xC;
    pub(super) const RUNS: u32 = 1 << 0;
    pub(super) const INTERRUPT: u32 = 1 << 3;
}

/// A CMSDK APB UART (Arm DDI 0479, APB UART). It has room for one byte each way.
#[derive(Clone, Copy)]
pub(crate) struct CmsdkUart(Peripheral);

impl CmsdkUart {
    const DATA: usize = 0x00;
    const STATE: usize = 0x04;
    const CONTROL: usize = 0x08;
    const CLEAR: usize = 0x0C;
    const DIVIDER: usize = 0x10;
    const TRANSMIT_FULL: u32 = 1 << 0;
    const RECEIVE_FULL: u32 = 1 << 1;
    /// Sender, receiver, and the interrupts of both.
    const ALL: u32 = 0b1111;

    fn start(self) {
        self.0.write(Self::DIVIDER, CLOCK / BAUD);
        self.0.write(Self::CONTROL, Self::ALL);
    }
}

impl Uart for CmsdkUart {
    fn acknowledge(self) {
        self.0.write(Self::CLEAR, Self::ALL);
    }

    fn read(self) -> Option<u8> {
        let full = self.0.read(Self::STATE) & Self::RECEIVE_FULL != 0;
        full.then(|| self.0.read(Self::DATA).to_le_bytes()[0])
    }

    fn has_room(self) -> bool {
        self.0.read(Self::STATE) & Self::TRANSMIT_FULL == 0
    }

    fn write(self, byte: u8) {
        self.0.write(Self::DATA, u32::from(byte));
    }

    /// Nothing to do: it says by itself when it has room again.
    fn want_room(self, _: bool) {}
}

/// The last four sectors of 1 KB of the PSRAM. It takes any write: that no bit becomes 1 but by erasing is kept here.
pub(crate) struct Psram;

impl Psram {
    #[expect(unsafe_code, reason = "the sectors are reached by their address")]
    fn sector(sector: usize) -> Peripheral {
        // SAFETY: the linker puts nothing into the map's STATE.
        unsafe { Peripheral::at(super::state_address() + sector % Self::SECTORS * Self::WORDS * size_of::<u32>()) }
    }

    fn offset(word: usize) -> usize {
        word % Self::WORDS * size_of::<u32>()
    }
}

impl Flash for Psram {
    const SECTORS: usize = 4;
    const WORDS: usize = 1024 / size_of::<u32>();

    fn read(&self, sector: usize, word: usize) -> u32 {
        Self::sector(sector).read(Self::offset(word))
    }

    fn program(&mut self, sector: usize, word: usize, value: u32) {
        Self::sector(sector).write(Self::offset(word), self.read(sector, word) & value);
    }

    fn erase(&mut self, sector: usize) {
        for word in 0..Self::WORDS {
            Self::sector(sector).write(Self::offset(word), u32::MAX);
        }
    }
}
