//! What holds for every device, whatever it is fed.

mod rig;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rig::{Log, command};
use rig_device::{Device, Input, Memory, Role, Settings};
use rig_payload::{Kind, Mode};

#[derive(Clone, Debug)]
struct Turn {
    after: u64,
    feeder: bool,
    bytes: Vec<u8>,
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Storage, Role::Breaker, Role::Meter])
}

fn settings() -> impl Strategy<Value = Settings> {
    let time = || prop_oneof![Just(0), 1..1_000_000_000_u64, Just(u64::MAX)];
    (time(), time(), time()).prop_map(|(ride_through, enter_service, reclose)| Settings {
        ride_through,
        enter_service,
        reclose,
    })
}

fn turns(role: Role) -> impl Strategy<Value = Vec<Turn>> {
    let after = prop_oneof![Just(0), 1..1_000_000_000_u64, Just(u64::MAX / 4)];
    let bytes = prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..200),
        (select(Kind::ALL.to_vec()), any::<u16>(), any::<i32>()).prop_map(move |(kind, sequence, value)| command(
            kind,
            role.actor(),
            sequence,
            value
        )),
    ];
    vec((after, any::<bool>(), bytes).prop_map(|(after, feeder, bytes)| Turn { after, feeder, bytes }), 0..40)
}

fn case() -> impl Strategy<Value = (Role, Settings, Vec<Turn>)> {
    (role(), settings()).prop_flat_map(|(role, settings)| (Just(role), Just(settings), turns(role)))
}

proptest! {
    #[test]
    fn nothing_makes_it_panic_and_its_words_are_in_order((role, settings, turns) in case()) {
        let mut device = Device::boot(role, settings, Memory::default());
        let (mut now, mut sequence) = (0_u64, 0_u16);
        for turn in turns {
            now = now.saturating_add(turn.after);
            let mut log = Log::default();
            let wake = device.step(Input { now, feeder: turn.feeder, bytes: &turn.bytes }, &mut log);
            prop_assert!(wake.is_none_or(|wake| wake > now || wake == u64::MAX), "a wake-up that is due already");
            for frame in log.frames {
                sequence += 1;
                prop_assert_eq!(frame.header.sequence, sequence);
                prop_assert_eq!(frame.header.stamp, now);
                prop_assert_eq!(frame.header.source, role.actor());
                let (smallest, largest) = frame.header.kind.sizes();
                prop_assert!((smallest..=largest).contains(&frame.size()));
            }
        }
    }

    #[test]
    fn no_alarm_without_a_feeder_edge((role, settings, turns) in case(), feeder in any::<bool>()) {
        let mut device = Device::boot(role, settings, Memory::default());
        let mut now = 0_u64;
        for turn in turns {
            now = now.saturating_add(turn.after);
            let mut log = Log::default();
            device.step(Input { now, feeder, bytes: &turn.bytes }, &mut log);
            for frame in log.frames {
                let kind = frame.header.kind;
                prop_assert!(!matches!(kind, Kind::InIslandAlarm | Kind::OutOfIslandAlert), "{:?}", kind);
            }
            prop_assert!(!matches!(device.mode(), Mode::Islanded | Mode::Returning | Mode::Tripped));
        }
    }

    #[test]
    fn an_island_is_told_once_and_ended_once((settings, turns) in (settings(), turns(Role::Storage))) {
        let mut device = Device::boot(Role::Storage, settings, Memory::default());
        let (mut now, mut falls, mut open) = (0_u64, 0, false);
        let mut feeder = true;
        device.step(Input { now, feeder, bytes: &[] }, &mut Log::default());
        for turn in turns {
            now = now.saturating_add(turn.after);
            falls += usize::from(feeder && !turn.feeder);
            feeder = turn.feeder;
            let mut log = Log::default();
            device.step(Input { now, feeder, bytes: &turn.bytes }, &mut log);
            let reports = log.frames.chunk_by(|a, b| a.header.kind == b.header.kind);
            for report in reports {
                match report[0].header.kind {
                    Kind::InIslandAlarm => {
                        prop_assert_eq!((report.len(), open), (3, false));
                        open = true;
                    }
                    Kind::OutOfIslandAlert => {
                        prop_assert_eq!((report.len(), open), (3, true));
                        open = false;
                    }
                    _ => {}
                }
            }
        }
        prop_assert!(usize::from(device.memory().trips) <= falls);
    }

    #[test]
    fn what_is_kept_never_goes_back((role, settings, turns) in case(), memory in any::<(u16, u16, u32)>()) {
        let (boots, trips, energy_wh) = (memory.0 / 2, memory.1 / 2, memory.2);
        let mut before = Memory { boots, trips, energy_wh, ..Memory::default() };
        let mut device = Device::boot(role, settings, before);
        let mut now = 0_u64;
        for turn in turns {
            now = now.saturating_add(turn.after);
            let mut log = Log::default();
            device.step(Input { now, feeder: turn.feeder, bytes: &turn.bytes }, &mut log);
            for kept in log.kept {
                prop_assert!(kept.boots == boots + 1 && kept.trips >= before.trips);
                prop_assert!(kept.energy_wh >= before.energy_wh);
                before = kept;
            }
            prop_assert_eq!(before.last_setting, device.memory().last_setting, "a change that was not kept");
            prop_assert_eq!(before.trips, device.memory().trips, "a change that was not kept");
        }
    }
}
