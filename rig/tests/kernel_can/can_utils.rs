//! can-utils on the same buses, by themselves.

use std::fmt::Write;

use socketcan::{CanSocket, EmbeddedFrame, ExtendedId, Id, Socket, StandardId};
use test_case::test_case;

use crate::peer::{HANGS, Peer};

#[test]
fn candump_sees_what_cansend_sends() {
    let dump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
    // The flags of the last: bit rate switch, and what newer kernels set by themselves in every FD frame.
    for frame in ["123#11223344", "1234567F#", "7FF##5AABBCCDD"] {
        Peer::run("cansend", &["vcan0", frame], "");
        let line = dump.line();
        assert!(line.ends_with(&format!(") vcan0 {frame}")), "{line}");
    }
}

#[test]
fn canplayer_plays_a_log() {
    let socket = CanSocket::open("vcan1").expect("vcan1");
    socket.set_read_timeout(HANGS).expect("a timeout");
    let log = "(1700000000.000000) can7 001#01\n(1700000000.010000) can7 00000001#0203\n";
    Peer::run("canplayer", &["vcan1=can7"], log);
    let ids = [Id::from(StandardId::new(1).expect("an id")), ExtendedId::new(1).expect("an id").into()];
    for (id, data) in ids.into_iter().zip([&b"\x01"[..], b"\x02\x03"]) {
        let frame = socket.read_frame().expect("a frame");
        assert_eq!((frame.id(), frame.data()), (id, data));
    }
}

#[test]
fn cangen_makes_as_many_frames_as_it_is_told() {
    let dump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
    Peer::run("cangen", &["vcan0", "-g", "1", "-n", "20", "-I", "42", "-L", "8", "-D", "i"], "");
    for turn in 0..20_u8 {
        let line = dump.line();
        assert!(line.ends_with(&format!(" vcan0 042#{turn:02X}00000000000000")), "{line}");
    }
}

#[test_case(8)]
#[test_case(62)]
#[test_case(150)]
#[test_case(4095)]
fn isotprecv_gets_what_isotpsend_sends(length: usize) {
    let receiver = Peer::listen("isotprecv", &["-s", "7A0", "-d", "7B0", "vcan0"], "vcan0");
    let payload = (0..length).fold(String::new(), |mut text, byte| {
        write!(text, "{:02X} ", byte % 251).expect("text");
        text
    });
    Peer::run("isotpsend", &["-s", "7B0", "-d", "7A0", "-b", "vcan0"], &payload);
    assert_eq!(receiver.line().trim(), payload.trim());
    receiver.end();
}
