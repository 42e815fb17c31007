//! The kernel's buses by themselves: what everything else here rests on.

use std::io;
use std::time::SystemTime;

use socketcan::{
    CanDataFrame, CanFdFrame, CanFdSocket, CanSocket, EmbeddedFrame, Frame, Socket, SocketOptions, StandardId,
};

use crate::peer::HANGS;

const ID: StandardId = StandardId::MAX;

#[test]
fn a_frame_comes_to_others_and_back_to_its_sender_with_the_kernels_stamp() {
    let (sender, other) = (CanSocket::open("vcan0").expect("vcan0"), CanSocket::open("vcan0").expect("vcan0"));
    for socket in [&sender, &other] {
        socket.set_read_timeout(HANGS).expect("a timeout");
        socket.set_recv_timestamp(true).expect("stamps");
    }
    sender.set_recv_own_msgs(true).expect("own frames");
    let frame = CanDataFrame::new(ID, b"12345678").expect("a frame");

    let before = SystemTime::now();
    sender.write_frame(&frame).expect("it is sent");
    for socket in [&sender, &other] {
        let (seen, stamps) = socket.read_frame_with_timestamps().expect("it comes");
        let after = SystemTime::now();
        assert_eq!((seen.raw_id(), seen.data()), (frame.raw_id(), frame.data()));
        let stamp = stamps.socket.expect("a stamp");
        assert!((before..=after).contains(&stamp), "{before:?} {stamp:?} {after:?}");
    }
}

#[test]
fn only_the_first_bus_carries_fd_frames() {
    let frame = CanFdFrame::new(ID, &[7; 64]).expect("a frame");
    let send = |interface| CanFdSocket::open(interface).expect("an interface").write_frame(&frame);
    send("vcan0").expect("vcan0 has CAN FD");
    assert_eq!(send("vcan1").map_err(|error| error.kind()), Err(io::ErrorKind::InvalidInput));
}

#[test]
fn the_third_bus_is_down() {
    let socket = CanSocket::open("vcan2").expect("an interface");
    let frame = CanDataFrame::new(ID, &[]).expect("a frame");
    assert_eq!(socket.write_frame(&frame).map_err(|error| error.kind()), Err(io::ErrorKind::NetworkDown));
}
