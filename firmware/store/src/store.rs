use rig_device::Memory;

use crate::flash::Flash;
use crate::record::{ERASED, Record};

/// No sector takes a record any more. What was kept before is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worn;

/// A memory in flash that survives a power cut at any instant.
#[derive(Clone, Debug)]
pub struct Store<F> {
    flash: F,
    newest: Option<Found>,
    next: Slot,
}

/// Where a record has its place: records lie in a sector one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    sector: usize,
    index: usize,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    record: Record,
    slot: Slot,
}

impl<F: Flash> Store<F> {
    /// Records that a sector has room for.
    const SLOTS: usize = F::WORDS / Record::WORDS;
    const FITS: () = assert!(F::SECTORS >= 2 && Self::SLOTS >= 1, "a store needs two sectors that hold a record each");

    /// Finds what was kept, whatever the flash holds.
    pub fn open(flash: F) -> Self {
        const { Self::FITS };
        let mut store = Self { flash, newest: None, next: Slot { sector: 0, index: 0 } };
        store.newest = store.find_newest();
        if let Some(found) = store.newest {
            store.next = Self::after(found.slot);
        }
        store
    }

    /// What was kept last; `None` in flash that never kept anything.
    #[must_use]
    pub fn memory(&self) -> Option<Memory> {
        self.newest.map(|found| found.record.memory)
    }

    /// How many memories were kept so far.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.newest.map_or(0, |found| found.record.sequence)
    }

    /// Keeps a memory. When this returns, no power cut undoes it.
    ///
    /// # Errors
    /// Where no slot of the ring takes the record.
    pub fn save(&mut self, memory: &Memory) -> Result<(), Worn> {
        let record = Record { sequence: self.sequence().checked_add(1).ok_or(Worn)?, memory: *memory };
        for _ in 0..F::SECTORS * Self::SLOTS {
            let slot = self.next;
            if slot.index == 0 && !self.clear(slot.sector) {
                return Err(Worn);
            }
            self.next = Self::after(slot);
            if self.is_blank(slot) && self.write(slot, &record) {
                self.newest = Some(Found { record, slot });
                return Ok(());
            }
        }
        Err(Worn)
    }

    /// The flash, as it is now.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn find_newest(&self) -> Option<Found> {
        let slots = (0..F::SECTORS).flat_map(|sector| (0..Self::SLOTS).map(move |index| Slot { sector, index }));
        slots
            .filter_map(|slot| Some(Found { record: Record::from_words(self.read(slot))?, slot }))
            .max_by_key(|found| found.record.sequence)
    }

    /// Makes a sector ready for its first record. `false` where that would erase the newest one: the ring is once
    /// round, and no other sector took a record.
    fn clear(&mut self, sector: usize) -> bool {
        if self.newest.is_some_and(|found| found.slot.sector == sector) {
            return false;
        }
        // A sector whose erasing was cut short is erased again.
        if (0..F::WORDS).any(|word| self.flash.read(sector, word) != ERASED) {
            self.flash.erase(sector);
        }
        true
    }

    fn write(&mut self, slot: Slot, record: &Record) -> bool {
        let words = record.words();
        for (word, value) in words.into_iter().enumerate() {
            self.flash.program(slot.sector, slot.index * Record::WORDS + word, value);
        }
        self.read(slot) == words
    }

    fn read(&self, slot: Slot) -> [u32; Record::WORDS] {
        core::array::from_fn(|word| self.flash.read(slot.sector, slot.index * Record::WORDS + word))
    }

    fn is_blank(&self, slot: Slot) -> bool {
        self.read(slot) == [ERASED; Record::WORDS]
    }

    fn after(slot: Slot) -> Slot {
        if slot.index + 1 < Self::SLOTS {
            Slot { index: slot.index + 1, ..slot }
        } else {
            Slot { sector: (slot.sector + 1) % F::SECTORS, index: 0 }
        }
    }
}
