use alloc::vec::Vec;
use core::fmt;

use super::pci::{Flow, Pci};
use super::{Settings, TIMEOUT};
use crate::Frame;

/// What a receiver has to say of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A payload has begun; more frames follow.
    Begun,
    /// Put this flow control on the bus.
    Reply(Frame),
    /// A whole payload.
    Whole(Vec<u8>),
    /// What was begun will not become a payload; a frame that is [`ReceiveError::Meaningless`] ends nothing but itself.
    Broken {
        /// Why.
        flaw: ReceiveError,
        /// The bytes that came.
        bytes: Vec<u8>,
    },
}

/// Why frames did not become a payload: the results of `N_USData.indication`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// The next frame did not come within 1 s (`N_TIMEOUT_Cr`).
    Timeout,
    /// A frame is missing or came twice (`N_WRONG_SN`).
    WrongSequence,
    /// Another payload began before this one had ended (`N_UNEXP_PDU`).
    Interrupted,
    /// It is longer than there is room for.
    TooLong,
    /// The frame has the identifier and address of this receiver, and no meaning: a length that cannot be, a
    /// consecutive frame without a first one, an unknown type.
    Meaningless,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the next frame did not come within 1 s",
            Self::WrongSequence => "a frame is missing or came twice",
            Self::Interrupted => "another payload began before this one had ended",
            Self::TooLong => "it is longer than there is room for",
            Self::Meaningless => "the frame has no meaning",
        })
    }
}

impl core::error::Error for ReceiveError {}

/// The receiving half.
#[derive(Clone, Debug)]
pub struct Receiver {
    settings: Settings,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Begun(Begun),
    /// What was begun is broken; its other frames are passed over until this instant.
    Broken {
        until: u64,
    },
}

/// A payload of which more frames follow.
#[derive(Clone, Debug)]
struct Begun {
    bytes: Vec<u8>,
    length: usize,
    /// Length of the first frame without its address, and so of all others but the last (`RX_DL`, clause 9.5).
    frame_length: usize,
    sequence: u8,
    /// Frames of this block so far.
    block: u8,
    deadline: u64,
}

impl Receiver {
    /// A receiver that has received nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: State::Idle }
    }

    /// Takes a frame. Says whether it was for this receiver; flow controls and other nodes' frames are not.
    pub fn take(&mut self, frame: &Frame, now: u64, found: &mut dyn FnMut(Taken)) -> bool {
        let Some(bytes) = self.settings.addressed(frame) else { return false };
        let pci = Pci::read(bytes, self.settings.address_length());
        if let Some(Pci::Flow(_)) = pci {
            return false;
        }
        if let Some(taken) = self.expire(now) {
            found(taken);
        }
        match pci {
            Some(Pci::Single(payload)) => {
                self.interrupt(found);
                self.single(payload, found);
            }
            Some(Pci::First { length, data }) => {
                self.interrupt(found);
                self.first(length, data, bytes.len(), now, found);
            }
            Some(Pci::Consecutive { sequence, data }) => self.consecutive(sequence, data, now, found),
            Some(Pci::Flow(_)) | None => found(broken(ReceiveError::Meaningless, bytes)),
        }
        true
    }

    /// Until when the next frame must come; `None` where nothing was begun.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        match &self.state {
            State::Begun(begun) => Some(begun.deadline),
            State::Idle | State::Broken { .. } => None,
        }
    }

    /// Gives up what was begun, where its next frame did not come in time.
    pub fn expire(&mut self, now: u64) -> Option<Taken> {
        match &mut self.state {
            State::Begun(begun) if now >= begun.deadline => {
                let bytes = core::mem::take(&mut begun.bytes);
                self.state = State::Broken { until: now.saturating_add(TIMEOUT) };
                Some(Taken::Broken { flaw: ReceiveError::Timeout, bytes })
            }
            State::Broken { until } if now >= *until => {
                self.state = State::Idle;
                None
            }
            _ => None,
        }
    }

    /// Gives up what was begun, whatever the time: the other side has lost its power.
    pub fn reset(&mut self) {
        self.state = State::Idle;
    }

    fn interrupt(&mut self, found: &mut dyn FnMut(Taken)) {
        if let State::Begun(begun) = core::mem::replace(&mut self.state, State::Idle) {
            found(Taken::Broken { flaw: ReceiveError::Interrupted, bytes: begun.bytes });
        }
    }

    fn single(&mut self, payload: &[u8], found: &mut dyn FnMut(Taken)) {
        if payload.len() > self.settings.longest {
            found(broken(ReceiveError::TooLong, payload));
        } else {
            found(Taken::Whole(payload.to_vec()));
        }
    }

    fn first(&mut self, length: usize, data: &[u8], frame_length: usize, now: u64, found: &mut dyn FnMut(Taken)) {
        if length > self.settings.longest {
            self.state = State::Broken { until: now.saturating_add(TIMEOUT) };
            found(Taken::Reply(self.flow(Flow::OVERFLOW)));
            found(broken(ReceiveError::TooLong, data));
            return;
        }
        let deadline = now.saturating_add(TIMEOUT);
        let begun = Begun { bytes: data.to_vec(), length, frame_length, sequence: 1, block: 0, deadline };
        self.state = State::Begun(begun);
        found(Taken::Begun);
        found(Taken::Reply(self.flow(Flow::CONTINUE)));
    }

    fn consecutive(&mut self, sequence: u8, data: &[u8], now: u64, found: &mut dyn FnMut(Taken)) {
        let begun = match &mut self.state {
            State::Begun(begun) => begun,
            State::Broken { until } => {
                *until = now.saturating_add(TIMEOUT);
                return;
            }
            State::Idle => {
                found(broken(ReceiveError::Meaningless, data));
                return;
            }
        };
        if sequence != begun.sequence {
            let bytes = core::mem::take(&mut begun.bytes);
            self.state = State::Broken { until: now.saturating_add(TIMEOUT) };
            found(Taken::Broken { flaw: ReceiveError::WrongSequence, bytes });
            return;
        }
        let room = begun.frame_length - 1;
        let wanted = room.min(begun.length - begun.bytes.len());
        // Only the last may be shorter, and none is longer, than the first was.
        if data.len() > room || data.len() < wanted {
            found(broken(ReceiveError::Meaningless, data));
            return;
        }
        begun.bytes.extend_from_slice(&data[..wanted]);
        begun.sequence = (sequence + 1) & 0x0F;
        begun.deadline = now.saturating_add(TIMEOUT);
        begun.block = begun.block.wrapping_add(1);
        if begun.bytes.len() == begun.length {
            let payload = core::mem::take(&mut begun.bytes);
            self.state = State::Idle;
            found(Taken::Whole(payload));
        } else if self.settings.block_size > 0 && begun.block == self.settings.block_size {
            begun.block = 0;
            found(Taken::Reply(self.flow(Flow::CONTINUE)));
        }
    }

    fn flow(&self, status: u8) -> Frame {
        self.settings.frame(&[0x30 | status, self.settings.block_size, self.settings.separation], &[])
    }
}

fn broken(flaw: ReceiveError, bytes: &[u8]) -> Taken {
    Taken::Broken { flaw, bytes: bytes.to_vec() }
}
