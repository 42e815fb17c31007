//! What people and programs get of a session. Each report is a function of [`Findings`] alone, so the same record
//! gives the same bytes.

mod csv;
mod file;
mod hlog;
pub mod html;
mod junit;
mod label;
mod metrics;
pub mod plot;
mod quantity;
mod slug;
mod spread;
mod summary;
pub mod terminal;
mod xml;

#[cfg(test)]
mod demo;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use crate::verdict::Findings;

pub use xml::XmlText;

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The file cannot be written, most often because the disk is full. No part of it is there under its name.
    #[error("cannot write the report {name}: check that the session's folder can be written to and the disk has room")]
    Write {
        /// The file's name in the session's folder.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The plots cannot be drawn or written.
    #[error("cannot write the plots: check that the session's folder can be written to and the disk has room")]
    Plots(#[from] plot::Error),
    /// The page cannot be made.
    #[error("cannot make report.html")]
    Page(#[from] html::Error),
}

/// Writes all reports into a session's folder, in place of those that are there.
///
/// Each file appears under its name only when it is whole; `summary.json` comes last.
///
/// # Errors
/// [`ReportError::Write`] for the first report that cannot be written.
pub fn write_all(folder: &Path, findings: &Findings) -> Result<(), ReportError> {
    put(folder, "payloads.csv", |out| csv::write(out, findings))?;
    put(folder, "latency.hlog", |out| hlog::write(out, findings))?;
    put(folder, "metrics.txt", |out| metrics::write(out, findings))?;
    let plots = plot::write(folder, findings)?;
    let page = html::render(findings, &plots)?;
    put(folder, html::STYLE, |out| out.write_all(html::CSS.as_bytes()))?;
    put(folder, html::PAGE, |out| out.write_all(page.as_bytes()))?;
    put(folder, "junit.xml", |out| junit::write(out, findings))?;
    put(folder, "summary.md", |out| summary::write_markdown(out, findings))?;
    put(folder, "summary.json", |out| summary::write_json(out, findings))
}

fn put(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ReportError> {
    file::replace(folder, name, write).map_err(|source| ReportError::Write { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests;
