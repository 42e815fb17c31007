//! The carrier brings payloads from where they are sent to the desk: over a device's port, the emulated network and
//! loopback TCP, to an external program, into the database.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::rc::{Rc, Weak};
use std::time::Duration;

use rig_payload::{Actor, Frame, Header, Kind};
use tokio::task::spawn_local;

use super::belief::Reading;
use super::desk::{Desk, Landed, Strayed};
use super::notes::Notes;
use super::pause::pause;
use super::port::{Ear, Port};
use super::wiring::{Place, Wiring};
use crate::actor::{Database, Measurement, Network, Passage};
use crate::event::{Fact, Flaw, Misbehaviour, RigFault, Size, Stray};
use crate::link::{Link, Sent};
use crate::plan::EdgeId;
use crate::protocol::{Arrived, Receiver, Unit};
use crate::stamp::{Source, Stamp};

/// A payload on its way.
#[derive(Clone, Debug)]
pub struct Sending {
    /// When its originator sent it.
    pub sent: Stamp,
    /// When its last byte was on a device's wire, where it went that far.
    pub on_wire: Option<Stamp>,
    /// Its sizes, where it was on a device's wire.
    pub size: Option<Size>,
    /// The hop of the emulated network that lost it.
    pub lost_in: Option<String>,
}

impl Sending {
    fn at(sent: Stamp) -> Self {
        Self { sent, on_wire: None, size: None, lost_in: None }
    }
}

/// Payloads by source, destination and sequence.
type Unreceipted = HashMap<(Actor, Actor, u16), (EdgeId, Landed)>;

/// The carrier.
pub struct Carrier {
    wiring: Wiring,
    /// In order, so that a seed replays a session whose ports open at the same instant.
    ports: BTreeMap<Actor, Rc<Port>>,
    /// The sending ends of the loopback connections, one an edge.
    channels: HashMap<EdgeId, Rc<Link>>,
    externals: HashMap<Actor, Rc<Link>>,
    network: RefCell<Network>,
    database: Option<Database>,
    /// What was seen of a payload at its device's port, for when it reaches its actor.
    seen: RefCell<HashMap<(EdgeId, u16), Landed>>,
    /// Payloads that an external program has not yet acknowledged.
    unreceipted: RefCell<Unreceipted>,
    /// Whether a connection between actors has ended: what it was to bring would look lost.
    severed: Cell<bool>,
    desk: Rc<Desk>,
    notes: Notes,
    itself: Weak<Self>,
}

/// What a carrier is made of.
pub struct Parts {
    /// Which edge goes where.
    pub wiring: Wiring,
    /// The devices' ports, by actor.
    pub ports: BTreeMap<Actor, Rc<Port>>,
    /// Loopback connections: an edge, the sending and the receiving end.
    pub channels: Vec<(EdgeId, Link, Link)>,
    /// Connections to external programs.
    pub externals: Vec<(Actor, Link)>,
    /// The emulated network.
    pub network: Network,
    /// The analytic database.
    pub database: Option<Database>,
}

impl Carrier {
    /// A carrier whose receiving ends listen.
    #[must_use]
    pub fn start(parts: Parts, desk: Rc<Desk>, notes: Notes) -> Rc<Self> {
        let Parts { wiring, ports, channels, externals, network, database } = parts;
        let (senders, receivers): (HashMap<_, _>, Vec<_>) = channels
            .into_iter()
            .map(|(edge, sending, receiving)| ((edge, Rc::new(sending)), (edge, receiving)))
            .unzip();
        let externals: HashMap<_, _> = externals.into_iter().map(|(actor, link)| (actor, Rc::new(link))).collect();
        let carrier = Rc::new_cyclic(|itself| Self {
            wiring,
            ports,
            channels: senders,
            externals,
            network: RefCell::new(network),
            database,
            seen: RefCell::default(),
            unreceipted: RefCell::default(),
            severed: Cell::new(false),
            desk,
            notes,
            itself: itself.clone(),
        });
        for (edge, link) in receivers {
            spawn_local(Rc::clone(&carrier).receive_channel(edge, link));
        }
        for (actor, link) in &carrier.externals {
            spawn_local(Rc::clone(&carrier).receive_external(*actor, Rc::clone(link)));
        }
        carrier
    }

    /// The port of the device that plays an actor.
    #[must_use]
    pub fn port(&self, actor: Actor) -> Option<&Rc<Port>> {
        self.ports.get(&actor)
    }

    /// All ports.
    pub fn ports(&self) -> impl Iterator<Item = &Rc<Port>> {
        self.ports.values()
    }

    /// Whether a connection between actors has ended, which nothing opens again.
    #[must_use]
    pub fn is_severed(&self) -> bool {
        self.severed.get()
    }

    /// Which edge goes where.
    #[must_use]
    pub fn wiring(&self) -> &Wiring {
        &self.wiring
    }

