//! Text of devices, plans and fixtures, made harmless for a terminal.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// `text` on one line of at most `columns` columns: what takes no column of its own (control characters, escape
/// sequences, direction marks, joined marks) is written as `\u{1b}` and the like, and what is too long ends in `…`.
///
/// Only as much of the text is read as fits.
///
/// ```
/// use rig::live::text::visible;
/// assert_eq!(visible("meter\x1b[2J", 40), "meter\\u{1b}[2J");
/// assert_eq!(visible("a long name", 6), "a lon…");
/// ```
#[must_use]
pub fn visible(text: &str, columns: usize) -> String {
    let mut line = String::new();
    let mut used = 0;
    // Where to cut so that the ellipsis still fits.
    let mut cut = 0;
    for character in text.chars() {
        let before = line.len();
        used += push(&mut line, character);
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

/// Writes a character and returns the columns it takes.
fn push(line: &mut String, character: char) -> usize {
    match character.width() {
        Some(columns) if columns > 0 => {
            line.push(character);
            columns
        }
        _ => {
            let before = line.len();
            write!(line, "{}", character.escape_unicode()).expect("a String takes all that is written to it");
            line.len() - before
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn what_moves_the_cursor_or_hides_is_spelled_out() {
        let hostile = "a\nb\rc\td\x07\x1b]0;title\x07\u{9b}31m\u{202e}x\u{200b}y\u{301}z";
        insta::assert_snapshot!(visible(hostile, 200), @r"a\u{a}b\u{d}c\u{9}d\u{7}\u{1b}]0;title\u{7}\u{9b}31m\u{202e}x\u{200b}y\u{301}z");
    }

    #[test]
    fn text_that_fits_exactly_is_whole() {
        assert_eq!(visible("12345", 5), "12345");
        assert_eq!(visible("123456", 5), "1234…");
        assert_eq!(visible("漢字漢字", 8), "漢字漢字");
        assert_eq!(visible("漢字漢字", 7), "漢字漢…");
        assert_eq!(visible("漢字漢字", 6), "漢字…");
        assert_eq!(visible("x", 0), "");
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_asked_or_has_a_control_character(text in any::<String>(), columns in 0usize..50) {
            let line = visible(&text, columns);
            prop_assert!(line.width() <= columns, "{line:?}");
            prop_assert!(line.chars().all(|c| c.width().is_some_and(|columns| columns > 0)), "{line:?}");
        }
    }
}
