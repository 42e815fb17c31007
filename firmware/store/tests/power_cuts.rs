//! Power that goes at any word loses nothing that was kept, and mixes nothing.

mod flash;

use flash::{Cut, Nor};
use proptest::collection::vec;
use proptest::prelude::*;
use rig_device::Memory;
use rig_store::{Flash, Record, Store};

/// Three slots a sector and two words that no slot uses.
type Small = Nor<2, { 3 * Record::WORDS + 2 }>;
type Board = Nor<4, 256>;

/// A memory of which no two numbers give the same words.
fn memory(number: u16) -> Memory {
    Memory {
        boots: number,
        last_setting: number.wrapping_mul(3),
        setting: i32::from(number) * -70_000,
        capped: number % 2 == 1,
        trips: !number,
        energy_wh: u32::from(number) << 12,
    }
}

fn reopened<const SECTORS: usize, const WORDS: usize>(flash: &Nor<SECTORS, WORDS>) -> Store<Nor<SECTORS, WORDS>> {
    Store::open(flash.powered(None))
}

/// Cuts at every operation of `saves` saves, and says where each left off.
fn cut_everywhere<const SECTORS: usize, const WORDS: usize>(saves: u16, reached: u32, words: usize) {
    let mut flash = Nor::<SECTORS, WORDS>::erased();
    let mut before = None;
    for number in 1..=saves {
        let whole = {
            let mut store = Store::open(flash.powered(None));
            store.save(&memory(number)).expect("with power, a save succeeds");
            store.into_flash()
        };
        for after in 0..whole.operations {
            let mut store = Store::open(flash.powered(Some(Cut { after, reached, words })));
            let _ = store.save(&memory(number));
            let left = store.into_flash();
            assert!(left.is_cut());
            let mut back = reopened(&left);
            let kept = back.memory();
            assert!(kept == before || kept == Some(memory(number)), "save {number}, cut after {after}: {kept:?}");
            back.save(&memory(number + 1000)).expect("with power, a save succeeds");
            assert_eq!(reopened(&back.into_flash()).memory(), Some(memory(number + 1000)));
        }
        before = Some(memory(number));
        flash = whole;
    }
    assert!(flash.erased.iter().all(|erased| *erased >= 2), "every sector was erased: {:?}", flash.erased);
}

#[test]
fn a_cut_before_any_operation_leaves_the_old_memory_or_the_new() {
    cut_everywhere::<2, { 3 * Record::WORDS + 2 }>(40, 0, 0);
    cut_everywhere::<4, 256>(500, 0, 0);
}

#[test]
fn a_cut_within_any_word_leaves_the_old_memory_or_the_new() {
    for reached in [u32::MAX, 0x0000_FFFF, 0xFFFF_0000, 0x5555_5555, 1] {
        for words in [0, 1, 7, 20] {
            cut_everywhere::<2, { 3 * Record::WORDS + 2 }>(40, reached, words);
        }
    }
}

#[test]
fn a_record_without_its_last_word_is_none() {
    for number in 0..2000 {
        let mut words = Record { sequence: u32::from(number) + 1, memory: memory(number) }.words();
        words[Record::WORDS - 1] = u32::MAX;
        assert_eq!(Record::from_words(words), None);
    }
}

#[test]
fn flash_that_kept_nothing_has_no_memory() {
    assert_eq!(Store::open(Board::erased()).memory(), None);
    assert_eq!(Store::open(Board::filled(|| 0)).memory(), None);
}

#[test]
fn sectors_wear_evenly() {
    let mut store = Store::open(Board::erased());
    for number in 0..42 * 4 * 10 {
        store.save(&memory(number)).unwrap();
    }
    let erased = store.into_flash().erased;
    assert!(erased.iter().max().unwrap() - erased.iter().min().unwrap() <= 1, "{erased:?}");
}