    /// Sends a payload of an emulated actor. It lands at the desk, unless the destination is a device: then the
    /// sending tells when it was on the device's wire.
    pub async fn send(&self, edge: EdgeId, frame: &Frame) -> Sending {
        let now = self.notes.now();
        let sent = Stamp::new(now, now, Source::User);
        let delays = match self.network.borrow_mut().pass(frame.header.source.name(), frame.header.destination.name()) {
            Passage::LostIn(hop) => {
                self.desk.lose(edge, frame.header, hop.clone());
                return Sending { lost_in: Some(hop), ..Sending::at(sent) };
            }
            Passage::Copies(delays) => delays,
        };
        if let Place::Device(actor) = self.wiring.destination(edge) {
            return self.send_to_device(edge, actor, frame, sent, &delays).await;
        }
        self.dispatch(edge, frame, &delays);
        Sending::at(sent)
    }

    async fn send_to_device(
        &self,
        edge: EdgeId,
        actor: Actor,
        frame: &Frame,
        sent: Stamp,
        delays: &[Duration],
    ) -> Sending {
        let Some(port) = self.ports.get(&actor) else { return Sending::at(sent) };
        self.desk.expect_answers(&frame.header, extra(delays));
        let mut on_wire = None;
        let mut waited = Duration::ZERO;
        for delay in delays {
            pause(delay.saturating_sub(waited)).await;
            waited = (*delay).max(waited);
            // A port that is gone has been noted where it was lost; the payload then goes nowhere.
            if let Ok(transmitted) = port.send(frame, edge).await {
                on_wire.get_or_insert(transmitted);
            }
        }
        let Some((Sent { first, last }, size)) = on_wire else { return Sending::at(sent) };
        let sent = if waited.is_zero() { first } else { sent };
        Sending { on_wire: Some(last), size: Some(size), ..Sending::at(sent) }
    }

    /// Brings a payload to an actor that is not a device, each copy after its delay.
    fn dispatch(&self, edge: EdgeId, frame: &Frame, delays: &[Duration]) {
        self.desk.expect_copies(edge, &frame.header, extra(delays));
        for delay in delays {
            let Some(carrier) = self.itself.upgrade() else { return };
            let (frame, delay) = (*frame, *delay);
            spawn_local(async move {
                pause(delay).await;
                if let Err(error) = carrier.hand_over(edge, &frame).await {
                    let to = frame.header.destination.name();
                    carrier.notes.fault(RigFault::Actor, format!("cannot reach {to}: {error}"));
                }
            });
        }
    }

    async fn hand_over(&self, edge: EdgeId, frame: &Frame) -> io::Result<()> {
        if let Place::External(actor) = self.wiring.destination(edge) {
            let link = self.externals.get(&actor).ok_or(io::ErrorKind::NotConnected)?;
            let sent = link.send(frame.encode().as_bytes()).await?;
            let Header { source, destination, sequence, .. } = frame.header;
            let landed = self.complete(edge, landed_of(frame, sent.last, sent.last));
            self.unreceipted.borrow_mut().insert((source, destination, sequence), (edge, landed));
            return Ok(());
        }
        let link = self.channels.get(&edge).ok_or(io::ErrorKind::NotConnected)?;
        link.send(frame.encode().as_bytes()).await.map(drop)
    }

    async fn receive_channel(self: Rc<Self>, edge: EdgeId, link: Link) {
        let error = self
            .receive(&link, |carrier, arrived, frame| {
                let landed = carrier.complete(edge, landed_of(&frame, arrived.first, arrived.last));
                if carrier.wiring.destination(edge) == Place::Database {
                    spawn_local(carrier.store(edge, Box::new(landed)));
                } else {
                    carrier.land(edge, &landed);
                }
            })
            .await;
        self.severed.set(true);
        self.notes.fault(RigFault::Actor, format!("a loopback connection broke: {error}"));
    }

    async fn receive_external(self: Rc<Self>, actor: Actor, link: Rc<Link>) {
        let error = self.receive(&link, |carrier, arrived, frame| carrier.hear_external(actor, arrived, &frame)).await;
        let name = actor.name();
        self.severed.set(true);
        self.notes
            .fault(RigFault::Actor, format!("the external {name} has closed its connection: {error}; start it again"));
    }

    fn hear_external(&self, actor: Actor, arrived: &Arrived, frame: &Frame) {
        let Header { kind, source, destination, sequence, .. } = frame.header;
        if kind == Kind::Receipt {
            let found = self.unreceipted.borrow_mut().remove(&(source, destination, sequence));
            if let Some((edge, mut landed)) = found {
                landed.last = Stamp::new(landed.last.lo, arrived.first.hi, Source::Bounded);
                self.desk.land(edge, &landed);
            }
        } else if let Some(edge) = self.desk.edge_of(&frame.header).filter(|_| source == actor) {
            self.desk.land(edge, &landed_of(frame, arrived.first, arrived.last));
        } else {
            let (from, bytes) = (actor.name().to_owned(), arrived.bytes);
            let stray = Stray { from, edge: None, at: arrived.last, flaw: Flaw::Unsolicited, bytes, by_hop: false };
            self.notes.note(Fact::Stray(stray));
        }
    }

