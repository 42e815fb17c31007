mod arrivals;
mod home;
mod listener;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rig_can::isotp::SendError;
use rig_payload::{Actor, Frame};
use tokio::sync::Notify;

use self::arrivals::Arrivals;
use self::home::Home;
use self::listener::Listener;
use super::belief::Belief;
use super::line::{Line, Wires};
use super::notes::Notes;
use crate::event::{Fact, Flaw, Misbehaviour, RigFault, Size, Stray};
use crate::fixture::{self, Device, Level, Stream};
use crate::link::{LinkError, Sent};
use crate::plan::EdgeId;
use crate::protocol::can::NodeError;
use crate::stamp::Stamp;

pub use self::listener::Ear;

/// How often a port that is gone is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Strays in one trial from which on a device is said to babble.
const BABBLE: u32 = 10;

/// A device's port: opened, lost and found again, with what rig believes of the device behind it.
pub struct Port {
    name: Arc<str>,
    actor: Actor,
    device: Device,
    line: RefCell<Option<Rc<Line>>>,
    trouble: RefCell<Option<LinkError>>,
    belief: RefCell<Belief>,
    powered: Cell<bool>,
    /// How often its supply was cut.
    cuts: Cell<u32>,
    boots: Cell<u32>,
    heard: Cell<u64>,
    strays: Cell<u32>,
    cut_short: Cell<bool>,
    /// Its power was cut, and nothing whole came since: pieces are what the cut left, and no flaw of the device.
    returning: Cell<bool>,
    /// Its port was lost although it has power, and is not back.
    adrift: Cell<bool>,
    silent: Cell<bool>,
    /// The port of its own for what it sends to a home.
    home: Home,
    /// What its log tells of commands.
    arrivals: Arrivals,
    changed: Notify,
    notes: Notes,
}

impl Port {
    /// The port of a device that plays `actor`; nothing is opened yet.
    #[must_use]
    pub fn new(name: &str, actor: Actor, device: Device, notes: Notes) -> Self {
        Self {
            name: name.into(),
            actor,
            belief: RefCell::new(Belief::new(device.stamp_drift_ppm)),
            device,
            line: RefCell::default(),
            trouble: RefCell::default(),
            powered: Cell::new(true),
            cuts: Cell::new(0),
            boots: Cell::new(0),
            heard: Cell::new(0),
            strays: Cell::new(0),
            cut_short: Cell::new(false),
            returning: Cell::new(false),
            adrift: Cell::new(false),
            silent: Cell::new(false),
            home: Home::default(),
            arrivals: Arrivals::default(),
            changed: Notify::new(),
            notes,
        }
    }

    /// The device's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The actor it plays.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }

