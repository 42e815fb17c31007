//! What each device does, and when.

mod rig;

use rig::{MS, Rig, SECOND, command, state};
use rig_device::{Memory, Role};
use rig_payload::{Actor, Frame, Kind, Mode};

const KEPT: Memory = Memory { boots: 4, last_setting: 12, setting: 700, capped: false, trips: 2, energy_wh: 900 };

fn heads(frames: &[Frame]) -> Vec<(Kind, Actor, u16)> {
    frames.iter().map(|frame| (frame.header.kind, frame.header.destination, frame.header.correlation)).collect()
}

#[test]
fn every_device_boots_with_what_it_kept() {
    for role in [Role::Storage, Role::Breaker, Role::Meter] {
        let mut rig = Rig::cold(role, KEPT, true);
        let log = rig.step(&[]);
        assert_eq!(heads(&log.frames), [(Kind::Boot, Actor::DacSub, 5)]);
        assert_eq!(log.kept, [Memory { boots: 5, ..KEPT }]);
        assert_eq!(log.kept_before, [1], "the count is kept before it is told");
        let told = state(&log.frames[0]);
        assert_eq!((told.boots, told.last_setting, told.trips, told.energy_wh), (5, 12, 2, 900));
        assert_eq!(
            (told.mode, told.feeder, told.voltage_mv, told.frequency_mhz),
            (Mode::Normal, true, 230_000, 50_000)
        );
        assert_eq!((log.frames[0].header.source, log.frames[0].header.sequence), (role.actor(), 1));
        assert_eq!(log.frames[0].size(), 50);
        assert_eq!(rig.wake, None);
        assert!(rig.pass(1000 * SECOND).is_empty(), "it boots once");
    }
}

#[test]
fn a_status_is_answered_to_whom_asked() {
    for (role, ask, answer) in [
        (Role::Storage, Kind::StorageStatusCmd, Kind::StorageStatusResp),
        (Role::Breaker, Kind::BreakerStatusCmd, Kind::BreakerStatusResp),
    ] {
        let mut rig = Rig::boot(role, KEPT);
        rig.now = 3 * SECOND;
        let log = rig.command(ask, 500, 0);
        assert_eq!(heads(&log.frames), [(answer, Actor::DacOps, 500)]);
        assert_eq!((log.frames[0].header.sequence, log.frames[0].header.stamp), (2, 3 * SECOND));
        assert_eq!(log.frames[0].size(), 50);
        assert_eq!(state(&log.frames[0]).last_setting, 12, "a status command sets nothing");
        assert!(log.kept.is_empty());
    }
}

#[test]
fn a_setting_is_kept_before_it_is_acknowledged() {
    let mut rig = Rig::boot(Role::Storage, Memory::default());
    for (kind, ack, value, power) in [
        (Kind::DischargeCmd, Kind::DischargeAck, 2500, 2500),
        (Kind::ChargeRateCmd, Kind::ChargeRateAck, 1200, -1200),
        (Kind::ChargeRateCmd, Kind::ChargeRateAck, i32::MIN, -i32::MAX),
    ] {
        let log = rig.command(kind, 40, value);
        assert_eq!(heads(&log.frames), [(ack, Actor::DacOps, 40)]);
        assert_eq!(log.frames[0].size(), 25);
        assert_eq!(log.frames[0].body.setting().map(|setting| (setting.value, setting.flags)), Some((value, 0)));
        assert_eq!(log.kept_before, [1]);
        assert_eq!((log.kept[0].last_setting, log.kept[0].setting), (40, power));
        let told = state(&rig.command(Kind::StorageStatusCmd, 41, 0).frames[0]);
        assert_eq!((told.last_setting, told.power_w), (40, power));
    }
}

#[test]
fn what_is_not_for_the_device_is_ignored() {
    for role in [Role::Storage, Role::Breaker, Role::Meter] {
        let mut rig = Rig::boot(role, KEPT);
        let other = if role == Role::Storage { Actor::Meter } else { Actor::Storage };
        for kind in Kind::ALL {
            let log = rig.step(&command(kind, other, 9, 1));
            assert!(log.frames.is_empty() && log.kept.is_empty(), "{role:?} took {kind:?} for {other:?}");
        }
        for kind in [Kind::DischargeAck, Kind::CapAck, Kind::Receipt] {
            let log = rig.command(kind, 9, 1);
            assert!(log.frames.is_empty() && log.kept.is_empty(), "{role:?} took {kind:?}");
        }
    }
}

