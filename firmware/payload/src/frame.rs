use crc::{CRC_32_ISO_HDLC, Crc};

use crate::decoder::MAX_ENCODED;
use crate::{Actor, Body, Kind};

/// Version of the frame's layout.
pub const VERSION: u8 = 1;
/// The largest payload in bytes.
pub const MAX_PAYLOAD: usize = 150;
/// Bytes of a payload that are not its body: header and CRC.
pub const OVERHEAD: usize = HEADER + CRC;

const HEADER: usize = 16;
const CRC: usize = 4;
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Who sends what to whom, and which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the payload is.
    pub kind: Kind,
    /// Who sends or forwards it.
    pub source: Actor,
    /// Whom it is for.
    pub destination: Actor,
    /// Counts the payloads that the source has sent since it booted; wraps.
    pub sequence: u16,
    /// What the payload belongs to: a reply and an alert that a command caused carry the command's sequence;
    /// an alarm carries the device's count of islands; a forwarded payload keeps what it came with.
    pub correlation: u16,
    /// The source's own clock in nanoseconds since it booted, when the payload was made.
    pub stamp: u64,
}

/// A payload: header and body. Its bytes end with a CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The header.
    pub header: Header,
    /// The body.
    pub body: Body,
}

/// A payload as it goes on a byte stream: COBS-encoded, ended by a zero byte.
#[derive(Clone, Copy)]
pub struct Encoded {
    bytes: [u8; MAX_ENCODED],
    length: usize,
}

impl Encoded {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Why bytes are no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Fewer bytes than header and CRC take, or than its kind has where the CRC is wrong too.
    Short,
    /// More bytes than the largest payload has, or bytes right before a payload that do not belong to it.
    Long,
    /// The CRC is wrong.
    Crc,
    /// The version is not [`VERSION`].
    Version(u8),
    /// No such kind.
    Kind(u8),
    /// No such actor.
    Actor(u8),
}

impl Frame {
    /// Bytes of the payload.
    #[must_use]
    pub fn size(&self) -> usize {
        OVERHEAD + self.body.as_bytes().len()
    }

    /// Writes the payload's bytes and returns how many they are.
    pub fn write(&self, out: &mut [u8; MAX_PAYLOAD]) -> usize {
        let header = &self.header;
        out[..4].copy_from_slice(&[VERSION, header.kind as u8, header.source as u8, header.destination as u8]);
        out[4..6].copy_from_slice(&header.sequence.to_le_bytes());
        out[6..8].copy_from_slice(&header.correlation.to_le_bytes());
        out[8..16].copy_from_slice(&header.stamp.to_le_bytes());
        let body = self.body.as_bytes();
        let end = HEADER + body.len();
        out[HEADER..end].copy_from_slice(body);
        let crc = CHECKSUM.checksum(&out[..end]);
        out[end..end + CRC].copy_from_slice(&crc.to_le_bytes());
        end + CRC
    }

    /// The payload as it goes on a byte stream.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut payload = [0; MAX_PAYLOAD];
        let size = self.write(&mut payload);
        let mut bytes = [0; MAX_ENCODED];
        let length = cobs::encode(&payload[..size], &mut bytes);
        Encoded { bytes, length: length + 1 }
    }

    /// Reads a payload from its bytes.
    ///
    /// # Errors
    /// Says what is wrong with the bytes; the CRC is looked at before anything it covers.
    pub fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_PAYLOAD {
            return Err(DecodeError::Long);
        }
        let Some((covered, crc)) = bytes.split_last_chunk::<CRC>().filter(|(covered, _)| covered.len() >= HEADER)
        else {
            return Err(DecodeError::Short);
        };
        if CHECKSUM.checksum(covered) != u32::from_le_bytes(*crc) {
            return Err(DecodeError::Crc);
        }
        if covered[0] != VERSION {
            return Err(DecodeError::Version(covered[0]));
        }
        let header = Self::claimed_header(covered).ok_or_else(|| match Kind::from_byte(covered[1]) {
            None => DecodeError::Kind(covered[1]),
            Some(_) if Actor::from_address(covered[2]).is_none() => DecodeError::Actor(covered[2]),
            Some(_) => DecodeError::Actor(covered[3]),
        })?;
        Ok(Self { header, body: Body::new(&covered[HEADER..]) })
    }

    /// The header that bytes claim to start with, whatever their CRC says: a hint at what a corrupt payload was.
    #[must_use]
    pub fn claimed_header(bytes: &[u8]) -> Option<Header> {
        let b: &[u8; HEADER] = bytes.first_chunk()?;
        Some(Header {
            kind: Kind::from_byte(b[1])?,
            source: Actor::from_address(b[2])?,
            destination: Actor::from_address(b[3])?,
            sequence: u16::from_le_bytes([b[4], b[5]]),
            correlation: u16::from_le_bytes([b[6], b[7]]),
            stamp: u64::from_le_bytes([b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]),
        })
    }
    /// Whether bytes could be the start of a payload, as far as they go.
    pub(crate) fn starts_like_one(bytes: &[u8]) -> bool {
        let fits = |index: usize, known: fn(u8) -> bool| bytes.get(index).is_none_or(|byte| known(*byte));
        fits(0, |byte| byte == VERSION)
            && fits(1, |byte| Kind::from_byte(byte).is_some())
            && fits(2, |byte| Actor::from_address(byte).is_some())
            && fits(3, |byte| Actor::from_address(byte).is_some())
    }
}

#[cfg(test)]
mod tests {
    /// The check value of the catalogue of parametrised CRC algorithms, CRC-32/ISO-HDLC.
    #[test]
    fn checksum_is_crc_32_iso_hdlc() {
        assert_eq!(super::CHECKSUM.checksum(b"123456789"), 0xCBF4_3926);
    }
}
