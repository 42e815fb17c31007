use rig_can::Id;
use rig_can::isotp::{Addressing, Settings, SettingsError};
use test_case::test_case;

use crate::{extended, fd, tester};

#[test]
fn settings_that_can_be_pass() {
    let mixed = Settings { send: Id::Standard(1), receive: Id::Standard(1), ..extended(tester()) };
    for settings in [tester(), fd(tester()), extended(tester()), mixed] {
        assert_eq!(settings.check(), Ok(()));
    }
    for frame_length in [8, 12, 16, 20, 24, 32, 48, 64] {
        assert_eq!(Settings { frame_length, ..fd(tester()) }.check(), Ok(()));
    }
    for separation in (0..=0x7F).chain(0xF1..=0xF9) {
        assert_eq!(Settings { separation, ..tester() }.check(), Ok(()));
    }
}

#[test_case(Settings { send: Id::Standard(0x800), ..tester() }, SettingsError::Id)]
#[test_case(Settings { receive: Id::Extended(0x2000_0000), ..tester() }, SettingsError::Id)]
#[test_case(Settings { send: tester().receive, ..tester() }, SettingsError::SameId)]
#[test_case(
    Settings {
        send: tester().receive,
        addressing: Addressing::Extended { send: 7, receive: 7 },
        ..tester()
    },
    SettingsError::SameId
)]
#[test_case(Settings { frame_length: 0, ..tester() }, SettingsError::FrameLength(0))]
#[test_case(Settings { frame_length: 7, ..tester() }, SettingsError::FrameLength(7))]
#[test_case(Settings { frame_length: 9, ..fd(tester()) }, SettingsError::FrameLength(9))]
#[test_case(Settings { frame_length: 65, ..fd(tester()) }, SettingsError::FrameLength(65))]
#[test_case(Settings { frame_length: 12, ..tester() }, SettingsError::NeedsFd(12))]
#[test_case(Settings { separation: 0x80, ..tester() }, SettingsError::Separation(0x80))]
#[test_case(Settings { separation: 0xF0, ..tester() }, SettingsError::Separation(0xF0))]
#[test_case(Settings { separation: 0xFA, ..tester() }, SettingsError::Separation(0xFA))]
#[test_case(Settings { longest: 0, ..tester() }, SettingsError::NoRoom)]
fn settings_that_cannot_be_say_why(settings: Settings, error: SettingsError) {
    assert_eq!(settings.check(), Err(error));
}
