//! Identifiers and frames.

use proptest::prelude::*;
use rig_can::{Format, Frame, Id, IdError, fd_length};
use test_case::test_case;

#[test_case("000", Id::Standard(0))]
#[test_case("7FF", Id::Standard(0x7FF))]
#[test_case("7e0", Id::Standard(0x7E0))]
#[test_case("00000000", Id::Extended(0))]
#[test_case("1FFFFFFF", Id::Extended(0x1FFF_FFFF))]
fn an_identifier_has_three_digits_or_eight(text: &str, id: Id) {
    assert_eq!(text.parse(), Ok(id));
    assert_eq!(id.to_string(), text.to_uppercase());
}

#[test_case("")]
#[test_case("7F")]
#[test_case("07FF")]
#[test_case("800")]
#[test_case("+7F")]
#[test_case("20000000")]
#[test_case("FFFFFFFF")]
#[test_case("1FFFFFFFF")]
#[test_case("0x7FF")]
#[test_case("7é")]
fn other_texts_are_no_identifier(text: &str) {
    assert_eq!(text.parse::<Id>(), Err(IdError));
}

#[test]
fn a_number_that_its_bits_cannot_hold_is_no_identifier() {
    assert_eq!((Id::standard(0x7FF), Id::standard(0x800)), (Some(Id::Standard(0x7FF)), None));
    assert_eq!((Id::extended(0x1FFF_FFFF), Id::extended(0x2000_0000)), (Some(Id::Extended(0x1FFF_FFFF)), None));
    assert!(!Id::Standard(0x800).exists() && !Id::Extended(0x2000_0000).exists());
    for id in [Id::Standard(0x800), Id::Extended(0x2000_0000)] {
        assert_eq!(Frame::classic(id, &[]), None);
        assert_eq!(Frame::remote(id, 0), None);
        assert_eq!(Frame::fd(id, &[], false), None);
    }
}

/// The bus is a wired AND, and a dominant bit is a 0: what is sent first and lower wins.
#[test]
fn the_bus_gives_way_to_the_lower_identifier() {
    let mut ids = ["7FF", "1FFFFFFF", "000", "00000000", "123", "048C0000", "048C0001", "122", "04880000"]
        .map(|text| text.parse::<Id>().unwrap());
    ids.sort_by_key(|id| id.priority());
    let order = ids.map(|id| id.to_string());
    // 048C0000 begins with the bits of 123, and 04880000 with those of 122.
    assert_eq!(order, ["000", "00000000", "122", "04880000", "123", "048C0000", "048C0001", "7FF", "1FFFFFFF"]);
}

#[test]
fn a_frame_has_a_length_that_its_format_can_have() {
    let id = Id::Standard(1);
    let possible = |make: &dyn Fn(usize) -> Option<Frame>| -> Vec<usize> {
        (0..100).filter(|length| make(*length).is_some()).collect()
    };
    let classic: Vec<usize> = (0..=8).collect();
    let fd: Vec<usize> = (0..=8).chain([12, 16, 20, 24, 32, 48, 64]).collect();
    assert_eq!(possible(&|length| Frame::classic(id, &vec![0; length])), classic);
    assert_eq!(possible(&|length| Frame::remote(id, u8::try_from(length).unwrap())), classic);
    assert_eq!(possible(&|length| Frame::fd(id, &vec![0; length], true)), fd);
    assert_eq!((fd_length(9), fd_length(64), fd_length(65)), (Some(12), Some(64), None));
    for (code, length) in fd.into_iter().enumerate() {
        assert_eq!(Frame::fd(id, &vec![0; length], true).unwrap().length_code() as usize, code);
    }
}

#[test]
fn a_remote_frame_has_a_length_and_no_data() {
    let frame = Frame::remote(Id::Standard(1), 5).unwrap();
    assert_eq!((frame.length(), frame.data(), frame.is_remote()), (5, &[][..], true));
}

#[test]
fn only_fd_frames_tell_that_their_sender_is_passive() {
    let classic = Frame::classic(Id::Standard(1), &[1]).unwrap();
    assert_eq!(classic.sent_passively(true), classic);
    let fd = Frame::fd(Id::Standard(1), &[1], true).unwrap();
    assert_eq!(fd.sent_passively(true).format(), Format::Fd { switch: true, passive: true });
    assert_eq!(fd.sent_passively(true).sent_passively(false), fd);
}

proptest! {
    #[test]
    fn identifiers_come_back(number in 0..=0x1FFF_FFFF_u32) {
        for id in [Id::Extended(number), Id::Standard((number & 0x7FF) as u16)] {
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,12}") {
        if let Ok(id) = text.parse::<Id>() {
            prop_assert!(id.exists());
            prop_assert_eq!(id.to_string(), text.to_uppercase());
        }
    }
}
