//! Bytes as two hexadecimal digits each.

/// Bytes in lowercase digits.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value & 0xF)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// The bytes that digits of either case tell; `None` where there is anything else, or half a byte.
#[must_use]
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<_> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_of_either_case_are_bytes() {
        assert_eq!(bytes("00fFA5"), Some(vec![0x00, 0xFF, 0xA5]));
        assert_eq!(bytes(""), Some(Vec::new()));
        assert_eq!(text(&[0x00, 0xFF, 0xA5]), "00ffa5");
    }

    #[test]
    fn half_a_byte_is_no_byte() {
        assert_eq!(bytes("00f"), None);
    }

    #[test]
    fn what_is_no_digit_is_no_byte() {
        for text in ["0x", "+1", " 1", "1g", "é"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(written: Vec<u8>) {
            prop_assert_eq!(bytes(&text(&written)), Some(written));
        }
    }
}
