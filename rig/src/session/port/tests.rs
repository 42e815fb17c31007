//! What a port says of a device whose power or cable goes, with the device's end of the line in the test's hand.

use std::cell::RefCell;
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
use crate::fixture::Fixture;
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

struct Line {
    port: Rc<Port>,
    /// The device's end, once rig has opened the port.
    far: Rc<RefCell<Option<DuplexStream>>>,
    records: Receiver<Record>,
}

impl Line {
    /// A port that can be opened once.
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/virtual.toml");
        let fixture = Fixture::load(&path).unwrap_or_else(|problems| panic!("{problems}")).value;
        let (sender, records) = mpsc::channel();
        let notes = Notes::new(Clock::start(), OffsetDateTime::UNIX_EPOCH, sender);
        let port = Rc::new(Port::new("storage", Actor::Storage, fixture.devices["storage"].clone(), notes));
        port.settle();
        let far: Rc<RefCell<Option<DuplexStream>>> = Rc::default();
        let (opened, taken) = (Rc::clone(&far), RefCell::new(false));
        let open: MemoryPort = Rc::new(move || {
            if taken.replace(true) {
                return Err(std::io::ErrorKind::NotFound.into());
            }
            let (near, far) = tokio::io::duplex(4096);
            *opened.borrow_mut() = Some(far);
            Ok(near)
        });
        let ports = BenchPorts::Memory([("storage".to_owned(), open)].into());
        let wires = Wires { bench: Rc::new(ports), bus: None };
        let listening = Rc::clone(&port);
        spawn_local(async move { listening.listen(&wires, &Deaf).await });
        Self { port, far, records }
    }

    async fn say(&self, bytes: &[u8]) {
        let mut far = self.far.borrow_mut().take().expect("the port is open");
        far.write_all(bytes).await.expect("rig listens");
        *self.far.borrow_mut() = Some(far);
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
            line.port.opened().await;
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
            for cut in [false, true] {
                let line = Line::new();
                line.port.opened().await;
                if cut {
                    line.port.set_powered(false);
                    // The system tells of the loss when power is back already.
                    line.port.set_powered(true);
                }
                line.far.borrow_mut().take();
                pass(1).await;
                assert_eq!(line.port.is_adrift(), !cut);
                let faults = line.facts().iter().filter(|fact| matches!(fact, Fact::RigFault { .. })).count();
                assert_eq!(faults, usize::from(!cut));
                assert!(!line.port.is_open());
            }
        })
        .await;
}
