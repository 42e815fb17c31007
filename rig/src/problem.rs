//! What is wrong with a plan or a fixture: every problem of a file, each with its place and what to do about it.
//!
//! The library only collects; the program draws the file, the line and the caret.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use thiserror::Error;

use crate::visible::visible_up_to;

/// The longest message or help, in characters: a file cannot make an error longer than a screen.
const LONGEST: usize = 400;

/// A file's name and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name as given on the command line.
    pub name: Arc<str>,
    /// The text; empty where it could not be read.
    pub text: Arc<str>,
}

impl Source {
    /// A text and the name to call it by.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: printable(name).into(), text: text.into() }
    }

    /// Line and column of a byte, both counted from 1; the column in characters.
    #[must_use]
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..boundary(&self.text, byte)];
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
    }
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub source: Source,
    /// The bytes of the text that are wrong; `None` where it is the file as a whole.
    pub span: Option<Range<usize>>,
    /// What is wrong. Safe to print: control characters are written out.
    pub message: String,
    /// What to do about it. Safe to print.
    pub help: String,
}

impl Problem {
    /// A problem at a place of a file.
    #[must_use]
    pub fn new(source: &Source, span: Option<Range<usize>>, message: &str, help: &str) -> Self {
        let end = source.text.len();
        let span = span.map(|span| {
            let start = boundary(&source.text, span.start);
            let end = (span.end.clamp(start, end)..=end).find(|byte| source.text.is_char_boundary(*byte));
            start..end.unwrap_or(start)
        });
        Self { source: source.clone(), span, message: printable(message), help: printable(help) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source.name)?;
        if let Some(span) = &self.span {
            let (line, column) = self.source.position(span.start);
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.message, self.help)
    }
}

/// Everything that is wrong, file by file, in the order of the text. Never empty as an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of another file.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `value` where nothing is wrong.
    ///
    /// # Errors
    /// The problems themselves, where there are some.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| {
            let start = |problem: &Problem| problem.span.as_ref().map(|span| span.start);
            (&a.source.name, start(a)).cmp(&(&b.source.name, start(b)))
        });
        list.dedup();
        Self(list)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// The start of the character that a byte is part of; the end of the text for a byte after it.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|byte| text.is_char_boundary(*byte)).unwrap_or(0)
}

/// Text from a file made safe for a terminal: bounded, and with what steers a terminal or turns its text around
/// written out.
fn printable(text: &str) -> String {
    visible_up_to(text, LONGEST)
}

/// Whether a character changes the direction of the text after it (Unicode Standard Annex 9, section 2).
#[must_use]
pub fn is_bidirectional(character: char) -> bool {
    matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_line_and_column_in_characters() {
        let source = Source::new("a.toml", "x = 1\nü = 2\n");
        let at = source.text.find('2').expect("the text has a 2");
        let problem = Problem::new(&source, Some(at..at + 1), "two is wrong", "write 3");
        assert_eq!(problem.to_string(), "a.toml:2:5: two is wrong; write 3");
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        let source = Source::new("a\u{1b}.toml", "");
        let problem = Problem::new(&source, None, "bad \u{1b}[31m \u{202e}", "no");
        assert_eq!(problem.to_string(), "a␛.toml: bad ␛[31m ⟨U+202E⟩; no");
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_put_right() {
        let source = Source::new("a.toml", "ü");
        assert_eq!(Problem::new(&source, Some(1..9), "", "").span, Some(0..2));
    }
}
