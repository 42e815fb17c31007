//! A recording, made ready to be played.

use rig_can::Frame;
use serde::Serialize;

use super::recording::{Entry, What};
use super::{Obstacle, Recording, Refusal, ReplayError, Reply, Unit};
use crate::stamp::Nanos;

/// How far stamps err: an adapter on USB is asked for its frames every millisecond (USB 2.0, section 5.3). By so much a
/// frame may seem to be before the one that it came after.
const STAMPS_ERR: Nanos = 1_000_000;

/// What of a recording is to be played, and how.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The interface whose frames are played; the file's only one where this is left out.
    pub interface: Option<String>,
    /// Only frames that went this way.
    pub direction: Option<Direction>,
    /// What may be left out.
    pub skip: Vec<Obstacle>,
    /// Recorded frames that are not sent but awaited from another node.
    pub replies: Vec<Reply>,
    /// Whether frames are put in the order of their times, however far they are out of it. Otherwise one that is so by
    /// more than stamps err is refused.
    pub sort: bool,
    /// Whether the bus carries FD frames.
    pub fd: bool,
}

/// Which way a frame went, seen from who recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Sent.
    Sent,
    /// Received.
    Received,
}

/// What is played, when, and what was left out.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(super) steps: Vec<Step>,
    pub(super) replies: Vec<Reply>,
    pub(super) unit: Unit,
    /// What was left out.
    pub left_out: LeftOut,
    /// How many frames were put in the order of their times.
    pub reordered: u64,
}

/// Something that happens in a replay.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// The line or packet.
    pub number: u64,
    /// When, counted from the first step.
    pub at: Nanos,
    pub act: Act,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Send(Frame),
    /// Waits for the reply of this number.
    Await(usize),
}

/// How many lines or packets were left out, each because of what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LeftOut {
    /// They hold no frame.
    pub unreadable: u64,
    /// They are error frames.
    pub errors: u64,
    /// They are FD frames, which the bus does not carry.
    pub fd: u64,
    /// They went the other way.
    pub other_direction: u64,
    /// They are of another CAN bus.
    pub other_interface: u64,
}

impl Schedule {
    /// The schedule of what was chosen of a recording.
    ///
    /// # Errors
    /// The choice does not fit the recording, or something cannot be played: then everything that cannot.
    pub fn new(recording: &Recording, choice: &Choice) -> Result<Self, ReplayError> {
        let interface = recording.chosen(choice.interface.as_deref())?;
        let mut left_out = LeftOut::default();
        let mut refusals = Obstacle::ALL.map(|obstacle| Refusal::new(obstacle, recording.unit));
        let mut steps = Vec::new();
        for entry in &recording.entries {
            if entry.interface.is_some() && entry.interface != interface {
                left_out.other_interface += 1;
                continue;
            }
            let (obstacle, why) = match &entry.what {
                What::Frame(frame) => match act(recording, entry, frame, choice)? {
                    Some(Act::Send(frame)) if frame.is_fd() && !choice.fd => (Obstacle::Fd, None),
                    Some(act) => {
                        steps.push(Step { number: entry.number, at: entry.at, act });
                        continue;
                    }
                    None => {
                        left_out.other_direction += 1;
                        continue;
                    }
                },
                What::Error => (Obstacle::Errors, None),
                What::Unreadable(why) => (Obstacle::Unreadable, Some(*why)),
            };
            if choice.skip.contains(&obstacle) {
                *left_out.of(obstacle) += 1;
            } else {
                refusals[obstacle as usize].add(entry.number, why);
            }
        }
        let refusals: Vec<_> = refusals.into_iter().filter(|refusal| refusal.count > 0).collect();
        if !refusals.is_empty() {
            return Err(ReplayError::Refused(refusals));
        }
        let reordered = in_order(recording, &mut steps, choice.sort)?;
        let replies = choice.replies.clone();
        for (index, reply) in replies.iter().enumerate() {
            if !steps.iter().any(|step| step.act == Act::Await(index)) {
                return Err(ReplayError::NoReply(reply.clone()));
            }
        }
        Ok(Self { steps, replies, unit: recording.unit, left_out, reordered })
    }

    /// How many frames are sent.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.steps.iter().filter(|step| matches!(step.act, Act::Send(_))).count() as u64
    }

    /// How many of them are FD frames.
    #[must_use]
    pub fn fd_frames(&self) -> u64 {
        self.steps.iter().filter(|step| matches!(step.act, Act::Send(frame) if frame.is_fd())).count() as u64
    }

    /// How many replies are awaited.
    #[must_use]
    pub fn awaited(&self) -> u64 {
        self.steps.len() as u64 - self.frames()
    }

    /// The time from the first step to the last, as recorded.
    #[must_use]
    pub fn span(&self) -> Nanos {
        self.steps.last().map_or(0, |step| step.at)
    }
}

/// What is done for a frame; nothing for one that went the other way.
///
/// A frame that is a reply is awaited, unless this is the side that sent it.
fn act(recording: &Recording, entry: &Entry, frame: &Frame, choice: &Choice) -> Result<Option<Act>, ReplayError> {
    let sent_here = match (choice.direction, entry.sent) {
        (None, sent) => sent == Some(true),
        (Some(_), None) => return Err(ReplayError::Undirected(recording.place(entry.number))),
        (Some(direction), Some(sent)) => sent == (direction == Direction::Sent),
    };
    let reply = choice.replies.iter().position(|reply| reply.is(frame));
    Ok(match reply {
        Some(reply) if !sent_here => Some(Act::Await(reply)),
        _ if choice.direction.is_none() || sent_here => Some(Act::Send(*frame)),
        _ => None,
    })
}

/// Puts steps in order, counts their times from the first, and returns how many were out of order. Refuses the first one
/// that is so by more than stamps err, unless it may `sort`.
fn in_order(recording: &Recording, steps: &mut [Step], sort: bool) -> Result<u64, ReplayError> {
    let (mut latest, mut reordered) = (0, 0);
    for step in &*steps {
        if !sort && step.at.saturating_add(STAMPS_ERR) < latest {
            return Err(ReplayError::Backwards(recording.place(step.number)));
        }
        reordered += u64::from(step.at < latest);
        latest = latest.max(step.at);
    }
    steps.sort_by_key(|step| step.at);
    let first = steps.first().ok_or(ReplayError::NoFrames)?.at;
    for step in steps {
        step.at -= first;
    }
    Ok(reordered)
}

impl LeftOut {
    fn of(&mut self, obstacle: Obstacle) -> &mut u64 {
        match obstacle {
            Obstacle::Unreadable => &mut self.unreadable,
            Obstacle::Errors => &mut self.errors,
            Obstacle::Fd => &mut self.fd,
        }
    }
}

#[cfg(test)]
mod tests;
