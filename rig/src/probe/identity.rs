use serde::{Deserialize, Serialize};

/// The symbol at which a program of `firmware/board` has its identity.
pub(super) const SYMBOL: &str = "RIG_IDENTITY";

/// What a program says of itself, in the layout of `firmware/board/src/identity.rs`:
///
/// ```text
/// 0 "RIGIDENT" │ 8 layout, 1 │ 9 role │ 10 reserved │ 12 version │ 28 build id │ 44 board │ 60 end
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The address of the device's actor.
    pub role: u8,
    /// Version of the firmware.
    pub version: String,
    /// Digest of all that it was made of, in hexadecimal.
    pub build_id: String,
    /// The board that it is for.
    pub board: String,
}

impl Identity {
    /// Bytes of an identity.
    pub const SIZE: u32 = 60;

    /// Reads an identity as it lies in flash; none where something else lies there.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::SIZE as usize] = bytes.first_chunk()?;
        if !bytes.starts_with(b"RIGIDENT") || bytes[8] != 1 {
            return None;
        }
        let build_id = crate::hex::text(&bytes[28..44]);
        Some(Self { role: bytes[9], version: text(&bytes[12..28]), build_id, board: text(&bytes[44..60]) })
    }
}

/// Text that is filled up with zeros.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> Vec<u8> {
        let mut bytes = b"RIGIDENT\x01\x0b\0\0".to_vec();
        for (text, size) in [(&b"0.1.0"[..], 16), (&[0xAB; 16][..], 16), (&b"mps2-an385"[..], 16)] {
            bytes.extend(text.iter().copied().chain(std::iter::repeat(0)).take(size));
        }
        bytes
    }

    #[test]
    fn an_identity_is_read_as_the_firmware_writes_it() {
        let identity = Identity::from_bytes(&bytes()).expect("an identity");
        assert_eq!((identity.role, &*identity.version, &*identity.board), (11, "0.1.0", "mps2-an385"));
        assert_eq!(identity.build_id, "ab".repeat(16));
    }

    #[test]
    fn erased_flash_and_a_newer_layout_are_no_identity() {
        assert_eq!(Identity::from_bytes(&[0xFF; 60]), None);
        let mut newer = bytes();
        newer[8] = 2;
        assert_eq!(Identity::from_bytes(&newer), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_identity_of_bounded_text_or_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(identity) = Identity::from_bytes(&[b"RIGIDENT\x01".to_vec(), bytes].concat()) {
                prop_assert!(identity.version.chars().count() <= 16 && identity.board.chars().count() <= 16);
            }
        }
    }
}
