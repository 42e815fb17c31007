//! The three programs on their board: they do what the twins do, on the ports that the board has for it.
#![cfg(unix)]

mod bench;

use bench::{BOARD, Bench, elf, number, state};
use rig_mps2::{Identity, Image, command};
use rig_payload::{Actor, Kind, Mode};

const PROGRAMS: [(&str, Actor); 3] =
    [("storage", Actor::Storage), ("breaker", Actor::Breaker), ("meter", Actor::Meter)];

#[test]
fn every_program_boots_and_answers() {
    let commands = [Kind::StorageStatusCmd, Kind::BreakerStatusCmd, Kind::CapCmd];
    for ((program, device), kind) in PROGRAMS.into_iter().zip(commands) {
        let bench = Bench::with(program);
        let (mut machine, boot) = bench.boot();
        assert_eq!((boot.header.source, boot.header.destination), (device, Actor::DacSub));
        assert_eq!((boot.header.sequence, boot.header.correlation), (1, 1));

        machine.field.send(&command(kind, device, 7, 0)).unwrap();
        let reply = machine.field.receive().unwrap();
        assert_eq!(Some(reply.header.kind), kind.reply());
        assert_eq!((reply.header.destination, reply.header.correlation), (Actor::DacOps, 7));
        assert!(reply.header.stamp > boot.header.stamp);
    }
}

#[test]
fn an_image_says_what_it_is_in_its_elf_and_in_flash() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    let there = bench.symbol("RIG_IDENTITY");
    let read_back = Identity::from_bytes(&machine.memory(there.address, there.size).unwrap());
    assert_eq!(read_back, bench.image.identity());

    let identity = |board, program: &str| Image::read(&elf(board, program)).unwrap().identity().unwrap();
    let storage = identity(BOARD, "storage");
    for (board, (program, device)) in
        [BOARD, "blue-pill"].into_iter().flat_map(|board| PROGRAMS.map(|program| (board, program)))
    {
        let identity = identity(board, program);
        assert_eq!((identity.role, identity.version.as_str()), (device as u8, "0.1.0"));
        assert_eq!(identity.board, board);
        assert_eq!(identity.build == storage.build, board == BOARD, "a build id for each board");
    }
    assert_ne!(identity(BOARD, "storage-bug-stall").build, storage.build);
}

#[test]
fn storage_tells_of_an_island_and_of_its_end() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    let told = [Actor::DacSub, Actor::ScadaFep, Actor::Lms];
    for (feeder, kind, mode, delay_us) in [
        (false, Kind::InIslandAlarm, Mode::Islanded, 40_000),
        (true, Kind::OutOfIslandAlert, Mode::Normal, 20_000),
        (false, Kind::InIslandAlarm, Mode::Islanded, 40_000),
    ] {
        machine.sense.set(feeder).unwrap();
        for destination in told {
            let alarm = machine.field.receive().unwrap();
            assert_eq!((alarm.header.kind, alarm.header.destination), (kind, destination));
            assert_eq!((state(&alarm).mode, state(&alarm).feeder), (mode, feeder));
            assert!(state(&alarm).event_age_us >= delay_us, "{:?}", state(&alarm));
        }
    }
}

#[test]
fn the_breaker_trips_with_the_feeder_and_recloses() {
    let bench = Bench::with("breaker");
    let (mut machine, _) = bench.boot();
    let mut sequence = 0;
    for (feeder, mode, trips) in [(true, Mode::Normal, 0), (false, Mode::Tripped, 1), (true, Mode::Normal, 1)] {
        machine.sense.set(feeder).unwrap();
        // The fall takes a moment to be sensed, and the breaker some time to reclose.
        let state = loop {
            sequence += 1;
            assert!(sequence < 10_000, "the breaker never is {mode:?}");
            machine.field.send(&command(Kind::BreakerStatusCmd, Actor::Breaker, sequence, 0)).unwrap();
            let reply = machine.field.receive().unwrap();
            assert_eq!((reply.header.kind, reply.header.correlation), (Kind::BreakerStatusResp, sequence));
            if state(&reply).mode == mode && state(&reply).feeder == feeder {
                break state(&reply);
            }
        };
        assert_eq!(state.trips, trips);
        assert_eq!(state.voltage_mv, if feeder { 230_000 } else { 0 });
    }
}

#[test]
fn the_meter_tells_the_utility_on_the_field_link_and_the_customer_on_the_in_home_port() {
    let bench = Bench::with("meter");
    let (mut machine, _) = bench.boot();
    for (sequence, cmd, ack, alert) in
        [(5, Kind::CapCmd, Kind::CapAck, Kind::CappedAlert), (6, Kind::CancelCmd, Kind::CancelAck, Kind::UncappedAlert)]
    {
        machine.field.send(&command(cmd, Actor::Meter, sequence, 900)).unwrap();
        let field = [machine.field.receive().unwrap(), machine.field.receive().unwrap()];
        let home = [machine.home.receive().unwrap(), machine.home.receive().unwrap()];
        let headers = field.iter().chain(&home).map(|frame| frame.header);
        assert_eq!(
            headers.clone().map(|header| (header.kind, header.destination)).collect::<Vec<_>>(),
            [(ack, Actor::DacOps), (alert, Actor::Mdms), (alert, Actor::Ipd), (alert, Actor::CustomerEms)]
        );
        assert!(headers.into_iter().all(|header| header.correlation == sequence));
    }
    assert_eq!(machine.home.arrived().unwrap(), [], "the in-home port has nothing else");
    assert_eq!(machine.field.arrived().unwrap(), [], "the field link has nothing else");
}

