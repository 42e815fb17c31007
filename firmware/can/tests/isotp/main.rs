//! Payloads frame by frame, written from the format of ISO 15765-2:2016.
#![expect(clippy::unwrap_used, reason = "test code")]

use rig_can::isotp::{Addressing, ReceiveError, Receiver, Sender, Settings, TIMEOUT, Taken, Todo};
use rig_can::{Frame, Id};
use test_case::test_case;

mod pairs;
mod receiver;
mod sender;
mod settings;

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
fn over_4095_bytes_the_length_has_32_bits() {
    let mut sender = started(tester(), &counted(4096));
    assert_eq!(sent(&mut sender, 0), bytes("10 00 00 00 10 00 01 02"));
    let mut sender = started(tester(), &counted(4095));
    assert_eq!(sent(&mut sender, 0), bytes("1F FF 01 02 03 04 05 06"));
    let mut receiver = Receiver::new(Settings { longest: 5000, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("10 00 00 00 10 00 01 02"), 0), [Taken::Begun, reply("30 00 00")]);
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
