use std::collections::VecDeque;

use rig_payload::Header;

use super::desk::{Ending, Expected, Landed};
use crate::event::Flaw;

/// Payloads of past trials that an edge remembers, so that a straggler is not taken for a payload of this trial.
const REMEMBERED: usize = 64;

/// An edge at the desk: what it awaits, what came, and what it remembers of earlier trials.
#[derive(Default)]
pub(super) struct Slot {
    awaited: Option<Expected>,
    pub(super) held: Option<Landed>,
    pub(super) delivered: Option<Landed>,
    /// Something whole came that was not the awaited payload.
    mistaken: Option<Flaw>,
    lost: Vec<(Header, String)>,
    /// What the emulated network brings more often than it was sent.
    copied: VecDeque<Copied>,
    /// Nothing is awaited any more: it was, in vain.
    given_up: bool,
    /// What the last trial awaited in vain may still come.
    owed: bool,
    newest: Option<u16>,
    past: VecDeque<Past>,
}

/// Why a payload is not the awaited one.
pub(super) struct Misfit {
    pub(super) flaw: Flaw,
    /// Whether this trial's delivery on the edge is touched by it.
    pub(super) charged: bool,
    pub(super) by_hop: bool,
}

/// What is known of a payload that came, or was awaited, before.
#[derive(Clone, Copy, Debug)]
struct Past {
    correlation: Option<u16>,
    sequence: Option<u16>,
}

/// A payload that the emulated network copied, or any answer to a command that it copied.
#[derive(Clone, Copy, Debug)]
struct Copied {
    correlation: u16,
    /// None for an answer: it has a sequence of its own.
    sequence: Option<u16>,
    left: u32,
}

impl Slot {
    /// Opens the edge. Returns what landed early.
    pub(super) fn open(&mut self, expected: Expected) -> Option<Landed> {
        self.awaited = Some(expected);
        self.held.take()
    }

    /// Takes a payload.
    pub(super) fn take(&mut self, landed: &Landed) -> Result<(), Misfit> {
        let header = landed.header;
        if let Some(earlier) = self.delivered.or(self.held) {
            let same = is_same(&earlier.header, &header);
            if !same && let Some(straggler) = self.straggler(&header) {
                return Err(straggler);
            }
            let by_hop = self.is_by_hop(&header);
            let flaw = if same || by_hop { Flaw::Duplicate } else { Flaw::Unsolicited };
            return Err(Misfit { flaw, charged: true, by_hop });
        }
        if let Some(straggler) = self.straggler(&header) {
            return Err(straggler);
        }
        let Some(expected) = self.awaited else {
            self.held = Some(*landed);
            return Ok(());
        };
        if let Expected::Newer(since) = expected {
            let premature = landed.first.hi < since || landed.made.is_some_and(|made| made.hi < since);
            if premature {
                // It may be the one that the last trial missed; else nothing has caused it.
                let owed = std::mem::take(&mut self.owed);
                self.newest = Some(header.correlation);
                let flaw = if owed { Flaw::OutOfOrder } else { Flaw::Unsolicited };
                return Err(Misfit { flaw, charged: !owed, by_hop: false });
            }
        }
        let fits = self.fits(expected, &header);
        // Whatever the device counts, it counts on from here: a wrong count spoils one trial and not those after it.
        self.newest = Some(header.correlation);
        if !fits {
            self.mistaken = Some(Flaw::OutOfOrder);
            return Err(Misfit { flaw: Flaw::OutOfOrder, charged: true, by_hop: false });
        }
        if std::mem::take(&mut self.given_up) {
            // Later than any patience: its absence is noted already. One more would be unsolicited.
            self.awaited = None;
            return Err(Misfit { flaw: Flaw::OutOfOrder, charged: false, by_hop: false });
        }
        self.delivered = Some(*landed);
        Ok(())
    }

    /// The emulated network has lost a payload.
    pub(super) fn lose(&mut self, header: Header, hop: String) {
        self.lost.push((header, hop));
    }

    /// The emulated network will bring a payload so many times more than once.
    pub(super) fn expect_copies(&mut self, header: &Header, extra: u32) {
        self.expect_more(Copied { correlation: header.correlation, sequence: Some(header.sequence), left: extra });
    }

    /// The emulated network brings a command so many times more than once; each copy may be answered.
    pub(super) fn expect_answers(&mut self, command: u16, extra: u32) {
        self.expect_more(Copied { correlation: command, sequence: None, left: extra });
    }

    fn expect_more(&mut self, copied: Copied) {
        if copied.left == 0 {
            return;
        }
        if self.copied.len() == REMEMBERED {
            self.copied.pop_front();
        }
        self.copied.push_back(copied);
    }

