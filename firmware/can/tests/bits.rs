//! Bits of frames. The vectors were made by another program (Python, which writes every bit of a frame into a text, the
//! CRC by long division), not by this crate.
#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::collection::vec;
use proptest::prelude::*;
use rig_can::bits::{self, Bits, Rate};
use rig_can::{Frame, Id};
use test_case::test_case;

fn bytes(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn bits(frame: Option<Frame>) -> (u32, u32) {
    let Bits { nominal, data } = bits::of(&frame.unwrap());
    (nominal, data)
}

#[test_case("000", "", 53)]
#[test_case("000", "0000000000000000", 127)]
#[test_case("7FF", "FFFFFFFFFFFFFFFF", 126)]
#[test_case("555", "5555555555555555", 112)]
#[test_case("123", "C0FFEE", 76)]
#[test_case("014", "01", 58)]
#[test_case("100", "00CA22FF5566AADF", 117)]
#[test_case("7E0", "023E80", 78)]
#[test_case("00000000", "0000000000000000", 150)]
#[test_case("1FFFFFFF", "FFFFFFFFFFFFFFFF", 149)]
#[test_case("18DA10F1", "3008000000000000", 143)]
fn a_classic_frame_has_the_bits_of_its_contents(id: &str, data: &str, nominal: u32) {
    assert_eq!(bits(Frame::classic(id.parse().unwrap(), &bytes(data))), (nominal, 0));
}

#[test_case("123", 0, 48)]
#[test_case("123", 8, 48)]
#[test_case("7FF", 8, 50)]
#[test_case("1FFFFFFF", 3, 74)]
fn a_remote_frame_has_a_length_and_no_data(id: &str, length: u8, nominal: u32) {
    assert_eq!(bits(Frame::remote(id.parse().unwrap(), length)), (nominal, 0));
}

#[test_case("000", "", false, false, (65, 0))]
#[test_case("000", "", true, false, (31, 33); "a stuff bit that the BRS bit calls for is in the data phase")]
#[test_case("000", "", true, true, (31, 33))]
#[test_case("7FF", "FFFFFFFFFFFFFFFF", true, true, (31, 109))]
#[test_case("555", "55555555555555555555555555555555", true, false, (29, 161); "CRC-17 up to 16 bytes")]
#[test_case("555", "5555555555555555555555555555555555555555", true, false, (29, 198); "CRC-21 over 16 bytes")]
#[test_case("7E8", &"00".repeat(64), true, false, (31, 652))]
#[test_case("7E8", &"FF".repeat(64), false, false, (684, 0))]
#[test_case("18DAF110", &"CC".repeat(64), true, false, (49, 551))]
#[test_case("00000000", "000000000000000000000000", true, false, (53, 148))]
#[test_case("1FFFFFFF", "000102030405060708090A0B0C0D0E0F1011121314151617", true, true, (54, 246))]
#[test_case("123", "000000F8", true, false, (29, 71))]
#[test_case("123", "AAE0", false, false, (79, 0); "no stuff bit beside the fixed one that follows the data")]
#[test_case("123", "AAA0", true, false, (29, 49); "the same with bit rate switch")]
fn an_fd_frame_has_bits_of_two_phases(id: &str, data: &str, switch: bool, passive: bool, expected: (u32, u32)) {
    let frame = Frame::fd(id.parse().unwrap(), &bytes(data), switch);
    assert_eq!(bits(frame.map(|frame| frame.sent_passively(passive))), expected);
}

#[test]
fn time_is_rounded_up_to_nanoseconds() {
    let classic = Frame::classic(Id::Standard(0x123), &[0xC0, 0xFF, 0xEE]).unwrap();
    let rate = |nominal, data| Rate { nominal, data };
    assert_eq!(bits::time(&classic, rate(500_000, None)), 152_000);
    assert_eq!(bits::time(&classic, rate(500_000, Some(2_000_000))), 152_000);
    assert_eq!(bits::time(&classic, rate(83_300, None)), 912_365, "76 bits / 83.3 kbit/s = 912364.94… ns");
    let fd = Frame::fd(Id::Standard(0x123), &[0xAA, 0xA0], true).unwrap();
    assert_eq!(bits::time(&fd, rate(500_000, Some(2_000_000))), 58_000 + 24_500);
    assert_eq!(bits::time(&fd, rate(500_000, None)), 156_000, "a bus without a data rate");
    assert_eq!(bits::time(&fd, rate(0, Some(0))), 78_000_000_000, "no rate is one bit in a second");
}

/// Data of runs, which stuff bits are made of, and of any bytes.
fn data(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(0), Just(0xFF), Just(0x0F), Just(0xF8), Just(0x83), any::<u8>()];
    vec(byte, 0..=longest)
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)]
}

proptest! {
    /// The well-known formula, intermission included: 47 + 8 n bits with a standard identifier and 67 + 8 n with an
    /// extended one, and a stuff bit for the first five and then for every four of those that are stuffed.
    #[test]
    fn a_classic_frame_is_within_the_known_bounds(id in id(), data in data(8)) {
        let least = if id.is_extended() { 67 } else { 47 } + 8 * u32::try_from(data.len()).unwrap();
        let (nominal, switched) = bits(Frame::classic(id, &data));
        prop_assert!((least..=least + (least - 13 - 1) / 4).contains(&nominal), "{}", nominal);
        prop_assert_eq!(switched, 0);
    }

    #[test]
    fn an_fd_frame_is_within_the_known_bounds(id in id(), data in data(64), passive in any::<bool>()) {
        let mut data = data;
        data.resize(rig_can::fd_length(data.len()).unwrap(), 0x55);
        let frame = |switch| Frame::fd(id, &data, switch).map(|frame| frame.sent_passively(passive));
        let (nominal, switched) = bits(frame(true));
        let stuffed = if id.is_extended() { 36 } else { 17 } + 5 + 8 * u32::try_from(data.len()).unwrap();
        let least = stuffed + if data.len() <= 16 { 27 } else { 32 } + 13;
        prop_assert!((least..=least + (stuffed - 2) / 4).contains(&(nominal + switched)));
        let arbitration = if id.is_extended() { 48 } else { 29 };
        prop_assert!(nominal >= arbitration);
        prop_assert_eq!(bits(frame(false)).1, 0);
    }
}
