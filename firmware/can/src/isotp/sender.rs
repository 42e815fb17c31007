use alloc::vec::Vec;
use core::fmt;

use super::pci::{Flow, Pci, single_capacity};
use super::{Settings, TIMEOUT};
use crate::Frame;

/// How often in a row the other side may ask to wait before a payload is given up (`N_WFTmax`, clause 9.7).
pub const WAITS: u8 = 10;

/// What a sender wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Put this frame on the bus, then call [`Sender::confirm`].
    Send(Frame),
    /// Nothing before this instant, unless something arrives or is confirmed.
    Wait(u64),
    /// The whole payload is on the bus, or none was started.
    Done,
    /// The payload is given up. Said once; then there is none.
    Failed(SendError),
}

/// Why a payload did not go out: the results of `N_USData.confirm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// A frame was not on the bus within 1 s (`N_TIMEOUT_A`).
    NotSent,
    /// No flow control came within 1 s (`N_TIMEOUT_Bs`).
    NoFlowControl,
    /// The other side has no room for it (`N_BUFFER_OVFLW`).
    Overflow,
    /// The other side asked to wait more than [`WAITS`] times in a row (`N_WFT_OVRN`).
    WaitedTooLong,
    /// A flow control has a status that does not exist (`N_INVALID_FS`).
    InvalidFlow,
    /// A payload of no bytes, or of more than a first frame can say: nothing was sent of it.
    Length,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSent => "a frame was not on the bus within 1 s",
            Self::NoFlowControl => "no flow control came within 1 s",
            Self::Overflow => "the other side has no room for it",
            Self::WaitedTooLong => "the other side asked to wait too often",
            Self::InvalidFlow => "the other side sent a flow control with a status that does not exist",
            Self::Length => "a payload has 1 to 4294967295 bytes",
        })
    }
}

impl core::error::Error for SendError {}

/// The sending half.
#[derive(Clone, Debug)]
pub struct Sender {
    settings: Settings,
    payload: Vec<u8>,
    sent: usize,
    sequence: u8,
    /// How many frames may go before the next flow control; `None` for all.
    allowed: Option<u8>,
    /// The separation time, and when the last consecutive frame was on the bus: the pause is between these.
    pause: u64,
    confirmed: Option<u64>,
    waits: u8,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Idle,
    /// The next frame may go at this instant.
    Ready(u64),
    /// A frame is handed out and not confirmed. Its flow control may be faster than its confirmation.
    Handed {
        deadline: u64,
        consecutive: bool,
        flow: Option<Flow>,
    },
    /// A flow control is to come.
    Held {
        deadline: u64,
    },
    Failed(SendError),
}

impl Sender {
    /// A sender with nothing to send.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            payload: Vec::new(),
            sent: 0,
            sequence: 0,
            allowed: None,
            pause: 0,
            confirmed: None,
            waits: 0,
            step: Step::Idle,
        }
    }

    /// Starts a payload; one that is under way is given up, and the confirmation of its last frame, where that is still
    /// to come, must not be passed on. At least one byte, at most `u32::MAX`.
    pub fn start(&mut self, payload: &[u8], now: u64) {
        *self = Self::new(self.settings);
        if payload.is_empty() || u32::try_from(payload.len()).is_err() {
            self.step = Step::Failed(SendError::Length);
        } else {
            self.payload.extend_from_slice(payload);
            self.step = Step::Ready(now);
        }
    }

    /// What to do now. A frame is handed out once.
    pub fn poll(&mut self, now: u64) -> Todo {
        self.expire(now);
        match self.step {
            Step::Idle => Todo::Done,
            Step::Ready(at) if now < at => Todo::Wait(at),
            Step::Ready(_) => {
                let deadline = now.saturating_add(TIMEOUT);
                self.step = Step::Handed { deadline, consecutive: self.sent > 0, flow: None };
                Todo::Send(self.next())
            }
            Step::Handed { deadline, .. } | Step::Held { deadline } => Todo::Wait(deadline),
            Step::Failed(error) => {
                self.step = Step::Idle;
                Todo::Failed(error)
            }
        }
    }

    /// The frame handed out last is on the bus.
    pub fn confirm(&mut self, now: u64) {
        self.expire(now);
        let Step::Handed { consecutive, flow, .. } = self.step else { return };
        if consecutive {
            self.confirmed = Some(now);
        }
        match (self.allowed, flow) {
            _ if self.sent == self.payload.len() => self.step = Step::Idle,
            (Some(0), Some(flow)) => self.follow(flow, now),
            (Some(0), None) => self.step = Step::Held { deadline: now.saturating_add(TIMEOUT) },
            _ => self.step = Step::Ready(now.saturating_add(self.pause)),
        }
    }

    /// Takes a received frame; says whether it was a flow control for this sender. One that comes when none is due is
    /// ignored.
    pub fn take(&mut self, frame: &Frame, now: u64) -> bool {
        let Some(bytes) = self.settings.addressed(frame) else { return false };
        let Some(Pci::Flow(flow)) = Pci::read(bytes, self.settings.address_length()) else { return false };
        self.expire(now);
        match &mut self.step {
            Step::Held { .. } => self.follow(flow, now),
            Step::Handed { flow: early, .. } if self.allowed == Some(0) => *early = Some(flow),
            _ => {}
        }
        true
    }

    fn expire(&mut self, now: u64) {
        match self.step {
            Step::Handed { deadline, .. } if now >= deadline => self.step = Step::Failed(SendError::NotSent),
            Step::Held { deadline } if now >= deadline => self.step = Step::Failed(SendError::NoFlowControl),
            _ => {}
        }
    }

    fn follow(&mut self, flow: Flow, now: u64) {
        self.step = match flow.status {
            Flow::CONTINUE => {
                self.waits = 0;
                self.allowed = Some(flow.block_size).filter(|frames| *frames > 0);
                self.pause = flow.pause();
                // The pause is one between consecutive frames, also where a flow control is between them.
                let paused = self.confirmed.map_or(now, |at| at.saturating_add(self.pause));
                Step::Ready(now.max(paused))
            }
            Flow::WAIT if self.waits < WAITS => {
                self.waits += 1;
                Step::Held { deadline: now.saturating_add(TIMEOUT) }
            }
            Flow::WAIT => Step::Failed(SendError::WaitedTooLong),
            Flow::OVERFLOW => Step::Failed(SendError::Overflow),
            _ => Step::Failed(SendError::InvalidFlow),
        };
    }

    fn next(&mut self) -> Frame {
        let address = self.settings.address_length();
        let length = self.payload.len();
        let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        if self.sent > 0 {
            let control = [0x20 | self.sequence];
            self.sequence = (self.sequence + 1) & 0x0F;
            self.allowed = self.allowed.map(|frames| frames.saturating_sub(1));
            return self.with(&control);
        }
        if length <= single_capacity(8, address) {
            return self.with(&[d]);
        }
        if length <= single_capacity(self.settings.frame_length(), address) {
            return self.with(&[0, d]);
        }
        self.sequence = 1;
        self.allowed = Some(0);
        if length <= 0xFFF { self.with(&[0x10 | c, d]) } else { self.with(&[0x10, 0, a, b, c, d]) }
    }

    /// The frame with this control information and as much of the payload as fits behind it.
    fn with(&mut self, control: &[u8]) -> Frame {
        let room = self.settings.frame_length() - self.settings.address_length() - control.len();
        let end = self.payload.len().min(self.sent + room);
        let frame = self.settings.frame(control, &self.payload[self.sent..end]);
        self.sent = end;
        frame
    }
}
