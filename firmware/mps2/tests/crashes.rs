//! A program that goes wrong says so at its next boot: each seeded bug, and what is told of it.
#![cfg(unix)]

mod bench;

use bench::{Bench, number, state};
use rig_mps2::{Machine, command};
use rig_payload::{Actor, Kind};

/// Sends a command and waits for its acknowledgement.
fn exchange(machine: &mut Machine, kind: Kind, sequence: u16) {
    machine.field.send(&command(kind, Actor::Meter, sequence, 0)).expect("it runs");
    let reply = machine.field.receive_kind(kind.reply().expect("a command")).expect("it answers");
    assert_eq!(reply.header.correlation, sequence);
}

/// Waits for the boot after a crash and returns the line that tells of it.
fn told(bench: &Bench, machine: &mut Machine, reset: &str) -> String {
    let boot = machine.field.receive_kind(Kind::Boot).expect("it boots again");
    assert_eq!(boot.header.correlation, 2);
    let log = bench.log(machine);
    assert!(log[0].ends_with(&format!("boots=2 reset={reset}")), "{log:#?}");
    log[1].clone()
}

/// The code address behind ` pc ` lies in the image's code.
fn assert_in_code(bench: &Bench, line: &str) {
    let (_, rest) = line.split_once(" pc 0x").expect("the line tells where");
    let pc = u32::from_str_radix(&rest[..8], 16).expect("an address");
    let code = bench.symbol("__stext").address..bench.symbol("__etext").address;
    assert!(code.contains(&pc), "{line}");
}

#[test]
fn a_hard_fault_is_told_at_the_next_boot_and_only_then() {
    let bench = Bench::with("meter-bug-crash");
    let (mut machine, _) = bench.boot();
    for sequence in 1..=6 {
        exchange(&mut machine, Kind::CapCmd, 2 * sequence);
        exchange(&mut machine, Kind::CancelCmd, 2 * sequence + 1);
    }
    machine.field.send(&command(Kind::CapCmd, Actor::Meter, 14, 0)).unwrap();
    let line = told(&bench, &mut machine, "hard-fault");
    assert!(line.starts_with("crashed before: hard-fault at pc 0x"), "{line}");
    assert!(line.ends_with(": undefined instruction"), "{line}");
    assert_in_code(&bench, &line);

    // A debug probe finds the same at its symbol.
    let words = bench.symbol("RIG_LAST_WORDS");
    let words = machine.memory(words.address, words.size).unwrap();
    assert!(words.starts_with(b"RIGCRASH"));
    assert_eq!(words[8..16], [1, 0, 0, 0, 3, 0, 0, 0], "reported, a HardFault");
    assert!(words[32..].starts_with(b"undefined instruction"));

    machine.reset().unwrap();
    machine.field.receive_kind(Kind::Boot).unwrap();
    let log = bench.log(&mut machine);
    assert!(log[0].ends_with("boots=3 reset=reset") && !log[1].contains("crashed"), "{log:#?}");
    drop(machine);
    let (mut machine, _) = bench.boot();
    assert!(bench.log(&mut machine)[0].ends_with("boots=4 reset=power-on"));
}

#[test]
fn a_leak_ends_in_a_panic_whose_words_are_told() {
    let bench = Bench::with("meter-bug-leak");
    let (mut machine, _) = bench.boot();
    for sequence in 1..=32 {
        exchange(&mut machine, Kind::CapCmd, sequence);
    }
    machine.field.send(&command(Kind::CapCmd, Actor::Meter, 33, 0)).unwrap();
    let line = told(&bench, &mut machine, "panic");
    assert!(line.contains(": out of slots (src/bug.rs:"), "{line}");
}

#[test]
fn a_program_that_hangs_is_reset_by_the_watchdog_which_tells_where_it_hung() {
    let bench = Bench::with("breaker-bug-hang");
    let (mut machine, _) = bench.boot();
    for sequence in 1..=5 {
        machine.field.send(&command(Kind::BreakerStatusCmd, Actor::Breaker, sequence, 0)).unwrap();
    }
    let line = told(&bench, &mut machine, "watchdog");
    assert!(line.starts_with("crashed before: watchdog at pc 0x"), "{line}");
    assert_in_code(&bench, &line);
}

#[test]
fn a_stall_makes_one_reply_late_and_resets_nothing() {
    let bench = Bench::with("storage-bug-stall");
    let (mut machine, _) = bench.boot();
    let mut stamps = Vec::new();
    for sequence in 1..=6 {
        machine.field.send(&command(Kind::StorageStatusCmd, Actor::Storage, sequence, 0)).unwrap();
        let reply = machine.field.receive().unwrap();
        assert_eq!((reply.header.kind, state(&reply).boots), (Kind::StorageStatusResp, 1));
        stamps.push(reply.header.stamp);
    }
    let log = bench.log(&mut machine);
    let arrivals = log.iter().filter(|line| line.starts_with("received ")).map(|line| number(line, "at"));
    let took: Vec<_> = stamps.iter().zip(arrivals).map(|(stamp, at)| stamp - at).collect();
    assert!(took[4] >= 3_000_000_000, "{took:?}");
    assert!(took.iter().enumerate().all(|(index, took)| index == 4 || *took < 3_000_000_000), "{took:?}");
}

#[test]
fn what_comes_during_a_stall_and_finds_no_room_is_lost_and_counted() {
    let bench = Bench::with("storage-bug-stall");
    let (mut machine, _) = bench.boot();
    let burst = (1..=20).flat_map(|sequence| command(Kind::StorageStatusCmd, Actor::Storage, sequence, 0));
    machine.field.send(&burst.collect::<Vec<_>>()).unwrap();
    // Of the burst, some is answered. As soon as there is room again, so is what comes after a zero byte.
    let probe = [vec![0], command(Kind::StorageStatusCmd, Actor::Storage, 77, 0)].concat();
    let mut probes = 0;
    while !machine.field.arrived().unwrap().iter().any(|reply| reply.header.correlation == 77) {
        assert!(probes < 1_000, "the device answers nothing any more");
        machine.field.send(&probe).unwrap();
        probes += 1;
    }
    let log = bench.log(&mut machine);
    let lost = log.iter().find(|line| line.starts_with("lost ")).unwrap_or_else(|| panic!("{log:#?}"));
    assert!(lost.ends_with(" bytes of the field link"), "{lost}");
}
