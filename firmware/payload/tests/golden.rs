//! Payloads byte by byte. The vectors were made from the layout by another program (Python's `struct` and
//! `binascii.crc32`, COBS by hand), not by this crate.

use rig_payload::{Actor, Body, Chunk, DecodeError, Decoder, Frame, Header, Kind, MAX_PAYLOAD, Mode, Setting, State};

const DISCHARGE: [u8; 25] = [
    0x01, 0x22, 0x01, 0x04, 0x02, 0x01, 0x00, 0x00, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x3c, 0xf6, 0xff,
    0xff, 0x00, 0x91, 0x93, 0xe1, 0x17,
];
const DISCHARGE_ENCODED: [u8; 27] = [
    0x07, 0x01, 0x22, 0x01, 0x04, 0x02, 0x01, 0x01, 0x0d, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x3c, 0xf6,
    0xff, 0xff, 0x05, 0x91, 0x93, 0xe1, 0x17, 0x00,
];
const ALARM: [u8; 50] = [
    0x01, 0x28, 0x04, 0x09, 0x09, 0x00, 0x03, 0x00, 0x00, 0xca, 0x9a, 0x3b, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x07,
    0x00, 0x02, 0x01, 0x3c, 0xf6, 0xff, 0xff, 0x00, 0x02, 0x40, 0xe2, 0x01, 0x00, 0x70, 0x82, 0x03, 0x00, 0x50, 0xc3,
    0x00, 0x00, 0x04, 0x29, 0x00, 0x00, 0x03, 0x00, 0x55, 0x1c, 0x2e, 0x57,
];
const ALARM_ENCODED: [u8; 52] = [
    0x06, 0x01, 0x28, 0x04, 0x09, 0x09, 0x02, 0x03, 0x01, 0x04, 0xca, 0x9a, 0x3b, 0x01, 0x01, 0x01, 0x02, 0x01, 0x02,
    0x07, 0x07, 0x02, 0x01, 0x3c, 0xf6, 0xff, 0xff, 0x05, 0x02, 0x40, 0xe2, 0x01, 0x04, 0x70, 0x82, 0x03, 0x03, 0x50,
    0xc3, 0x01, 0x03, 0x04, 0x29, 0x01, 0x02, 0x03, 0x05, 0x55, 0x1c, 0x2e, 0x57, 0x00,
];

fn discharge() -> Frame {
    let header = Header {
        kind: Kind::DischargeCmd,
        source: Actor::DacSub,
        destination: Actor::Storage,
        sequence: 0x0102,
        correlation: 0,
        stamp: 0x1122_3344_5566_7788,
    };
    Frame { header, body: Setting { value: -2500, flags: 0 }.into() }
}

fn alarm() -> Frame {
    let header = Header {
        kind: Kind::InIslandAlarm,
        source: Actor::Storage,
        destination: Actor::Lms,
        sequence: 9,
        correlation: 3,
        stamp: 1_000_000_000,
    };
    let state = State {
        mode: Mode::Islanded,
        feeder: false,
        boots: 7,
        last_setting: 0x0102,
        power_w: -2500,
        charge_permille: 512,
        energy_wh: 123_456,
        voltage_mv: 230_000,
        frequency_mhz: 50_000,
        event_age_us: 10_500,
        trips: 3,
    };
    Frame { header, body: state.into() }
}

fn largest() -> Frame {
    let header = Header {
        kind: Kind::CappedAlert,
        source: Actor::Meter,
        destination: Actor::Ipd,
        sequence: 2,
        correlation: 1,
        stamp: 0,
    };
    let body: Vec<u8> = (1..=130).collect();
    Frame { header, body: Body::new(&body) }
}

fn written(frame: &Frame) -> Vec<u8> {
    let mut bytes = [0; MAX_PAYLOAD];
    let size = frame.write(&mut bytes);
    bytes[..size].to_vec()
}

fn chunks(bytes: &[u8]) -> Vec<(Chunk, usize)> {
    let mut decoder = Decoder::default();
    bytes.iter().filter_map(|byte| decoder.push(*byte)).collect()
}

#[test]
fn payloads_have_the_bytes_of_the_layout() {
    assert_eq!(written(&discharge()), DISCHARGE);
    assert_eq!(written(&alarm()), ALARM);
    assert_eq!(written(&largest()).len(), 150);
    assert_eq!(written(&largest())[146..], [0xfb, 0x0f, 0x24, 0x9f]);
    for frame in [discharge(), alarm(), largest()] {
        assert_eq!(Frame::read(&written(&frame)), Ok(frame));
        assert_eq!(frame.size(), written(&frame).len());
    }
}

#[test]
fn a_stream_carries_them_cobs_encoded() {
    assert_eq!(discharge().encode().as_bytes(), DISCHARGE_ENCODED);
    assert_eq!(alarm().encode().as_bytes(), ALARM_ENCODED);
    assert_eq!(largest().encode().as_bytes().len(), 152);
    assert_eq!(chunks(&DISCHARGE_ENCODED), [(Chunk::Frame(discharge()), 27)]);
    assert_eq!(chunks(&ALARM_ENCODED), [(Chunk::Frame(alarm()), 52)]);
    assert_eq!(chunks(largest().encode().as_bytes()), [(Chunk::Frame(largest()), 152)]);
}

