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
    /// The first few, and what is wrong with each where the obstacle does not say it.
    pub first: Vec<(u64, Option<&'static str>)>,
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
        Self { obstacle, unit, count: 0, first: Vec::new() }
    }

    pub(super) fn add(&mut self, number: u64, why: Option<&'static str>) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push((number, why));
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.unit.name(self.count);
        match self.obstacle {
            Obstacle::Unreadable if self.count == 1 => write!(f, "1 {units} holds no frame")?,
            Obstacle::Unreadable => write!(f, "{} {units} hold no frame", self.count)?,
            Obstacle::Errors if self.count == 1 => write!(f, "1 {units} is an error frame, which cannot be sent")?,
            Obstacle::Errors => write!(f, "{} {units} are error frames, which cannot be sent", self.count)?,
            Obstacle::Fd if self.count == 1 => write!(f, "1 {units} is an FD frame, which the bus does not carry")?,
            Obstacle::Fd => write!(f, "{} {units} are FD frames, which the bus does not carry", self.count)?,
        }
        f.write_str(" (")?;
        for (place, (number, why)) in self.first.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} {number}", self.unit.name(1))?;
            why.map_or(Ok(()), |why| write!(f, ": {why}"))?;
        }
        let more = if self.count > self.first.len() as u64 { ", …" } else { "" };
        write!(f, "{more}); leave out with --skip {}", self.obstacle.name())
    }
}

/// Refusals, one a line.
pub(super) fn listed(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
