//! The "Blue Pill": an STM32F103C8 with an 8 MHz crystal (DS5319 for the pins and the memory, RM0008 for the registers,
//! PM0075 for the flash).
//!
//! | what | where |
//! | --- | --- |
//! | flash | 64 KB at `0x0800_0000` in pages of 1 KB; the state has the last four |
//! | RAM | 20 KB at `0x2000_0000` |
//! | field link | USART1: PA9 sends, PA10 receives |
//! | in-home port | USART2: PA2 sends |
//! | sense of the feeder | PA0, pulled down: high while the feeder is energised |
//! | alarm | TIM2 |
//! | watchdog | IWDG, 5 s; it resets without a word |
//!
//! The core stands still while a page of its flash is erased, for up to 40 ms; what the field link brings meanwhile is
//! lost. It happens once in 42 stored memories, before the command that caused it is acknowledged.
//!
//! It is built with every change, and has not run: there was no such board.

mod pages;

use pages::{Pages, flash};

use super::{BAUD, Board, Line, Uart};
use crate::last_words::Reset;
use crate::peripheral::Peripheral;
use crate::port;

/// The core's clock in Hz: the crystal's times 9. USART1 hangs on APB2, which has all of it, USART2 on APB1.
const CLOCK: u32 = 72_000_000;
const APB1: u32 = CLOCK / 2;

#[expect(unsafe_code, reason = "the memory map")]
mod map {
    use super::Peripheral;

    // SAFETY: RM0008, table 3, has these blocks at these addresses; DBGMCU is that of its section 31.16.3.
    pub(super) const TIM2: Peripheral = unsafe { Peripheral::at(0x4000_0000) };
    pub(super) const IWDG: Peripheral = unsafe { Peripheral::at(0x4000_3000) };
    pub(super) const USART2: Peripheral = unsafe { Peripheral::at(0x4000_4400) };
    pub(super) const EXTI: Peripheral = unsafe { Peripheral::at(0x4001_0400) };
    pub(super) const GPIOA: Peripheral = unsafe { Peripheral::at(0x4001_0800) };
    pub(super) const USART1: Peripheral = unsafe { Peripheral::at(0x4001_3800) };
    pub(super) const RCC: Peripheral = unsafe { Peripheral::at(0x4002_1000) };
    pub(super) const FLASH: Peripheral = unsafe { Peripheral::at(0x4002_2000) };
    pub(super) const DBGMCU: Peripheral = unsafe { Peripheral::at(0xE004_2000) };
}
use map::{DBGMCU, EXTI, FLASH, GPIOA, IWDG, RCC, TIM2, USART1, USART2};

/// Interrupt lines (RM0008, table 63) of EXTI0, TIM2, USART1 and USART2.
const LINES: [Line; 4] = [Line(6), Line(28), Line(37), Line(38)];

#[expect(unsafe_code, reason = "the handler that cortex-m-rt has for what has none")]
unsafe extern "C" {
    fn DefaultHandler();
}

#[expect(unsafe_code, reason = "a section of the linker's script, and the symbol that keeps it")]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [unsafe extern "C" fn(); 39] = {
    let mut vectors: [unsafe extern "C" fn(); 39] = [DefaultHandler; 39];
    vectors[6] = sensed;
    vectors[28] = alarmed;
    vectors[37] = field;
    vectors[38] = home;
    vectors
};

extern "C" fn field() {
    port::FIELD.interrupt();
}

extern "C" fn home() {
    port::HOME.interrupt();
}

/// Wakes the program, which looks at the pin itself.
extern "C" fn sensed() {
    EXTI.write(exti::PENDING, exti::PA0);
}

/// The board.
pub(crate) struct BluePill;

impl Board for BluePill {
    const NAME: &'static str = "blue-pill";
    const TICKS_PER_SECOND: u64 = CLOCK as u64;

    type Uart = Usart;
    const FIELD: Usart = Usart(USART1);
    const HOME: Usart = Usart(USART2);

    type State = Pages;
    const STATE: Pages = Pages;

    fn start() {
        start_watchdog();
        start_clocks();
        start_pins();
        Self::FIELD.start(CLOCK);
        Self::HOME.start(APB1);
        for line in LINES {
            line.enable();
        }
    }

