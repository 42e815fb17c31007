use crate::stamp::{Nanos, Stamp};

/// Bytes that one read returned, and when they can have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// How many; at least one.
    pub length: usize,
    /// From the last instant at which the first of them was provably not there yet, to the end of the read.
    pub read: Stamp,
    /// The shortest time between two bytes on the line; 0 where no line paces them.
    pub byte_time: Nanos,
}

impl Chunk {
    /// When the byte at `index` was at the host.
    ///
    /// On a line, the bytes behind it took their time after it, so it was there that much before the read ended; and
    /// the bytes before it took theirs after the first came.
    #[must_use]
    pub fn byte_arrived(&self, index: usize) -> Stamp {
        let index = index.min(self.length.saturating_sub(1));
        let behind = (self.length.saturating_sub(1) - index) as Nanos;
        let hi = self.read.hi.saturating_sub(behind.saturating_mul(self.byte_time)).max(self.read.lo);
        let lo = self.read.lo.saturating_add((index as Nanos).saturating_mul(self.byte_time)).min(hi);
        Stamp::new(lo, hi, self.read.source)
    }

    /// The chunk that is left when its first `count` bytes are dropped.
    pub(super) fn without_first(mut self, count: usize) -> Self {
        self.read.lo = self.byte_arrived(count).lo;
        self.length -= count;
        self
    }
}

/// When bytes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The first byte was handed to the kernel.
    pub first: Stamp,
    /// The last byte was on the wire.
    pub last: Stamp,
}

#[cfg(test)]
mod tests {
    use super::Chunk;
    use crate::stamp::{Source, Stamp};
    use proptest::prelude::*;

    fn chunk(length: usize, lo: u64, hi: u64, byte_time: u64) -> Chunk {
        Chunk { length, read: Stamp::new(lo, hi, Source::User), byte_time }
    }

    #[test]
    fn a_line_spaces_the_bytes_of_a_chunk() {
        let chunk = chunk(10, 0, 2_000_000, 86_800);
        assert_eq!(chunk.byte_arrived(9).hi, 2_000_000);
        assert_eq!(chunk.byte_arrived(0).hi, 2_000_000 - 9 * 86_800);
        assert_eq!(chunk.byte_arrived(9).lo, 9 * 86_800);
        assert_eq!(chunk.byte_arrived(0).lo, 0);
    }

    #[test]
    fn without_a_line_every_byte_has_the_chunks_stamp() {
        let chunk = chunk(10, 700, 2_000, 0);
        assert_eq!(chunk.byte_arrived(0), chunk.byte_arrived(9));
        assert_eq!(chunk.byte_arrived(3), chunk.read);
    }

    proptest! {
        #[test]
        fn bytes_arrive_in_order_and_within_the_read(
            length in 1_usize..5_000, lo in 0..u64::MAX / 4, width in 0..10_000_000_u64, byte_time in 0..40_000_000_u64,
        ) {
            let chunk = chunk(length, lo, lo + width, byte_time);
            for index in 1..length {
                let (before, after) = (chunk.byte_arrived(index - 1), chunk.byte_arrived(index));
                prop_assert!(before.lo <= after.lo && before.hi <= after.hi);
                prop_assert!(chunk.read.lo <= before.lo && after.hi <= chunk.read.hi);
            }
        }

        #[test]
        fn any_index_is_answered(length in 0_usize..10, index: usize) {
            let stamp = chunk(length, 5, 9, 3).byte_arrived(index);
            prop_assert!(5 <= stamp.lo && stamp.hi <= 9);
        }
    }
}
