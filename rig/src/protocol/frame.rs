use rig_payload::{Chunk, DecodeError, Decoder, Frame, Header, Kind, MAX_ENCODED, MAX_PAYLOAD, OVERHEAD};

use super::{Inbound, Protocol, Unit, sixteen};
use crate::event::{Flaw, Size};

/// So many bytes without an end are told of as garbage at once: whoever sends without end is to be seen.
const RUN: usize = 1024;
/// What COBS adds to a payload of at most 254 bytes: one code byte and the zero at the end.
const FRAMING: usize = 2;

/// The reference frame of `firmware/payload`: a payload, COBS-encoded, ended by a zero byte.
#[derive(Default)]
pub struct ReferenceFrame {
    decoder: Decoder,
    /// The newest bytes of the unfinished chunk, as they came: enough for one encoded payload.
    tail: Vec<u8>,
}

impl Protocol for ReferenceFrame {
    fn encode(&mut self, frame: &Frame, out: &mut Vec<u8>) -> Size {
        let encoded = frame.encode();
        out.extend_from_slice(encoded.as_bytes());
        whole(frame, encoded.as_bytes().len())
    }

    fn decode(&mut self, bytes: &[u8], found: &mut dyn FnMut(Inbound)) {
        for (last, &byte) in bytes.iter().enumerate() {
            match self.decoder.push(byte) {
                Some((chunk, bytes)) => {
                    let inbound = self.judge(chunk, bytes, last);
                    self.tail.clear();
                    found(inbound);
                }
                None if byte == 0 => self.tail.clear(),
                None => {
                    self.keep(byte);
                    if self.decoder.pending() >= RUN {
                        let bytes = self.decoder.reset();
                        found(broken(Flaw::Garbage, None, bytes, bytes, last));
                    }
                }
            }
        }
    }

    fn pending(&self) -> usize {
        self.decoder.pending()
    }

    fn flush(&mut self) -> Option<Inbound> {
        let bytes = self.decoder.reset();
        let claimed = claimed_by_prefix(&self.tail);
        self.tail.clear();
        let last = bytes.checked_sub(1)?;
        Some(broken(Flaw::Truncated, claimed, bytes, bytes, last))
    }
}

impl ReferenceFrame {
    fn keep(&mut self, byte: u8) {
        if self.tail.len() == MAX_ENCODED - 1 {
            self.tail.remove(0);
        }
        self.tail.push(byte);
    }

    fn judge(&self, chunk: Chunk, bytes: usize, last: usize) -> Inbound {
        let (error, claimed, decoded) = match chunk {
            Chunk::Frame(frame) => {
                return Inbound { unit: Unit::Whole(frame), size: whole(&frame, bytes), bytes, last };
            }
            Chunk::Broken { error, claimed, decoded } => (Some(error), claimed, decoded),
            Chunk::Garbage => (None, None, bytes),
        };
        // A payload that garbage ran into is still whole at the end of the chunk, and its CRC proves it.
        if let Some(frame) = whole_at_the_end(&self.tail) {
            return broken(Flaw::Garbage, Some(frame.header), decoded, bytes, last);
        }
        let (claimed, shown) = match error {
            Some(_) => (claimed, decoded),
            // Bytes that no encoder writes: a flipped bit hit a COBS code, or the payload breaks off before the zero
            // that a code promised. Read as far as it goes, the beginning may still show the header.
            None if self.tail.len() + 1 == bytes => (claimed_by_prefix(&self.tail), bytes.saturating_sub(FRAMING)),
            None => (None, bytes),
        };
        broken(flaw(error, claimed, shown), claimed, shown, bytes, last)
    }
}

/// What bytes are that came alone, as a payload on a CAN bus does: no framing, from the first byte to the last.
pub(super) fn of_datagram(bytes: &[u8]) -> Unit {
    match Frame::read(bytes) {
        Ok(frame) => Unit::Whole(frame),
        Err(error) => {
            let claimed = Frame::claimed_header(bytes);
            Unit::Broken { flaw: flaw(Some(error), claimed, bytes.len()), claimed }
        }
    }
}

fn whole(frame: &Frame, wire: usize) -> Size {
    let payload = sixteen(frame.size());
    Size { payload, pdu: payload, wire: sixteen(wire) }
}

