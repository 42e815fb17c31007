//! What people and programs get of a session: reports made from its findings, and from nothing else.

pub mod html;
pub mod plot;
mod quantity;
mod slug;
mod spread;
mod visible;

#[cfg(test)]
mod demo;
//! Reports of what was found. Each is a function of [`Findings`] alone, so the same record gives the same bytes.

mod csv;
mod file;
mod hlog;
mod junit;
mod label;
mod metrics;
mod summary;
mod xml;

use std::io;
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
}

/// Writes all reports into a session's folder, in place of those that are there.
///
/// Each file appears under its name only when it is whole; `summary.json` comes last.
///
/// # Errors
/// [`ReportError::Write`] for the first report that cannot be written.
pub fn write_all(folder: &Path, findings: &Findings) -> Result<(), ReportError> {
    file::replace(folder, "payloads.csv", |out| csv::write(out, findings))?;
    file::replace(folder, "latency.hlog", |out| hlog::write(out, findings))?;
    file::replace(folder, "metrics.txt", |out| metrics::write(out, findings))?;
    // Plots and the page that shows them go here: plot::write(folder, findings)?, html::write(folder, findings)?.
    file::replace(folder, "junit.xml", |out| junit::write(out, findings))?;
    file::replace(folder, "summary.md", |out| summary::write_markdown(out, findings))?;
    file::replace(folder, "summary.json", |out| summary::write_json(out, findings))
}

#[cfg(test)]
mod tests;