#[test]
fn a_damaged_command_is_ignored_and_the_next_is_not() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    let good = command(Kind::DischargeCmd, Actor::Storage, 9, 1);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        bad.push(0);
        let log = rig.step(&bad);
        assert!(log.frames.is_empty() && log.kept.is_empty(), "bit {bit}");
    }
    let (first, second) = good.split_at(11);
    assert!(rig.step(first).frames.is_empty());
    assert_eq!(heads(&rig.step(second).frames), [(Kind::DischargeAck, Actor::DacOps, 9)]);
}

#[test]
fn storage_reports_an_island_after_ride_through_and_its_end_after_the_delay() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    rig.now = SECOND;
    assert!(rig.switch(false).is_empty());
    assert_eq!(rig.wake, Some(SECOND + 10 * MS));
    assert!(rig.pass(10 * MS - 1).is_empty());
    let alarms = rig.pass(1);
    let told = |kind| [(kind, Actor::DacSub, 3), (kind, Actor::ScadaFep, 3), (kind, Actor::Lms, 3)];
    assert_eq!(heads(&alarms), told(Kind::InIslandAlarm));
    for alarm in &alarms {
        let state = state(alarm);
        assert_eq!((state.mode, state.feeder, state.trips), (Mode::Islanded, false, 3));
        assert_eq!((state.event_age_us, alarm.header.stamp), (10_000, SECOND + 10 * MS));
        assert_eq!((state.power_w, state.voltage_mv), (0, 230_000), "it feeds the island, not the grid");
    }
    assert!(rig.pass(3600 * SECOND).is_empty());
    assert!(rig.switch(true).is_empty());
    assert_eq!(rig.device.mode(), Mode::Returning);
    assert!(rig.pass(300 * SECOND - 1).is_empty());
    let alerts = rig.pass(1);
    assert_eq!(heads(&alerts), told(Kind::OutOfIslandAlert));
    assert_eq!((state(&alerts[0]).mode, state(&alerts[0]).event_age_us), (Mode::Normal, 300_000_000));
    assert_eq!(state(&alerts[0]).power_w, 700, "it is in service again");
    assert_eq!(rig.wake, None);
}

#[test]
fn storage_rides_through_a_dip() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    for _ in 0..5 {
        assert!(rig.switch(false).is_empty());
        assert!(rig.pass(10 * MS - 1).is_empty());
        assert!(rig.switch(true).is_empty());
        assert!(rig.pass(SECOND).is_empty());
    }
    assert_eq!((rig.device.mode(), rig.device.memory().trips), (Mode::Normal, 2));
}

#[test]
fn a_host_that_wakes_late_does_not_turn_an_island_into_a_dip() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    rig.switch(false);
    rig.now += 50 * MS;
    let alarms = rig.switch(true);
    assert_eq!(heads(&alarms).len(), 3);
    assert_eq!(state(&alarms[0]).event_age_us, 50_000);
    assert_eq!(rig.device.mode(), Mode::Returning);
}

#[test]
fn any_interruption_restarts_the_delay_without_another_alarm() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    rig.switch(false);
    assert_eq!(rig.pass(SECOND).len(), 3);
    rig.switch(true);
    assert!(rig.pass(299 * SECOND).is_empty());
    assert!(rig.switch(false).is_empty());
    assert!(rig.pass(MS).is_empty());
    assert!(rig.switch(true).is_empty());
    assert!(rig.pass(300 * SECOND - 1).is_empty());
    assert_eq!(heads(&rig.pass(1))[0], (Kind::OutOfIslandAlert, Actor::DacSub, 3));
}

#[test]
fn storage_takes_commands_in_an_island() {
    let mut rig = Rig::boot(Role::Storage, KEPT);
    rig.switch(false);
    rig.pass(SECOND);
    let log = rig.command(Kind::DischargeCmd, 50, 900);
    assert_eq!(heads(&log.frames), [(Kind::DischargeAck, Actor::DacOps, 50)]);
    let log = rig.command(Kind::StorageStatusCmd, 51, 0);
    assert_eq!((state(&log.frames[0]).mode, state(&log.frames[0]).last_setting), (Mode::Islanded, 50));
}

#[test]
fn storage_counts_energy_and_charge() {
    let mut rig = Rig::boot(Role::Storage, Memory::default());
    rig.command(Kind::DischargeCmd, 1, 2_000);
    rig.pass(1800 * SECOND);
    let told = state(&rig.command(Kind::StorageStatusCmd, 2, 0).frames[0]);
    // Half an hour at 2 kW is 1 kWh, a tenth of the battery.
    assert_eq!((told.energy_wh, told.charge_permille), (1_000, 400));
    rig.command(Kind::ChargeRateCmd, 3, 4_000);
    rig.pass(1800 * SECOND);
    let told = state(&rig.command(Kind::StorageStatusCmd, 4, 0).frames[0]);
    assert_eq!((told.energy_wh, told.charge_permille), (3_000, 600));
}

