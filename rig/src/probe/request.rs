//! What is said between rig and the process that drives a probe: a line of JSON for each request and each answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Identity, LogLine, ProbeError};

/// The longest line, in bytes. Nothing that is said is longer; whoever says more is out of its mind.
pub(super) const LONGEST: usize = 1 << 20;
/// The most bytes of memory that are read at once.
pub(super) const MOST_MEMORY: u32 = 64 * 1024;

/// What a probe is connected to, and what that should hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The probe, as probe-rs selects it: `VID:PID[:SERIAL]`.
    pub selector: String,
    /// The chip, as probe-rs or the description calls it.
    pub chip: String,
    /// A description of chips that probe-rs does not know.
    #[serde(default)]
    pub description: Option<PathBuf>,
    /// The clock of the wires to the chip in kHz; without it, the probe's own choice.
    #[serde(default)]
    pub speed: Option<u32>,
    /// The program, an ELF.
    #[serde(default)]
    pub firmware: Option<PathBuf>,
}

/// What a probe's process is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Request {
    /// Which probes are there. Network probes are only found by their selector.
    List(Option<String>),
    /// Connect to a target. First of all requests but `List`.
    Attach(Box<Target>),
    /// What the target's flash says it holds.
    Identify,
    /// Whether the target's flash holds the firmware.
    Compare,
    /// Program the firmware, and compare.
    Flash,
    /// Start the program anew.
    Reset,
    /// Stop the core.
    Halt,
    /// Let the core run.
    Run,
    /// What the core does.
    State,
    /// Bytes of memory.
    Read {
        /// Where.
        address: u64,
        /// How many; at most [`MOST_MEMORY`].
        length: u32,
    },
    /// What the program has logged since the last time.
    Log,
    /// Let the target go. Its core runs on.
    Detach,
}

/// What a probe's process answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Response {
    /// It is done.
    Done,
    /// To `List`.
    Found(Vec<Found>),
    /// To `Identify`.
    Identity(Identity),
    /// To `Compare`: the first address that differs.
    Differs(Option<u64>),
    /// To `State`.
    State(CoreState),
    /// To `Read`: two hexadecimal digits a byte.
    Memory(String),
    /// To `Log`.
    Log(Log),
    /// A request goes on; its answer is still to come.
    Progress(Progress),
    /// It failed.
    Failed(ProbeError),
}

/// A probe that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// What selects it.
    pub selector: String,
    /// Whether this user may open it.
    pub permitted: bool,
}

/// How far programming has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is done now.
    pub stage: Stage,
    /// Bytes of it that are done.
    pub done: u64,
    /// All its bytes; 0 where that is not known.
    pub total: u64,
}

/// A part of programming.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading what is to be kept.
    Fill,
    /// Erasing.
    Erase,
    /// Programming.
    Program,
    /// Reading back.
    Verify,
}

impl Stage {
    /// The part in a word, for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fill => "keeping",
            Self::Erase => "erasing",
            Self::Program => "programming",
            Self::Verify => "verifying",
        }
    }
}

/// What a core does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoreState {
    /// It runs.
    Running,
    /// It sleeps until an interrupt.
    Sleeping,
    /// A debugger has stopped it, or a breakpoint.
    Halted,
    /// A fault in the handler of a fault has stopped it for good.
    LockedUp,
    /// The probe cannot tell.
    Unknown,
}

impl CoreState {
    /// The state in words, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Sleeping => "sleeping",
            Self::Halted => "halted",
            Self::LockedUp => "locked up",
            Self::Unknown => "unknown",
        }
    }
}

/// What a program has logged since the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Whether the program keeps a log: it does not before it has started.
    pub kept: bool,
    /// The lines.
    pub lines: Vec<LogLine>,
    /// Whether the log was emptied. Where it was not, there is more, or the program was reset and begins anew.
    pub emptied: bool,
    /// Bytes that made no line: the log was overrun, or is that of another program.
    pub garbled: u32,
    /// What the core did afterwards.
    pub state: CoreState,
}

impl Log {
    /// Whether there is more to be read at once. A log that says nothing and is not emptied is looked at again later.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.emptied && (!self.lines.is_empty() || self.garbled > 0)
    }
}

#[cfg(test)]
mod tests {
    use test_case::test_case;

    use super::*;

    #[test_case(false, &["line"], 0, true; "with lines")]
    #[test_case(false, &[], 1, true; "with what makes no line")]
    #[test_case(false, &[], 0, false; "with nothing, after a reset")]
    #[test_case(true, &["line"], 0, false; "to its end")]
    fn a_log_is_read_on_at_once_only_where_it_said_something(emptied: bool, texts: &[&str], garbled: u32, on: bool) {
        let line = |text: &&str| LogLine { level: String::new(), text: (*text).into(), stamp: None, location: None };
        let lines = texts.iter().map(line).collect();
        assert_eq!(Log { kept: true, lines, emptied, garbled, state: CoreState::Running }.goes_on(), on);
    }
}
