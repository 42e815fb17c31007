//! Signals and messages. The bytes of signals were made by cantools 45.1 from DBC files with these signals, not by this
//! crate.
#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::collection::vec;
use proptest::prelude::*;
use rig_can::layout::{Field, FrameLayout, Message, Signal, Values};
use rig_can::{Frame, Id, fd_length};
use rig_payload::{Actor, Body, Header, Kind, Mode, Setting, State};
use test_case::test_case;

fn signal(text: &str) -> Signal {
    text.parse().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test_case("0|8@1+", 0, "0000000000000000")]
#[test_case("0|8@1+", 165, "A500000000000000")]
#[test_case("0|8@1+", 255, "FF00000000000000")]
#[test_case("16|12@1-", -12, "0000F40F00000000")]
#[test_case("16|12@1-", -2048, "0000000800000000")]
#[test_case("16|12@1-", 2047, "0000FF0700000000")]
#[test_case("16|12@1- (0.1,0)", -12, "0000880F00000000")]
#[test_case("16|12@1- (0.1,0)", 204, "0000F80700000000")]
#[test_case("16|12@1- (0.1,0)", -204, "0000080800000000")]
#[test_case("7|16@0+", 4660, "1234000000000000")]
#[test_case("7|16@0+", 65_535, "FFFF000000000000")]
#[test_case("3|12@0-", -2, "0FFE000000000000")]
#[test_case("3|12@0-", 2047, "07FF000000000000")]
#[test_case("3|12@0-", -2048, "0800000000000000")]
#[test_case("0|64@1+", 81_985_529_216_486_895, "EFCDAB8967452301")]
#[test_case("7|64@0-", -2, "FFFFFFFFFFFFFFFE")]
#[test_case("7|64@0-", 81_985_529_216_486_895, "0123456789ABCDEF")]
#[test_case("5|3@1+", 5, "A000000000000000")]
#[test_case("13|10@0+", 683, "002AB00000000000")]
#[test_case("62|2@1+", 2, "0000000000000080")]
#[test_case("55|9@0+", 341, "000000000000AA80")]
#[test_case("4|1@0+", 1, "1000000000000000")]
#[test_case("8|16@1+ (0.5,-40)", -40, "0000000000000000")]
#[test_case("8|16@1+ (0.5,-40)", 60, "00C8000000000000")]
#[test_case("8|16@1+ (0.5,-40)", 215, "00FE010000000000")]
#[test_case("39|24@0- (10,100)", 100, "0000000000000000")]
#[test_case("39|24@0- (10,100)", -900, "00000000FFFF9C00")]
#[test_case("39|24@0- (10,100)", 12_340, "000000000004C800")]
#[test_case("8|20@1- (-2,7)", 7, "0000000000000000")]
#[test_case("8|20@1- (-2,7)", -3, "0005000000000000")]
#[test_case("8|20@1- (-2,7)", 107, "00CEFF0F00000000")]
#[test_case("511|1@1+", 1, &("00".repeat(63) + "80"))]
#[test_case("479|32@0+", 3_735_928_559, &("00".repeat(59) + "DEADBEEF00"))]
#[test_case("250|37@1-", -123_456_789, &("00".repeat(31) + "ACCB90E27F" + &"00".repeat(28)))]
#[test_case("12|11@1+ (0.001,0)", 2, "00007D0000000000")]
#[test_case("12|11@1+ (0.001,0)", 0, "0000000000000000")]
#[test_case("31|32@0- (0.1,0)", -250, "000000FFFFF63C00")]
#[test_case("31|32@0- (0.1,0)", 12_345, "0000000001E23A00")]
fn a_signal_has_the_bits_of_a_dbc_file(text: &str, value: i64, data: &str) {
    let expected = bytes(data);
    let mut data = vec![0; expected.len()];
    signal(text).put(&mut data, value);
    assert_eq!(data, expected);
    assert_eq!(signal(text).get(&expected), Some(value));
    let mut full = vec![0xFF; expected.len()];
    signal(text).put(&mut full, value);
    assert_eq!(signal(text).get(&full), Some(value), "whatever is around it");
    assert_eq!(signal(text).to_string(), text);
}

