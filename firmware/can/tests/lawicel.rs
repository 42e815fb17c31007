//! Lines of LAWICEL's protocol, as its manuals, CANable's firmware and python-can write them.
#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rig_can::lawicel::{BIT_RATES, Command, Flags, Lines, Reply, STAMP_WRAP};
use rig_can::{Frame, Id, fd_length};
use test_case::test_case;

fn classic(id: Id, data: &[u8]) -> Frame {
    Frame::classic(id, data).unwrap()
}

fn fd(id: Id, data: &[u8], switch: bool) -> Frame {
    Frame::fd(id, data, switch).unwrap()
}

fn replies(bytes: &[u8]) -> Vec<Result<Reply, ()>> {
    let mut lines = Lines::default();
    bytes.iter().filter_map(|byte| lines.reply(*byte)).collect()
}

fn commands(bytes: &[u8]) -> Vec<Result<Command, ()>> {
    let mut lines = Lines::default();
    bytes.iter().filter_map(|byte| lines.command(*byte)).collect()
}

fn written(command: Command) -> String {
    let mut line = Vec::new();
    command.write(&mut line);
    String::from_utf8(line).unwrap()
}

fn answered(reply: Reply) -> String {
    let mut line = Vec::new();
    reply.write(&mut line);
    String::from_utf8(line).unwrap()
}

#[test_case(Command::BitRate(6), "S6\r")]
#[test_case(Command::DataBitRate(5), "Y5\r")]
#[test_case(Command::Open, "O\r")]
#[test_case(Command::ListenOnly, "L\r")]
#[test_case(Command::Close, "C\r")]
#[test_case(Command::Flags, "F\r")]
#[test_case(Command::Stamps(true), "Z1\r")]
#[test_case(Command::Stamps(false), "Z0\r")]
#[test_case(Command::Version, "V\r")]
#[test_case(Command::Serial, "N\r")]
#[test_case(Command::Transmit(classic(Id::Standard(0x100), &[0x11, 0x22, 0x33])), "t1003112233\r")]
#[test_case(Command::Transmit(classic(Id::Extended(0x100), &[0x11, 0x22, 0x33])), "T000001003112233\r")]
#[test_case(Command::Transmit(classic(Id::Standard(0x20), &[])), "t0200\r")]
#[test_case(Command::Transmit(Frame::remote(Id::Standard(0x7FF), 8).unwrap()), "r7FF8\r")]
#[test_case(Command::Transmit(Frame::remote(Id::Extended(0x1FFF_FFFF), 0).unwrap()), "R1FFFFFFF0\r")]
#[test_case(Command::Transmit(fd(Id::Standard(0x123), &[0xAB; 12], false)), "d1239ABABABABABABABABABABABAB\r")]
#[test_case(Command::Transmit(fd(Id::Standard(0x123), &[0xC0], true)), "b1231C0\r")]
#[test_case(Command::Transmit(fd(Id::Extended(0x18DA_10F1), &[], false)), "D18DA10F10\r")]
#[test_case(Command::Transmit(fd(Id::Extended(0x1), &[0xFE; 64], true)), &format!("B00000001F{}\r", "FE".repeat(64)))]
fn commands_are_lines(command: Command, line: &str) {
    assert_eq!(written(command), line);
    assert_eq!(commands(line.as_bytes()), [Ok(command)]);
    if let Command::Transmit(_) = command {
        assert_eq!(commands(format!("{}{}", &line[..1], line[1..].to_lowercase()).as_bytes()), [Ok(command)]);
    }
}

