//! Text that any XML 1.0 reader takes.

use std::fmt::Write;

/// Text of characters that XML 1.0 allows (production 2, `Char`), and without `]]>`, so that it may stand in CDATA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlText(String);

impl XmlText {
    /// The text, with each character that XML forbids written as `\u{1b}`, and `]]>` broken by a space.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            if is_char(character) {
                out.push(character);
            } else {
                // A String takes everything.
                let _ = write!(out, "{}", character.escape_unicode());
            }
        }
        Self(out.replace("]]>", "]] >"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_xml_forbids_is_shown() {
        let text = XmlText::new("\x1b[31mred\0 ]]> \u{ffff} → ok\n");
        assert_eq!(text.as_str(), "\\u{1b}[31mred\\u{0} ]] > \\u{ffff} → ok\n");
    }

    proptest! {
        #[test]
        fn no_text_ends_cdata_or_holds_forbidden_characters(text in "[\\]>\\x00-\\x1f\u{fffe}a]{0,40}") {
            let text = XmlText::new(&text);
            prop_assert!(!text.as_str().contains("]]>") && text.as_str().chars().all(is_char));
        }
    }
}
