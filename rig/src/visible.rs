//! Hostile text made fit to be shown: every character visible, the length bounded.
//!
//! What a device, a plan or a fixture says goes through here before it gets to a terminal or into a report. Markup is
//! the report's to escape.

use unicode_width::UnicodeWidthChar;

/// `text` with every character that has no glyph of its own made visible: C0 controls and DEL as their pictures
/// (Unicode block "Control Pictures", U+2400), all other invisible or direction-changing characters as `⟨U+202E⟩`.
/// What is left is legal in XML 1.0 (section 2.2, production `Char`).
///
/// ```
/// assert_eq!(rig::visible::visible("meter\x1b[2J"), "meter␛[2J");
/// ```
#[must_use]
pub fn visible(text: &str) -> String {
    visible_up_to(text, usize::MAX)
}

/// [`visible`], cut off after `most` characters of the text with an ellipsis.
#[must_use]
pub fn visible_up_to(text: &str, most: usize) -> String {
    let mut characters = text.chars();
    let mut shown = String::with_capacity(text.len().min(most));
    characters.by_ref().take(most).for_each(|c| push(&mut shown, c));
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// [`visible`], cut off with an ellipsis so that it takes at most `columns` columns of a terminal. What takes no column
/// of its own, such as a joined mark, is spelled out too. Only as much of the text is read as fits.
///
/// ```
/// assert_eq!(rig::visible::visible_in("a long name", 6), "a lon…");
/// ```
#[must_use]
pub fn visible_in(text: &str, columns: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    // Where to cut so that the ellipsis still fits.
    let mut cut = 0;
    for character in text.chars() {
        let before = line.len();
        match character.width() {
            // A control has a width of none, and a picture of one column.
            Some(1..) | None => push(&mut line, character),
            Some(0) => spell(&mut line, character),
        }
        used += columns_of(&line[before..]);
        if used > columns {
            line.truncate(cut);
            if columns > 0 {
                line.push('…');
            }
            return line;
        }
        cut = if used < columns { line.len() } else { cut.min(before) };
    }
    line
}

/// How many columns of a terminal a text takes, were all of it [visible](visible_in).
#[must_use]
pub fn columns_of(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

fn push(shown: &mut String, c: char) {
    match c {
        '\0'..='\u{1f}' => shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\u{7f}' => shown.push('␡'),
        _ if hidden(c) => spell(shown, c),
        _ => shown.push(c),
    }
}

fn spell(shown: &mut String, c: char) {
    shown.extend(format!("⟨U+{:04X}⟩", u32::from(c)).chars());
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
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

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

    #[test]
    fn what_moves_the_cursor_or_hides_is_spelled_out_on_a_terminal() {
        let hostile = "a\nb\rc\td\x07\x1b]0;title\x07\u{9b}31m\u{202e}x\u{200b}y\u{301}z";
        assert_eq!(visible_in(hostile, 200), "a␊b␍c␉d␇␛]0;title␇⟨U+009B⟩31m⟨U+202E⟩x⟨U+200B⟩y⟨U+0301⟩z");
    }

    #[test]
    fn text_that_fits_exactly_is_whole() {
        assert_eq!(visible_in("12345", 5), "12345");
        assert_eq!(visible_in("123456", 5), "1234…");
        assert_eq!(visible_in("漢字漢字", 8), "漢字漢字");
        assert_eq!(visible_in("漢字漢字", 7), "漢字漢…");
        assert_eq!(visible_in("漢字漢字", 6), "漢字…");
        assert_eq!(visible_in("x", 0), "");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_or_has_a_control_character(text in any::<String>(), columns in 0usize..50) {
            let line = visible_in(&text, columns);
            prop_assert!(line.width() <= columns, "{line:?}");
            prop_assert!(line.chars().all(|c| c.width().is_some_and(|columns| columns > 0)), "{line:?}");
        }

        #[test]
        fn what_is_visible_stays_as_it_is(text in any::<String>()) {
            prop_assert_eq!(visible(&visible(&text)), visible(&text));
        }
    }
}
