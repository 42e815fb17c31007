use std::cell::{Cell, RefCell};

use rig_can::isotp::{ReceiveError, Receiver, SendError, Sender, Settings, Taken, Todo};
use rig_payload::{Frame, MAX_PAYLOAD};
use tokio::sync::Notify;

use super::super::frame::of_datagram;
use super::super::{Arrived, Unit, sixteen};
use super::{NodeError, Outgoing};
use crate::event::{Flaw, Size};
use crate::link::Sent;
use crate::link::can::{Bus, Seen};
use crate::stamp::{Clock, Nanos, Stamp};

/// Payloads in as many frames as it takes (ISO 15765-2), with the instants of the first and the last.
pub(super) struct IsoTp {
    sender: RefCell<Sender>,
    receiver: RefCell<Receiver>,
    /// A flow control has come.
    flow: Notify,
    /// When the first frame of the payload that has not ended was on the bus, and the newest.
    begun: Cell<Option<(Stamp, Stamp)>>,
    /// Bytes of data in its frames so far.
    wire: Cell<usize>,
}

impl IsoTp {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            sender: RefCell::new(Sender::new(settings)),
            receiver: RefCell::new(Receiver::new(settings)),
            flow: Notify::new(),
            begun: Cell::new(None),
            wire: Cell::new(0),
        }
    }

    pub(super) async fn send(&self, bus: &Bus, payload: &Frame, clock: Clock) -> Result<(Sent, Size), NodeError> {
        let mut bytes = [0; MAX_PAYLOAD];
        let size = payload.write(&mut bytes);
        self.sender.borrow_mut().start(&bytes[..size], clock.now());
        let mut outgoing = Outgoing::default();
        loop {
            // Borrowed for this line only: flow control arrives while the frame is on its way.
            let todo = self.sender.borrow_mut().poll(clock.now());
            match todo {
                Todo::Send(frame) => {
                    let sent = bus.transmit(&frame).await?;
                    outgoing.note(&frame, sent);
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
        Ok((sent, Size { payload: sixteen(size), pdu: sixteen(size), wire: sixteen(outgoing.wire) }))
    }

    pub(super) async fn take(&self, bus: &Bus, seen: &Seen, clock: Clock, found: &mut dyn FnMut(Arrived)) {
        let now = clock.now();
        if self.sender.borrow_mut().take(&seen.frame, now) {
            self.flow.notify_one();
            return;
        }
        let mut reply = None;
        let length = usize::from(seen.frame.length());
        let mut ended = false;
        let taken = self.receiver.borrow_mut().take(&seen.frame, now, &mut |taken| match taken {
            Taken::Begun => self.begin(seen.at),
            Taken::Reply(frame) => reply = Some(frame),
            Taken::Whole(bytes) => {
                ended = true;
                let (first, _) = self.begun.take().unwrap_or((seen.at, seen.at));
                found(whole(&bytes, (first, seen.at), self.wire.take() + length));
            }
            Taken::Broken { flaw, bytes } => {
                ended = flaw == ReceiveError::Meaningless || flaw == ReceiveError::WrongSequence;
                let (first, newest) = self.begun.take().unwrap_or((seen.at, seen.at));
                let last = if ended { seen.at } else { newest };
                found(broken(flaw, &bytes, (first, last), self.wire.take() + if ended { length } else { 0 }));
            }
        });
        if taken && !ended {
            self.wire.set(self.wire.get() + length);
            self.begun.set(self.begun.get().map(|(first, _)| (first, seen.at)));
        }
        if let Some(reply) = reply {
            // Where the flow control does not get through, the device sends nothing more and the payload expires.
            let _ = bus.transmit(&reply).await;
        }
    }

    pub(super) fn deadline(&self) -> Option<Nanos> {
        self.receiver.borrow().deadline()
    }

    pub(super) fn expire(&self, now: Nanos, found: &mut dyn FnMut(Arrived)) {
        if let Some(Taken::Broken { flaw, bytes }) = self.receiver.borrow_mut().expire(now)
            && let Some(stamps) = self.begun.take()
        {
            found(broken(flaw, &bytes, stamps, self.wire.take()));
        }
    }

    pub(super) fn reset(&self) {
        self.receiver.borrow_mut().reset();
        self.begun.take();
        self.wire.take();
    }

    fn begin(&self, at: Stamp) {
        self.begun.set(Some((at, at)));
        self.wire.set(0);
    }
}

fn whole(bytes: &[u8], stamps: (Stamp, Stamp), wire: usize) -> Arrived {
    arrived(of_datagram(bytes), bytes, stamps, wire)
}

fn broken(flaw: ReceiveError, bytes: &[u8], stamps: (Stamp, Stamp), wire: usize) -> Arrived {
    let flaw = match flaw {
        ReceiveError::Timeout | ReceiveError::WrongSequence | ReceiveError::Interrupted => Flaw::Truncated,
        ReceiveError::TooLong | ReceiveError::Meaningless => Flaw::Garbage,
    };
    arrived(Unit::Broken { flaw, claimed: Frame::claimed_header(bytes) }, bytes, stamps, wire)
}

fn arrived(what: Unit, bytes: &[u8], (first, last): (Stamp, Stamp), wire: usize) -> Arrived {
    let payload = sixteen(bytes.len());
    let size = Size { payload, pdu: payload, wire: sixteen(wire) };
    Arrived { what, size, first, last, bytes: u32::from(size.wire) }
}
