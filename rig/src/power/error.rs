use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::event::RigFault;
use crate::fixture::Level;
use crate::link::LinkError;
pub(super) use crate::link::shown;

/// Why a rail cannot be opened, changed or sensed.
#[derive(Debug, Error)]
pub enum PowerError {
    /// No rail has this name.
    #[error("{rail}: the fixture has no such rail")]
    NoSuchRail {
        /// The name.
        rail: String,
    },
    /// No instrument has this name.
    #[error("{instrument}: the fixture has no such instrument")]
    NoSuchInstrument {
        /// The name.
        instrument: String,
    },
    /// The instrument does not have the channel.
    #[error("{instrument}: no channel {channel}; it has {has}; correct the rail's channel in the fixture")]
    NoSuchChannel {
        /// The instrument's name.
        instrument: String,
        /// The channel.
        channel: u16,
        /// The channels that it has, in words.
        has: String,
    },
    /// The instrument's port cannot be opened.
    #[error("{instrument}: {source}")]
    Open {
        /// The instrument's name.
        instrument: String,
        /// What is wrong with the port.
        source: LinkError,
    },
    /// The instrument's port is gone.
    #[error("{instrument}: its port is gone ({source}); check its cable and its supply")]
    Gone {
        /// The instrument's name.
        instrument: String,
        /// What the system said.
        source: io::Error,
    },
    /// The instrument does not answer.
    #[error(
        "{instrument}: no answer to {asked} within {within:?}; \
         check that it is on, its settings, and that it is the right port"
    )]
    NoReply {
        /// The instrument's name.
        instrument: String,
        /// What it was asked.
        asked: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The instrument's answer makes no sense.
    #[error("{instrument}: answered {asked} with \"{said}\", which is not understood; is it the right port and model?")]
    BadReply {
        /// The instrument's name.
        instrument: String,
        /// What it was asked.
        asked: String,
        /// What it answered.
        said: String,
    },
    /// The instrument refused, or did not do what it was told.
    #[error("{instrument}: refused {asked}: {said}")]
    Refused {
        /// The instrument's name.
        instrument: String,
        /// What it was told.
        asked: String,
        /// What it said.
        said: String,
    },
    /// The instrument measures nothing.
    #[error("{instrument}: this instrument measures no voltage; name an scpi instrument as the rail's sense")]
    CannotSense {
        /// The instrument's name.
        instrument: String,
    },
    /// A power edge was not sensed in time.
    #[error(
        "{rail}: not sensed {} within {within:?}: {volts} V, threshold {threshold} V; \
         check the wiring of switch and sense",
        word(*.to)
    )]
    NotSensed {
        /// The rail's name.
        rail: String,
        /// The level that was waited for.
        to: Level,
        /// The last voltage seen.
        volts: f64,
        /// The voltage above which the rail is energised.
        threshold: f64,
        /// How long it was waited for.
        within: Duration,
    },
    /// The safe state took too long.
    #[error("{rail}: not safe within {within:?}; check the rail by hand before touching the bench")]
    Deadline {
        /// The rail's name.
        rail: String,
        /// The deadline.
        within: Duration,
    },
}

impl PowerError {
    /// Which failure of the rig this is.
    #[must_use]
    pub fn fault(&self) -> RigFault {
        match self {
            Self::Open { .. } | Self::Gone { .. } => RigFault::AdapterGone,
            Self::NotSensed { .. } => RigFault::EdgeNotSensed,
            Self::NoSuchRail { .. }
            | Self::NoSuchInstrument { .. }
            | Self::NoSuchChannel { .. }
            | Self::NoReply { .. }
            | Self::BadReply { .. }
            | Self::Refused { .. }
            | Self::CannotSense { .. }
            | Self::Deadline { .. } => RigFault::Instrument,
        }
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::On => "up",
        Level::Off => "down",
    }
}

/// Bytes an instrument sent, for people.
pub(super) fn shown_bytes(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    bytes[..bytes.len().min(MOST)].escape_ascii().to_string()
}
