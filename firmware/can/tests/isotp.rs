//! Payloads frame by frame, written from the format of ISO 15765-2:2016.
#![expect(clippy::unwrap_used, reason = "test code")]

use rig_can::isotp::{Addressing, ReceiveError, Receiver, SendError, Sender, Settings, TIMEOUT, Taken, Todo, WAITS};
use rig_can::{Frame, Id};
use test_case::test_case;

const MS: u64 = 1_000_000;

fn tester() -> Settings {
    Settings {
        send: Id::Standard(0x7E0),
        receive: Id::Standard(0x7E8),
        addressing: Addressing::Normal,
        frame_length: 8,
        fd: None,
        padding: None,
        block_size: 0,
        separation: 0,
        longest: 4095,
    }
}

/// The same connection seen from the other side.
fn device() -> Settings {
    Settings { send: Id::Standard(0x7E8), receive: Id::Standard(0x7E0), ..tester() }
}

fn fd(settings: Settings) -> Settings {
    Settings { fd: Some(true), frame_length: 64, ..settings }
}

fn extended(settings: Settings) -> Settings {
    Settings { addressing: Addressing::Extended { send: 0xF1, receive: 0x10 }, ..settings }
}

fn bytes(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

fn from_device(text: &str) -> Frame {
    Frame::classic(Id::Standard(0x7E8), &bytes(text)).unwrap()
}

fn to_device(text: &str) -> Frame {
    let data = bytes(text);
    let id = Id::Standard(0x7E0);
    Frame::classic(id, &data).or_else(|| Frame::fd(id, &data, true)).unwrap()
}

fn counted(length: usize) -> Vec<u8> {
    (1..=length).map(|index| u8::try_from(index % 251).unwrap()).collect()
}

fn started(settings: Settings, payload: &[u8]) -> Sender {
    let mut sender = Sender::new(settings);
    sender.start(payload, 0);
    sender
}

/// What a sender sends now, confirmed at once.
fn sent(sender: &mut Sender, now: u64) -> Vec<u8> {
    match sender.poll(now) {
        Todo::Send(frame) => {
            assert_eq!(frame.id(), Id::Standard(0x7E0));
            sender.confirm(now);
            frame.data().to_vec()
        }
        todo => panic!("{todo:?}"),
    }
}

fn taken(receiver: &mut Receiver, frame: &Frame, now: u64) -> Vec<Taken> {
    let mut taken = Vec::new();
    assert!(receiver.take(frame, now, &mut |event| taken.push(event)));
    taken
}

fn reply(text: &str) -> Taken {
    Taken::Reply(from_device(text))
}

fn broken(flaw: ReceiveError, text: &str) -> Taken {
    Taken::Broken { flaw, bytes: bytes(text) }
}

#[test_case(tester(), &[0x3E, 0x80], "02 3E 80")]
#[test_case(Settings { padding: Some(0xAA), ..tester() }, &[0x3E, 0x80], "02 3E 80 AA AA AA AA AA")]
#[test_case(tester(), &counted(7), "07 01 02 03 04 05 06 07")]
#[test_case(extended(tester()), &counted(6), "F1 06 01 02 03 04 05 06")]
#[test_case(fd(tester()), &counted(7), "07 01 02 03 04 05 06 07"; "short in FD")]
#[test_case(fd(tester()), &counted(8), "00 08 01 02 03 04 05 06 07 08 CC CC"; "escaped")]
#[test_case(fd(extended(tester())), &counted(7), "F1 00 07 01 02 03 04 05 06 07 CC CC"; "escaped behind an address")]
#[test_case(Settings { padding: Some(0), ..fd(tester()) }, &[0x3E], "01 3E 00 00 00 00 00 00"; "padded in FD")]
#[test_case(
    fd(tester()),
    &counted(20),
    "00 14 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 CC CC"
)]
fn a_short_payload_is_a_single_frame(settings: Settings, payload: &[u8], data: &str) {
    let mut sender = started(settings, payload);
    assert_eq!(sent(&mut sender, 0), bytes(data));
    assert_eq!(sender.poll(0), Todo::Done);

    let receiving = Settings {
        send: settings.receive,
        receive: settings.send,
        addressing: match settings.addressing {
            Addressing::Normal => Addressing::Normal,
            Addressing::Extended { send, receive } => Addressing::Extended { send: receive, receive: send },
        },
        ..settings
    };
    assert_eq!(taken(&mut Receiver::new(receiving), &to_device(data), 0), [Taken::Whole(payload.to_vec())]);
}

