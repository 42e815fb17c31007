use proptest::collection::vec;
use proptest::prelude::*;
use rig_can::layout::{Field, FrameLayout, Message, Values};
use rig_can::{Frame, Id, fd_length};
use rig_payload::{Actor, Body, Header, Kind, Mode, Setting, State};

use crate::{bytes, signal};

fn frame(id: u16, length: usize, signals: &[(Field, &str)]) -> FrameLayout {
    let signals = signals.iter().map(|(field, text)| (*field, signal(text))).collect();
    FrameLayout { id: Id::Standard(id), data: vec![0xA5; length], signals }
}

/// The state of a storage controller in two classic frames.
fn state_message() -> Message {
    Message::new(vec![
        frame(
            0x351,
            8,
            &[
                (Field::Mode, "0|3@1+"),
                (Field::Feeder, "3|1@1+"),
                (Field::Boots, "8|16@1+"),
                (Field::LastSetting, "24|16@1+"),
                (Field::PowerW, "40|16@1- (10,0)"),
            ],
        ),
        frame(0x352, 4, &[(Field::VoltageMv, "7|16@0+ (10,0)"), (Field::Sequence, "16|8@1+")]),
    ])
    .unwrap()
}

fn state() -> State {
    State {
        mode: Mode::Islanded,
        feeder: true,
        boots: 0x1234,
        last_setting: 0x5678,
        power_w: -2500,
        charge_permille: 512,
        energy_wh: 123_456,
        voltage_mv: 230_000,
        frequency_mhz: 50_000,
        event_age_us: 10_500,
        trips: 3,
    }
}

fn payload(body: Body) -> rig_payload::Frame {
    let header = Header {
        kind: Kind::StorageStatusResp,
        source: Actor::Storage,
        destination: Actor::DacSub,
        sequence: 9,
        correlation: 3,
        stamp: 1_000_000_000,
    };
    rig_payload::Frame { header, body }
}

#[test]
fn a_message_is_the_frames_of_its_layout() {
    let message = state_message();
    let values = Values::of(&payload(state().into()));
    let frames = message.encode(&values, None);
    let data: Vec<&[u8]> = frames.iter().map(Frame::data).collect();
    // What no signal covers stays as the layout says: 0xA5.
    let expected: [&[u8]; 2] = [&[0xA9, 0x34, 0x12, 0x78, 0x56, 0x06, 0xFF, 0xA5], &[0x59, 0xD8, 0x09, 0xA5]];
    assert_eq!(data, expected);
    assert_eq!(message.size(), 12);
    assert!(!message.needs_fd());

    let mut back = Values::default();
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(message.decode(index, frame, &mut back), Some(()));
    }
    let carried = State { charge_permille: 0, energy_wh: 0, frequency_mhz: 0, event_age_us: 0, trips: 0, ..state() };
    assert_eq!(back.state(), Some(carried));
    assert_eq!(back.get(Field::Sequence), Some(9));
    assert_eq!(back.get(Field::Correlation), None);
    assert_eq!(back.setting(), None);
}

#[test]
fn a_frame_of_another_message_has_no_values() {
    let message = state_message();
    let mut values = Values::default();
    let mut other = |index, frame: Option<Frame>| message.decode(index, &frame.unwrap(), &mut values);
    assert_eq!(other(0, Frame::classic(Id::Standard(0x352), &[0; 8])), None, "another identifier");
    assert_eq!(other(0, Frame::classic(Id::Extended(0x351), &[0; 8])), None, "an extended identifier");
    assert_eq!(other(0, Frame::classic(Id::Standard(0x351), &[0; 7])), None, "shorter");
    assert_eq!(other(0, Frame::remote(Id::Standard(0x351), 8)), None, "remote");
    assert_eq!(other(2, Frame::classic(Id::Standard(0x351), &[0; 8])), None, "no such frame");
    assert_eq!(values, Values::default());
    assert_eq!(message.decode(1, &Frame::classic(Id::Standard(0x352), &[0; 8]).unwrap(), &mut values), Some(()));
}

#[test]
fn what_is_not_carried_is_as_the_layout_says() {
    let frames = state_message().encode(&Values::default(), Some(true));
    assert_eq!(frames[0].data(), [0xA5; 8]);
    assert!(frames.iter().all(Frame::is_fd));
}

#[test]
fn long_frames_are_fd_frames() {
    let message = Message::new(vec![frame(1, 12, &[(Field::Stamp, "32|64@1+")])]).unwrap();
    assert!(message.needs_fd());
    for fd in [None, Some(false)] {
        let frames = message.encode(&Values::of(&payload(Body::new(&[]))), fd);
        let data = bytes("A5A5A5A500CA9A3B00000000");
        assert_eq!(frames, [Frame::fd(Id::Standard(1), &data, false).unwrap()]);
    }
}

