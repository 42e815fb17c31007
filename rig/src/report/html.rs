//! The report for people: one HTML page and a style sheet beside it.
//!
//! The page carries no script, no inline style and no inline picture, so that it reads the same under the content
//! policy that Jenkins sets (`default-src 'none'; img-src 'self'; style-src 'self'`), and reads well without its style
//! sheet. Every value passes one formatter that makes control characters visible and then escapes.

mod bench;
mod buses;
mod claim;
mod firmware;
mod page;
mod record;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, Output, State, UndefinedBehavior, Value};

use crate::report::plot::PlotFile;
use crate::verdict::Findings;
use crate::visible::visible;

/// The style sheet; the page expects it beside itself as `report.css`.
pub const CSS: &str = include_str!("html/report.css");

/// The page's name in the session's folder, its template's name too: its end turns escaping on.
pub const PAGE: &str = "report.html";
/// The style sheet's name in the session's folder.
pub const STYLE: &str = "report.css";

/// The page could not be made: the template and its values do not fit.
#[derive(Debug, thiserror::Error)]
#[error("cannot fill the report's template")]
pub struct Error(#[from] minijinja::Error);

/// The page of a session, with the plots that were drawn of it.
///
/// # Errors
/// When the template cannot be filled, which no findings can bring about.
pub fn render(findings: &Findings, plots: &[PlotFile]) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(shown);
    environment.add_template(PAGE, include_str!("html/report.html"))?;
    let page = page::Page::of(findings, plots);
    Ok(environment.get_template(PAGE)?.render(Serde(page))?)
}

/// Writes a value: its control characters made visible, then escaped.
fn shown(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String && !value.is_safe() => {
            minijinja::escape_formatter(out, state, &Value::from(visible(text)))
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

#[cfg(test)]
mod tests;
