//! Text that any XML 1.0 reader takes.

use crate::visible::visible;

/// Text of characters that XML 1.0 allows (production 2, `Char`), and without `]]>`, so that it may stand in CDATA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XmlText(String);

impl XmlText {
    /// The text, made [visible](crate::visible) line by line, and with `]]>` broken by a space.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines: Vec<_> = text.split('\n').map(visible).collect();
        Self(lines.join("\n").replace("]]>", "]] >"))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_char(character: char) -> bool {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn what_xml_forbids_is_shown() {
        let text = XmlText::new("\x1b[31mred\0 ]]> \u{ffff} → ok\n");
        assert_eq!(text.as_str(), "␛[31mred␀ ]] > ⟨U+FFFF⟩ → ok\n");
    }

    proptest! {
        #[test]
        fn no_text_ends_cdata_or_holds_forbidden_characters(text in "[\\]>\\x00-\\x1f\u{fffe}a]{0,40}") {
            let text = XmlText::new(&text);
            prop_assert!(!text.as_str().contains("]]>") && text.as_str().chars().all(is_char));
        }
    }
}