#[test]
fn a_long_payload_is_sent_in_blocks() {
    let mut sender = started(tester(), &counted(20));
    assert_eq!(sent(&mut sender, 0), bytes("10 14 01 02 03 04 05 06"));
    assert_eq!(sender.poll(0), Todo::Wait(TIMEOUT));
    assert!(sender.take(&from_device("30 01 0A"), 5 * MS));
    assert_eq!(sent(&mut sender, 5 * MS), bytes("21 07 08 09 0A 0B 0C 0D"));
    assert_eq!(sender.poll(5 * MS), Todo::Wait(5 * MS + TIMEOUT));
    assert!(sender.take(&from_device("30 00 00"), 6 * MS));
    assert_eq!(sent(&mut sender, 6 * MS), bytes("22 0E 0F 10 11 12 13 14"));
    assert_eq!(sender.poll(6 * MS), Todo::Done);
}

#[test]
fn a_long_payload_is_received_in_blocks() {
    let mut receiver = Receiver::new(Settings { block_size: 1, separation: 0x0A, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0), [Taken::Begun, reply("30 01 0A")]);
    assert_eq!(receiver.deadline(), Some(TIMEOUT));
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 5), [reply("30 01 0A")]);
    assert_eq!(receiver.deadline(), Some(5 + TIMEOUT));
    let last = to_device("22 0E 0F 10 11 12 13 14");
    assert_eq!(taken(&mut receiver, &last, 6), [Taken::Whole(counted(20))]);
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn the_last_frame_may_be_padded_or_short() {
    for last in ["22 0E 0F", "22 0E 0F CC CC CC CC CC"] {
        let mut receiver = Receiver::new(device());
        assert_eq!(taken(&mut receiver, &to_device("10 0F 01 02 03 04 05 06"), 0), [Taken::Begun, reply("30 00 00")]);
        assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 0), []);
        assert_eq!(taken(&mut receiver, &to_device(last), 0), [Taken::Whole(counted(15))]);
    }
}

#[test]
fn flow_controls_are_padded_too() {
    let mut receiver = Receiver::new(Settings { padding: Some(0xCC), block_size: 8, separation: 0xF3, ..device() });
    assert_eq!(
        taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0),
        [Taken::Begun, reply("30 08 F3 CC CC CC CC CC")]
    );
}

#[test]
fn extended_addressing_takes_a_byte_of_every_frame() {
    let mut sender = started(extended(tester()), &counted(12));
    assert_eq!(sent(&mut sender, 0), bytes("F1 10 0C 01 02 03 04 05"));
    assert!(!sender.take(&from_device("30 00 00"), 0), "no address");
    assert!(!sender.take(&from_device("11 30 00 00"), 0), "another's address");
    assert!(sender.take(&from_device("10 30 00 00"), 0));
    assert_eq!(sent(&mut sender, 0), bytes("F1 21 06 07 08 09 0A 0B"));
    assert_eq!(sent(&mut sender, 0), bytes("F1 22 0C"));
    assert_eq!(sender.poll(0), Todo::Done);
}

#[test]
fn over_4095_bytes_the_length_has_32_bits() {
    let mut sender = started(tester(), &counted(4096));
    assert_eq!(sent(&mut sender, 0), bytes("10 00 00 00 10 00 01 02"));
    let mut sender = started(tester(), &counted(4095));
    assert_eq!(sent(&mut sender, 0), bytes("1F FF 01 02 03 04 05 06"));
    let mut receiver = Receiver::new(Settings { longest: 5000, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("10 00 00 00 10 00 01 02"), 0), [Taken::Begun, reply("30 00 00")]);
}

#[test]
fn sequence_numbers_start_again_after_15() {
    let mut sender = started(tester(), &counted(6 + 7 * 18));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), 0));
    let numbers: Vec<u8> = (0..18).map(|_| sent(&mut sender, 0)[0]).collect();
    let expected: Vec<u8> = (1..=15).chain(0..=2).map(|number| 0x20 | number).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn the_separation_time_is_between_consecutive_frames_whatever_is_between_them() {
    let mut sender = started(tester(), &counted(40));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 02 05"), 7 * MS));
    sent(&mut sender, 7 * MS);
    assert_eq!(sender.poll(7 * MS), Todo::Wait(12 * MS));
    assert_eq!(sender.poll(12 * MS - 1), Todo::Wait(12 * MS));
    sent(&mut sender, 12 * MS);
    assert!(sender.take(&from_device("30 00 F5"), 12 * MS + 100_000));
    assert_eq!(sender.poll(12 * MS + 100_000), Todo::Wait(12 * MS + 500_000));
    sent(&mut sender, 12 * MS + 500_000);
    assert!(!matches!(sender.poll(13 * MS - 1), Todo::Send(_)));
    assert!(matches!(sender.poll(13 * MS), Todo::Send(_)));
}

