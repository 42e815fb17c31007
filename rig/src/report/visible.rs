//! Hostile text made fit to be shown: every character visible, the length bounded.

/// `text` with every character that has no glyph of its own made visible: C0 controls and DEL as their pictures
/// (Unicode block "Control Pictures", U+2400), all other invisible or direction-changing characters as `⟨U+202E⟩`.
/// What is left is legal in XML 1.0 (section 2.2, production `Char`); markup is not escaped here.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0'..='\u{1f}' => shown.push(picture(c)),
            '\u{7f}' => shown.push('␡'),
            _ if hidden(c) => shown.extend(format!("⟨U+{:04X}⟩", u32::from(c)).chars()),
            _ => shown.push(c),
        }
    }
    shown
}

/// [`visible`], cut off after `most` characters with an ellipsis.
pub(super) fn visible_up_to(text: &str, most: usize) -> String {
    let mut head = text.chars();
    let cut: String = head.by_ref().take(most).collect();
    let mut shown = visible(&cut);
    if head.next().is_some() {
        shown.push('…');
    }
    shown
}

fn picture(control: char) -> char {
    char::from_u32(0x2400 + u32::from(control)).unwrap_or('\u{fffd}')
}

/// Characters that change how others are shown or show nothing: C1 controls, marks of direction, joiners, fillers,
/// variation selectors, tags, private use and noncharacters.
fn hidden(c: char) -> bool {
    let code = u32::from(c);
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..
    ) || code & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_invisible() {
        assert_eq!(visible("a\0b\r\n\u{7f}\u{85}c\u{202e}\u{ffff}"), "a␀b␍␊␡⟨U+0085⟩c⟨U+202E⟩⟨U+FFFF⟩");
    }

    #[test]
    fn ordinary_text_of_any_language_stays_as_it_is() {
        let text = "D1 Zähler № 3 → 変電所 <&\"'>";
        assert_eq!(visible(text), text);
    }

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        assert_eq!(visible_up_to("abcdef", 3), "abc…");
        assert_eq!(visible_up_to("abc", 3), "abc");
    }
}