    /// How the wait has ended, if it has.
    pub(super) fn ending(&mut self) -> Option<Ending> {
        if let Some(landed) = self.delivered {
            return Some(Ending::Landed(landed));
        }
        // A copy of the command may still be answered.
        let answers = match self.awaited? {
            Expected::Correlation(command) => 1 + self.answers_due(command),
            Expected::Sequence(_) | Expected::Newer(_) => 1,
        };
        if self.lost_awaited().count() < usize::try_from(answers).unwrap_or(usize::MAX) {
            return None;
        }
        let hop = self.lost_awaited().next()?.to_owned();
        self.remember_awaited();
        Some(Ending::LostInHop(hop))
    }

    /// Nothing is awaited any more. Says what came of it.
    pub(super) fn give_up(&mut self) -> Ending {
        self.remember_awaited();
        self.given_up = true;
        match (self.lost_awaited().next(), self.mistaken) {
            (Some(hop), _) => Ending::LostInHop(hop.to_owned()),
            (None, Some(flaw)) => Ending::Broken(flaw),
            (None, None) => Ending::Absent,
        }
    }

    /// The sender has lost its counts: whatever comes next is new.
    pub(super) fn forget(&mut self) {
        self.newest = None;
        self.past.clear();
    }

    /// Ends a trial.
    pub(super) fn close(&mut self) {
        if let (Some(expected), Some(landed)) = (self.awaited, self.delivered) {
            let Header { correlation, sequence, .. } = landed.header;
            self.remember(match expected {
                Expected::Correlation(_) => (Some(correlation), None),
                Expected::Sequence(_) => (None, Some(sequence)),
                Expected::Newer(_) => (Some(correlation), Some(sequence)),
            });
        }
        let owed = matches!(self.awaited, Some(Expected::Newer(_))) && self.given_up;
        let (past, copied) = (std::mem::take(&mut self.past), std::mem::take(&mut self.copied));
        *self = Self { newest: self.newest, owed, past, copied, ..Self::default() };
    }

    /// Whether one more of a payload is the network's doing: its copy, or the answer to a command's copy.
    fn is_by_hop(&mut self, header: &Header) -> bool {
        [Some(header.sequence), None].into_iter().any(|sequence| {
            let copy = |copied: &&mut Copied| {
                copied.left > 0 && copied.correlation == header.correlation && copied.sequence == sequence
            };
            self.copied.iter_mut().find(copy).map(|copied| copied.left -= 1).is_some()
        })
    }

    fn fits(&self, expected: Expected, header: &Header) -> bool {
        match expected {
            Expected::Correlation(wanted) => wanted == header.correlation,
            Expected::Sequence(wanted) => wanted == header.sequence,
            // Serial-number arithmetic (RFC 1982): newer by less than half the range.
            Expected::Newer(_) => {
                self.newest.is_none_or(|newest| matches!(header.correlation.wrapping_sub(newest), 1..0x8000))
            }
        }
    }

    /// The hops that lost what is awaited.
    fn lost_awaited(&self) -> impl Iterator<Item = &str> {
        let fits = |header: &Header| self.awaited.is_some_and(|expected| self.fits(expected, header));
        self.lost.iter().filter(move |(header, _)| fits(header)).map(|(_, hop)| hop.as_str())
    }

    /// How many answers to copies of a command have not come.
    fn answers_due(&self, command: u16) -> u32 {
        let due = self.copied.iter().filter(|copied| copied.correlation == command && copied.sequence.is_none());
        due.map(|copied| copied.left).sum()
    }

    /// What was awaited in vain may still come, in a later trial.
    fn remember_awaited(&mut self) {
        match self.awaited {
            Some(Expected::Correlation(key)) => self.remember((Some(key), None)),
            Some(Expected::Sequence(key)) => self.remember((None, Some(key))),
            Some(Expected::Newer(_)) | None => {}
        }
    }

    fn remember(&mut self, (correlation, sequence): (Option<u16>, Option<u16>)) {
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back(Past { correlation, sequence });
    }

    /// What is to be said of a payload that belongs to an earlier trial, or to a wait that was given up.
    fn straggler(&mut self, header: &Header) -> Option<Misfit> {
        let known = self.past.iter().any(|past| past.is(header));
        known.then(|| Misfit { flaw: Flaw::OutOfOrder, charged: false, by_hop: self.is_by_hop(header) })
    }
}

impl Past {
    fn is(self, header: &Header) -> bool {
        self.correlation.is_none_or(|correlation| correlation == header.correlation)
            && self.sequence.is_none_or(|sequence| sequence == header.sequence)
    }
}

fn is_same(one: &Header, other: &Header) -> bool {
    one.correlation == other.correlation && one.sequence == other.sequence
}