#[test]
fn what_was_set_outlives_the_power_and_nothing_else_does() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    machine.field.send(&command(Kind::DischargeCmd, Actor::Storage, 40, 1500)).unwrap();
    assert_eq!(machine.field.receive().unwrap().header.kind, Kind::DischargeAck);
    drop(machine);

    let (mut machine, boot) = bench.boot();
    let kept = state(&boot);
    assert_eq!((kept.boots, kept.last_setting), (2, 40));
    assert_eq!(kept.power_w, if kept.feeder { 1500 } else { 0 });
    let log = bench.log(&mut machine);
    assert!(log[0].ends_with("boots=2 reset=power-on"), "{log:#?}");
}

#[test]
fn a_reset_is_told_from_a_power_cut() {
    let bench = Bench::with("breaker");
    let (mut machine, _) = bench.boot();
    machine.reset().unwrap();
    let boot = machine.field.receive_kind(Kind::Boot).unwrap();
    assert_eq!(boot.header.correlation, 2);
    let log = bench.log(&mut machine);
    assert!(log[0].ends_with("boots=2 reset=reset"), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("crashed")), "{log:#?}");
}

#[test]
fn a_board_without_a_program_sleeps_until_it_has_one() {
    let bench = Bench::erased("meter");
    let mut machine = bench.power();
    machine.field.send(&command(Kind::CapCmd, Actor::Meter, 1, 0)).unwrap();
    assert_eq!(machine.field.arrived().unwrap(), []);
    bench.program();
    machine.reset().unwrap();
    assert_eq!(machine.field.receive().unwrap().header.kind, Kind::Boot);
}

#[test]
fn the_log_says_what_arrived_what_left_and_when() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    machine.field.send(b"no payload\0").unwrap();
    machine.field.send(&command(Kind::StorageStatusCmd, Actor::Meter, 8, 0)).unwrap();
    machine.field.send(&command(Kind::DischargeCmd, Actor::Storage, 9, 1)).unwrap();
    let reply = machine.field.receive().unwrap();
    machine.sense.set(false).unwrap();
    machine.field.receive_kind(Kind::InIslandAlarm).unwrap();

    let log = bench.log(&mut machine);
    let build = bench.image.identity().unwrap().build.map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(log[0], format!("boot role=storage version=0.1.0 build={build} board={BOARD} boots=1 reset=power-on"));
    assert_eq!(log[1], "kept record=1");
    assert_eq!(log[2], "sent device_boot to=1 sequence=1 correlation=1");
    assert!(log[3].starts_with("broken 11 bytes at="), "{log:#?}");
    assert!(log[4].starts_with("received distr_cust_storage_discharge_cmd sequence=9 at="), "{log:#?}");
    assert_eq!(log[5], "kept record=2");
    assert_eq!(log[6], "sent distr_cust_storage_discharge_cmd_ack to=2 sequence=2 correlation=9");
    assert!(log[7].starts_with("feeder down at="), "{log:#?}");
    assert!(number(&log[3], "at") <= number(&log[4], "at"), "{log:#?}");
    assert!(number(&log[4], "at") <= reply.header.stamp, "it arrived before it was answered: {log:#?}");
}

#[test]
fn nobody_reading_the_log_stops_no_device() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    for sequence in 1..=300 {
        machine.field.send(&command(Kind::StorageStatusCmd, Actor::Storage, sequence, 0)).unwrap();
        assert_eq!(machine.field.receive().unwrap().header.correlation, sequence);
    }
    let log = bench.log(&mut machine);
    assert!(log.len() > 60, "the log is full of whole lines: {} of them", log.len());
}

#[test]
fn commands_that_come_in_one_burst_are_all_answered() {
    let bench = Bench::with("storage");
    let (mut machine, _) = bench.boot();
    let burst: Vec<u8> =
        (1..=200).flat_map(|sequence| command(Kind::ChargeRateCmd, Actor::Storage, sequence, 5)).collect();
    machine.field.send(&burst).unwrap();
    for sequence in 1..=200 {
        assert_eq!(machine.field.receive().unwrap().header.correlation, sequence);
    }
}

/// Processor time in ticks of 10 ms: what a program that does not sleep takes is all of it.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_program_sleeps() {
    let bench = Bench::with("meter");
    let (machine, _) = bench.boot();
    let ticks = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", machine.process())).unwrap();
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks();
    std::thread::sleep(std::time::Duration::from_secs(2));
    let spent = ticks() - before;
    assert!(spent < 50, "{spent} of 200 ticks");
}