#[test]
fn the_separation_time_starts_when_a_frame_is_on_the_bus() {
    let mut sender = started(tester(), &counted(40));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 05"), MS));
    assert!(matches!(sender.poll(MS), Todo::Send(_)));
    assert_eq!(sender.poll(MS), Todo::Wait(MS + TIMEOUT), "a frame is handed out once");
    sender.confirm(30 * MS);
    assert_eq!(sender.poll(30 * MS), Todo::Wait(35 * MS));
}

#[test]
fn a_flow_control_may_be_faster_than_the_confirmation() {
    let mut sender = started(tester(), &counted(20));
    assert!(matches!(sender.poll(0), Todo::Send(_)));
    assert!(sender.take(&from_device("30 00 00"), 1));
    assert_eq!(sender.poll(1), Todo::Wait(TIMEOUT), "not before the first frame is confirmed");
    sender.confirm(2);
    assert_eq!(sent(&mut sender, 2)[0], 0x21);
}

#[test]
fn a_frame_that_is_not_sent_ends_the_payload() {
    let mut sender = started(tester(), &[1]);
    assert!(matches!(sender.poll(0), Todo::Send(_)));
    assert_eq!(sender.poll(TIMEOUT - 1), Todo::Wait(TIMEOUT));
    assert_eq!(sender.poll(TIMEOUT), Todo::Failed(SendError::NotSent));
    assert_eq!(sender.poll(TIMEOUT), Todo::Done, "said once");
    sender.confirm(TIMEOUT);
    assert_eq!(sender.poll(TIMEOUT), Todo::Done);
}

#[test]
fn a_flow_control_that_does_not_come_ends_the_payload() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), TIMEOUT), "it is one, and too late");
    assert_eq!(sender.poll(TIMEOUT), Todo::Failed(SendError::NoFlowControl));
}

#[test]
fn the_other_side_may_ask_to_wait_but_not_for_ever() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    for ask in 1..=u64::from(WAITS) {
        assert!(sender.take(&from_device("31 00 00"), ask * 900 * MS));
        assert_eq!(sender.poll(ask * 900 * MS), Todo::Wait(ask * 900 * MS + TIMEOUT));
    }
    let mut patient = sender.clone();
    assert!(patient.take(&from_device("30 00 00"), 9500 * MS));
    assert_eq!(sent(&mut patient, 9500 * MS)[0], 0x21);
    assert!(sender.take(&from_device("31 00 00"), 9500 * MS));
    assert_eq!(sender.poll(9500 * MS), Todo::Failed(SendError::WaitedTooLong));
}

#[test_case("32 00 00", SendError::Overflow)]
#[test_case("33 00 00", SendError::InvalidFlow)]
#[test_case("3F 00 00", SendError::InvalidFlow)]
fn a_refusal_ends_the_payload(flow: &str, error: SendError) {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device(flow), 1));
    assert_eq!(sender.poll(1), Todo::Failed(error));
    assert_eq!(sender.poll(1), Todo::Done);
}

#[test]
fn a_flow_control_that_is_not_due_changes_nothing() {
    let mut sender = Sender::new(tester());
    assert!(sender.take(&from_device("30 00 00"), 0));
    assert_eq!(sender.poll(0), Todo::Done);
    sender.start(&counted(30), 0);
    assert!(sender.take(&from_device("32 00 00"), 0));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 05"), 0));
    assert!(sender.take(&from_device("32 00 00"), 0));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), 0));
    assert_eq!(sender.poll(0), Todo::Wait(5 * MS));
}

#[test]
fn frames_for_others_are_not_taken() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    let others = [
        to_device("30 00 00"),
        Frame::classic(Id::Extended(0x7E8), &bytes("30 00 00")).unwrap(),
        Frame::remote(Id::Standard(0x7E8), 3).unwrap(),
        from_device("02 3E 80"),
        from_device("30 00"),
        from_device(""),
    ];
    for frame in &others {
        assert!(!sender.take(frame, 0), "{frame:?}");
    }
    assert_eq!(sender.poll(0), Todo::Wait(TIMEOUT));

    let mut receiver = Receiver::new(tester());
    assert_eq!(taken(&mut receiver, &from_device("10 14 01 02 03 04 05 06"), 0).len(), 2);
    let flow = from_device("30 00 00");
    for frame in others[..3].iter().chain([&flow]) {
        assert!(!receiver.take(frame, 2 * TIMEOUT, &mut |event| panic!("{event:?}")), "{frame:?}");
    }
    assert_eq!(receiver.deadline(), Some(TIMEOUT));
}

