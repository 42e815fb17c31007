//! Payloads in many frames: ISO 15765-2:2016, sans-IO.
//!
//! A [`Sender`] hands out frames and is told when each is on the bus; a [`Receiver`] takes frames and says what to
//! answer. Both obey the timeouts of clause 9.8.

use alloc::vec::Vec;

use crate::{Frame, Id};

/// How payloads go between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct Settings {
    /// Identifier of the frames that this node sends.
    pub send: Id,
    /// Identifier of the frames that it receives.
    pub receive: Id,
    /// How the two nodes are addressed.
    pub addressing: Addressing,
    /// Longest data of a frame that this node sends (`TX_DL`): 8, or for FD frames 8 to 64.
    pub frame_length: u8,
    /// FD frames, with or without bit rate switch; `None` for classic frames.
    pub fd: Option<bool>,
    /// What fills frames up to their length; `None` leaves classic frames short. FD frames over 8 bytes are always
    /// filled up to a possible length, with 0xCC where nothing else is said.
    pub padding: Option<u8>,
    /// How many frames the other side may send before it waits for another flow control; 0 for no limit.
    pub block_size: u8,
    /// The pause that the other side is asked to make between frames, as flow control codes it (`STmin`): 0 to 127 ms,
    /// or 0xF1 to 0xF9 for 100 to 900 µs.
    pub separation: u8,
    /// The longest payload that is taken; a longer one is refused with an overflow.
    pub longest: usize,
}

/// How two nodes are addressed (clause 10.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Addressing {
    /// By identifier alone.
    #[default]
    Normal,
    /// By identifier and the first byte of the data.
    Extended {
        /// The address in frames that this node sends.
        send: u8,
        /// The address in frames that it receives.
        receive: u8,
    },
}

/// What a sender wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Put this frame on the bus, then call [`Sender::confirm`].
    Send(Frame),
    /// Nothing before this instant, unless something arrives or is confirmed.
    Wait(u64),
    /// The whole payload is on the bus, or none was started.
    Done,
    /// The payload is given up.
    Failed(SendError),
}

/// Why a payload did not go out (clause 9.9, the results of `N_USData.confirm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// A frame was not on the bus within 1 s (`N_TIMEOUT_A`).
    NotSent,
    /// No flow control came within 1 s (`N_TIMEOUT_Bs`).
    NoFlowControl,
    /// The other side has no room for it (`N_BUFFER_OVFLW`).
    Overflow,
    /// The other side asked to wait too often (`N_WFT_OVRN`).
    WaitedTooLong,
    /// A flow control has a status that does not exist (`N_INVALID_FS`).
    InvalidFlow,
}

/// The sending half.
#[derive(Clone, Debug)]
pub struct Sender {}

impl Sender {
    /// A sender with nothing to send.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let _ = settings;
        todo!()
    }

    /// Starts a payload; one that is under way is given up. At least one byte, at most `u32::MAX`.
    pub fn start(&mut self, payload: &[u8], now: u64) {
        let _ = (payload, now);
        todo!()
    }

    /// What to do now. A frame is handed out once.
    pub fn poll(&mut self, now: u64) -> Todo {
        let _ = now;
        todo!()
    }

    /// The frame handed out last is on the bus.
    pub fn confirm(&mut self, now: u64) {
        let _ = now;
        todo!()
    }

    /// Takes a received frame; says whether it was a flow control for this sender.
    pub fn take(&mut self, frame: &Frame, now: u64) -> bool {
        let _ = (frame, now);
        todo!()
    }
}

/// What a receiver has to say of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A payload has begun; more frames follow.
    Begun,
    /// Put this flow control on the bus.
    Reply(Frame),
    /// A whole payload.
    Whole(Vec<u8>),
    /// What was begun will not become a payload.
    Broken {
        /// Why.
        flaw: ReceiveError,
        /// The bytes that came.
        bytes: Vec<u8>,
    },
}

/// Why frames did not become a payload (clause 9.9, the results of `N_USData.indication`).
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

/// The receiving half.
#[derive(Clone, Debug)]
pub struct Receiver {}

impl Receiver {
    /// A receiver that has received nothing.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let _ = settings;
        todo!()
    }

    /// Takes a frame. Says whether it was for this receiver; flow controls and other nodes' frames are not.
    pub fn take(&mut self, frame: &Frame, now: u64, found: &mut dyn FnMut(Taken)) -> bool {
        let _ = (frame, now, found);
        todo!()
    }

    /// Until when the next frame must come; `None` where nothing was begun.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        todo!()
    }

    /// Gives up what was begun, where its next frame did not come in time.
    pub fn expire(&mut self, now: u64) -> Option<Taken> {
        let _ = now;
        todo!()
    }

    /// Gives up what was begun, whatever the time: the other side has lost its power.
    pub fn reset(&mut self) {
        todo!()
    }
}
