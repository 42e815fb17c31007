//! Draws the problems of a file: name, line, caret, and what to do.

use std::fmt::{self, Write as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use rig::problem::{Problem, Problems, is_bidirectional};

use super::Color;

/// So many are drawn; the rest is counted.
const MOST: usize = 50;

/// A line longer than this many bytes is not drawn.
const LONGEST_LINE: usize = 500;

const WIDTH: usize = 100;

/// Draws the problems on standard error, and how many they are.
pub fn show(problems: &Problems) {
    let theme = if Color::on_stderr() { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let count = problems.len();
    eprint!("{}", draw_with(problems, theme));
    eprintln!("{count} problem{} in all", if count == 1 { "" } else { "s" });
}

/// The problems as text.
pub fn draw_with(problems: &Problems, theme: GraphicalTheme) -> String {
    let handler = GraphicalReportHandler::new_themed(theme).with_width(WIDTH).with_context_lines(1).with_links(false);
    let mut text = String::new();
    for problem in problems.iter().take(MOST) {
        let drawing = Drawing::of(problem);
        let start = text.len();
        if drawing.source.is_none() || handler.render_report(&mut text, &drawing).is_err() {
            text.truncate(start);
            // Writing to a String does not fail.
            let _ = writeln!(text, "{problem}");
        }
        text.push('\n');
    }
    if problems.len() > MOST {
        let _ = writeln!(text, "and {} more problems\n", problems.len() - MOST);
    }
    text
}

/// A problem as miette draws it.
#[derive(Debug)]
struct Drawing<'a> {
    problem: &'a Problem,
    /// None where there is no place to show, or its line would fill the screen.
    source: Option<NamedSource<String>>,
}

impl<'a> Drawing<'a> {
    fn of(problem: &'a Problem) -> Self {
        let text = &problem.source.text;
        // The line, and one before and after it.
        let fits = problem.span.as_ref().is_some_and(|span| {
            let before = text[..span.start].rsplit('\n').take(2);
            let after = text[span.end..].split('\n').take(2);
            before.chain(after).chain([&text[span.clone()]]).all(|line| line.len() <= LONGEST_LINE)
        });
        let source = fits.then(|| NamedSource::new(&*problem.source.name, harmless(text)));
        Self { problem, source }
    }
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(&self.problem.help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, span))))
    }
}

/// A text of the same length in bytes that steers no terminal and turns no text around.
fn harmless(text: &str) -> String {
    let stand_in = |character: char| match character {
        '\n' | '\t' => character,
        _ if !character.is_control() && !is_bidirectional(character) => character,
        _ => match character.len_utf8() {
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        },
    };
    text.chars().map(stand_in).collect()
}

#[cfg(test)]
mod tests;
