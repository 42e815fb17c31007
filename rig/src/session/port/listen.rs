//! A port listens: its lines are opened, heard, lost and looked for again.

use std::rc::Rc;
use std::time::Duration;

use super::super::line::{Line, Tap, Wires};
use super::{Ear, Port};
use crate::event::{Fact, RigFault};
use crate::fixture::{self, Stream};
use crate::link::Chunk;
use crate::protocol::Arrived;

/// How often a port that is gone is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl Port {
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

    /// The same for the device's second link; at once at its end where it has none.
    pub async fn listen_second(&self, wires: &Wires, ear: &dyn Ear) {
        let Some(stream) = &self.device.second_link else { return };
        loop {
            match Line::open_stream(stream, self.device.protocol, &wires.bench, self.notes.clock()).await {
                Ok(line) => {
                    self.second_open.set(true);
                    let name = format!("{}, second link", self.name);
                    self.note_up(&name, &line);
                    let error = line.hear(&Listener { port: self, ear }).await;
                    self.second_open.set(false);
                    self.note_down(&name, stream, &error);
                }
                Err(error) => *self.trouble.borrow_mut() = Some(error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn hear_until_lost(&self, line: Rc<Line>, ear: &dyn Ear) {
        *self.line.borrow_mut() = Some(Rc::clone(&line));
        self.adrift.set(false);
        self.note_up(&self.name, &line);
        let error = line.hear(&Listener { port: self, ear }).await;
        *self.line.borrow_mut() = None;
        let fixture::Link::Stream(stream) = &self.device.link else {
            // An adapter of a bus has a supply of its own; its loss was noted once for all devices of the bus.
            self.adrift.set(true);
            return;
        };
        let unpowered = self.note_down(&self.name, stream, &error);
        self.adrift.set(!unpowered);
    }

    fn note_up(&self, name: &str, line: &Line) {
        if let Some(obtained) = line.obtained() {
            self.notes.note(Fact::LinkUp { name: name.to_owned(), obtained: obtained.clone() });
        }
        self.changed.notify_waiters();
    }

    /// Notes that a stream is gone; says whether that is no surprise, because the device's supply is down.
    fn note_down(&self, name: &str, stream: &Stream, error: &std::io::Error) -> bool {
        // A port of the device's own goes with its power, and the system may tell of it when power is back already.
        let unpowered = !self.powered.get() || self.belief.borrow().is_boot_due();
        self.notes.note(Fact::LinkDown { name: name.to_owned(), reason: error.to_string(), unpowered });
        if !unpowered {
            let port = describe(stream);
            let what =
                format!("the port of {name} ({port}) is gone although it has power: {error}; check cable and adapter");
            self.notes.fault(RigFault::AdapterGone, what);
        }
        unpowered
    }
}

/// Notes what a port's line brings.
struct Listener<'a> {
    port: &'a Port,
    ear: &'a dyn Ear,
}

impl Tap for Listener<'_> {
    fn bytes(&self, chunk: &Chunk, bytes: &[u8]) -> bool {
        let Port { name, notes, heard, .. } = self.port;
        heard.set(heard.get() + chunk.length as u64);
        notes.traffic(name, false, chunk.read.hi, bytes, None);
        // What the cut left unfinished is not to run into the boot payload.
        self.port.powered.get() && self.port.cut_short.take()
    }

    fn arrived(&self, arrived: &Arrived) {
        if let fixture::Link::Can(_) = self.port.device.link {
            self.port.heard.set(self.port.heard.get() + u64::from(arrived.bytes));
        }
        self.port.take(arrived, self.ear);
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
