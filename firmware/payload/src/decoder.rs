use crate::{DecodeError, Frame, Header, frame::MAX_PAYLOAD};

/// The most bytes one encoded payload takes: one COBS code byte for each 254 bytes, and the final zero.
pub const MAX_ENCODED: usize = MAX_PAYLOAD + MAX_PAYLOAD / 254 + 2;

/// What lay between two zero bytes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// A whole payload.
    Frame(Frame),
    /// Bytes that decode to something that is no payload.
    Broken {
        /// What is wrong with it: [`DecodeError::Short`] where it starts like a payload and ends before its time,
        /// [`DecodeError::Long`] where it is a whole payload with other bytes right before it.
        error: DecodeError,
        /// The header it claims, where it has one that could be.
        claimed: Option<Header>,
        /// How many bytes it decoded to.
        decoded: usize,
    },
    /// Bytes that no COBS encoder writes, that do not end in a payload and do not start like a payload, or more of them than any payload has.
    Garbage,
}

/// The most bytes before a payload, run into it, behind which it is still recognised.
const MAX_GARBAGE: usize = 16;

/// Finds payloads in a byte stream. It never fails: after garbage it goes on at the next zero byte.
#[derive(Clone, Debug)]
pub struct Decoder {
    bytes: [u8; MAX_ENCODED],
    length: usize,
    dropped: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { bytes: [0; MAX_ENCODED], length: 0, dropped: 0 }
    }
}

impl Decoder {
    /// Takes one byte. Where it ends a chunk, returns it with the number of bytes the stream spent on it,
    /// the zero included. Zeros that end nothing are idle fill and return nothing.
    pub fn push(&mut self, byte: u8) -> Option<(Chunk, usize)> {
        if byte != 0 {
            if self.length < self.bytes.len() - 1 {
                self.bytes[self.length] = byte;
                self.length += 1;
            } else {
                self.dropped += 1;
            }
            return None;
        }
        let (length, dropped) = (core::mem::take(&mut self.length), core::mem::take(&mut self.dropped));
        if length == 0 {
            return None;
        }
        Some((self.chunk(length, dropped), length + dropped + 1))
    }

    /// Bytes of an unfinished chunk.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.length + self.dropped
    }

    /// Forgets an unfinished chunk and returns how many bytes it had.
    pub fn reset(&mut self) -> usize {
        core::mem::take(&mut self.length) + core::mem::take(&mut self.dropped)
    }

    fn chunk(&mut self, length: usize, dropped: usize) -> Chunk {
        if dropped > 0 {
            return Chunk::Garbage;
        }
        let raw = self.bytes;
        match self.decode(length) {
            Chunk::Frame(frame) => Chunk::Frame(frame),
            broken => payload_behind_garbage(&raw[..length]).unwrap_or(broken),
        }
    }

    fn decode(&mut self, length: usize) -> Chunk {
        let cut = self.close_last_block(length);
        let Ok(decoded) = cobs::decode_in_place(&mut self.bytes[..length]) else {
            return Chunk::Garbage;
        };
        let payload = &self.bytes[..decoded];
        let claimed = Frame::claimed_header(payload);
        let error = match Frame::read(payload) {
            Ok(frame) if !cut => return Chunk::Frame(frame),
            // A damaged code byte: closing its block undid the damage, but the bytes were not those of a payload.
            Ok(_) => DecodeError::Crc,
            Err(error) => error,
        };
        if cut && !Frame::starts_like_one(payload) {
            return Chunk::Garbage;
        }
        let short = claimed.is_some_and(|header| {
            let (smallest, largest) = header.kind.sizes();
            decoded < smallest || (cut && decoded < largest)
        });
        let error = if short { DecodeError::Short } else { error };
        Chunk::Broken { error, claimed, decoded }
    }

    /// Shortens the last COBS block to the bytes that are there, so that what came of it can be looked at. Returns
    /// whether bytes were missing.
    fn close_last_block(&mut self, length: usize) -> bool {
        let mut start = 0;
        while start < length {
            let end = start + usize::from(self.bytes[start]);
            if end > length {
                // A block is shorter than its code says, so what is left of it fits the code's byte too.
                self.bytes[start] = u8::try_from(length - start).unwrap_or(u8::MAX);
                return true;
            }
            start = end;
        }
        false
    }
}

/// A whole payload at the end of a chunk that is none.
fn payload_behind_garbage(chunk: &[u8]) -> Option<Chunk> {
    (1..=MAX_GARBAGE.min(chunk.len())).find_map(|garbage| {
        let mut bytes = [0; MAX_ENCODED];
        let rest = &mut bytes[..chunk.len() - garbage];
        rest.copy_from_slice(&chunk[garbage..]);
        let decoded = cobs::decode_in_place(rest).ok()?;
        let frame = Frame::read(&rest[..decoded]).ok()?;
        Some(Chunk::Broken { error: DecodeError::Long, claimed: Some(frame.header), decoded })
    })
}