    /// A payload has reached its actor in rig. Where it is a stray, the device that it comes from is charged with it.
    fn land(&self, edge: EdgeId, landed: &Landed) {
        let strayed = self.desk.land(edge, landed);
        if let (Some(Strayed { by_hop: false, .. }), Some(port)) = (strayed, self.ports.get(&landed.header.source)) {
            port.count_stray();
        }
    }

    async fn receive(self: &Rc<Self>, link: &Link, take: impl Fn(Rc<Self>, &Arrived, Frame)) -> io::Error {
        let mut receiver = Receiver::new(crate::protocol::of(crate::fixture::Protocol::ReferenceFrame));
        let mut buffer = [0; 4096];
        loop {
            let chunk = match link.receive(&mut buffer).await {
                Ok(chunk) => chunk,
                Err(error) => return error,
            };
            receiver.take(&chunk, &buffer[..chunk.length], |arrived| {
                if let Unit::Whole(frame) = arrived.what {
                    take(Rc::clone(self), &arrived, frame);
                }
            });
        }
    }

    /// Adds to a payload at its actor what was seen of it at its device's port.
    fn complete(&self, edge: EdgeId, mut landed: Landed) -> Landed {
        // A device that has booted counts from the start: a straggler of the last trial may have the same sequence.
        let seen = self.seen.borrow();
        if let Some(seen) = seen.get(&(edge, landed.header.sequence)).filter(|seen| seen.header == landed.header) {
            landed = Landed { last: landed.last, ..*seen };
        }
        landed
    }

    async fn store(self: Rc<Self>, edge: EdgeId, mut landed: Box<Landed>) {
        let Some(database) = &self.database else { return };
        let Landed { header, body, last, .. } = *landed;
        let (trial, at) = (self.notes.trial().unwrap_or_default(), last.hi);
        let measurement = Measurement { trial, at, wall: self.notes.wall(at), frame: Frame { header, body } };
        match database.commit(measurement).await {
            Ok(committed) => {
                landed.last = committed;
                self.land(edge, &landed);
            }
            Err(error) => self.notes.fault(RigFault::Actor, format!("the analytic database did not commit: {error}")),
        }
    }

    /// Forgets what was seen at the ports in a trial that is over.
    pub fn clear(&self) {
        self.seen.borrow_mut().clear();
        self.unreceipted.borrow_mut().clear();
    }
}

impl Ear for Carrier {
    fn payload(&self, port: &Port, frame: Frame, reading: Reading, arrived: &Arrived) {
        if reading.forgot {
            let what = format!("{} tells a setting older than the one it acknowledged", frame.header.kind.name());
            port.misbehaved(Misbehaviour::ForgotState, what);
        }
        let landed = Landed {
            size: arrived.size,
            on_wire: Some(arrived.last),
            made: reading.made,
            flaw: reading.flaw,
            ..landed_of(&frame, arrived.first, arrived.last)
        };
        let Some(edge) = self.desk.edge_of(&frame.header).filter(|_| frame.header.source == port.actor()) else {
            port.stray(None, Flaw::Unsolicited, arrived.last, arrived.bytes);
            return;
        };
        if !self.wiring.is_relayed(edge) {
            self.land(edge, &landed);
            return;
        }
        let passage = self.network.borrow_mut().pass(frame.header.source.name(), frame.header.destination.name());
        match passage {
            Passage::LostIn(hop) => self.desk.lose(edge, frame.header, hop),
            Passage::Copies(delays) => {
                self.seen.borrow_mut().insert((edge, frame.header.sequence), landed);
                self.dispatch(edge, &frame, &delays);
            }
        }
    }

    fn broken(&self, port: &Port, flaw: Flaw, claimed: Option<Header>) {
        self.desk.land_broken(port.actor(), flaw, claimed);
    }

    fn forgot(&self, port: &Port) {
        self.desk.forget(port.actor());
    }
}

/// How many copies there are beyond the first.
fn extra(delays: &[Duration]) -> u32 {
    delays.len().saturating_sub(1).try_into().unwrap_or(u32::MAX)
}

fn landed_of(frame: &Frame, first: Stamp, last: Stamp) -> Landed {
    let payload = u16::try_from(frame.size()).unwrap_or(u16::MAX);
    let wire = u16::try_from(frame.encode().as_bytes().len()).unwrap_or(u16::MAX);
    let size = Size { payload, pdu: payload, wire };
    Landed { header: frame.header, body: frame.body, size, first, last, on_wire: None, made: None, flaw: None }
}
