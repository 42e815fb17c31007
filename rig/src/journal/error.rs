//! What can go wrong with a record.

use std::io;
use std::path::PathBuf;

use crate::event::VERSION;

/// Why a record cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The session's folder exists: a session never writes into another one's record.
    #[error("the session folder {} exists already: give the session another name or move the folder away", .0.display())]
    Exists(PathBuf),
    /// A file or folder of the record cannot be made.
    #[error("cannot create {}: check that the folder above it can be written to", .path.display())]
    Create {
        /// What was to be made.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed, most often because the disk is full. What came after is not in the record.
    #[error("cannot write {file}, so the record is not whole: check the free space of the disk")]
    Write {
        /// The file's name.
        file: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The record cannot be opened or read.
    #[error("cannot read {}: name the folder of a session, with an events.jsonl in it", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The first event is not the session's start.
    #[error("the record does not begin with the start of a session: the file is damaged or none of rig's")]
    NoStart,
    /// The record is of a newer rig.
    #[error(
        "the record has version {found} of the event's layout, written by rig {rig}, and this rig reads up to \
             {VERSION}: use rig {rig} or a newer one"
    )]
    Newer {
        /// The record's version.
        found: u32,
        /// The version of rig that wrote it.
        rig: String,
    },
    /// A line is no event.
    #[error("line {line} of events.jsonl is no event: the file is damaged")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line is longer than any event is.
    #[error("line {line} of events.jsonl is longer than 1 MiB, which no event is: the file is damaged")]
    Long {
        /// Counted from 1.
        line: u64,
    },
    /// An event, or the plan in the start, names or says what cannot be.
    #[error("line {line} of events.jsonl cannot be of a session: {what}")]
    Impossible {
        /// Counted from 1.
        line: u64,
        /// What cannot be.
        what: String,
    },
}