#[test]
fn a_payload_of_no_bytes_is_not_sent() {
    let mut sender = started(tester(), &[]);
    assert_eq!(sender.poll(0), Todo::Failed(SendError::Length));
    assert_eq!(sender.poll(0), Todo::Done);
}

#[test]
fn another_payload_replaces_the_one_under_way() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    sender.start(&[7], 1);
    assert_eq!(sent(&mut sender, 1), [1, 7]);
    assert_eq!(sender.poll(1), Todo::Done);
}

#[test]
fn a_payload_that_is_too_long_is_refused() {
    let mut receiver = Receiver::new(Settings { longest: 19, ..device() });
    assert_eq!(
        taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0),
        [reply("32 00 00"), broken(ReceiveError::TooLong, "01 02 03 04 05 06")]
    );
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 1), [], "it belongs to what is refused");
    let huge = to_device("10 00 FF FF FF FF 01 02");
    assert_eq!(taken(&mut receiver, &huge, 2), [reply("32 00 00"), broken(ReceiveError::TooLong, "01 02")]);
    let mut receiver = Receiver::new(Settings { longest: 1, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("02 3E 80"), 0), [broken(ReceiveError::TooLong, "3E 80")]);
}

#[test]
fn another_payload_interrupts_the_one_that_was_begun() {
    let mut receiver = Receiver::new(device());
    let first = to_device("10 14 01 02 03 04 05 06");
    taken(&mut receiver, &first, 0);
    let interrupted = broken(ReceiveError::Interrupted, "01 02 03 04 05 06");
    assert_eq!(taken(&mut receiver, &first, 1), [interrupted.clone(), Taken::Begun, reply("30 00 00")]);
    assert_eq!(taken(&mut receiver, &to_device("01 3E"), 2), [interrupted, Taken::Whole(vec![0x3E])]);
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn a_wrong_sequence_ends_the_payload_once() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 20 01 02 03 04 05 06"), 0);
    taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 0);
    assert_eq!(
        taken(&mut receiver, &to_device("23 15 16 17 18 19 1A 1B"), 0),
        [broken(ReceiveError::WrongSequence, "01 02 03 04 05 06 07 08 09 0A 0B 0C 0D")]
    );
    assert_eq!(receiver.deadline(), None);
    assert_eq!(taken(&mut receiver, &to_device("24 1C 1D 1E 1F 20"), 1), [], "what follows of a broken payload");
    let stray = broken(ReceiveError::Meaningless, "1C 1D");
    assert_eq!(taken(&mut receiver, &to_device("24 1C 1D"), 1 + TIMEOUT), [stray], "this is of no payload");
}

#[test]
fn a_frame_that_comes_too_late_is_of_no_payload() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    assert_eq!(receiver.expire(TIMEOUT - 1), None);
    let timeout = broken(ReceiveError::Timeout, "01 02 03 04 05 06");
    assert_eq!(receiver.clone().expire(TIMEOUT), Some(timeout.clone()));
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), TIMEOUT), [timeout]);
    assert_eq!(receiver.expire(10 * TIMEOUT), None);
}

#[test]
fn a_reset_forgets_what_was_begun() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    receiver.reset();
    assert_eq!(receiver.deadline(), None);
    assert_eq!(taken(&mut receiver, &to_device("21 07"), 0), [broken(ReceiveError::Meaningless, "07")]);
}

#[test_case("21 07 08"; "a middle frame that is short")]
#[test_case("21 07 08 09 0A 0B 0C 0D 0E 0F 10 11"; "a frame that is longer than the first")]
#[test_case("30 00"; "a flow control that is cut")]
#[test_case("00"; "a single frame of nothing")]
#[test_case("10 05 01 02 03 04 05 00"; "a first frame of what fits a single one")]
#[test_case("40"; "no such type")]
#[test_case(""; "nothing at all")]
fn a_frame_without_meaning_ends_nothing_but_itself(frame: &str) {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    let events = taken(&mut receiver, &to_device(frame), 1);
    assert!(matches!(events[..], [Taken::Broken { flaw: ReceiveError::Meaningless, .. }]), "{events:?}");
    assert_eq!(receiver.deadline(), Some(TIMEOUT));
    taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 2);
    assert_eq!(taken(&mut receiver, &to_device("22 0E 0F 10 11 12 13 14"), 3), [Taken::Whole(counted(20))]);
}
