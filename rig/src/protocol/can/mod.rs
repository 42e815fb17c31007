//! Payloads on a CAN bus: a device's node, which makes frames of payloads and payloads of frames.

mod datagram;
mod iso_tp;
mod plain;

use std::io;
use std::rc::Rc;
use std::time::Duration;

use rig_can::isotp::SendError;
use rig_payload::{Actor, Frame, MAX_PAYLOAD};
use tokio::sync::Mutex;

use super::{Arrived, sixteen};
use crate::event::Size;
use crate::fixture::{self, Transport};
use crate::link::Sent;
use crate::link::can::{Bus, Station, Transmitted};
use crate::stamp::{Clock, Stamp};
use plain::Plain;

pub use datagram::Datagram;
pub use iso_tp::IsoTp;

/// A device on a bus, as rig speaks with it.
pub struct Node {
    bus: Rc<Bus>,
    talk: Talk,
    /// Held while a payload is sent, so that two payloads do not mix their frames.
    sending: Mutex<()>,
    clock: Clock,
}

enum Talk {
    IsoTp(Box<IsoTp>),
    Plain(Box<Plain>),
}

/// Why a payload did not go out.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A frame did not get onto the bus.
    #[error(transparent)]
    Bus(#[from] io::Error),
    /// The device did not let the payload through.
    #[error(transparent)]
    Refused(#[from] SendError),
    /// rig kept the device waiting in the middle of a payload.
    #[error(
        "rig kept it waiting for {} ms, and ISO 15765-2 has no node wait longer than 900 ms; is the machine busy?",
        .0.as_millis()
    )]
    TooSlow(Duration),
    /// No message of the fixture carries it.
    #[error("no message of the fixture carries {0}; add one")]
    NoMessage(&'static str),
}

impl Node {
    /// The node of a device that plays `actor`, and the station at which its frames arrive.
    #[must_use]
    pub fn new(bus: Rc<Bus>, spec: &fixture::Node, actor: Actor, clock: Clock) -> (Self, Station) {
        let station = bus.station(Some(spec.ids()));
        let talk = match &spec.transport {
            Transport::IsoTp(settings) => Talk::IsoTp(Box::new(IsoTp::new(*settings))),
            Transport::PlainFrames(messages) => Talk::Plain(Box::new(Plain::new(messages, actor))),
        };
        (Self { bus, talk, sending: Mutex::new(()), clock }, station)
    }

    /// Sends a payload, after those of other senders, and waits until its last frame is on the bus.
    ///
    /// # Errors
    /// Where the bus or the device does not take it; a part may have gone out.
    pub async fn send(&self, payload: &Frame) -> Result<(Sent, Size), NodeError> {
        let _turn = self.sending.lock().await;
        match &self.talk {
            Talk::IsoTp(talk) => {
                let mut bytes = [0; MAX_PAYLOAD];
                let size = payload.write(&mut bytes);
                let (sent, wire) = talk.send(&self.bus, &bytes[..size], self.clock).await?;
                Ok((sent, Size { payload: sixteen(size), pdu: sixteen(size), wire: sixteen(wire) }))
            }
            Talk::Plain(talk) => talk.send(&self.bus, payload).await,
        }
    }

    /// Makes payloads of the frames that arrive at its station, until the bus is gone. Tells, too, why an answer that a
    /// payload waits for did not go out.
    pub async fn hear(&self, station: &mut Station, found: &mut dyn FnMut(Result<Arrived, NodeError>)) -> io::Error {
        loop {
            let until = match &self.talk {
                Talk::IsoTp(talk) => talk.deadline(),
                Talk::Plain(talk) => talk.deadline(),
            };
            let due = self.clock.instant(until.unwrap_or_default());
            tokio::select! { biased;
                seen = station.next() => {
                    let Some(seen) = seen else { return io::Error::new(io::ErrorKind::NotConnected, "the bus is gone") };
                    match &self.talk {
                        Talk::IsoTp(talk) => {
                            let mut ended = |datagram: Datagram| found(Ok(datagram.arrived()));
                            if let Err(error) = talk.take(&self.bus, &seen, self.clock, &mut ended).await {
                                found(Err(error));
                            }
                        }
                        Talk::Plain(talk) => talk.take(&seen, &mut |arrived| found(Ok(arrived))),
                    }
                }
                () = tokio::time::sleep_until(due), if until.is_some() => match &self.talk {
                    Talk::IsoTp(talk) => talk.expire(self.clock.now(), &mut |datagram| found(Ok(datagram.arrived()))),
                    Talk::Plain(talk) => talk.expire(self.clock.now(), &mut |arrived| found(Ok(arrived))),
                },
            }
        }
    }

    /// Forgets what was begun: the device has lost its power in the middle of it.
    pub fn reset(&self) {
        match &self.talk {
            Talk::IsoTp(talk) => talk.reset(),
            Talk::Plain(talk) => talk.reset(),
        }
    }
}

/// What became of the frames of a payload that went out.
#[derive(Default)]
struct Outgoing {
    first: Option<Stamp>,
    last: Option<Stamp>,
    wire: usize,
}

impl Outgoing {
    fn note(&mut self, frame: &rig_can::Frame, sent: Transmitted) {
        self.first.get_or_insert(sent.handed);
        self.last = Some(sent.on_bus);
        self.wire += usize::from(frame.length());
    }

    fn sent(&self) -> Option<Sent> {
        Some(Sent { first: self.first?, last: self.last? })
    }
}

#[cfg(test)]
mod tests;
