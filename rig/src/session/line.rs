//! A device's line: how payloads go to it and come from it, over a stream of bytes or as a node of a CAN bus.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use rig_payload::{Actor, Frame};
use tokio::sync::Mutex;

use super::bus::Bus;
use crate::event::Size;
use crate::fixture::{self, Device, Stream};
use crate::link::can::Station;
use crate::link::{BenchPorts, Chunk, Link, LinkError, Sent};
use crate::protocol::can::{Node, NodeError};
use crate::protocol::{self, Arrived, Receiver};
use crate::stamp::Clock;

/// A payload that stands unfinished for this long will not be finished: the longest takes 15 ms at 115200 baud and
/// 5 s at 300, so the pause is counted from the last byte.
const UNFINISHED: Duration = Duration::from_millis(500);

/// An open line.
pub enum Line {
    /// A stream.
    Stream(Box<Link>, fixture::Protocol),
    /// A node of a CAN bus, and where its frames arrive.
    Node(Box<Node>, Mutex<Station>),
}

/// Where a device's line is found.
pub struct Wires {
    /// The virtual bench's ports.
    pub bench: Rc<BenchPorts>,
    /// The bus, where the device is on one.
    pub bus: Option<Rc<Bus>>,
}

/// Is told of bytes as they come, before the payloads in them.
pub trait Tap {
    /// Bytes have come. Says whether what is unfinished is to be given up first: a cut has ended it.
    fn bytes(&self, chunk: &Chunk, bytes: &[u8]) -> bool;
    /// A payload has come, or something broken.
    fn arrived(&self, arrived: &Arrived);
    /// rig's answer, for which a payload waits, did not go out.
    fn unanswered(&self, error: NodeError);
}

impl Line {
    /// Opens a device's line; for a node, waits until its bus is open.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn open(device: &Device, actor: Actor, wires: &Wires, clock: Clock) -> Result<Self, LinkError> {
        match (&device.link, &wires.bus) {
            (fixture::Link::Can(spec), Some(bus)) => {
                let (node, station) = Node::new(bus.opened().await, spec, actor, clock);
                Ok(Self::Node(Box::new(node), Mutex::new(station)))
            }
            (fixture::Link::Can(spec), None) => Err(LinkError::NoBus { name: crate::link::shown(&spec.bus) }),
            (fixture::Link::Stream(stream), _) => Self::stream(stream, device.protocol, wires, clock).await,
        }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub async fn stream(
        stream: &Stream,
        protocol: fixture::Protocol,
        wires: &Wires,
        clock: Clock,
    ) -> Result<Self, LinkError> {
        Ok(Self::Stream(Box::new(Link::open(stream, &wires.bench, clock).await?), protocol))
    }

    /// What was obtained for a stream; a node's bus tells it for all its nodes.
    #[must_use]
    pub fn obtained(&self) -> Option<&std::collections::BTreeMap<String, String>> {
        match self {
            Self::Stream(link, _) => Some(link.obtained()),
            Self::Node(..) => None,
        }
    }

    /// Sends a payload; `outgoing` is told the bytes of a stream, for the trace.
    ///
    /// # Errors
    /// Where it did not go out.
    pub async fn send(&self, payload: &Frame, outgoing: impl FnOnce(&Sent, &[u8])) -> Result<(Sent, Size), NodeError> {
        match self {
            Self::Stream(link, protocol) => {
                let mut bytes = Vec::with_capacity(rig_payload::MAX_ENCODED);
                let size = protocol::of(*protocol).encode(payload, &mut bytes);
                let sent = link.send(&bytes).await?;
                outgoing(&sent, &bytes);
                Ok((sent, size))
            }
            Self::Node(node, _) => node.send(payload).await,
        }
    }

    /// Hears until the line is lost.
    pub async fn hear(&self, tap: &dyn Tap) -> io::Error {
        match self {
            Self::Stream(link, protocol) => hear_stream(link, *protocol, tap).await,
            Self::Node(node, station) => {
                let mut station = station.lock().await;
                let mut found = |found: Result<Arrived, NodeError>| match found {
                    Ok(arrived) => tap.arrived(&arrived),
                    Err(error) => tap.unanswered(error),
                };
                node.hear(&mut station, &mut found).await
            }
        }
    }

    /// The device has lost its power: what it had begun will not end.
    pub fn cut(&self) {
        if let Self::Node(node, _) = self {
            node.reset();
        }
    }
}

async fn hear_stream(link: &Link, protocol: fixture::Protocol, tap: &dyn Tap) -> io::Error {
    let mut receiver = Receiver::new(protocol::of(protocol));
    let mut buffer = [0; 4096];
    loop {
        let read = if receiver.unfinished().is_none() {
            link.receive(&mut buffer).await
        } else if let Ok(read) = tokio::time::timeout(UNFINISHED, link.receive(&mut buffer)).await {
            read
        } else {
            if let Some(arrived) = receiver.flush() {
                tap.arrived(&arrived);
            }
            continue;
        };
        let chunk = match read {
            Ok(chunk) => chunk,
            Err(error) => {
                if let Some(arrived) = receiver.flush() {
                    tap.arrived(&arrived);
                }
                return error;
            }
        };
        let bytes = &buffer[..chunk.length];
        if tap.bytes(&chunk, bytes) {
            receiver.flush();
        }
        receiver.take(&chunk, bytes, |arrived| tap.arrived(&arrived));
    }
}