#[test]
fn a_device_that_boots_in_the_dark_has_seen_no_island() {
    for role in [Role::Storage, Role::Breaker] {
        let mut rig = Rig::cold(role, KEPT, false);
        let boot = rig.step(&[]).frames;
        assert_eq!((boot.len(), state(&boot[0]).feeder), (1, false));
        assert!(rig.pass(SECOND).is_empty());
        assert!(rig.switch(true).is_empty());
        assert!(rig.pass(1000 * SECOND).is_empty());
        assert_eq!(rig.device.memory().trips, 2);
    }
}

#[test]
fn the_breaker_trips_at_once_and_recloses_when_the_feeder_stays() {
    let mut rig = Rig::boot(Role::Breaker, KEPT);
    let ask = |rig: &mut Rig, sequence| state(&rig.command(Kind::BreakerStatusCmd, sequence, 0).frames[0]);
    assert!(rig.switch(false).is_empty());
    let told = ask(&mut rig, 1);
    assert_eq!((told.mode, told.trips, told.feeder), (Mode::Tripped, 3, false));
    assert_eq!((told.power_w, told.voltage_mv, told.frequency_mhz), (0, 0, 0));
    rig.switch(true);
    rig.pass(100 * MS - 1);
    assert_eq!(ask(&mut rig, 2).mode, Mode::Tripped);
    rig.switch(false);
    rig.switch(true);
    assert!(rig.pass(100 * MS - 1).is_empty());
    assert_eq!(ask(&mut rig, 3).mode, Mode::Tripped, "the feeder did not stay");
    rig.pass(1);
    let told = ask(&mut rig, 4);
    assert_eq!((told.mode, told.trips), (Mode::Normal, 3));
    assert_eq!(rig.wake, None);
}

#[test]
fn the_meter_caps_and_uncaps() {
    let mut rig = Rig::boot(Role::Meter, KEPT);
    let log = rig.command(Kind::CapCmd, 60, 5_000);
    let alerts = |kind, sequence| {
        [(kind, Actor::Ipd, sequence), (kind, Actor::CustomerEms, sequence), (kind, Actor::Mdms, sequence)]
    };
    assert_eq!(heads(&log.frames[..1]), [(Kind::CapAck, Actor::DacOps, 60)]);
    assert_eq!(heads(&log.frames[1..]), alerts(Kind::CappedAlert, 60));
    assert_eq!(log.kept_before, [1; 4]);
    assert_eq!((log.kept[0].capped, log.kept[0].setting, log.kept[0].last_setting), (true, 5_000, 60));
    let told = state(&log.frames[1]);
    assert_eq!((told.mode, told.trips, told.last_setting), (Mode::Capped, 3, 60));
    assert_eq!(log.frames[1].size(), 50 + 3 * 4);

    let kept = *rig.device.memory();
    let log = rig.command(Kind::CapCmd, 60, 5_000);
    assert_eq!(heads(&log.frames), [(Kind::CapAck, Actor::DacOps, 60)], "once more is acknowledged once more");
    assert_eq!(*rig.device.memory(), kept);

    let mut rig = Rig::boot(Role::Meter, kept);
    assert_eq!(rig.device.mode(), Mode::Capped, "a cap outlives a power cut");
    let log = rig.command(Kind::CancelCmd, 61, 0);
    assert_eq!(heads(&log.frames[..1]), [(Kind::CancelAck, Actor::DacOps, 61)]);
    assert_eq!(heads(&log.frames[1..]), alerts(Kind::UncappedAlert, 61));
    assert_eq!((rig.device.mode(), rig.device.memory().trips), (Mode::Normal, 3));
}

#[test]
fn the_meters_alerts_take_every_size_from_50_to_150() {
    let mut rig = Rig::boot(Role::Meter, Memory::default());
    let mut sizes: Vec<usize> = (1..=26)
        .map(|sequence| {
            let frames = rig.command(Kind::CapCmd, sequence, 1).frames;
            assert!(frames[1..].iter().all(|alert| alert.body == frames[1].body));
            frames[1].size()
        })
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, (50..=150).step_by(4).collect::<Vec<_>>());
}