    fn feeder() -> Option<bool> {
        Some(GPIOA.read(gpio::IDR) & gpio::PA0 != 0)
    }

    /// In microseconds, 16 bits of them at most.
    fn alarm(nanoseconds: u64) {
        let microseconds = u32::try_from(nanoseconds / 1000 + 1).unwrap_or(u32::MAX).min(0xFFFF);
        TIM2.write(tim2::CR1, tim2::ONCE);
        // Its clock is twice that of APB1, where that is divided.
        TIM2.write(tim2::PSC, 2 * APB1 / 1_000_000 - 1);
        TIM2.write(tim2::ARR, microseconds);
        TIM2.write(tim2::EGR, tim2::UPDATE);
        TIM2.write(tim2::SR, 0);
        TIM2.write(tim2::DIER, tim2::UPDATE);
        TIM2.write(tim2::CR1, tim2::ONCE | tim2::RUNS);
    }

    fn feed() {
        IWDG.write(iwdg::KEY, iwdg::FEED);
    }

    fn reset() -> Option<Reset> {
        let flags = RCC.read(rcc::CSR);
        RCC.write(rcc::CSR, rcc::CLEAR_RESET);
        let causes = [(rcc::POWER_RESET, Reset::PowerOn), (rcc::WATCHDOG_RESET, Reset::Watchdog)];
        causes.into_iter().find(|(flag, _)| flags & flag != 0).map(|(_, reset)| reset)
    }
}

/// RM0008, 10.3.
mod exti {
    pub(super) const MASK: usize = 0x00;
    pub(super) const RISING: usize = 0x08;
    pub(super) const FALLING: usize = 0x0C;
    pub(super) const PENDING: usize = 0x14;
    /// Line 0 is PA0 after reset.
    pub(super) const PA0: u32 = 1 << 0;
}

/// RM0008, 7.3.
mod rcc {
    pub(super) const CR: usize = 0x00;
    pub(super) const CFGR: usize = 0x04;
    pub(super) const APB2ENR: usize = 0x18;
    pub(super) const APB1ENR: usize = 0x1C;
    pub(super) const CSR: usize = 0x24;
    pub(super) const CRYSTAL_ON: u32 = 1 << 16;
    pub(super) const CRYSTAL_READY: u32 = 1 << 17;
    pub(super) const PLL_ON: u32 = 1 << 24;
    pub(super) const PLL_READY: u32 = 1 << 25;
    /// PLL from the crystal times 9; APB1 at half the core's clock.
    pub(super) const TIMES_9: u32 = 0b0111 << 18 | 1 << 16 | 0b100 << 8;
    pub(super) const USE_PLL: u32 = 0b10;
    pub(super) const USES_PLL: u32 = 0b10 << 2;
    /// AFIO, port A, USART1.
    pub(super) const APB2: u32 = 1 << 0 | 1 << 2 | 1 << 14;
    /// TIM2, USART2.
    pub(super) const APB1: u32 = 1 << 0 | 1 << 17;
    pub(super) const POWER_RESET: u32 = 1 << 27;
    pub(super) const WATCHDOG_RESET: u32 = 1 << 29;
    pub(super) const CLEAR_RESET: u32 = 1 << 24;
}

/// A crystal that does not start leaves the program waiting here, until the watchdog resets it.
fn start_clocks() {
    RCC.write(rcc::CR, RCC.read(rcc::CR) | rcc::CRYSTAL_ON);
    while RCC.read(rcc::CR) & rcc::CRYSTAL_READY == 0 {}
    // Two wait states above 48 MHz, with prefetch (PM0075, 3.1).
    FLASH.write(flash::ACR, 0b1_0010);
    RCC.write(rcc::CFGR, rcc::TIMES_9);
    RCC.write(rcc::CR, RCC.read(rcc::CR) | rcc::PLL_ON);
    while RCC.read(rcc::CR) & rcc::PLL_READY == 0 {}
    RCC.write(rcc::CFGR, rcc::TIMES_9 | rcc::USE_PLL);
    while RCC.read(rcc::CFGR) & rcc::USES_PLL == 0 {}
    RCC.write(rcc::APB2ENR, rcc::APB2);
    RCC.write(rcc::APB1ENR, rcc::APB1);
    // A debug probe reads the log while the core sleeps, and halts the watchdog with the core.
    DBGMCU.write(0x04, DBGMCU.read(0x04) | 1 << 0 | 1 << 8);
}