#[test_case("0|8@1+", 256, 255)]
#[test_case("0|8@1+", -1, 0)]
#[test_case("0|8@1-", 128, 127)]
#[test_case("0|8@1-", i64::MIN, -128)]
#[test_case("0|1@1-", 1, 0)]
#[test_case("0|1@1-", -1, -1)]
#[test_case("7|64@0-", i64::MIN, i64::MIN)]
#[test_case("7|64@0+", i64::MIN, 0)]
#[test_case("0|64@1+", i64::MAX, i64::MAX)]
#[test_case("0|8@1+ (0.1,0)", 1000, 26; "25.5, rounded away from zero")]
#[test_case("0|8@1- (0.5,0)", -1000, -64)]
#[test_case("0|8@1+ (-1,0)", 3, 0)]
#[test_case("0|64@1+ (0.0000001,0)", i64::MAX, 1_844_674_407_371)]
#[test_case("0|64@1+ (1e300,0)", i64::MAX, 0)]
#[test_case("0|64@1+ (1e-320,0)", i64::MAX, 0; "a factor that divides into infinity")]
fn a_value_that_does_not_fit_is_clamped(text: &str, value: i64, back: i64) {
    let mut data = [0; 8];
    signal(text).put(&mut data, value);
    assert_eq!(signal(text).get(&data), Some(back));
}

#[test_case("0|8@1+ (4,0)", 5, 4)]
#[test_case("0|8@1+ (4,0)", 6, 8; "halves go away from zero")]
#[test_case("0|8@1- (4,0)", -6, -8)]
#[test_case("0|8@1- (4,0)", -5, -4)]
#[test_case("0|16@1+ (0.3,0)", 100, 100)]
fn a_value_between_two_numbers_is_rounded(text: &str, value: i64, back: i64) {
    let mut data = [0; 8];
    signal(text).put(&mut data, value);
    assert_eq!(signal(text).get(&data), Some(back));
}

#[test]
fn more_than_64_bits_hold_is_clamped_when_read() {
    assert_eq!(signal("0|64@1+").get(&[0xFF; 8]), Some(i64::MAX));
    assert_eq!(signal("0|32@1+ (1e300,0)").get(&[0xFF; 8]), Some(i64::MAX));
    assert_eq!(signal("0|32@1+ (-1e300,0)").get(&[0xFF; 8]), Some(i64::MIN));
}

#[test]
fn data_that_is_too_short_has_no_value() {
    assert_eq!(signal("16|12@1-").size(), 4);
    assert_eq!(signal("16|12@1-").get(&[0; 3]), None);
    assert_eq!(signal("3|12@0-").size(), 2);
    assert_eq!(signal("3|12@0-").get(&[0; 1]), None);
    assert_eq!(signal("511|1@1+").size(), 64);
    signal("16|12@1-").put(&mut [0; 3], -1);
}

#[test_case("16|12@1-", "16|12@1-")]
#[test_case(" 16|12@1-(1,0) ", "16|12@1-"; "what says nothing is not written")]
#[test_case("16|12@1- ( 0.10 , -40.0 )", "16|12@1- (0.1,-40)")]
#[test_case("16|12@1- (1e2,0)", "16|12@1- (100,0)")]
fn a_signal_may_be_written_otherwise(text: &str, written: &str) {
    assert_eq!(signal(text).to_string(), written);
    assert_eq!(signal(written), signal(text));
}

#[test]
fn a_text_that_is_no_signal_says_how_to_write_one() {
    let error = |text: &str| text.parse::<Signal>().unwrap_err().to_string();
    let no_signal = " is no signal: write start bit, length, byte order and sign, such as 16|12@1- or 16|12@1- (0.1,0)";
    for text in [
        "",
        "16",
        "16|12",
        "16|12@2-",
        "16|12@1",
        "16|12@1*",
        "-1|8@1+",
        "+1|8@1+",
        "1|8@1+ 0.1,0",
        "1|8@1+ (0.1)",
        "1|8@1+ (a,0)",
        "1|8@1+ (1,0) [0|8]",
        "99999|8@1+",
        "1|256@1+",
        "|8@1+",
        "1|8@\u{e9}+",
    ] {
        assert_eq!(error(text), format!("`{}`{no_signal}", text.escape_default()));
    }
    for text in ["0|0@1+", "0|65@1+"] {
        assert_eq!(error(text), format!("the signal {text} has a length that cannot be: choose 1 to 64 bits"));
    }
    for text in ["505|8@1+", "512|1@1+", "65535|255@1+", "65535|64@0+", "504|2@0+"] {
        assert!(error(text).starts_with(&format!("the signal {text} ")), "{}", error(text));
    }
    for text in ["0|8@1+ (0,1)", "0|8@1+ (NaN,0)", "0|8@1+ (1,inf)", "0|8@1+ (1e999,0)"] {
        assert!(error(text).contains("choose numbers, and a factor other than 0"), "{}", error(text));
    }
}

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
    assert!(message.carries(Field::VoltageMv) && !message.carries(Field::Trips));

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