#[test]
fn bodies_say_what_they_hold() {
    assert_eq!(discharge().body.setting(), Some(Setting { value: -2500, flags: 0 }));
    assert_eq!(discharge().body.state(), None);
    assert_eq!(alarm().body.state().map(|state| (state.mode, state.power_w)), Some((Mode::Islanded, -2500)));
    assert_eq!(alarm().body.setting(), None);
    assert_eq!(Body::new(&[0xFF; 30]).state(), None, "no such mode");
    assert_eq!(Body::new(&[7; 200]).as_bytes(), [7; 130]);
    assert_eq!(Body::new(&[7; 5]).resized(2).resized(4).as_bytes(), [7, 7, 0, 0]);
}

#[test]
fn errors_name_the_first_thing_wrong() {
    let resealed = |index: usize, byte: u8| {
        let mut bytes = DISCHARGE.to_vec();
        bytes[index] = byte;
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&bytes[..21]);
        bytes[21..].copy_from_slice(&sum.to_le_bytes());
        Frame::read(&bytes)
    };
    assert_eq!(resealed(0, 2), Err(DecodeError::Version(2)));
    assert_eq!(resealed(1, 0xEE), Err(DecodeError::Kind(0xEE)));
    assert_eq!(resealed(2, 0), Err(DecodeError::Actor(0)));
    assert_eq!(resealed(3, 14), Err(DecodeError::Actor(14)));
    assert_eq!(Frame::read(&DISCHARGE[..19]), Err(DecodeError::Short));
    assert_eq!(Frame::read(&[0; 151]), Err(DecodeError::Long));
    assert_eq!(Frame::read(&DISCHARGE[..24]), Err(DecodeError::Crc));
}

#[test]
fn a_cut_payload_is_short_and_says_what_it_was() {
    for kept in 18..=25 {
        let mut bytes = DISCHARGE_ENCODED[..kept].to_vec();
        bytes.push(0);
        let claimed = Some(discharge().header);
        let chunk = Chunk::Broken { error: DecodeError::Short, claimed, decoded: kept - 1 };
        assert_eq!(chunks(&bytes), [(chunk, kept + 1)]);
    }
    let encoded = largest().encode();
    for kept in 18..=150 {
        let bytes = [&encoded.as_bytes()[..kept], &[0]].concat();
        let claimed = Some(largest().header);
        let chunk = Chunk::Broken { error: DecodeError::Short, claimed, decoded: kept - 1 };
        assert_eq!(chunks(&bytes), [(chunk, kept + 1)]);
    }
    // Too short for a header, but it starts like a payload.
    let chunk = Chunk::Broken { error: DecodeError::Short, claimed: None, decoded: 2 };
    assert_eq!(chunks(&[0x07, 0x01, 0x22, 0x00]), [(chunk, 4)]);
}

#[test]
fn a_damaged_code_byte_is_a_wrong_crc_even_where_the_rest_is_whole() {
    let mut bytes = DISCHARGE_ENCODED;
    bytes[21] ^= 0x40;
    let claimed = Some(discharge().header);
    assert_eq!(chunks(&bytes), [(Chunk::Broken { error: DecodeError::Crc, claimed, decoded: 25 }, 27)]);
}

#[test]
fn bytes_that_are_no_payload_are_garbage_and_counted() {
    assert_eq!(chunks(&[0xFF, 0x41, 0x42, 0x00]), [(Chunk::Garbage, 4)]);
    let mut long = vec![0x01; 500];
    long.push(0);
    assert_eq!(chunks(&long), [(Chunk::Garbage, 501)]);
    assert_eq!(chunks(&[0; 64]), [], "idle fill");
}

#[test]
fn a_payload_that_garbage_runs_into_is_long_and_says_what_it_was() {
    for garbage in [&[0x41][..], &[0x01], &[0xFF; 16], &[1, 2, 3, 4, 5, 6, 7, 8]] {
        let bytes = [garbage, &ALARM_ENCODED].concat();
        let claimed = Some(alarm().header);
        let chunk = Chunk::Broken { error: DecodeError::Long, claimed, decoded: 50 };
        assert_eq!(chunks(&bytes), [(chunk, 52 + garbage.len())]);
    }
    assert_eq!(chunks(&[&[0xFF; 17][..], &ALARM_ENCODED].concat()), [(Chunk::Garbage, 69)]);
}

#[test]
fn a_reset_forgets_what_was_unfinished() {
    let mut decoder = Decoder::default();
    for byte in &ALARM_ENCODED[..20] {
        assert_eq!(decoder.push(*byte), None);
    }
    assert_eq!(decoder.pending(), 20);
    assert_eq!(decoder.reset(), 20);
    assert_eq!(decoder.pending(), 0);
    let whole = ALARM_ENCODED.iter().find_map(|byte| decoder.push(*byte));
    assert_eq!(whole, Some((Chunk::Frame(alarm()), 52)));
}

#[test]
fn names_and_numbers_of_kinds_and_actors_are_one_to_one() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_byte(kind as u8), Some(kind));
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
    for actor in Actor::ALL {
        assert_eq!(Actor::from_address(actor as u8), Some(actor));
        assert_eq!(Actor::from_name(actor.name()), Some(actor));
    }
    assert_eq!((0..=u8::MAX).filter(|byte| Kind::from_byte(*byte).is_some()).count(), Kind::ALL.len());
    assert_eq!((0..=u8::MAX).filter(|byte| Actor::from_address(*byte).is_some()).count(), Actor::ALL.len());
    for mode in (0..=u8::MAX).filter_map(Mode::from_byte) {
        assert_eq!(Mode::from_byte(mode as u8), Some(mode));
    }
}
