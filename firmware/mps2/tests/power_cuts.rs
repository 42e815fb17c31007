//! Power that goes at any instant while the firmware keeps its memory: nothing that was acknowledged is lost, and no
//! memory is a mix of two.
#![cfg(unix)]

mod bench;
mod debugger;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use bench::{Bench, state};
use debugger::Debugger;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rig_mps2::{FLASH, Machine, STATE, command};
use rig_payload::{Actor, Kind};
use rig_store::Record;

const CUTS: u64 = 100;
/// Commands that the firmware has before it when its power goes: enough for some erased sectors.
const BURST: u16 = 200;
/// Words of a sector of the state.
const SECTOR: usize = 256;

/// What the flash may hold, by what was seen from outside.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Boots that are kept: at least, at most.
    boots: (u16, u16),
    /// The last setting: acknowledged, sent.
    setting: (u16, u16),
}

#[test]
fn a_hundred_power_cuts_at_random_instants_lose_nothing_and_mix_nothing() {
    let bench = Bench::with("storage");
    let mut random = ChaCha8Rng::seed_from_u64(CUTS);
    let mut known = Known::default();
    for cut in 0..CUTS {
        let mut machine = bench.power();
        if cut % 4 == 0 {
            sleep(Duration::from_micros(random.random_range(0..60_000)));
            known.boots.1 += 1;
        } else {
            known = boot(&mut machine, known);
            known.setting.1 = send_settings(&mut machine, known);
            sleep(Duration::from_micros(random.random_range(0..20_000)));
            known.setting.0 = acknowledged(&mut machine, known);
        }
    }
    let known = boot(&mut bench.power(), known);
    assert!(known.boots.0 >= 75 && known.setting.0 > 50, "the firmware kept much: {known:?}");
}

#[test]
fn a_hundred_power_cuts_between_two_words_lose_nothing_and_mix_nothing() {
    let bench = Bench::with("storage");
    let mut random = ChaCha8Rng::seed_from_u64(2 * CUTS);
    let mut known = Known::default();
    let (mut torn_records, mut torn_sectors) = (0, 0);
    for cut in 0..CUTS {
        let socket = bench.folder().join(format!("debugger-{cut}"));
        let (listener, options) = Debugger::listen(&socket);
        let mut machine = bench.power_with(&options);
        let mut debugger = Debugger::of(&listener);
        for _ in 0..random.random_range(1..120) {
            // One command at a time: a machine that stands still most of the time has no room for more.
            if Sectors::of(&bench.flash).last_setting() == known.setting.1 {
                known.setting.1 += 1;
                let sequence = known.setting.1;
                let setting = command(Kind::DischargeCmd, Actor::Storage, sequence, watts(sequence));
                machine.field.send(&setting).expect("it runs");
            }
            debugger.run_to_write(STATE.start, STATE.end);
        }
        known.boots.1 += 1;
        known.setting.0 = acknowledged(&mut machine, known);
        let left = Sectors::of(&bench.flash);
        (torn_records, torn_sectors) = (torn_records + left.half_written(), torn_sectors + left.half_erased());

        known = boot(&mut bench.power(), known);
        fs::remove_file(socket).expect("the socket is there");
    }
    println!("{CUTS} cuts: {torn_records} within a record, {torn_sectors} within the erasing of a sector");
    assert!(torn_records > 20 && torn_sectors > 5, "{torn_records} records and {torn_sectors} sectors were torn");
}

/// The instant at which a log of one sector would have nothing: what was kept is erased, what is new is not written.
#[test]
fn a_power_cut_with_a_sector_just_erased_finds_the_memory_in_another() {
    let bench = Bench::with("storage");
    let mut known = Known::default();
    for words in 0..=Record::WORDS {
        // A round of the ring, so that no sector is blank, and on to the last slot of one.
        let mut machine = bench.power();
        known = boot(&mut machine, known);
        let full = loop {
            known.setting.1 += 1;
            let setting = command(Kind::DischargeCmd, Actor::Storage, known.setting.1, watts(known.setting.1));
            machine.field.send(&setting).expect("it runs");
            machine.field.receive_kind(Kind::DischargeAck).expect("it acknowledges");
            match Sectors::of(&bench.flash).newest() {
                Some((sector, slot, record)) if record.sequence > 168 && slot == SECTOR / Record::WORDS - 1 => {
                    break sector;
                }
                _ => {}
            }
        };
        known.setting.0 = acknowledged(&mut machine, known);
        drop(machine);

        // The next boot's record needs the next sector.
        let socket = bench.folder().join(format!("debugger-{words}"));
        let (listener, options) = Debugger::listen(&socket);
        let mut machine = bench.power_with(&options);
        let mut debugger = Debugger::of(&listener);
        let size = (STATE.end - STATE.start) / 4;
        let end = STATE.start + u32::try_from((full + 1) % 4 + 1).expect("four sectors") * size;
        debugger.run_to_write(end - 4, end);
        for _ in 0..words {
            debugger.run_to_write(STATE.start, STATE.end);
        }
        machine.cut();
        known.boots.1 += u16::from(words == Record::WORDS);
        known.boots.0 = known.boots.1;
        known = boot(&mut bench.power(), known);
    }
}

