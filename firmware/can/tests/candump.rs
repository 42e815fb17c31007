//! Log lines as can-utils prints and reads them.
#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::collection::vec;
use proptest::prelude::*;
use rig_can::candump::{LineError, Record, Seen, parse};
use rig_can::{Frame, Id, fd_length};
use test_case::test_case;

const AT: u64 = 1_436_509_052_249_713;

fn record(seen: Seen) -> Record {
    Record { at: AT, interface: "vcan0".into(), seen, sent: None }
}

fn standard(data: &[u8]) -> Seen {
    Seen::Frame(Frame::classic(Id::Standard(0x123), data).unwrap())
}

fn extended(data: &[u8]) -> Seen {
    Seen::Frame(Frame::classic(Id::Extended(0x123), data).unwrap())
}

fn remote(length: u8) -> Seen {
    Seen::Frame(Frame::remote(Id::Standard(0x123), length).unwrap())
}

fn fd(data: &[u8], switch: bool, passive: bool) -> Seen {
    Seen::Frame(Frame::fd(Id::Standard(0x123), data, switch).unwrap().sent_passively(passive))
}

#[test_case("123#C0FFEE", &standard(&[0xC0, 0xFF, 0xEE]))]
#[test_case("123#", &standard(&[]))]
#[test_case("123#1122334455667788", &standard(&[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]))]
#[test_case("00000123#C0", &extended(&[0xC0]))]
#[test_case("123#R", &remote(0))]
#[test_case("123#R4", &remote(4))]
#[test_case("123##0", &fd(&[], false, false))]
#[test_case("123##1C0FFEE", &fd(&[0xC0, 0xFF, 0xEE], true, false))]
#[test_case("123##2C0", &fd(&[0xC0], false, true))]
#[test_case("123##3000000000000000000000000", &fd(&[0; 12], true, true))]
#[test_case("20000004#0004000000000000", &Seen::Error(4, [0, 4, 0, 0, 0, 0, 0, 0]))]
#[test_case("200000C0#0000000000000000", &Seen::Error(0xC0, [0; 8]))]
fn a_line_is_what_candump_prints(frame: &str, seen: &Seen) {
    let line = format!("(1436509052.249713) vcan0 {frame}");
    assert_eq!(record(seen.clone()).to_string(), line);
    assert_eq!(parse(&line), Ok(record(seen.clone())));
    for (suffix, sent) in [(" T", true), (" R", false)] {
        let told = Record { sent: Some(sent), ..record(seen.clone()) };
        assert_eq!(told.to_string(), format!("{line}{suffix}"));
        assert_eq!(parse(&format!("{line}{suffix}")), Ok(told));
    }
}

#[test_case("(1436509052.249713)    vcan0  123#C0  "; "names are aligned")]
#[test_case("(1436509052.249713) vcan0 123#c0"; "small letters")]
#[test_case("(1436509052.249713999) vcan0 123#C0"; "nanoseconds")]
#[test_case("(00001436509052.249713) vcan0 123#C0"; "more zeros")]
fn lines_may_be_written_otherwise(line: &str) {
    assert_eq!(parse(line), Ok(record(standard(&[0xC0]))));
}

#[test_case("123#11.22.33", &standard(&[0x11, 0x22, 0x33]))]
#[test_case("123#11.2233", &standard(&[0x11, 0x22, 0x33]))]
#[test_case("123#r", &remote(0))]
#[test_case("123##5C0", &fd(&[0xC0], true, false); "newer kernels flag FD frames as such")]
#[test_case("123##1C0.FF.EE", &fd(&[0xC0, 0xFF, 0xEE], true, false))]
fn frames_may_be_written_otherwise(frame: &str, seen: &Seen) {
    assert_eq!(parse(&format!("(1436509052.249713) vcan0 {frame}")), Ok(record(seen.clone())));
}