/// Any signal that fits data of `length` bytes.
fn any_signal(length: usize) -> impl Strategy<Value = (String, bool, u32)> {
    let bits = length * 8;
    (1..=bits.min(64), any::<prop::sample::Index>(), any::<bool>(), any::<bool>()).prop_map(
        move |(size, at, big_endian, signed)| {
            let first = at.index(bits - size + 1);
            let start = if big_endian { first ^ 7 } else { first };
            let text = format!("{start}|{size}@{}{}", u8::from(!big_endian), if signed { '-' } else { '+' });
            (text, signed, u32::try_from(size).unwrap())
        },
    )
}

/// The least and the most that so many bits hold.
fn bounds(signed: bool, size: u32) -> (i128, i128) {
    if signed { (-(1 << (size - 1)), (1 << (size - 1)) - 1) } else { (0, (1 << size) - 1) }
}

proptest! {
    #[test]
    fn a_value_comes_back_clamped_and_nothing_else_changes(
        length in 1..=64_usize,
        around in any::<u8>(),
        value in any::<i64>(),
        small in -300..300_i64,
        seed in any::<prop::sample::Index>(),
        (text, signed, size) in any_signal(8),
    ) {
        let value = if seed.index(2) == 0 { value } else { small };
        let (low, high) = bounds(signed, size);
        let signal: Signal = text.parse().unwrap();
        let mut data = vec![around; length.max(8)];
        signal.put(&mut data, value);
        prop_assert_eq!(signal.get(&data).map(i128::from), Some(i128::from(value).clamp(low, high)));
        let changed: u32 = data.iter().map(|byte| (byte ^ around).count_ones()).sum();
        prop_assert!(changed <= size);
        prop_assert_eq!(signal.to_string().parse(), Ok(signal));
    }

    #[test]
    fn a_scaled_value_comes_back_within_half_a_step(
        factor in prop_oneof![Just(0.001), Just(0.1), Just(0.5), Just(3.0), Just(-10.0), Just(1000.0)],
        offset in -1000..1000_i32,
        value in -1_000_000_000..1_000_000_000_i64,
        (text, signed, size) in any_signal(64),
    ) {
        let signal: Signal = format!("{text} ({factor},{offset})").parse().unwrap();
        let (low, high) = bounds(signed, size);
        let raw = (value as f64 - f64::from(offset)) / factor;
        prop_assume!(low as f64 <= raw && raw <= high as f64);
        let mut data = [0x5A; 64];
        signal.put(&mut data, value);
        let back = signal.get(&data).unwrap();
        prop_assert!((back - value).abs() as f64 <= factor.abs() / 2.0 + 0.5, "{} for {}", back, value);
        prop_assert_eq!(signal.to_string().parse(), Ok(signal));
    }

    #[test]
    fn any_text_and_any_data_are_survived(text in "[0-9|@+() ,.e-]{0,30}", scale in "[0-9infaNe.+-]{0,12}", data in vec(any::<u8>(), 0..=64), value in any::<i64>()) {
        for text in [text, format!("7|16@0- ({scale},{scale})")] {
            if let Ok(signal) = text.parse::<Signal>() {
                let mut data = data.clone();
                let _ = signal.get(&data);
                signal.put(&mut data, value);
                prop_assert_eq!(signal.to_string().parse(), Ok(signal));
            }
        }
    }

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
            prop_assert_eq!(back.get(field).is_some(), message.carries(field));
        }
    }
}
