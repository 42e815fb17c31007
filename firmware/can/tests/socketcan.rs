//! Frames as Linux lays them out. The bytes are those of `linux/can.h` and of tcpdump.org's page on the link type, written
//! by hand.

use proptest::prelude::*;
use rig_can::candump::Seen;
use rig_can::socketcan::{CLASSIC_SIZE, FD_SIZE, from_kernel, from_packet, to_kernel, to_packet};
use rig_can::{Frame, Id};
use test_case::test_case;

const STANDARD: Id = Id::Standard(0x123);
const EXTENDED: Id = Id::Extended(0x18DA_10F1);

#[test_case(Frame::classic(STANDARD, &[0xAA, 0xBB]), 0x0000_0123, &[2, 0, 0, 0, 0xAA, 0xBB], CLASSIC_SIZE; "classic")]
#[test_case(Frame::classic(EXTENDED, &[7]), 0x98DA_10F1, &[1, 0, 0, 0, 7], CLASSIC_SIZE; "extended")]
#[test_case(Frame::classic(Id::Extended(1), &[]), 0x8000_0001, &[0, 0, 0, 0], CLASSIC_SIZE; "a small extended identifier")]
#[test_case(Frame::remote(STANDARD, 4), 0x4000_0123, &[4, 0, 0, 0], CLASSIC_SIZE; "remote")]
#[test_case(Frame::fd(STANDARD, &[9], false), 0x0000_0123, &[1, 4, 0, 0, 9], FD_SIZE; "fd")]
#[test_case(Frame::fd(STANDARD, &[9], true), 0x0000_0123, &[1, 5, 0, 0, 9], FD_SIZE; "fd with bit rate switch")]
#[test_case(Frame::fd(EXTENDED, &[], true).map(|frame| frame.sent_passively(true)), 0x98DA_10F1, &[0, 7, 0, 0], FD_SIZE; "fd from an error passive sender")]
fn a_frame_has_these_bytes(frame: Option<Frame>, word: u32, rest: &[u8], size: usize) {
    let frame = frame.expect("a frame");
    let packet = [&word.to_be_bytes(), rest].concat();
    assert_eq!(to_packet(&Seen::Frame(frame)), packet);
    assert_eq!(from_packet(&packet), Some(Seen::Frame(frame)));
    let mut kernel = [&word.to_ne_bytes(), rest].concat();
    kernel.resize(size, 0);
    assert_eq!(to_kernel(&frame), kernel);
    assert_eq!(from_kernel(&kernel), Some(Seen::Frame(frame)));
}

#[test]
fn an_error_frame_has_these_bytes() {
    let error = Seen::Error(0x44, [0, 0x30, 0, 0, 0, 0, 7, 9]);
    let rest = [8, 0, 0, 0, 0, 0x30, 0, 0, 0, 0, 7, 9];
    let packet = [&0x2000_0044_u32.to_be_bytes()[..], &rest].concat();
    assert_eq!(to_packet(&error), packet);
    assert_eq!(from_packet(&packet), Some(error.clone()));
    let kernel = [&0x2000_0044_u32.to_ne_bytes()[..], &rest].concat();
    assert_eq!(from_kernel(&kernel), Some(error));
}

#[test]
fn a_kernels_packet_has_more_room_than_data() {
    let classic = [0, 0, 1, 0x23, 2, 0, 0, 0, 0xAA, 0xBB, 0, 0, 0, 0, 0, 0];
    assert_eq!(from_packet(&classic), Frame::classic(STANDARD, &[0xAA, 0xBB]).map(Seen::Frame));
    // An FD frame before the kernel flagged them.
    let mut fd = [0; FD_SIZE];
    fd[..10].copy_from_slice(&[0, 0, 1, 0x23, 2, 1, 0, 0, 0xAA, 0xBB]);
    assert_eq!(from_packet(&fd), Frame::fd(STANDARD, &[0xAA, 0xBB], true).map(Seen::Frame));
}

#[test]
fn in_a_kernels_frame_the_size_alone_says_whether_it_is_fd() {
    // A program may leave anything in the padding of a classic frame.
    let mut bytes = to_kernel(&Frame::classic(STANDARD, &[1]).expect("a frame"));
    bytes[5] = 0xFF;
    assert_eq!(from_kernel(&bytes), Frame::classic(STANDARD, &[1]).map(Seen::Frame));
}

#[test]
fn what_is_no_frame_is_none() {
    let cut = [0, 0, 1, 0x23, 2, 0, 0, 0, 0xAA];
    let wide = [0, 0, 8, 0, 0, 0, 0, 0];
    let long = [0, 0, 1, 0x23, 13, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let xl = [0, 0, 1, 0x23, 0x80, 0, 16, 0, 0, 0, 0, 0];
    for packet in [&cut[..], &cut[..7], &wide, &long, &xl, &[]] {
        assert_eq!(from_packet(packet), None, "{packet:02x?}");
    }
}

/// Anything that a bus can tell.
fn seen() -> impl Strategy<Value = Seen> {
    let id = prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)];
    let frame = (id, any::<[u8; 64]>(), 0..=15_usize, 0..4_u8, any::<bool>());
    let frame = frame.prop_map(|(id, bytes, code, format, passive)| {
        let length = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64][code];
        let frame = match format {
            0 => Frame::classic(id, &bytes[..length.min(8)]),
            1 => Frame::remote(id, u8::try_from(length.min(8)).expect("small")),
            _ => Frame::fd(id, &bytes[..length], format == 2).map(|frame| frame.sent_passively(passive)),
        };
        Seen::Frame(frame.expect("a length that the format has"))
    });
    let error = (0..=0x1FFF_FFFF_u32, any::<[u8; 8]>()).prop_map(|(class, data)| Seen::Error(class, data));
    prop_oneof![4 => frame, 1 => error]
}

proptest! {
    #[test]
    fn what_was_written_is_read(seen in seen()) {
        if let Seen::Frame(frame) = &seen {
            prop_assert_eq!(from_kernel(&to_kernel(frame)), Some(seen.clone()));
        }
        prop_assert_eq!(from_packet(&to_packet(&seen)), Some(seen));
    }

    #[test]
    fn no_bytes_break_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..=2 * FD_SIZE)) {
        let _ = (from_packet(&bytes), from_kernel(&bytes));
    }
}
