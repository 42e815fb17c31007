use std::cell::{Cell, RefCell};
use std::time::Duration;

use rig_can::isotp::{PROMPT, ReceiveError, Receiver, SendError, Sender, Settings, Taken, Todo};
use tokio::sync::Notify;

use super::{Datagram, NodeError, Outgoing};
use crate::link::Sent;
use crate::link::can::{Bus, Seen};
use crate::stamp::{Clock, Nanos, Stamp};

/// Bytes in as many frames as it takes (ISO 15765-2), with the instants of the first and the last frame.
pub struct IsoTp {
    sender: RefCell<Sender>,
    receiver: RefCell<Receiver>,
    /// A flow control has come.
    flow: Notify,
    /// Since when the other side waits for the next frame of what is sent.
    waiting: Cell<Option<Nanos>>,
    /// What has come of a datagram that has not ended.
    progress: Cell<Option<Progress>>,
}

/// Frames of a datagram so far.
#[derive(Clone, Copy)]
struct Progress {
    first: Stamp,
    last: Stamp,
    wire: usize,
}

impl IsoTp {
    /// Nothing on its way.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            sender: RefCell::new(Sender::new(settings)),
            receiver: RefCell::new(Receiver::new(settings)),
            flow: Notify::new(),
            waiting: Cell::new(None),
            progress: Cell::new(None),
        }
    }

    /// Sends bytes, and waits until their last frame is on the bus. Says when they left, and how many bytes of data
    /// their frames had. Meanwhile [`Self::take`] must be given the frames that come: flow control is among them. One
    /// at a time.
    ///
    /// # Errors
    /// Where the bus or the other side does not take them, or rig was too slow; a part may have gone out.
    pub async fn send(&self, bus: &Bus, bytes: &[u8], clock: Clock) -> Result<(Sent, usize), NodeError> {
        self.sender.borrow_mut().start(bytes, clock.now());
        self.waiting.set(None);
        let mut outgoing = Outgoing::default();
        loop {
            // Borrowed for this line only: flow control arrives while the frame is on its way.
            let todo = self.sender.borrow_mut().poll(clock.now());
            match todo {
                Todo::Send(frame) => {
                    let sent = bus.transmit(&frame).await?;
                    outgoing.note(&frame, sent);
                    prompt(self.waiting.get(), sent.on_bus)?;
                    // A flow control may be heard before the frame that it answers.
                    self.waiting.set(self.waiting.get().max(Some(sent.on_bus.lo)));
                    self.sender.borrow_mut().confirm(clock.now());
                }
                Todo::Wait(until) => {
                    // A wake-up too early only asks again.
                    let _ = tokio::time::timeout_at(clock.instant(until), self.flow.notified()).await;
                }
                Todo::Done => break,
                Todo::Failed(error) => return Err(NodeError::Refused(error)),
            }
        }
        let sent = outgoing.sent().ok_or(NodeError::Refused(SendError::NotSent))?;
        Ok((sent, outgoing.wire))
    }

    /// Takes a frame, answers it where it is to be answered, and tells what has ended with it.
    ///
    /// # Errors
    /// Where the answer, a flow control, does not get onto the bus, or too late: the other side sends nothing more then,
    /// and what it began expires.
    pub async fn take(
        &self,
        bus: &Bus,
        seen: &Seen,
        clock: Clock,
        found: &mut dyn FnMut(Datagram),
    ) -> Result<(), NodeError> {
        let now = clock.now();
        if self.sender.borrow_mut().take(&seen.frame, now) {
            self.waiting.set(Some(seen.at.lo));
            self.flow.notify_one();
            return Ok(());
        }
        let mut reply = None;
        let mut alone = false;
        let taken = self.receiver.borrow_mut().take(&seen.frame, now, &mut |taken| match taken {
            Taken::Begun => self.progress.set(Some(Progress::before(seen))),
            Taken::Reply(frame) => reply = Some(frame),
            Taken::Whole(bytes) => found(self.end_with(seen).ended(bytes, None)),
            Taken::Broken { flaw: flaw @ ReceiveError::WrongSequence, bytes } => {
                found(self.end_with(seen).ended(bytes, Some(flaw)));
            }
            // One frame that may stand between those of a datagram.
            Taken::Broken { flaw: flaw @ (ReceiveError::TooLong | ReceiveError::Meaningless), bytes } => {
                alone = true;
                found(Progress::before(seen).with(seen).ended(bytes, Some(flaw)));
            }
            Taken::Broken { flaw: flaw @ (ReceiveError::Timeout | ReceiveError::Interrupted), bytes } => {
                found(self.progress.take().unwrap_or(Progress::before(seen)).ended(bytes, Some(flaw)));
            }
        });
        if taken && !alone {
            self.progress.set(self.progress.get().map(|progress| progress.with(seen)));
        }
        match reply {
            Some(reply) => prompt(Some(seen.at.lo), bus.transmit(&reply).await?.on_bus),
            None => Ok(()),
        }
    }

    /// When to call [`Self::expire`], unless a frame comes before.
    pub fn deadline(&self) -> Option<Nanos> {
        self.receiver.borrow().deadline()
    }

    /// Gives up the datagram whose next frame did not come in time.
    pub fn expire(&self, now: Nanos, found: &mut dyn FnMut(Datagram)) {
        if let Some(Taken::Broken { flaw, bytes }) = self.receiver.borrow_mut().expire(now)
            && let Some(progress) = self.progress.take()
        {
            found(progress.ended(bytes, Some(flaw)));
        }
    }

    /// Forgets what has come of a datagram.
    pub fn reset(&self) {
        self.receiver.borrow_mut().reset();
        self.progress.take();
    }

    fn end_with(&self, seen: &Seen) -> Progress {
        self.progress.take().unwrap_or(Progress::before(seen)).with(seen)
    }
}

/// Says where a frame was on the bus later than the other side, which waits for it since then, has to wait.
fn prompt(waiting: Option<Nanos>, on_bus: Stamp) -> Result<(), NodeError> {
    let waited = waiting.map_or(0, |since| on_bus.lo.saturating_sub(since));
    if waited > PROMPT { Err(NodeError::TooSlow(Duration::from_nanos(waited))) } else { Ok(()) }
}

impl Progress {
    /// Before the first frame is counted.
    fn before(seen: &Seen) -> Self {
        Self { first: seen.at, last: seen.at, wire: 0 }
    }

    fn with(self, seen: &Seen) -> Self {
        Self { last: seen.at, wire: self.wire + usize::from(seen.frame.length()), ..self }
    }

    fn ended(self, bytes: Vec<u8>, flaw: Option<ReceiveError>) -> Datagram {
        let Self { first, last, wire } = self;
        Datagram { bytes, flaw, first, last, wire }
    }
}