fn broken(flaw: Flaw, claimed: Option<Header>, decoded: usize, bytes: usize, last: usize) -> Inbound {
    let payload = sixteen(decoded);
    let size = Size { payload, pdu: payload, wire: sixteen(bytes) };
    Inbound { unit: Unit::Broken { flaw, claimed }, size, bytes, last }
}

/// What is wrong with bytes that are no payload, of which `size` are shown. Where their size is right, some of them are
/// wrong; else the size that the claimed kind has tells whether bytes are missing or too many.
fn flaw(error: Option<DecodeError>, claimed: Option<Header>, size: usize) -> Flaw {
    match (error, claimed.map(|header| header.kind.sizes())) {
        (Some(DecodeError::Long | DecodeError::Version(_) | DecodeError::Kind(_) | DecodeError::Actor(_)), _) => {
            Flaw::Garbage
        }
        (_, Some((smallest, _))) if size < smallest => Flaw::Truncated,
        (_, Some((_, largest))) if size > largest => Flaw::Garbage,
        (_, Some(_)) => Flaw::Corrupt,
        (Some(DecodeError::Short), None) => Flaw::Truncated,
        (_, None) if Kind::ALL.iter().any(|kind| (kind.sizes().0..=kind.sizes().1).contains(&size)) => Flaw::Corrupt,
        (_, None) => Flaw::Garbage,
    }
}

/// The payload that a run of encoded bytes ends with, where its beginning is something else.
fn whole_at_the_end(encoded: &[u8]) -> Option<Frame> {
    let longest = MAX_PAYLOAD + 1;
    let starts = encoded.len().saturating_sub(longest)..encoded.len().saturating_sub(OVERHEAD);
    starts.into_iter().find_map(|start| decode_whole(&encoded[start..]))
}

fn decode_whole(encoded: &[u8]) -> Option<Frame> {
    let mut decoder = Decoder::default();
    for byte in encoded {
        decoder.push(*byte);
    }
    match decoder.push(0)? {
        (Chunk::Frame(frame), _) => Some(frame),
        _ => None,
    }
}

