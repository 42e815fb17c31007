//! Packets of link type `LINKTYPE_CAN_SOCKETCAN` (tcpdump.org): an 8-byte header, the identifier big endian, then the
//! data. Identifier and its flags, length, flags of FD, two reserved bytes.

use rig_can::candump::Seen;
use rig_can::{Format, Frame, Id};

/// The link type's number.
pub(crate) const LINK_TYPE: u32 = 227;

/// The flags of an identifier.
const EXTENDED: u32 = 0x8000_0000;
const REMOTE: u32 = 0x4000_0000;
const ERROR: u32 = 0x2000_0000;
const NUMBER: u32 = 0x1FFF_FFFF;
/// The flags of FD: bit rate switch, error state indicator, FD format.
const SWITCH: u8 = 0x01;
const PASSIVE: u8 = 0x02;
const FD: u8 = 0x04;
/// In the length's byte: the frame is one of CAN XL, whose header is another one.
const XL: u8 = 0x80;
/// How long a packet of a kernel is for an FD frame (`CANFD_MTU`), which older ones did not flag.
const FD_PACKET: usize = 72;

/// A frame as a packet, no longer than its data.
pub(crate) fn frame(frame: &Frame) -> Vec<u8> {
    let extended = if frame.id().is_extended() { EXTENDED } else { 0 };
    let (remote, flags) = match frame.format() {
        Format::Classic => (0, 0),
        Format::Remote => (REMOTE, 0),
        Format::Fd { switch, passive } => (0, FD | if switch { SWITCH } else { 0 } | if passive { PASSIVE } else { 0 }),
    };
    packet(frame.id().number() | extended | remote, frame.length(), flags, frame.data())
}

/// An error frame as a packet.
pub(crate) fn error(class: u32, data: [u8; 8]) -> Vec<u8> {
    packet(class & NUMBER | ERROR, 8, 0, &data)
}

fn packet(id: u32, length: u8, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(8 + data.len());
    packet.extend(id.to_be_bytes());
    packet.extend([length, flags, 0, 0]);
    packet.extend(data);
    packet
}

/// What a packet tells of the bus; `None` where it is cut off, or holds no frame that rig knows. Packets of a kernel
/// may be longer than their data.
pub(crate) fn read(packet: &[u8]) -> Option<Seen> {
    let (&[a, b, c, d, length, flags, _, _], data) = packet.split_first_chunk()?;
    let word = u32::from_be_bytes([a, b, c, d]);
    if length & XL != 0 {
        return None;
    }
    if word & ERROR != 0 {
        return Some(Seen::Error(word & NUMBER, *data.first_chunk()?));
    }
    let number = word & NUMBER;
    let id = if word & EXTENDED == 0 { Id::standard(number.try_into().ok()?) } else { Id::extended(number) }?;
    let frame = if flags & FD != 0 || length > 8 || packet.len() == FD_PACKET {
        let data = data.get(..usize::from(length))?;
        Frame::fd(id, data, flags & SWITCH != 0)?.sent_passively(flags & PASSIVE != 0)
    } else if word & REMOTE != 0 {
        Frame::remote(id, length)?
    } else {
        Frame::classic(id, data.get(..usize::from(length))?)?
    };
    Some(Seen::Frame(frame))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any frame of any kind.
    pub(crate) fn any_frame() -> impl Strategy<Value = Frame> {
        let id = prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)];
        (id, any::<[u8; 64]>(), 0..=15_usize, 0..4_u8, any::<bool>()).prop_map(|(id, bytes, code, format, passive)| {
            let length = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64][code];
            let frame = match format {
                0 => Frame::classic(id, &bytes[..length.min(8)]),
                1 => Frame::remote(id, u8::try_from(length.min(8)).expect("small")),
                _ => Frame::fd(id, &bytes[..length], format == 2).map(|frame| frame.sent_passively(passive)),
            };
            frame.expect("a length that the format has")
        })
    }

    /// Anything that a log or trace of a bus can hold.
    pub(crate) fn anything() -> impl Strategy<Value = Seen> {
        let error = (0..=NUMBER, any::<[u8; 8]>()).prop_map(|(class, data)| Seen::Error(class, data));
        prop_oneof![4 => any_frame().prop_map(Seen::Frame), 1 => error]
    }

    fn written(seen: &Seen) -> Vec<u8> {
        match seen {
            Seen::Frame(of) => frame(of),
            Seen::Error(class, data) => error(*class, *data),
        }
    }

    #[test]
    fn a_kernels_packet_has_more_room_than_data() {
        let classic = [0, 0, 1, 0x23, 2, 0, 0, 0, 0xAA, 0xBB, 0, 0, 0, 0, 0, 0];
        assert_eq!(read(&classic), Frame::classic(Id::Standard(0x123), &[0xAA, 0xBB]).map(Seen::Frame));
        // An FD frame before the kernel flagged them.
        let mut fd = [0; FD_PACKET];
        fd[..10].copy_from_slice(&[0, 0, 1, 0x23, 2, SWITCH, 0, 0, 0xAA, 0xBB]);
        assert_eq!(read(&fd), Frame::fd(Id::Standard(0x123), &[0xAA, 0xBB], true).map(Seen::Frame));
    }

    #[test]
    fn what_is_no_frame_is_none() {
        let cut = [0, 0, 1, 0x23, 2, 0, 0, 0, 0xAA];
        let wide = [0, 0, 8, 0, 0, 0, 0, 0];
        let long = [0, 0, 1, 0x23, 13, FD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let xl = [0, 0, 1, 0x23, XL, 0, 16, 0, 0, 0, 0, 0];
        for packet in [&cut[..], &cut[..7], &wide, &long, &xl, &[]] {
            assert_eq!(read(packet), None, "{packet:02x?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(seen in anything()) {
            prop_assert_eq!(read(&written(&seen)), Some(seen));
        }

        #[test]
        fn no_bytes_break_the_reader(packet: Vec<u8>) {
            read(&packet);
        }
    }
}