#[test]
fn what_cannot_be_a_message_says_why() {
    let error = |frames: Vec<FrameLayout>| Message::new(frames).unwrap_err().to_string();
    assert_eq!(error(vec![]), "a message needs at least one frame");
    assert_eq!(
        error(vec![frame(1, 8, &[]), frame(2, 8, &[]), frame(1, 4, &[])]),
        "frame 001 is there twice: give each its own identifier"
    );
    assert_eq!(
        error(vec![frame(0x800, 8, &[])]),
        "frame 800: there is no such identifier: choose one up to 7FF, or up to 1FFFFFFF of 8 digits"
    );
    for length in [9, 65] {
        assert_eq!(
            error(vec![frame(1, length, &[])]),
            format!("frame 001: no frame has {length} bytes: fill it up to a length that a frame can have")
        );
    }
    assert_eq!(
        error(vec![frame(1, 3, &[(Field::PowerW, "16|12@1-")])]),
        "frame 001: power-w (16|12@1-) lies outside of its 3 bytes: move it or make the data longer"
    );
    assert_eq!(
        error(vec![frame(1, 8, &[(Field::PowerW, "0|16@1-"), (Field::EnergyWh, "15|9@0+")])]),
        "frame 001: energy-wh (15|9@0+) shares bit 7 of byte 1 with another signal: move one of them"
    );
    assert_eq!(
        error(vec![frame(1, 8, &[(Field::Mode, "0|8@1+")]), frame(2, 8, &[(Field::Mode, "0|8@1+")])]),
        "frame 002: mode is there twice: carry each field once"
    );
}

#[test]
fn values_are_those_of_the_payload() {
    let values = Values::of(&payload(Setting { value: -2500, flags: 1 }.into()));
    assert_eq!(values.setting(), Some(Setting { value: -2500, flags: 1 }));
    assert_eq!(values.state(), None);
    assert_eq!(
        [Field::Sequence, Field::Correlation, Field::Stamp].map(|field| values.get(field)),
        [Some(9), Some(3), Some(1_000_000_000)]
    );
    let values = Values::of(&payload(state().into()));
    assert_eq!(values.state(), Some(state()));
    assert_eq!(values.setting(), None);
    let mut late = payload(Body::new(&[1, 2, 3]));
    late.header.stamp = u64::MAX;
    assert_eq!(Values::of(&late).get(Field::Stamp), Some(i64::MAX));
    assert_eq!(Values::of(&late).state(), None);
}

#[test]
fn a_state_needs_what_is_judged() {
    let mut values = Values::default();
    for field in [Field::Mode, Field::Boots, Field::LastSetting] {
        assert_eq!(values.state(), None);
        values.set(field, 1);
    }
    let state = State { mode: Mode::Islanded, boots: 1, last_setting: 1, ..State::default() };
    assert_eq!(values.state(), Some(state));
    values.set(Field::Boots, 70_000);
    values.set(Field::LastSetting, -1);
    assert_eq!(values.state(), Some(State { boots: u16::MAX, last_setting: 0, ..state }), "clamped");
    for mode in [5, 256, -1] {
        values.set(Field::Mode, mode);
        assert_eq!(values.state(), None, "no mode {mode}");
    }
}

#[test]
fn names_of_fields_are_one_to_one() {
    for (index, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(field as usize, index);
        assert_eq!(Field::from_name(field.name()), Some(field));
        assert_eq!(field.to_string(), field.name());
    }
    assert_eq!(Field::from_name("power"), None);
}

fn carried(message: &Message, field: Field) -> bool {
    message.frames().iter().flat_map(|layout| &layout.signals).any(|(carried, _)| *carried == field)
}

proptest! {
    #[test]
    fn a_message_comes_back(
        lengths in vec(1..=64_usize, 1..5),
        numbers in vec(any::<i64>(), 16),
        switch in any::<Option<bool>>(),
    ) {
        // Each frame carries a signal in its first byte and one in the rest of it.
        let mut fields = Field::ALL.into_iter();
        let frames: Vec<FrameLayout> = lengths.iter().enumerate().map(|(index, length)| {
            let length = fd_length(*length).unwrap();
            let rest = format!("15|{}@0-", (8 * (length - 1)).min(64));
            let mut signals = vec![(fields.next().unwrap(), signal("2|5@1+"))];
            if length > 1 {
                signals.push((fields.next().unwrap(), rest.parse().unwrap()));
            }
            FrameLayout { id: Id::Extended(u32::try_from(index).unwrap()), data: vec![0; length], signals }
        }).collect();
        let message = Message::new(frames).unwrap();
        let mut values = Values::default();
        for (field, number) in Field::ALL.into_iter().zip(numbers) {
            values.set(field, number);
        }
        let encoded = message.encode(&values, switch);
        prop_assert_eq!(encoded.len(), lengths.len());
        let mut back = Values::default();
        for (index, frame) in encoded.iter().enumerate() {
            prop_assert_eq!(message.decode(index, frame, &mut back), Some(()));
        }
        prop_assert_eq!(message.encode(&back, switch), encoded);
        for field in Field::ALL {
            prop_assert_eq!(back.get(field).is_some(), carried(&message, field));
        }
    }
}