    /// The device as the fixture has it.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Opens the port and listens; where it is not there, or no longer, looks for it again until the session ends.
    pub async fn listen(&self, wires: &Wires, ear: &dyn Ear) {
        loop {
            match Line::open(&self.device, self.actor, wires, self.notes.clock()).await {
                Ok(line) => self.hear_until_lost(Rc::new(line), ear).await,
                Err(error) => *self.trouble.borrow_mut() = Some(error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Why the port could not be opened, the last time it was tried in vain.
    #[must_use]
    pub fn trouble(&self) -> Option<LinkError> {
        self.trouble.take()
    }

    /// Waits until the port is open.
    pub async fn opened(&self) {
        self.until(|| self.line.borrow().is_some()).await;
    }

    /// Sends a payload to the device.
    ///
    /// # Errors
    /// Where the port is gone.
    pub async fn send(&self, frame: &Frame, edge: EdgeId) -> std::io::Result<(Sent, Size)> {
        let line = self.line.borrow().clone().ok_or(std::io::ErrorKind::NotConnected)?;
        let trace = |sent: &Sent, bytes: &[u8]| self.notes.traffic(&self.name, true, sent.first.lo, bytes, Some(edge));
        match line.send(frame, trace).await {
            Ok((sent, size)) => {
                self.belief.borrow_mut().commanded(&frame.header, sent.last);
                Ok((sent, size))
            }
            Err(error) => Err(self.not_sent(frame.header.kind.name(), error)),
        }
    }

    /// Notes why something did not go out: the device's doing only where it is the device that did not let it through.
    fn not_sent(&self, what: &str, error: NodeError) -> std::io::Error {
        let detail = format!("{what} did not get through to {}: {error}", self.name);
        match error {
            // The loss of a port or an adapter was noted where it was lost.
            NodeError::Bus(error) if error.kind() == std::io::ErrorKind::NotConnected => return error,
            NodeError::Bus(_) if matches!(self.device.link, fixture::Link::Stream(_)) => {}
            // Nobody on the bus acknowledges: the device is not there for rig, as one on a serial line that is silent.
            NodeError::Bus(ref error) if error.kind() == std::io::ErrorKind::TimedOut => {
                self.notes.note(Fact::Warning { detail });
            }
            NodeError::Bus(_)
            | NodeError::NoMessage(_)
            | NodeError::TooSlow(_)
            | NodeError::Refused(SendError::NotSent | SendError::Length) => {
                self.notes.fault(RigFault::NotSent, detail);
            }
            NodeError::Refused(_) if self.powered.get() => self.misbehaved(Misbehaviour::RefusedPayload, detail),
            NodeError::Refused(_) => {}
        }
        std::io::Error::other(error)
    }

    /// What the device senses as the grid has changed.
    pub fn grid_changed(&self, to: Level, edge: Stamp) {
        self.belief.borrow_mut().grid_changed(to, edge);
    }

    /// The device's supply changes.
    pub fn set_powered(&self, powered: bool) {
        self.powered.set(powered);
        self.changed.notify_waiters();
        if !powered {
            self.cuts.set(self.cuts.get() + 1);
            self.home.cut_short.set(true);
            self.belief.borrow_mut().cut();
            self.cut_short.set(true);
            self.returning.set(true);
            if let Some(line) = &*self.line.borrow() {
                line.cut();
            }
        }
    }

    /// Whether a port of the device's was lost although the device has power, and is not back: what the device sends
    /// meanwhile is lost to the rig, not by the device.
    #[must_use]
    pub fn is_adrift(&self) -> bool {
        self.adrift.get() || self.home.adrift.get()
    }

    /// Waits until no port of the device's is adrift.
    pub async fn found_again(&self) {
        self.until(|| !self.is_adrift()).await;
    }

    /// Whether the port is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.line.borrow().is_some()
    }

    /// Whether the device's supply is up.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.powered.get()
    }

    /// Waits until the device's supply is up, or down.
    pub async fn power_is(&self, up: bool) {
        self.until(|| self.powered.get() == up).await;
    }

    /// How often the device's supply was cut.
    #[must_use]
    pub fn cuts(&self) -> u32 {
        self.cuts.get()
    }

    /// How often the device has said that it booted.
    #[must_use]
    pub fn boots(&self) -> u32 {
        self.boots.get()
    }

    /// Waits until the device has booted more often than `before`.
    pub async fn booted_since(&self, before: u32) {
        self.until(|| self.boots.get() > before).await;
    }

    /// The device is started anew: it will boot.
    pub fn restarts(&self) {
        self.belief.borrow_mut().cut();
    }

    /// Whether the device has not said that it booted since its power came.
    #[must_use]
    pub fn is_boot_due(&self) -> bool {
        self.belief.borrow().is_boot_due()
    }

    /// From now on a boot is due only after a cut.
    pub fn settle(&self) {
        self.belief.borrow_mut().settled();
    }

    /// Bytes heard so far.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard.get()
    }

    /// Notes, once a silence, that the device answers nothing although it has power.
    pub fn judge_silence(&self, silent: bool) {
        if !self.silent.replace(silent) && silent {
            let detail = "not one byte in a whole trial, although it has power".to_owned();
            self.misbehaved(Misbehaviour::Stuck, detail);
        }
    }

    /// Starts a trial: strays are counted anew.
    pub fn start_trial(&self) {
        self.strays.set(0);
    }

    /// Counts a stray; notes once a trial that the device babbles.
    pub fn count_stray(&self) {
        self.strays.set(self.strays.get() + 1);
        if self.strays.get() == BABBLE {
            self.misbehaved(Misbehaviour::Babbling, format!("{BABBLE} strays in one trial, and it goes on"));
        }
    }

    /// Notes what no delivery shows.
    pub fn misbehaved(&self, how: Misbehaviour, detail: String) {
        self.notes.note(Fact::Misbehaved { device: self.name.to_string(), how, detail });
    }

    async fn until(&self, reached: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            if reached() {
                return;
            }
            changed.await;
        }
    }

    async fn hear_until_lost(&self, line: Rc<Line>, ear: &dyn Ear) {
        if let Some(obtained) = line.obtained() {
            self.notes.note(Fact::LinkUp { name: self.name.to_string(), obtained: obtained.clone() });
        }
        *self.line.borrow_mut() = Some(Rc::clone(&line));
        self.adrift.set(false);
        self.changed.notify_waiters();
        let error = line.hear(&Listener { port: self, ear, name: &self.name, cut_short: &self.cut_short }).await;
        *self.line.borrow_mut() = None;
        let fixture::Link::Stream(stream) = &self.device.link else {
            // An adapter of a bus has a supply of its own; its loss was noted once for all devices of the bus.
            self.adrift.set(true);
            return;
        };
        self.adrift.set(self.note_lost(&self.name, stream, &error));
    }

    /// Notes that a port was lost. Returns whether the device has power all the same.
    fn note_lost(&self, name: &str, stream: &Stream, error: &std::io::Error) -> bool {
        // A port of the device's own goes with its power, and the system may tell of it when power is back already.
        let unpowered = !self.powered.get() || self.belief.borrow().is_boot_due();
        self.notes.note(Fact::LinkDown { name: name.to_owned(), reason: error.to_string(), unpowered });
        if !unpowered {
            let port = describe(stream);
            let detail =
                format!("the port of {name} ({port}) is gone although it has power: {error}; check cable and adapter");
            self.notes.fault(RigFault::AdapterGone, detail);
        }
        !unpowered
    }

    /// Notes something from this device that is no delivery.
    pub fn stray(&self, edge: Option<EdgeId>, flaw: Flaw, at: Stamp, bytes: u32) {
        self.notes.note(Fact::Stray(Stray { from: self.name.to_string(), edge, at, flaw, bytes, by_hop: false }));
        self.count_stray();
    }
}

fn describe(stream: &Stream) -> String {
    match stream {
        Stream::Serial(serial) => match &serial.port {
            crate::fixture::Port::Path(path) => path.display().to_string(),
            crate::fixture::Port::Bench(name) => format!("bench:{name}"),
        },
        Stream::Tcp(address) => address.clone(),
    }
}

#[cfg(test)]
mod tests;
