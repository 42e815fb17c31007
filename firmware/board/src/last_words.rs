//! What a program says before it resets itself, for its next boot and for a debug probe. It lies in RAM that no boot
//! clears, so it is lost with the power.

use core::cell::UnsafeCell;
use core::fmt::{self, Write};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::ptr;

use cortex_m::peripheral::SCB;
use cortex_m_rt::ExceptionFrame;
use crc::{CRC_32_ISO_HDLC, Crc};

use crate::board::{Board, Here};
use crate::peripheral::Peripheral;

const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
const MAGIC: [u8; 8] = *b"RIGCRASH";
/// The most bytes of a message.
const MESSAGE: usize = 112;
/// The System Control Block, which every ARMv7-M core has (ARMv7-M Architecture Reference Manual, B3.2.2).
#[expect(unsafe_code, reason = "the memory map")]
// SAFETY: it is at this address.
const SYSTEM_CONTROL: Peripheral = unsafe { Peripheral::at(0xE000_ED00) };
/// Configurable Fault Status Register (B3.2.15).
const CFSR: usize = 0x28;
/// What a bit of it says.
const FAULTS: [(u32, &str); 12] = [
    (0, "instruction access violation"),
    (1, "data access violation"),
    (8, "instruction bus error"),
    (9, "data bus error"),
    (10, "data bus error somewhere before"),
    (12, "bus error while stacking"),
    (16, "undefined instruction"),
    (17, "invalid state"),
    (18, "invalid return"),
    (19, "no coprocessor"),
    (24, "unaligned access"),
    (25, "division by zero"),
];

/// Why a device is booting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Reset {
    /// Its power was gone.
    PowerOn = 0,
    /// Its program ran, and somebody reset it: the pin, or a debug probe.
    External = 1,
    Panic = 2,
    HardFault = 3,
    Watchdog = 4,
}

impl Reset {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PowerOn => "power-on",
            Self::External => "reset",
            Self::Panic => "panic",
            Self::HardFault => "hard-fault",
            Self::Watchdog => "watchdog",
        }
    }

    fn from_code(code: u32) -> Option<Self> {
        [Self::Panic, Self::HardFault, Self::Watchdog].into_iter().find(|reset| *reset as u32 == code)
    }
}

