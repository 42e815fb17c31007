//! The event: one fact of a session, with its time. The session is a stream of events, and everything rig says
//! afterwards is a fold over them.
//!
//! Facts only: an event says when a payload left and arrived and what was wrong with it. Whether that is on time is
//! the verdict's business and can be judged again under another rule.

mod delivery;
mod fault;
mod misbehaviour;
mod trouble;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fixture::{Fixture, Level};
use crate::plan::Plan;
use crate::stamp::{Nanos, Stamp};

pub use delivery::{Arrival, Delivery, Flaw, Size, Stray};
pub use fault::RigFault;
pub use misbehaviour::Misbehaviour;
pub use trouble::Trouble;

/// Version of the event's layout. A reader refuses a newer one and says so.
pub const VERSION: u32 = 2;

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When the session noted it; the instants of what happened are in the fact.
    pub at: Nanos,
    /// The trial it belongs to, counted from 1; none before the first and after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<u32>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The session starts. Always the first event.
    Started(Box<Start>),
    /// A port was opened, for the first time or again.
    LinkUp {
        /// The device's or instrument's name.
        name: String,
        /// What was asked for and what was obtained, in words: settings, low latency, adapter latency timer.
        obtained: BTreeMap<String, String>,
    },
    /// A port disappeared.
    LinkDown {
        /// The device's or instrument's name.
        name: String,
        /// What the system said.
        reason: String,
        /// Whether the device's supply was down, so that the loss is no surprise.
        unpowered: bool,
    },
    /// A trial starts.
    TrialStarted,
    /// A trial is over. A voided trial counts for nothing.
    TrialEnded {
        /// Whether a rig's fault touched it.
        void: bool,
    },
    /// A payload over an edge, or its absence. Exactly one for every edge and trial that was played.
    Delivery(Delivery),
    /// Something arrived that is no delivery, or no longer.
    Stray(Stray),
    /// A rail was told to change, said that it had, or was seen to have.
    Power {
        /// The rail's name.
        rail: String,
        /// The level of its power.
        to: Level,
        /// How far the change is known.
        stage: PowerStage,
        /// When.
        at: Stamp,
    },
    /// The adapter on a CAN bus told of trouble: the first of its kind in a trial, or between two.
    BusTrouble {
        /// The bus's name.
        bus: String,
        /// What it told.
        trouble: Trouble,
        /// When.
        at: Stamp,
    },
    /// What passed over a CAN bus since the last such event.
    BusLoad {
        /// The bus's name.
        bus: String,
        /// Since when.
        since: Nanos,
        /// How many frames rig saw on it; those in `lost` are not among them.
        frames: u64,
        /// How long they occupied it, in nanoseconds.
        busy: Nanos,
        /// How many frames were lost between the bus and rig, such as by a receive overrun; 0 also where that is not known.
        #[serde(default, skip_serializing_if = "is_zero")]
        lost: u64,
        /// How often the adapter told of each trouble.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        troubles: BTreeMap<Trouble, u32>,
    },
    /// A device said that it has booted.
    Booted {
        /// The device's name.
        device: String,
        /// When its boot payload arrived.
        at: Stamp,
        /// Its count of boots.
        boots: u16,
    },
    /// What a device holds, read back before the first trial.
    Firmware(Firmware),
    /// A line that a device's program has logged.
    Log {
        /// The device's name.
        device: String,
        /// When: after the log was last emptied, before the line was read.
        at: Stamp,
        /// How important it is: `trace` to `error`; empty where the program does not say.
        level: String,
        /// What it says.
        text: String,
        /// When, in nanoseconds of the device's clock, where the program says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stamp: Option<u64>,
    },
    /// A device did something that no single delivery shows.
    Misbehaved {
        /// The device's name.
        device: String,
        /// What it did.
        how: Misbehaviour,
        /// Numbers and names, for people.
        detail: String,
    },
    /// The rig itself failed.
    RigFault {
        /// What kind of failure.
        fault: RigFault,
        /// What was seen, and what to check.
        detail: String,
    },
    /// Worth knowing; no verdict depends on it.
    Warning {
        /// What was seen, why it may be so, what to do.
        detail: String,
    },
    /// A rail was put into its safe state at the end.
    Safe {
        /// The rail's name.
        rail: String,
        /// The level applied.
        to: Level,
        /// What went wrong, if anything did.
        error: Option<String>,
    },
    /// The session is over. Always the last event of a whole record.
    Ended(End),
}

/// What a session starts with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// [`VERSION`].
    pub version: u32,
    /// Version of rig.
    pub rig: String,
    /// The session's id: the name of its folder.
    pub session: String,
    /// Wall time of the session clock's 0, RFC 3339 in UTC; known within `wall_gap` nanoseconds.
    pub wall: String,
    /// Time between the two clock readings around the wall time.
    pub wall_gap: Nanos,
    /// Whether time is virtual and the devices are twins in memory.
    pub simulated: bool,
    /// The seed of everything random.
    pub seed: u64,
    /// The command line that asks for the same again, the seed and what was left to defaults spelled out. Empty where
    /// no program was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// SHA-256 of the plan's and the fixture's text, by file name.
    pub sources: BTreeMap<String, String>,
    /// The plan as played.
    pub plan: Plan,
    /// The fixture as used.
    pub fixture: Fixture,
    /// What the system granted: kernel, real-time priority, CPU latency, clock.
    pub host: BTreeMap<String, String>,
}

/// What firmware a device holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firmware {
    /// The device's name.
    pub device: String,
    /// Name of the ELF file.
    pub elf: String,
    /// SHA-256 of the ELF file.
    pub sha256: String,
    /// What the device's flash says it was built from, in hexadecimal; none where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// The version that the device's flash tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How it came there.
    pub how: Installed,
}

/// How firmware came onto a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Installed {
    /// rig programmed it.
    Flashed,
    /// The device held it already, byte for byte.
    Held,
    /// rig was told to trust what is there, and compared nothing.
    Trusted,
}

impl Installed {
    /// In a word, as events spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flashed => "flashed",
            Self::Held => "held",
            Self::Trusted => "trusted",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// How far a change of power is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerStage {
    /// The command went out.
    Commanded,
    /// The switch answered.
    Acknowledged,
    /// The rail was sensed at its new level, or must be there by then.
    Sensed,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// All trials were played, or a sequential plan was decided.
    Complete,
    /// A device lost payloads in so many trials in a row that the rest was not played.
    GaveUp,
    /// A signal asked for it.
    Interrupted,
    /// A rig's fault made it impossible to go on, or voided too many trials.
    Aborted,
}
