//! What a port says of a device whose power or cable goes, with the device's end of the line in the test's hand.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rig_payload::{Actor, Frame, Header, Kind, State};
use time::OffsetDateTime;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::task::{LocalSet, spawn_local};

use super::{Ear, Port};
use crate::event::{Event, Fact, Flaw};
use crate::fixture::{self, Fixture, Serial, Stream};
use crate::journal::Record;
use crate::link::{BenchPorts, MemoryPort};
use crate::protocol::Arrived;
use crate::session::belief::Reading;
use crate::session::line::Wires;
use crate::session::notes::Notes;
use crate::stamp::Clock;

struct Deaf;

impl Ear for Deaf {
    fn payload(&self, _: &Port, _: Frame, _: Reading, _: &Arrived) {}
    fn broken(&self, _: &Port, _: Flaw, _: Option<Header>) {}
    fn forgot(&self, _: &Port) {}
}

/// A place for a cable.
#[derive(Clone, Default)]
struct Socket {
    /// The device's end, once rig has opened the port.
    far: Rc<RefCell<Option<DuplexStream>>>,
    empty: Rc<Cell<bool>>,
}

impl Socket {
    /// A port that can be opened once, and once more each time that the cable is plugged in again.
    fn port(&self) -> MemoryPort {
        let Self { far, empty } = self.clone();
        Rc::new(move || {
            if empty.replace(true) {
                return Err(std::io::ErrorKind::NotFound.into());
            }
            let (near, device) = tokio::io::duplex(4096);
            *far.borrow_mut() = Some(device);
            Ok(near)
        })
    }

    async fn unplug(&self) {
        self.far.borrow_mut().take();
        pass(1).await;
    }

    fn plug(&self) {
        self.empty.set(false);
    }
}

struct Line {
    port: Rc<Port>,
    main: Socket,
    home: Socket,
    records: Receiver<Record>,
}

impl Line {
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/virtual.toml");
        let fixture = Fixture::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value;
        let (sender, records) = mpsc::channel();
        let notes = Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, sender);
        let mut device = fixture.devices["storage"].clone();
        let fixture::Link::Stream(Stream::Serial(serial)) = &device.link else { panic!("it has a serial port") };
        let at_home = fixture::Port::Bench("storage.in-home".to_owned());
        device.in_home = Some(Stream::Serial(Serial { port: at_home, ..serial.clone() }));
        let port = Rc::new(Port::new("storage", Actor::Storage, device, notes));
        port.settle();
        let (main, home) = (Socket::default(), Socket::default());
        let ports = [("storage".to_owned(), main.port()), ("storage.in-home".to_owned(), home.port())];
        let bench = Rc::new(BenchPorts::Memory(ports.into()));
        let wires = || Wires { bench: Rc::clone(&bench), bus: None };
        let (listening, line) = (Rc::clone(&port), wires());
        spawn_local(async move { listening.listen(&line, &Deaf).await });
        let (listening, line) = (Rc::clone(&port), wires());
        spawn_local(async move { listening.listen_at_home(&line, &Deaf).await });
        Self { port, main, home, records }
    }

    async fn opened(&self) {
        self.port.opened().await;
        self.port.opened_at_home().await;
    }

    async fn say(&self, bytes: &[u8]) {
        let mut far = self.main.far.borrow_mut().take().expect("the port is open");
        far.write_all(bytes).await.expect("rig listens");
        *self.main.far.borrow_mut() = Some(far);
        pass(1).await;
    }

    fn facts(&self) -> Vec<Fact> {
        let facts = self.records.try_iter().filter_map(|record| match record {
            Record::Event(Event { fact, .. }) => Some(fact),
            Record::Traffic(_) => None,
        });
        facts.collect()
    }
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

fn frame(kind: Kind, boots: u16) -> Vec<u8> {
    let (source, destination) = (Actor::Storage, Actor::DacSub);
    let header = Header { kind, source, destination, sequence: 1, correlation: 1, stamp: 0 };
    Frame { header, body: State { boots, ..State::default() }.into() }.encode().as_bytes().to_vec()
}

fn strays(facts: &[Fact]) -> usize {
    facts.iter().filter(|fact| matches!(fact, Fact::Stray(_))).count()
}

#[tokio::test(start_paused = true)]
async fn what_a_cut_leaves_unfinished_is_no_flaw_however_slowly_the_device_boots() {
    LocalSet::new()
        .run_until(async {
            let line = Line::new();
            line.opened().await;
            line.say(&frame(Kind::StorageStatusResp, 1)[..20]).await;
            line.port.set_powered(false);
            pass(4).await;
            line.port.set_powered(true);
            pass(5_000).await;
            line.say(b"bootloader 1.0\0").await;
            line.say(&frame(Kind::Boot, 2)).await;
            let facts = line.facts();
            assert_eq!(strays(&facts), 0, "{facts:?}");
            assert_eq!(line.port.boots(), 1);
            line.say(b"not a payload\0").await;
            assert_eq!(strays(&line.facts()), 1, "from then on it is");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_port_that_is_lost_with_power_is_adrift_and_one_that_goes_with_its_supply_is_not() {
    LocalSet::new()
        .run_until(async {
            for (cut, at_home) in [(false, false), (true, false), (false, true), (true, true)] {
                let line = Line::new();
                line.opened().await;
                if cut {
                    line.port.set_powered(false);
                    // The system tells of the loss when power is back already.
                    line.port.set_powered(true);
                }
                if at_home { &line.home } else { &line.main }.unplug().await;
                assert_eq!(line.port.is_adrift(), !cut, "at home: {at_home}");
                let faults = line.facts().iter().filter(|fact| matches!(fact, Fact::RigFault { .. })).count();
                assert_eq!(faults, usize::from(!cut));
                assert_eq!(line.port.is_open(), at_home);
            }
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_device_is_adrift_until_both_of_its_ports_are_back() {
    LocalSet::new()
        .run_until(async {
            let line = Line::new();
            line.opened().await;
            line.main.unplug().await;
            line.home.unplug().await;
            for (socket, is_adrift) in [(&line.main, true), (&line.home, false)] {
                socket.plug();
                let waited = tokio::time::timeout(Duration::from_secs(5), line.port.found_again()).await;
                assert_eq!((waited.is_err(), line.port.is_adrift()), (is_adrift, is_adrift));
            }
        })
        .await;
}