#[test_case("", LineError::Time)]
#[test_case("vcan0 123#C0", LineError::Time)]
#[test_case("1436509052.249713 vcan0 123#C0", LineError::Time)]
#[test_case("(1436509052) vcan0 123#C0", LineError::Time)]
#[test_case("(1436509052.2497) vcan0 123#C0", LineError::Time)]
#[test_case("(-1.249713) vcan0 123#C0", LineError::Time)]
#[test_case("(.249713) vcan0 123#C0", LineError::Time)]
#[test_case("(18446744073710.000000) vcan0 123#C0", LineError::Time; "later than can be counted")]
#[test_case("(99999999999999999999999.000000) vcan0 123#C0", LineError::Time)]
#[test_case("(1.000000)", LineError::Interface)]
#[test_case("(1.000000) v\u{7}can 123#C0", LineError::Interface)]
#[test_case(&format!("(1.000000) {} 123#C0", "v".repeat(256)), LineError::Interface)]
#[test_case("(1.000000) vcan0", LineError::Frame)]
#[test_case("(1.000000) vcan0 123", LineError::Frame)]
#[test_case("(1.000000) vcan0 23#C0", LineError::Frame)]
#[test_case("(1.000000) vcan0 0123#C0", LineError::Frame)]
#[test_case("(1.000000) vcan0 800#C0", LineError::Frame; "no standard identifier")]
#[test_case("(1.000000) vcan0 +12#C0", LineError::Frame)]
#[test_case("(1.000000) vcan0 40000000#C0", LineError::Frame; "no extended identifier")]
#[test_case("(1.000000) vcan0 20000004#00", LineError::Frame; "an error frame has eight bytes")]
#[test_case("(1.000000) vcan0 20000004#R", LineError::Frame)]
#[test_case("(1.000000) vcan0 A0000004#0004000000000000", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#C", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#.C0", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#C0.", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#C0..FF", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#é0", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#112233445566778899", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#1122334455667788_9", LineError::Frame; "a data length code over 8")]
#[test_case("(1.000000) vcan0 123#R9", LineError::Frame)]
#[test_case("(1.000000) vcan0 123#R8_9", LineError::Frame)]
#[test_case("(1.000000) vcan0 123##", LineError::Frame)]
#[test_case("(1.000000) vcan0 123##1112233445566778899", LineError::Frame; "no FD frame has nine bytes")]
#[test_case(&format!("(1.000000) vcan0 123##1{}", "00".repeat(65)), LineError::Frame)]
#[test_case("(1.000000) vcan0 123#C0 X", LineError::Rest)]
#[test_case("(1.000000) vcan0 123#C0 T R", LineError::Rest)]
#[test_case("(1.000000) vcan0 123#C0 FF", LineError::Rest)]
fn other_lines_are_refused(line: &str, error: LineError) {
    assert_eq!(parse(line), Err(error));
}

#[test]
fn a_name_with_spaces_makes_no_other_line() {
    let line = Record { interface: "my bus\n(1.0)".into(), ..record(standard(&[])) }.to_string();
    assert_eq!(line, "(1436509052.249713) my_bus_(1.0) 123#");
    let line = Record { interface: String::new(), at: 7, ..record(standard(&[])) }.to_string();
    assert_eq!(line, "(0000000000.000007) _ 123#");
}

fn seen() -> impl Strategy<Value = Seen> {
    let id = prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)];
    let frame = (id, 0..4, vec(any::<u8>(), 0..=64), any::<bool>()).prop_map(|(id, kind, mut data, passive)| {
        Seen::Frame(match kind {
            0 => Frame::classic(id, &data[..data.len().min(8)]).unwrap(),
            1 => Frame::remote(id, u8::try_from(data.len() % 9).unwrap()).unwrap(),
            _ => {
                data.resize(fd_length(data.len()).unwrap(), 0);
                Frame::fd(id, &data, kind == 3).unwrap().sent_passively(passive)
            }
        })
    });
    prop_oneof![9 => frame, 1 => (0..=0x1FFF_FFFF_u32, any::<[u8; 8]>()).prop_map(|(c, b)| Seen::Error(c, b))]
}

proptest! {
    #[test]
    fn every_record_comes_back(
        at in 0..=u64::MAX,
        interface in "[!-~]{1,15}",
        seen in seen(),
        sent in any::<Option<bool>>(),
    ) {
        let record = Record { at, interface, seen, sent };
        prop_assert_eq!(parse(&record.to_string()), Ok(record));
    }

    #[test]
    fn any_text_is_survived(line in ".{0,300}", frame in "[0-9A-Fa-fRr#._]{0,40}") {
        let _ = parse(&line);
        if let Ok(record) = parse(&format!("(1.000000) vcan0 {frame}")) {
            prop_assert_eq!(parse(&record.to_string()), Ok(record));
        }
    }
}