#[test]
fn a_worn_cell_costs_its_slot_and_nothing_that_was_kept() {
    let mut store = Store::open(Small::erased().with_stuck(1, 0));
    for number in 1..40 {
        store.save(&memory(2 * number + 1)).unwrap();
        let back = reopened(&store.into_flash());
        assert_eq!(back.memory(), Some(memory(2 * number + 1)));
        store = back;
    }
}

#[test]
fn where_nothing_takes_a_record_the_newest_stays() {
    /// A flash that reads and does nothing else.
    struct Dead(Small);
    impl Flash for Dead {
        const SECTORS: usize = Small::SECTORS;
        const WORDS: usize = Small::WORDS;
        fn read(&self, sector: usize, word: usize) -> u32 {
            self.0.read(sector, word)
        }
        fn program(&mut self, _: usize, _: usize, _: u32) {}
        fn erase(&mut self, _: usize) {}
    }
    let mut store = Store::open(Small::erased());
    store.save(&memory(1)).unwrap();
    let mut dead = Store::open(Dead(store.into_flash()));
    assert!(dead.save(&memory(2)).is_err());
    assert_eq!(dead.memory(), Some(memory(1)));
    assert_eq!(reopened(&dead.into_flash().0).memory(), Some(memory(1)));
}

fn any_memory() -> impl Strategy<Value = Memory> {
    (any::<u16>(), any::<u16>(), any::<i32>(), any::<bool>(), any::<u16>(), any::<u32>()).prop_map(
        |(boots, last_setting, setting, capped, trips, energy_wh)| Memory {
            boots,
            last_setting,
            setting,
            capped,
            trips,
            energy_wh,
        },
    )
}

fn any_cut() -> impl Strategy<Value = Option<Cut>> {
    let cut = (0..12_usize, any::<u32>(), 0..=Small::WORDS);
    proptest::option::of(cut.prop_map(|(after, reached, words)| Cut { after, reached, words }))
}

proptest! {
    #[test]
    fn a_record_comes_back(sequence in any::<u32>(), memory in any_memory()) {
        let record = Record { sequence, memory };
        prop_assert_eq!(Record::from_words(record.words()), Some(record));
    }

    #[test]
    fn a_flipped_bit_makes_no_record(sequence in any::<u32>(), memory in any_memory(), bit in 0..32 * Record::WORDS) {
        let mut words = Record { sequence, memory }.words();
        words[bit / 32] ^= 1 << (bit % 32);
        prop_assert_eq!(Record::from_words(words), None);
    }

    /// Any number of lives, each with some saves of which the last may be cut short.
    #[test]
    fn life_after_life_nothing_is_lost_or_mixed(lives in vec((vec(any_memory(), 1..6), any_cut()), 1..30)) {
        let mut flash = Small::erased();
        let mut kept = None;
        for (saves, cut) in lives {
            let mut store = Store::open(flash.powered(cut));
            prop_assert_eq!(store.memory(), kept);
            let mut saving = None;
            for memory in saves {
                let done = store.save(&memory).is_ok();
                let flash = store.into_flash();
                if flash.is_cut() {
                    saving = Some(memory);
                    store = Store::open(flash);
                    break;
                }
                prop_assert!(done, "with power, a save succeeds");
                kept = Some(memory);
                store = Store::open(flash);
            }
            flash = store.into_flash();
            let found = reopened(&flash).memory();
            prop_assert!(found == kept || (saving.is_some() && found == saving), "{:?} is neither old nor new", found);
            kept = found;
        }
    }

    #[test]
    fn whatever_the_flash_holds_it_opens_and_keeps(
        words in vec(any::<u32>(), 2 * Small::WORDS),
        memories in vec(any_memory(), 1..12),
    ) {
        let mut words = words.into_iter();
        let mut store = Store::open(Small::filled(|| words.next().unwrap_or(0)));
        for memory in memories {
            store.save(&memory).unwrap();
            let flash = store.into_flash();
            store = Store::open(flash);
            prop_assert_eq!(store.memory(), Some(memory));
        }
    }
}