#[test_case(Reply::Done, "\r")]
#[test_case(Reply::Refused, "\x07")]
#[test_case(Reply::Accepted, "z\r")]
#[test_case(Reply::Flags(Flags(0xA4)), "FA4\r")]
#[test_case(Reply::Version(*b"1013"), "V1013\r")]
#[test_case(Reply::Serial(*b"A123"), "NA123\r")]
#[test_case(Reply::Frame(classic(Id::Standard(0x100), &[0x11, 0x22, 0x33]), None), "t1003112233\r")]
#[test_case(Reply::Frame(classic(Id::Standard(0x100), &[0x11, 0x22]), Some(0x1A2B)), "t100211221A2B\r")]
#[test_case(Reply::Frame(classic(Id::Extended(0x100), &[]), Some(59_999)), "T000001000EA5F\r")]
#[test_case(Reply::Frame(Frame::remote(Id::Standard(0x100), 4).unwrap(), None), "r1004\r")]
#[test_case(Reply::Frame(Frame::remote(Id::Standard(0x100), 4).unwrap(), Some(0)), "r10040000\r")]
#[test_case(Reply::Frame(fd(Id::Standard(0x100), &[0; 16], true), Some(1)), &format!("b100A{}0001\r", "00".repeat(16)))]
fn replies_are_lines(reply: Reply, line: &str) {
    assert_eq!(answered(reply), line);
    assert_eq!(replies(line.as_bytes()), [Ok(reply)]);
}

#[test]
fn extended_frames_are_accepted_by_a_capital_letter() {
    assert_eq!(replies(b"Z\r"), [Ok(Reply::Accepted)]);
}

#[test_case("t1239\r"; "a classic frame has at most 8 bytes")]
#[test_case("t8000\r"; "a standard identifier has at most 7FF")]
#[test_case("T200000000\r"; "an extended identifier has at most 1FFFFFFF")]
#[test_case("t123211\r"; "data is missing")]
#[test_case("t1232112\r"; "half a byte is missing")]
#[test_case("t12321122A\r"; "one digit of a time stamp")]
#[test_case("t12321122EA60\r"; "a time stamp starts again at 60000")]
#[test_case("t1232112200001\r"; "five digits of a time stamp")]
#[test_case("t123+1\r"; "no digits")]
#[test_case("t1232 122\r"; "a space")]
#[test_case("d123911\r"; "data of an FD frame is missing")]
#[test_case("x1230\r"; "no such kind")]
#[test_case("t\r"; "no frame at all")]
#[test_case("FA\r")]
#[test_case("FXY\r")]
#[test_case("V101\r")]
#[test_case("N\x01\x02\x03\x04\r")]
#[test_case("zz\r")]
#[test_case("t12\x07"; "cut by a refusal")]
fn other_lines_are_no_reply(line: &str) {
    assert_eq!(replies(line.as_bytes()), [Err(())]);
}

#[test_case("S9\r")]
#[test_case("S\r")]
#[test_case("S66\r")]
#[test_case("Z2\r")]
#[test_case("OO\r")]
#[test_case("o\r")]
#[test_case("s031C\r"; "bit timing registers")]
#[test_case("t12321122EA5F\r"; "a time stamp")]
#[test_case("z\r")]
#[test_case("t1230\x07\r"; "a BELL is no command's")]
fn other_lines_are_no_command(line: &str) {
    assert_eq!(commands(line.as_bytes()), [Err(())]);
}

#[test]
fn empty_lines_are_no_command_and_nothing_to_answer() {
    assert_eq!(commands(b"\r\r\rC\r\rO\r"), [Ok(Command::Close), Ok(Command::Open)]);
}

#[test]
fn a_line_after_an_endless_one_is_found() {
    let mut stream = vec![b't'; 100_000];
    stream.extend_from_slice(b"\rz\r");
    assert_eq!(replies(&stream), [Err(()), Ok(Reply::Accepted)]);
    let mut lines = Lines::default();
    for byte in &stream[..100_000] {
        assert_eq!(lines.reply(*byte), None);
    }
    assert!(lines.pending() <= 143, "{}", lines.pending());
    lines.reset();
    assert_eq!(lines.reply(b'\r'), Some(Ok(Reply::Done)));
}

#[test]
fn a_number_without_a_command_is_refused_by_an_adapter() {
    assert_eq!(commands(written(Command::BitRate(200)).as_bytes()), [Err(())]);
    assert_eq!(commands(written(Command::DataBitRate(10)).as_bytes()), [Err(())]);
}