/// Reads what the firmware kept from its boot payload, and holds it against what is known.
fn boot(machine: &mut Machine, known: Known) -> Known {
    let mut boot = state(&machine.field.receive_kind(Kind::Boot).expect("it boots"));
    // On a busy machine the sense's first word comes late, and without the feeder there is no power to see.
    while !boot.feeder {
        machine.field.send(&command(Kind::StorageStatusCmd, Actor::Storage, 0, 0)).expect("it runs");
        boot = state(&machine.field.receive_kind(Kind::StorageStatusResp).expect("it answers"));
    }
    let (least, most) = known.boots;
    assert!((least + 1..=most + 1).contains(&boot.boots), "{known:?}, {boot:?}");
    let (acknowledged, sent) = known.setting;
    assert!((acknowledged..=sent).contains(&boot.last_setting), "{known:?}, {boot:?}");
    assert_eq!(boot.power_w, watts(boot.last_setting), "the setting is not that of its command: {boot:?}");
    Known { boots: (boot.boots, boot.boots), setting: (boot.last_setting, boot.last_setting) }
}

/// Sends a burst of settings. Returns the last that was sent.
fn send_settings(machine: &mut Machine, known: Known) -> u16 {
    let last = known.setting.0 + BURST;
    let sequences = known.setting.0 + 1..=last;
    let burst = sequences.flat_map(|sequence| command(Kind::DischargeCmd, Actor::Storage, sequence, watts(sequence)));
    machine.field.send(&burst.collect::<Vec<_>>()).expect("it runs");
    last
}

/// What the command of a sequence number sets.
fn watts(sequence: u16) -> i32 {
    i32::from(sequence) * 7
}

/// Takes the power and returns the last setting that the firmware had acknowledged: that is still on the line.
fn acknowledged(machine: &mut Machine, known: Known) -> u16 {
    machine.cut();
    let acks = machine.field.rest().into_iter().filter(|frame| frame.header.kind == Kind::DischargeAck);
    acks.map(|ack| ack.header.correlation).max().unwrap_or(known.setting.0)
}

/// The sectors of the state, as the file of the flash has them.
struct Sectors(Vec<[u32; SECTOR]>);

impl Sectors {
    fn of(flash: &Path) -> Self {
        let mut file = File::open(flash).expect("the flash is there");
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(u64::from(STATE.start - FLASH.start))).expect("the flash has a state");
        file.read_to_end(&mut bytes).expect("the flash is read");
        let words: Vec<_> = bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
        Self(words.as_chunks().0.to_vec())
    }

    /// Sector and slot of the newest record, and the record.
    fn newest(&self) -> Option<(usize, usize, Record)> {
        let slots = self.0.iter().enumerate().flat_map(|(sector, words)| {
            slots(words).iter().enumerate().map(move |(index, slot)| (sector, index, Record::from_words(*slot)))
        });
        let records = slots.filter_map(|(sector, index, record)| Some((sector, index, record?)));
        records.max_by_key(|(_, _, record)| record.sequence)
    }

    fn last_setting(&self) -> u16 {
        self.newest().map_or(0, |(_, _, record)| record.memory.last_setting)
    }

    /// Sectors that start blank and end in what they held before.
    fn half_erased(&self) -> usize {
        self.0.iter().filter(|sector| is_half_erased(sector)).count()
    }

    /// Sectors whose last record is not whole.
    fn half_written(&self) -> usize {
        let last = |sector| slots(sector).iter().rfind(|slot| **slot != [u32::MAX; Record::WORDS]);
        let written = self.0.iter().filter(|sector| !is_half_erased(sector));
        written.filter_map(last).filter(|slot| Record::from_words(**slot).is_none()).count()
    }
}

fn slots(sector: &[u32; SECTOR]) -> &[[u32; Record::WORDS]] {
    sector.as_chunks().0
}

fn is_half_erased(sector: &[u32; SECTOR]) -> bool {
    sector[0] == u32::MAX && sector.iter().any(|word| *word != u32::MAX)
}
