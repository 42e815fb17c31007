//! python-can speaks to one adapter of an emulated bus, and rig to the other.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rig::event::Trouble;
use rig::fixture::{Adapter, Bus as Spec, Flow, Listen, Parity, Port, Serial};
use rig::link::BenchPorts;
use rig::link::can::{Bus, Seen, Tap};
use rig::stamp::{Clock, Source, Stamp};
use rig_can::bits::Rate;
use rig_can::{Format, Frame, Id};
use test_case::test_case;
use tokio::task::{LocalSet, spawn_local};

use crate::process::Peer;

/// Nothing here takes this long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);
const IDS: [Id; 6] = [
    Id::Standard(0),
    Id::Standard(0x123),
    Id::Standard(0x7FF),
    Id::Extended(0),
    Id::Extended(0x123),
    Id::Extended(0x1FFF_FFFF),
];
const CLASSIC: Rate = Rate { nominal: 500_000, data: None };
const FD: Rate = Rate { nominal: 500_000, data: Some(2_000_000) };

struct Calm;

impl Tap for Calm {
    fn frame(&self, _: bool, _: &Seen) {}

    fn trouble(&self, trouble: Trouble, _: Stamp) {
        panic!("{trouble:?}");
    }

    fn lost(&self, frames: u32) {
        panic!("{frames} frames lost");
    }

    fn stepped(&self, nanos: i64) {
        panic!("the clock was stepped by {nanos} ns");
    }

    /// An emulated adapter on a busy machine may have held back every frame until now.
    fn contradiction(&self) {}
}

/// What a bus of this rate carries, with an identifier.
fn kinds(id: Id, rate: Rate) -> Vec<Frame> {
    let data: Vec<_> = (0x80..0xC0).collect();
    let classic = (0..=8).map(|length| Frame::classic(id, &data[..length]));
    let remote = (0..=8).map(|length| Frame::remote(id, length));
    let lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];
    let fd = lengths.into_iter().flat_map(|length| [false, true].map(|switch| Frame::fd(id, &data[..length], switch)));
    let fd = fd.filter(|_| rate.data.is_some());
    classic.chain(remote).chain(fd).map(|frame| frame.expect("a frame")).collect()
}

/// A frame in the peer's words.
fn words(frame: &Frame) -> String {
    let mut words = format!("{:X}", frame.id().number());
    let kind = match frame.format() {
        Format::Classic => "",
        Format::Remote => " remote",
        Format::Fd { switch: false, .. } => " fd",
        Format::Fd { switch: true, .. } => " fd switch",
    };
    let extended = if frame.id().is_extended() { " extended" } else { "" };
    write!(words, "{extended}{kind} {} ", frame.length()).expect("text");
    frame.data().iter().for_each(|byte| write!(words, "{byte:02x}").expect("text"));
    words.trim_end().to_owned()
}

/// What the peer makes of a frame.
fn answer(frame: &Frame) -> Frame {
    let id = match frame.id() {
        Id::Standard(id) => Id::Standard(id ^ 1),
        Id::Extended(id) => Id::Extended(id ^ 1),
    };
    let data: Vec<_> = frame.data().iter().copied().rev().collect();
    let answer = match frame.format() {
        Format::Classic => Frame::classic(id, &data),
        Format::Remote => Frame::remote(id, frame.length()),
        Format::Fd { switch, .. } => Frame::fd(id, &data, switch),
    };
    answer.expect("a frame")
}

/// Starts a bus with two adapters, on another thread than the test, which waits for its peer. It ends with the process.
fn bench(rate: Rate, folder: &Path) -> BTreeMap<String, PathBuf> {
    let data = rate.data.map_or(String::new(), |data| format!("data-bitrate = {data}\n"));
    let spec = format!("[bus.can]\nbitrate = {}\n{data}adapters = [\"rig\", \"peer\"]\n", rate.nominal);
    let spec = toml::from_str(&spec).expect("a bench");
    let (links, started) = channel();
    let folder = folder.to_owned();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (bench, ports) = rig_virtual::Bench::on_ttys(&spec, &folder).expect("the bench starts");
            links.send(ports).expect("the test waits");
            bench.run().await
        })
    });
    started.recv().expect("the bench starts")
}

async fn open(port: &Path, rate: Rate) -> Rc<Bus> {
    let serial = Serial {
        port: Port::Path(port.to_owned()),
        baud: 115_200,
        parity: Parity::None,
        stop_bits: 1,
        flow: Flow::None,
        rs485_echo: false,
    };
    let spec = Spec { adapter: Adapter::Slcan(serial), rate, listen: Listen::All };
    let bus = Bus::open(&spec, &[], &BenchPorts::None, Clock::start()).await;
    let bus = Rc::new(bus.unwrap_or_else(|error| panic!("{error}")));
    let listening = Rc::clone(&bus);
    spawn_local(async move { listening.listen(&Calm).await });
    bus
}

#[test_case(CLASSIC; "on a classic bus")]
#[test_case(FD; "on a bus of FD frames")]
#[tokio::test]
async fn frames_of_every_kind_go_both_ways_between_rig_and_a_peer(rate: Rate) {
    let folder = tempfile::tempdir().expect("a folder");
    let links = bench(rate, folder.path());
    let rates = [Some(rate.nominal), rate.data].map(|rate| rate.map(|rate| rate.to_string()));
    let mut arguments = vec![links["peer"].as_path()];
    arguments.extend(rates.iter().flatten().map(Path::new));
    let (peer, _) = Peer::start("node.py", &arguments);
    let play = async {
        let bus = open(&links["rig"], rate).await;
        let mut station = bus.station(None);
        for frame in IDS.into_iter().flat_map(|id| kinds(id, rate)) {
            bus.transmit(&frame).await.expect("it is sent");
            assert_eq!(peer.next(), words(&frame));
            let seen = tokio::time::timeout(HANGS, station.next()).await.expect("an answer").expect("the bus is there");
            assert_eq!((seen.frame, seen.at.source), (answer(&frame), Source::Hardware));
        }
    };
    LocalSet::new().run_until(play).await;
}