#[test]
fn the_flags_are_those_of_the_manual() {
    let names = |flags: Flags| {
        [
            flags.receive_queue_full(),
            flags.transmit_queue_full(),
            flags.error_warning(),
            flags.data_overrun(),
            flags.error_passive(),
            flags.arbitration_lost(),
            flags.bus_error(),
        ]
    };
    assert_eq!(names(Flags(0x10)), [false; 7], "bit 4 is not used");
    assert_eq!(names(Flags(0xEF)), [true; 7]);
    for (bit, index) in [(0, 0), (1, 1), (2, 2), (3, 3), (5, 4), (6, 5), (7, 6)] {
        assert_eq!(names(Flags(1 << bit)).iter().position(|set| *set), Some(index));
        assert_eq!(names(Flags(1 << bit)).iter().filter(|set| **set).count(), 1);
    }
}

fn frame() -> impl Strategy<Value = Frame> {
    let id = prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)];
    (id, 0..4, vec(any::<u8>(), 0..=64)).prop_map(|(id, kind, mut data)| match kind {
        0 => Frame::classic(id, &data[..data.len().min(8)]).unwrap(),
        1 => Frame::remote(id, u8::try_from(data.len() % 9).unwrap()).unwrap(),
        _ => {
            data.resize(fd_length(data.len()).unwrap(), 0);
            Frame::fd(id, &data, kind == 3).unwrap()
        }
    })
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (0..BIT_RATES.len()).prop_map(|number| Command::BitRate(u8::try_from(number).unwrap())),
        (0..=9_u8).prop_map(Command::DataBitRate),
        any::<bool>().prop_map(Command::Stamps),
        select(vec![
            Command::Open,
            Command::ListenOnly,
            Command::Close,
            Command::Flags,
            Command::Version,
            Command::Serial,
        ]),
        frame().prop_map(Command::Transmit),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let text = "[!-~]{4}".prop_map(|text| <[u8; 4]>::try_from(text.as_bytes()).unwrap());
    prop_oneof![
        (frame(), proptest::option::of(0..STAMP_WRAP)).prop_map(|(frame, stamp)| Reply::Frame(frame, stamp)),
        select(vec![Reply::Accepted, Reply::Done, Reply::Refused]),
        any::<u8>().prop_map(|flags| Reply::Flags(Flags(flags))),
        text.clone().prop_map(Reply::Version),
        text.prop_map(Reply::Serial),
    ]
}

proptest! {
    #[test]
    fn every_command_comes_back(sent in vec(command(), 0..20)) {
        let mut stream = Vec::new();
        for command in &sent {
            command.write(&mut stream);
        }
        prop_assert_eq!(commands(&stream), sent.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn every_reply_comes_back(sent in vec(reply(), 0..20)) {
        let mut stream = Vec::new();
        for reply in &sent {
            reply.write(&mut stream);
        }
        prop_assert_eq!(replies(&stream), sent.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_survived_and_the_next_line_is_found(
        garbage in vec(prop_oneof![any::<u8>(), select(b"tTrRdDbBzZFVN0123456789ABCDEFabcdef\r\x07".to_vec())], 0..400),
        command in command(),
        reply in reply(),
    ) {
        let mut stream = garbage.clone();
        stream.push(b'\r');
        reply.write(&mut stream);
        prop_assert_eq!(replies(&stream).pop(), Some(Ok(reply)));
        let mut stream = garbage;
        stream.push(b'\r');
        command.write(&mut stream);
        prop_assert_eq!(commands(&stream).pop(), Some(Ok(command)));
    }

    #[test]
    fn what_is_read_from_any_bytes_is_what_would_be_written(
        bytes in vec(select(b"tTrRdDbB0123F\r".to_vec()), 0..300),
    ) {
        for reply in replies(&bytes).into_iter().flatten() {
            prop_assert_eq!(replies(answered(reply).as_bytes()), [Ok(reply)]);
        }
        for command in commands(&bytes).into_iter().flatten() {
            prop_assert_eq!(commands(written(command).as_bytes()), [Ok(command)]);
        }
    }
}
