//! What of a recording cannot be sent.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Unit;

/// How many places a refusal names.
const NAMED: usize = 5;

/// A reason why something of a recording cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// A line or packet that holds no frame.
    Unreadable,
    /// An error frame: the kernel tells of errors with it, and it is on no bus.
    Errors,
    /// An FD frame, where the bus carries classic frames only.
    Fd,
}

/// Everything that has the same obstacle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The obstacle.
    pub obstacle: Obstacle,
    /// Lines or packets.
    pub unit: Unit,
    /// How many.
    pub count: u64,
    /// The first few.
    pub first: Vec<u64>,
    /// What is wrong with the first one, where the obstacle does not say it.
    pub why: Option<&'static str>,
}

impl Obstacle {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unreadable, Self::Errors, Self::Fd];

    /// Its name, as a command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Errors => "errors",
            Self::Fd => "fd",
        }
    }
}

impl FromStr for Obstacle {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|obstacle| obstacle.name() == text).ok_or("write unreadable, errors or fd")
    }
}

impl Refusal {
    /// A refusal of nothing yet.
    pub(super) fn new(obstacle: Obstacle, unit: Unit) -> Self {
        Self { obstacle, unit, count: 0, first: Vec::new(), why: None }
    }

    pub(super) fn add(&mut self, number: u64, why: Option<&'static str>) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(number);
        }
        self.why = self.why.or(why);
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.first.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let more = if self.count > self.first.len() as u64 { ", …" } else { "" };
        let (units, name) = (self.unit.name(self.count), self.obstacle.name());
        let (what, it) = match (self.obstacle, self.count) {
            (Obstacle::Unreadable, 1) => ("holds no frame", "it"),
            (Obstacle::Unreadable, _) => ("hold no frame", "them"),
            (Obstacle::Errors, 1) => ("is an error frame, which cannot be sent", "it"),
            (Obstacle::Errors, _) => ("are error frames, which cannot be sent", "them"),
            (Obstacle::Fd, 1) => ("is an FD frame, which the bus does not carry", "it"),
            (Obstacle::Fd, _) => ("are FD frames, which the bus does not carry", "them"),
        };
        match self.count {
            1 => write!(f, "{units} {numbers} {what}")?,
            count => write!(f, "{count} {units} {what} ({numbers}{more})")?,
        }
        match (self.why, &*self.first) {
            (Some(why), [_]) => write!(f, "; it has {why}")?,
            (Some(why), [first, ..]) => write!(f, "; {} {first} has {why}", self.unit.name(1))?,
            _ => {}
        }
        write!(f, "; leave {it} out with --skip {name}")
    }
}

/// Refusals, one a line.
pub(super) fn listed(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
