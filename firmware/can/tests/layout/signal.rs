//! The bytes of signals were made by cantools 45.1 from DBC files with these signals, not by this crate.

use proptest::collection::vec;
use proptest::prelude::*;
use rig_can::layout::Signal;
use test_case::test_case;

use crate::{bytes, signal};

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
        let mut data = [0x5A; 64];
        signal.put(&mut data, value);
        let back = signal.get(&data).unwrap();
        let raw = ((value as f64 - f64::from(offset)) / factor).clamp(low as f64, high as f64);
        let nearest = raw * factor + f64::from(offset);
        prop_assert!((back as f64 - nearest).abs() <= factor.abs() / 2.0 + 0.501, "{} for {}", back, nearest);
        prop_assert_eq!(signal.to_string().parse(), Ok(signal));
    }

    #[test]
    fn any_text_and_any_data_are_survived(
        text in "[0-9|@+() ,.e-]{0,30}",
        scale in "[0-9infaNe.+-]{0,12}",
        data in vec(any::<u8>(), 0..=64),
        value in any::<i64>(),
    ) {
        for text in [text, format!("7|16@0- ({scale},{scale})")] {
            if let Ok(signal) = text.parse::<Signal>() {
                let mut data = data.clone();
                let _ = signal.get(&data);
                signal.put(&mut data, value);
                prop_assert_eq!(signal.to_string().parse(), Ok(signal));
            }
        }
    }
}
