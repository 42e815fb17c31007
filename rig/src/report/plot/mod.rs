//! Latency plots: SVG text, the same for the same findings, drawn for people who see no colours too.
//!
//! No plot leaves out a payload that was lost: it ranks above every limit. No quantile is drawn that the number of
//! deliveries cannot show.

mod axis;
mod boxes;
mod ecdf;
mod mark;
mod percentile;
pub(in crate::report) mod power;
mod sheet;
mod steps;
mod timeline;
mod words;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use plotters::drawing::DrawingAreaErrorKind;

use crate::report::file;
use crate::report::slug::claims;
use crate::report::spread::Spread;
use crate::verdict::Findings;

/// Folder of the plots in the session's folder.
pub const FOLDER: &str = "plots";

/// What went wrong with the plots.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file could not be written: check the space and the rights there.
    #[error("cannot write the plot {path}; check free space and permissions")]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The plot could not be drawn.
    #[error("cannot draw the plot {name}")]
    Draw {
        /// The file's name.
        name: String,
        /// What the drawing library said.
        source: DrawingAreaErrorKind<io::Error>,
    },
}

/// A plot in the session's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlotFile {
    /// Its path in the session's folder, with `/`: `plots/d1-dac-sub-breaker-ecdf.svg`. Of `[a-z0-9-./]` only.
    pub path: String,
    /// What it is about.
    pub subject: Subject,
    /// What kind of plot it is.
    pub kind: Kind,
    /// What it shows, in words, for those who do not see it. Not escaped.
    pub alt: String,
}

/// What a plot is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The whole session.
    Session,
    /// A claim, by its place among edges and then sub-totals.
    Claim(usize),
}

/// Kinds of plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A box for each claim.
    Boxes,
    /// Levels of the rails over time.
    Power,
    /// Latencies over time.
    Timeline,
    /// Share of deliveries at or under each latency.
    Ecdf,
    /// Latency at each quantile.
    Percentiles,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Boxes, Self::Power, Self::Timeline, Self::Ecdf, Self::Percentiles];

    /// The end of the file's name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Boxes => "boxes",
            Self::Power => "power",
            Self::Timeline => "timeline",
            Self::Ecdf => "ecdf",
            Self::Percentiles => "percentiles",
        }
    }
}

/// A drawn plot: its SVG text and what it shows in words.
struct Picture {
    svg: String,
    alt: String,
}

type Drawn<T> = Result<T, DrawingAreaErrorKind<io::Error>>;

/// Draws all plots of a session into [`FOLDER`] in `session`, the session's folder, one at a time.
///
/// # Errors
/// When the folder or a file cannot be written.
pub fn write(session: &Path, findings: &Findings) -> Result<Vec<PlotFile>, Error> {
    let folder = session.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
    let mut files = Vec::new();
    let mut save = |slug: &str, subject, kind: Kind, picture: Drawn<Picture>| {
        let name = format!("{slug}-{}.svg", kind.suffix());
        let picture = picture.map_err(|source| Error::Draw { name: name.clone(), source })?;
        file::replace(&folder, &name, |out| out.write_all(picture.svg.as_bytes()))
            .map_err(|source| Error::Write { path: folder.join(&name), source })?;
        files.push(PlotFile { path: format!("{FOLDER}/{name}"), subject, kind, alt: picture.alt });
        Ok(())
    };
    for (page, claims) in boxes::pages(findings).into_iter().enumerate() {
        save(&session_slug(page), Subject::Session, Kind::Boxes, boxes::draw(&claims))?;
    }
    for (page, rails) in power::pages(findings).into_iter().enumerate() {
        save(&session_slug(page), Subject::Session, Kind::Power, power::draw(&rails, findings.duration))?;
    }
    for (place, (slug, finding)) in claims(findings).into_iter().enumerate() {
        let subject = Subject::Claim(place);
        let spread = Spread::of(finding);
        save(&slug, subject, Kind::Timeline, timeline::draw(findings, finding, &spread))?;
        save(&slug, subject, Kind::Ecdf, ecdf::draw(finding, &spread))?;
        save(&slug, subject, Kind::Percentiles, percentile::draw(finding, &spread))?;
    }
    remove_others(&folder, &files)?;
    Ok(files)
}

/// Removes the plots of earlier reports that no plot took the place of: of an edge that is no longer there, for example.
/// What rig does not name so is left alone.
fn remove_others(folder: &Path, files: &[PlotFile]) -> Result<(), Error> {
    let fault = |source| Error::Write { path: folder.to_owned(), source };
    let kept: BTreeSet<_> = files.iter().filter_map(|file| file.path.rsplit('/').next()).collect();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name();
        let Some(name) = name.to_str() else { continue };
        let plot = Kind::ALL.iter().any(|kind| name.ends_with(&format!("-{}.svg", kind.suffix())));
        if plot && !kept.contains(name) {
            std::fs::remove_file(folder.join(name)).map_err(fault)?;
        }
    }
    Ok(())
}

/// The start of a file's name for a plot of the whole session. A claim's name could be the same word; the suffixes
/// differ.
fn session_slug(page: usize) -> String {
    format!("session-{}", page + 1)
}

#[cfg(test)]
mod tests;
