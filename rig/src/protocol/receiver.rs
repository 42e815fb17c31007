use super::{Inbound, Protocol, Unit};
use crate::event::Size;
use crate::link::Chunk;
use crate::stamp::Stamp;

/// A protocol at the end of a link: chunks in, units with the instants of their bytes out.
pub struct Receiver {
    protocol: Box<dyn Protocol>,
    /// When the first byte of the unit that has not ended was there.
    begun: Option<Stamp>,
    /// When the newest byte was there.
    newest: Option<Stamp>,
}

/// A unit and when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// What it is.
    pub what: Unit,
    /// Its sizes; for what is broken, as far as they can be told.
    pub size: Size,
    /// When its first byte was at the host.
    pub first: Stamp,
    /// When its last byte was at the host.
    pub last: Stamp,
    /// How many bytes it took.
    pub bytes: u32,
}

impl Receiver {
    /// A receiver that has received nothing yet.
    #[must_use]
    pub fn new(protocol: Box<dyn Protocol>) -> Self {
        Self { protocol, begun: None, newest: None }
    }

    /// The protocol, to encode and to be woken.
    pub fn protocol(&mut self) -> &mut dyn Protocol {
        &mut *self.protocol
    }

    /// Takes the bytes of a chunk; calls `found` for every unit that ends in it.
    pub fn take(&mut self, chunk: &Chunk, bytes: &[u8], mut found: impl FnMut(Arrived)) {
        let bytes = &bytes[..bytes.len().min(chunk.length)];
        let Some(newest) = bytes.len().checked_sub(1) else { return };
        let mut begun = self.begun.take();
        self.protocol.decode(bytes, &mut |unit| {
            let first = match (unit.first(), begun.take()) {
                (None, Some(begun)) => begun,
                (None, None) => chunk.byte_arrived(0),
                (Some(index), _) => chunk.byte_arrived(index),
            };
            found(arrived(&unit, first, chunk.byte_arrived(unit.last)));
        });
        self.newest = Some(chunk.byte_arrived(newest));
        self.begun = match self.protocol.pending() {
            0 => None,
            pending => Some(match (bytes.len().checked_sub(pending), begun) {
                (Some(index), _) => chunk.byte_arrived(index),
                (None, begun) => begun.unwrap_or_else(|| chunk.byte_arrived(0)),
            }),
        };
    }

    /// When the newest byte of a unit that has not ended was there: the stream has stalled since, if that is long ago.
    #[must_use]
    pub fn unfinished(&self) -> Option<Stamp> {
        self.newest.filter(|_| self.protocol.pending() > 0)
    }

    /// Gives up the unit that has not ended, because its rest will not come: it is truncated.
    pub fn flush(&mut self) -> Option<Arrived> {
        let unit = self.protocol.flush()?;
        let last = self.newest?;
        Some(arrived(&unit, self.begun.take().unwrap_or(last), last))
    }
}

fn arrived(unit: &Inbound, first: Stamp, last: Stamp) -> Arrived {
    Arrived { what: unit.unit, size: unit.size, first, last, bytes: u32::try_from(unit.bytes).unwrap_or(u32::MAX) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rig_payload::{Actor, Body, Frame, Header, Kind};

    use super::{Arrived, Receiver};
    use crate::event::Flaw;
    use crate::link::Chunk;
    use crate::protocol::{ReferenceFrame, Unit};
    use crate::stamp::{Source, Stamp};

    const BYTE: u64 = 1_000;

    fn frame(sequence: u16) -> Frame {
        let header = Header {
            kind: Kind::DischargeAck,
            source: Actor::Storage,
            destination: Actor::DacSub,
            sequence,
            correlation: 3,
            stamp: 9,
        };
        Frame { header, body: Body::new(&[1, 2, 3, 4, 5]) }
    }

    /// Receives bytes that end at the instants `BYTE`, `2 × BYTE`…, cut into chunks that are read when they end.
    fn receive(receiver: &mut Receiver, bytes: &[u8], lengths: &[usize]) -> Vec<Arrived> {
        let (mut all, mut at) = (Vec::new(), 0);
        for length in lengths.iter().copied().chain([bytes.len()]) {
            let length = length.min(bytes.len() - at);
            let end = (at + length) as u64 * BYTE;
            let chunk = Chunk { length, read: Stamp::new(at as u64 * BYTE, end, Source::User), byte_time: BYTE };
            receiver.take(&chunk, &bytes[at..at + length], |arrived| all.push(arrived));
            at += length;
        }
        all
    }

    #[test]
    fn a_unit_in_three_chunks_has_the_stamps_of_its_own_first_and_last_byte() {
        let bytes = [b"\0\0".as_slice(), frame(1).encode().as_bytes(), frame(2).encode().as_bytes()].concat();
        let units = receive(&mut Receiver::new(Box::new(ReferenceFrame::default())), &bytes, &[5, 10, 15, 1]);
        let stamps: Vec<_> = units.iter().map(|unit| (unit.first.hi, unit.last.hi, unit.bytes)).collect();
        assert_eq!(stamps, [(3 * BYTE, 29 * BYTE, 27), (30 * BYTE, 56 * BYTE, 27)]);
    }

    #[test]
    fn a_stalled_unit_is_given_up_as_truncated() {
        let mut receiver = Receiver::new(Box::new(ReferenceFrame::default()));
        assert_eq!(receiver.flush(), None);
        let units = receive(&mut receiver, &frame(1).encode().as_bytes()[..20], &[7]);
        assert!(units.is_empty());
        assert_eq!(receiver.unfinished().map(|stamp| stamp.hi), Some(20 * BYTE));
        let given_up = receiver.flush().expect("a unit has begun");
        assert!(
            matches!(given_up.what, Unit::Broken { flaw: Flaw::Truncated, claimed: Some(header) } if header.sequence == 1)
        );
        assert_eq!((given_up.first.hi, given_up.last.hi, given_up.bytes), (BYTE, 20 * BYTE, 20));
        assert_eq!((receiver.flush(), receiver.unfinished()), (None, None));
    }

    proptest! {
        #[test]
        fn stamps_do_not_depend_on_how_the_stream_is_cut(
            noise in proptest::collection::vec(any::<u8>(), 0..400),
            lengths in proptest::collection::vec(1_usize..40, 0..60),
        ) {
            let bytes = [&noise, b"\0".as_slice(), frame(7).encode().as_bytes()].concat();
            let whole = |units: Vec<Arrived>| -> Vec<_> {
                units.into_iter().map(|unit| (unit.what, unit.first.hi, unit.last.hi, unit.bytes)).collect()
            };
            let new = || Receiver::new(Box::new(ReferenceFrame::default()));
            let cut = whole(receive(&mut new(), &bytes, &lengths));
            prop_assert_eq!(&cut, &whole(receive(&mut new(), &bytes, &vec![1; bytes.len()])));
            prop_assert_eq!(cut.last().map(|unit| unit.0), Some(Unit::Whole(frame(7))));
        }
    }
}