/// RM0008, 9.2.
mod gpio {
    pub(super) const CRL: usize = 0x00;
    pub(super) const CRH: usize = 0x04;
    pub(super) const IDR: usize = 0x08;
    pub(super) const ODR: usize = 0x0C;
    pub(super) const PA0: u32 = 1 << 0;
}

fn start_pins() {
    // Four bits a pin: PA0 pulled, PA2 and PA9 driven by their USART at up to 10 MHz, PA10 and the rest floating, as
    // after reset. PA0's zero in ODR pulls it down.
    GPIOA.write(gpio::CRL, 0x4444_4948);
    GPIOA.write(gpio::CRH, 0x4444_4494);
    GPIOA.write(gpio::ODR, 0);
    EXTI.write(exti::RISING, exti::PA0);
    EXTI.write(exti::FALLING, exti::PA0);
    EXTI.write(exti::MASK, exti::PA0);
}

/// RM0008, 19.4.
mod iwdg {
    pub(super) const KEY: usize = 0x00;
    pub(super) const PRESCALER: usize = 0x04;
    pub(super) const RELOAD: usize = 0x08;
    pub(super) const UNLOCK: u32 = 0x5555;
    pub(super) const FEED: u32 = 0xAAAA;
    pub(super) const START: u32 = 0xCCCC;
}

/// 5 s of an oscillator of about 40 kHz: 3125 times 64 of its ticks.
fn start_watchdog() {
    IWDG.write(iwdg::KEY, iwdg::START);
    IWDG.write(iwdg::KEY, iwdg::UNLOCK);
    IWDG.write(iwdg::PRESCALER, 4);
    IWDG.write(iwdg::RELOAD, 3125);
    BluePill::feed();
}

/// RM0008, 15.4.
mod tim2 {
    pub(super) const CR1: usize = 0x00;
    pub(super) const DIER: usize = 0x0C;
    pub(super) const SR: usize = 0x10;
    pub(super) const EGR: usize = 0x14;
    pub(super) const PSC: usize = 0x28;
    pub(super) const ARR: usize = 0x2C;
    /// Only an overflow interrupts; it stops the counter.
    pub(super) const ONCE: u32 = 1 << 2 | 1 << 3;
    pub(super) const RUNS: u32 = 1 << 0;
    pub(super) const UPDATE: u32 = 1 << 0;
}

extern "C" fn alarmed() {
    TIM2.write(tim2::SR, 0);
}

/// A USART (RM0008, 27.6).
#[derive(Clone, Copy)]
pub(crate) struct Usart(Peripheral);

impl Usart {
    const SR: usize = 0x00;
    const DR: usize = 0x04;
    const BRR: usize = 0x08;
    const CR1: usize = 0x0C;
    const RECEIVED: u32 = 1 << 5;
    /// A byte was lost.
    const OVERRUN: u32 = 1 << 3;
    const ROOM: u32 = 1 << 7;
    /// USART on, sender, receiver and the receiver's interrupt.
    const ON: u32 = 1 << 13 | 1 << 3 | 1 << 2 | 1 << 5;
    const ROOM_INTERRUPT: u32 = 1 << 7;

    fn start(self, clock: u32) {
        self.0.write(Self::BRR, (clock + BAUD / 2) / BAUD);
        self.0.write(Self::CR1, Self::ON);
    }
}

impl Uart for Usart {
    /// Nothing to do: reading and writing the data register end the interrupt.
    fn acknowledge(self) {}

    fn read(self) -> Option<u8> {
        let status = self.0.read(Self::SR);
        if status & (Self::RECEIVED | Self::OVERRUN) == 0 {
            return None;
        }
        // Ends both; after an overrun alone it holds the byte that was taken last.
        let [byte, ..] = self.0.read(Self::DR).to_le_bytes();
        (status & Self::RECEIVED != 0).then_some(byte)
    }

    fn has_room(self) -> bool {
        self.0.read(Self::SR) & Self::ROOM != 0
    }

    fn write(self, byte: u8) {
        self.0.write(Self::DR, u32::from(byte));
    }

    fn want_room(self, wanted: bool) {
        self.0.write(Self::CR1, Self::ON | if wanted { Self::ROOM_INTERRUPT } else { 0 });
    }
}
