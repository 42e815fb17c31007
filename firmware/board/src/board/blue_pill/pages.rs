use core::ptr;

use rig_store::Flash;

use super::map::FLASH;
use crate::board::state_address;

/// Registers (PM0075, 3).
pub(super) mod flash {
    pub(crate) const ACR: usize = 0x00;
    pub(super) const KEYR: usize = 0x04;
    pub(super) const SR: usize = 0x0C;
    pub(super) const CR: usize = 0x10;
    pub(super) const AR: usize = 0x14;
    pub(super) const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];
    pub(super) const BUSY: u32 = 1 << 0;
    pub(super) const PROGRAM: u32 = 1 << 0;
    pub(super) const ERASE: u32 = 1 << 1;
    pub(super) const START: u32 = 1 << 6;
    pub(super) const LOCK: u32 = 1 << 7;
}

/// The last four pages of 1 KB.
pub(crate) struct Pages;

impl Pages {
    fn address(sector: usize, word: usize) -> usize {
        state_address() + (sector % Self::SECTORS * Self::WORDS + word % Self::WORDS) * size_of::<u32>()
    }

    /// Runs an operation of the flash with the control register set to `mode`.
    fn operate(mode: u32, operation: impl FnOnce()) {
        for key in flash::KEYS {
            FLASH.write(flash::KEYR, key);
        }
        FLASH.write(flash::CR, mode);
        operation();
        while FLASH.read(flash::SR) & flash::BUSY != 0 {}
        FLASH.write(flash::CR, flash::LOCK);
    }
}

impl Flash for Pages {
    const SECTORS: usize = 4;
    const WORDS: usize = 1024 / size_of::<u32>();

    #[expect(unsafe_code, reason = "the pages are reached by their address")]
    fn read(&self, sector: usize, word: usize) -> u32 {
        // SAFETY: the linker puts nothing into the map's STATE.
        unsafe { ptr::with_exposed_provenance::<u32>(Self::address(sector, word)).read_volatile() }
    }

    /// Half a word at a time; each can be programmed once, or to 0 (PM0075, 2.3.3).
    #[expect(unsafe_code, reason = "the pages are reached by their address")]
    fn program(&mut self, sector: usize, word: usize, value: u32) {
        let [a, b, c, d] = value.to_le_bytes();
        for (half, value) in [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])].into_iter().enumerate() {
            let address =
                ptr::with_exposed_provenance_mut::<u16>(Self::address(sector, word) + half * size_of::<u16>());
            if value != u16::MAX {
                // SAFETY: the linker puts nothing into the map's STATE.
                Self::operate(flash::PROGRAM, || unsafe { address.write_volatile(value) });
            }
        }
    }

    fn erase(&mut self, sector: usize) {
        let page = u32::try_from(Self::address(sector, 0)).unwrap_or(0);
        Self::operate(flash::ERASE, || {
            FLASH.write(flash::AR, page);
            FLASH.write(flash::CR, flash::ERASE | flash::START);
        });
    }
}