/// The last words, at the symbol `RIG_LAST_WORDS`. They are true where the magic is "RIGCRASH" and the check is the
/// CRC-32 (ISO-HDLC) of what lies before it without the first 12 bytes.
///
/// ```text
/// 0 magic │ 8 reported │ 12 reset: 2 panic, 3 HardFault, 4 watchdog │ 16 pc │ 20 lr │ 24 fault status
/// 28 bytes of the message │ 32 message │ 144 check │ 148 end
/// ```
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LastWords {
    magic: [u8; 8],
    /// Whether a boot has told of it.
    reported: u32,
    said: Said,
    check: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Said {
    reset: u32,
    /// Where it was; 0 where that is not known.
    pub(crate) pc: u32,
    pub(crate) lr: u32,
    /// The fault status register.
    pub(crate) status: u32,
    length: u32,
    message: [u8; MESSAGE],
}

impl Said {
    const SIZE: usize = size_of::<Self>();

    fn new(reset: Reset, pc: u32, lr: u32) -> Self {
        Self { reset: reset as u32, pc, lr, status: 0, length: 0, message: [0; MESSAGE] }
    }

    pub(crate) fn message(&self) -> &str {
        let length = usize::try_from(self.length).unwrap_or(MESSAGE).min(MESSAGE);
        let bytes = &self.message[..length];
        // A message that was cut may end in half a character.
        core::str::from_utf8(bytes)
            .or_else(|error| core::str::from_utf8(&bytes[..error.valid_up_to()]))
            .unwrap_or_default()
    }

    fn check(&self) -> u32 {
        let mut bytes = [0; Self::SIZE];
        for (bytes, word) in bytes.chunks_exact_mut(4).zip([self.reset, self.pc, self.lr, self.status, self.length]) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bytes[Self::SIZE - MESSAGE..].copy_from_slice(&self.message);
        CHECKSUM.checksum(&bytes)
    }
}

impl Write for Said {
    /// Takes what there is room for.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = usize::try_from(self.length).unwrap_or(MESSAGE).min(MESSAGE);
        let taken = text.len().min(MESSAGE - start);
        self.message[start..start + taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length = u32::try_from(start + taken).unwrap_or(0);
        Ok(())
    }
}

/// Memory that no boot clears. It holds anything after power-on.
#[repr(transparent)]
struct Kept<T>(UnsafeCell<MaybeUninit<T>>);

#[expect(unsafe_code, reason = "a static that no boot clears has no safe form")]
// SAFETY: it is reached before interrupts are enabled, and by handlers that nothing interrupts and that do not return.
unsafe impl<T: Copy> Sync for Kept<T> {}

#[expect(unsafe_code, reason = "a static that no boot clears has no safe form")]
impl<T: Copy> Kept<T> {
    const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    /// What it holds, be it from before the boot.
    ///
    /// # Safety
    /// Any bytes are a value of the type.
    unsafe fn get(&self) -> T {
        // SAFETY: the memory is there, and all it may hold is a value.
        unsafe { ptr::read_volatile(self.0.get()).assume_init() }
    }

    fn set(&self, value: T) {
        // SAFETY: the memory is there, and nothing refers to it.
        unsafe { ptr::write_volatile(self.0.get(), MaybeUninit::new(value)) }
    }
}

#[expect(unsafe_code, reason = "a section of the linker's script, and a symbol that a debug probe finds")]
#[unsafe(no_mangle)]
#[unsafe(link_section = ".uninit.rig_last_words")]
static RIG_LAST_WORDS: Kept<LastWords> = Kept::new();

/// Holds [`RAN`] from the first boot after power-on.
#[expect(unsafe_code, reason = "a section of the linker's script")]
#[unsafe(link_section = ".uninit.rig_ran")]
static HAS_RUN: Kept<u64> = Kept::new();
const RAN: u64 = u64::from_le_bytes(*b"RIG\0RAN\0");

/// Why this boot happened, and what the program said before it where it had a reason to. Told once.
#[expect(unsafe_code, reason = "what lies in RAM since before the boot has to be read")]
pub(crate) fn take() -> (Reset, Option<Said>) {
    // SAFETY: both types are made of integers.
    let (words, ran) = unsafe { (RIG_LAST_WORDS.get(), HAS_RUN.get() == RAN) };
    HAS_RUN.set(RAN);
    let board_says = Here::reset();
    let is_new = words.magic == MAGIC && words.reported == 0 && words.check == words.said.check();
    // A short power cut may leave RAM as it was.
    let is_true = is_new && board_says != Some(Reset::PowerOn);
    if let Some(reset) = Reset::from_code(words.said.reset).filter(|_| is_true) {
        RIG_LAST_WORDS.set(LastWords { reported: 1, ..words });
        return (reset, Some(words.said));
    }
    (board_says.unwrap_or(if ran { Reset::External } else { Reset::PowerOn }), None)
}

/// Keeps the last words and resets the device.
fn end(said: Said) -> ! {
    RIG_LAST_WORDS.set(LastWords { magic: MAGIC, reported: 0, check: said.check(), said });
    SCB::sys_reset()
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    cortex_m::interrupt::disable();
    let mut said = Said::new(Reset::Panic, 0, 0);
    // Writing it cuts it, and never fails.
    let _ = match info.location() {
        Some(at) => write!(said, "{} ({}:{})", info.message(), at.file(), at.line()),
        None => write!(said, "{}", info.message()),
    };
    end(said)
}

/// The two exceptions after which the program does not go on.
#[expect(unsafe_code, reason = "cortex-m-rt wants them so, and the stack pointer on entry is that of the frame")]
mod exceptions {
    use cortex_m_rt::{ExceptionFrame, exception};

    #[exception]
    unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
        super::fault(frame)
    }

    /// The first bite of a watchdog that warns; the second would reset the device and say nothing.
    ///
    /// cortex-m-rt gives only the handler of a HardFault the frame that tells where the program was.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    unsafe extern "C" fn NonMaskableInt() -> ! {
        core::arch::naked_asm!("mrs r0, msp", "b {bite}", bite = sym super::bite)
    }
}

fn fault(frame: &ExceptionFrame) -> ! {
    let status = SYSTEM_CONTROL.read(CFSR);
    let mut said = Said { status, ..Said::new(Reset::HardFault, frame.pc(), frame.lr()) };
    for (_, text) in FAULTS.iter().filter(|(bit, _)| status & 1 << bit != 0) {
        // Writing it cuts it, and never fails.
        let _ = said.write_str(text);
    }
    end(said)
}

extern "C" fn bite(frame: &ExceptionFrame) -> ! {
    let mut said = Said::new(Reset::Watchdog, frame.pc(), frame.lr());
    let _ = said.write_str("the program did not come round");
    end(said)
}