/// The header that the beginning of an encoded payload shows.
///
/// COBS (Cheshire and Baker, 1999): a code byte `n` stands for the `n - 1` bytes that follow it and one zero after
/// them; no zero after 255.
fn claimed_by_prefix(encoded: &[u8]) -> Option<Header> {
    let (mut decoded, mut rest) = (Vec::with_capacity(MAX_PAYLOAD), encoded);
    while let Some((&code, tail)) = rest.split_first() {
        let (run, tail) = tail.split_at(tail.len().min(usize::from(code).saturating_sub(1)));
        decoded.extend_from_slice(run);
        if code != u8::MAX && !tail.is_empty() {
            decoded.push(0);
        }
        rest = tail;
    }
    decoded.first().filter(|version| **version == rig_payload::VERSION)?;
    Frame::claimed_header(&decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rig_payload::{Actor, Body, Frame, Header, Kind};

    use super::{RUN, ReferenceFrame, claimed_by_prefix};
    use crate::event::Flaw;
    use crate::protocol::{Inbound, Protocol, Unit};

    fn alert(sequence: u16, size: usize) -> Frame {
        let header = Header {
            kind: Kind::CappedAlert,
            source: Actor::Meter,
            destination: Actor::Lms,
            sequence,
            correlation: 0x0102,
            stamp: 0x0011_2233_4455_6677,
        };
        Frame { header, body: Body::new(&[7; 30]).resized(size - rig_payload::OVERHEAD) }
    }

    fn command() -> Frame {
        let header = Header {
            kind: Kind::DischargeCmd,
            source: Actor::DacSub,
            destination: Actor::Storage,
            sequence: 300,
            correlation: 0,
            stamp: 1,
        };
        Frame { header, body: Body::new(&[0x10, 0x27, 0, 0, 0]) }
    }

    fn decode(bytes: &[u8]) -> Vec<Inbound> {
        let mut units = Vec::new();
        ReferenceFrame::default().decode(bytes, &mut |unit| units.push(unit));
        units
    }

    fn flaws(bytes: &[u8]) -> Vec<(Option<Flaw>, Option<u16>)> {
        decode(bytes)
            .into_iter()
            .map(|unit| match unit.unit {
                Unit::Whole(frame) => (None, Some(frame.header.sequence)),
                Unit::Broken { flaw, claimed } => (Some(flaw), claimed.map(|header| header.sequence)),
            })
            .collect()
    }

    #[test]
    fn sizes_are_those_of_the_rows_and_of_the_wire() {
        let mut out = Vec::new();
        let size = ReferenceFrame::default().encode(&command(), &mut out);
        assert_eq!((size.payload, size.pdu, size.wire, out.len()), (25, 25, 27, 27));
        let units = decode(&out);
        assert_eq!((units.len(), units[0].size, units[0].unit), (1, size, Unit::Whole(command())));
        assert_eq!((units[0].first(), units[0].last), (Some(0), 26));
    }

    #[test]
    fn a_flipped_bit_is_corrupt_whether_it_hits_the_payload_or_its_framing() {
        let encoded = command().encode();
        let kind = 2;
        for bit in (0..(encoded.as_bytes().len() - 1) * 8).filter(|bit| bit / 8 != kind) {
            let mut bytes = encoded.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // A flip that makes a zero ends the payload before its time.
            if bytes[bit / 8] != 0 {
                let flaws = flaws(&bytes);
                assert!(matches!(flaws[..], [(Some(Flaw::Corrupt), _)]), "bit {bit}: {flaws:?}");
            }
        }
    }

    #[test]
    fn a_payload_that_breaks_off_is_truncated_wherever_it_does() {
        let encoded = command().encode();
        let whole = encoded.as_bytes();
        for length in 1..whole.len() - 1 {
            let cut = [&whole[..length], &[0]].concat();
            assert!(matches!(flaws(&cut)[..], [(Some(Flaw::Truncated | Flaw::Garbage), _)]), "{length} bytes");
            if length >= 18 {
                assert_eq!(flaws(&cut), [(Some(Flaw::Truncated), Some(300))], "{length} bytes");
            }
        }
    }

    #[test]
    fn garbage_that_runs_into_a_payload_is_named_with_the_payload_it_spoilt() {
        for garbage in [[0xAA].as_slice(), &[0xFF; 7], &[1; 40], &[0x55; 500]] {
            let bytes = [garbage, alert(9, 120).encode().as_bytes()].concat();
            assert_eq!(flaws(&bytes), [(Some(Flaw::Garbage), Some(9))], "{} bytes", garbage.len());
        }
    }

    #[test]
    fn a_byte_too_many_that_the_crc_covers_is_whole_and_of_another_size() {
        let frame = Frame { body: Body::new(&[0; 6]), ..command() };
        let units = decode(frame.encode().as_bytes());
        assert_eq!((units[0].unit, units[0].size.payload), (Unit::Whole(frame), 26));
    }

    #[test]
    fn sending_without_end_is_told_of_as_it_goes_on() {
        let units = decode(&vec![0x42; 10 * RUN]);
        assert_eq!(units.len(), 10);
        assert!(units.iter().all(|unit| unit.bytes == RUN));
    }

    #[test]
    fn the_header_shows_before_the_payload_has_ended() {
        let encoded = command().encode();
        assert_eq!(claimed_by_prefix(&encoded.as_bytes()[..18]), Some(command().header));
        assert_eq!(claimed_by_prefix(&encoded.as_bytes()[..12]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_and_the_next_payload_is_found(noise in proptest::collection::vec(any::<u8>(), 0..3_000)) {
            let mut protocol = ReferenceFrame::default();
            let mut spent = 0;
            protocol.decode(&noise, &mut |unit| spent += unit.bytes);
            prop_assert!(spent + protocol.pending() <= noise.len());
            prop_assert!(protocol.pending() < RUN);
            let mut units = Vec::new();
            let bytes = [&[0], alert(1, 50).encode().as_bytes()].concat();
            protocol.decode(&bytes, &mut |unit| units.push(unit.unit));
            prop_assert_eq!(units.last(), Some(&Unit::Whole(alert(1, 50))));
        }

        #[test]
        fn one_flipped_bit_never_passes_for_a_whole_payload(size in 50_usize..=150, bit in 0_usize..400) {
            let frame = alert(1, size);
            let mut bytes = frame.encode().as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes.push(0);
            let whole = decode(&bytes).iter().filter(|unit| matches!(unit.unit, Unit::Whole(_))).count();
            prop_assert_eq!(whole, 0);
        }
    }
}
