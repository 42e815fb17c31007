use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rig_can::bits::Rate;
use rig_can::isotp::{Addressing, ReceiveError, Settings};
use rig_can::{Frame, Id};
use tokio::task::{LocalSet, spawn_local};

use super::{Datagram, IsoTp, NodeError};
use crate::event::Trouble;
use crate::fixture::{self, Adapter, Flow, Listen, Parity, Port, Serial};
use crate::link::can::{Bus, Seen, Station, Tap};
use crate::link::{BenchPorts, MemoryPort};
use crate::stamp::{Clock, Stamp};

const OURS: Settings = Settings {
    send: Id::Standard(0x600),
    receive: Id::Standard(0x601),
    addressing: Addressing::Normal,
    frame_length: 8,
    fd: None,
    padding: None,
    block_size: 0,
    separation: 0,
    longest: 100,
};

/// Two adapters on an emulated bus: rig's own, and the other side's.
struct Pair {
    ours: Rc<Bus>,
    theirs: Rc<Bus>,
    clock: Clock,
}

struct Deaf;

impl Tap for Deaf {
    fn frame(&self, _: bool, _: &Seen) {}
    fn trouble(&self, _: Trouble, _: Stamp) {}
    fn lost(&self, _: u32) {}
    fn stepped(&self, _: i64) {}
    fn contradiction(&self) {}
}

impl Pair {
    async fn open() -> Self {
        let text = "[bus.can]\nbitrate = 500000\nadapters = [\"ours\", \"theirs\"]\n";
        let spec = toml::from_str(text).expect("a bench");
        let (bench, ports) = rig_virtual::Bench::in_memory(&spec).expect("a bench");
        spawn_local(bench.run());
        let port = |(name, port): (String, rig_virtual::MemoryPort)| -> (String, MemoryPort) {
            (name, Rc::new(move || port.open()))
        };
        let ports = BenchPorts::Memory(ports.into_iter().map(port).collect());
        let clock = Clock::start();
        let open = async |name: &str| {
            let serial = Serial {
                port: Port::Bench(name.into()),
                baud: 115_200,
                parity: Parity::None,
                stop_bits: 1,
                flow: Flow::None,
                rs485_echo: false,
            };
            let rate = Rate { nominal: 500_000, data: None };
            let spec = fixture::Bus { adapter: Adapter::Slcan(serial), rate, listen: Listen::All };
            let bus = Rc::new(Bus::open(&spec, &[], &ports, clock).await.expect("it opens"));
            let listening = Rc::clone(&bus);
            spawn_local(async move { listening.listen(&Deaf).await });
            bus
        };
        Self { ours: open("ours").await, theirs: open("theirs").await, clock }
    }

    /// The other side sends these, and after each what rig answers is waited for where it must.
    async fn take(&self, frames: &[(&[u8], bool)]) -> Vec<Datagram> {
        let (mut ours, mut theirs): (Station, Station) = (self.ours.station(None), self.theirs.station(None));
        let (isotp, found) = (IsoTp::new(OURS), RefCell::new(Vec::new()));
        for (data, answered) in frames {
            let frame = Frame::classic(Id::Standard(0x601), data).expect("a frame");
            self.theirs.transmit(&frame).await.expect("it is sent");
            let seen = ours.next().await.expect("it comes");
            isotp
                .take(&self.ours, &seen, self.clock, &mut |datagram| found.borrow_mut().push(datagram))
                .await
                .expect("its answer goes out");
            if *answered {
                assert_eq!(theirs.next().await.expect("an answer").frame.id(), Id::Standard(0x600));
            }
        }
        found.into_inner()
    }
}

async fn taken(frames: &[(&[u8], bool)]) -> Vec<Datagram> {
    LocalSet::new().run_until(async { Pair::open().await.take(frames).await }).await
}

/// Length, flaw and bytes of data on the bus of each datagram.
fn sizes(datagrams: &[Datagram]) -> Vec<(usize, Option<ReceiveError>, usize)> {
    datagrams.iter().map(|datagram| (datagram.bytes.len(), datagram.flaw, datagram.wire)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_frame_without_meaning_leaves_the_datagram_around_it_as_it_is() {
    let datagrams =
        taken(&[(&[0x10, 10, 1, 2, 3, 4, 5, 6], true), (&[0x40, 0, 0], false), (&[0x21, 7, 8, 9, 10], false)]).await;
    assert_eq!(sizes(&datagrams), [(3, Some(ReceiveError::Meaningless), 3), (10, None, 13)]);
    let (alone, whole) = (&datagrams[0], &datagrams[1]);
    assert!(whole.first.hi < alone.first.hi && alone.last.hi < whole.last.hi, "{datagrams:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_over_is_not_counted_to_the_next_datagram() {
    let wrong = [
        (&[0x10, 20, 1, 2, 3, 4, 5, 6][..], true),
        (&[0x22, 7, 8, 9, 10, 11, 12, 13], false),
        (&[0x23, 14, 15, 16, 17, 18, 19, 20], false),
        (&[2, 0xAA, 0xBB], false),
    ];
    assert_eq!(sizes(&taken(&wrong).await), [(6, Some(ReceiveError::WrongSequence), 16), (2, None, 3)]);
    let long = [(&[0x10, 101, 1, 2, 3, 4, 5, 6][..], true), (&[2, 0xAA, 0xBB], false)];
    assert_eq!(sizes(&taken(&long).await), [(6, Some(ReceiveError::TooLong), 8), (2, None, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_datagram_that_another_interrupts_ends_with_its_own_last_frame() {
    let datagrams = taken(&[(&[0x10, 20, 1, 2, 3, 4, 5, 6], true), (&[2, 0xAA, 0xBB], false)]).await;
    assert_eq!(sizes(&datagrams), [(6, Some(ReceiveError::Interrupted), 8), (2, None, 3)]);
    assert!(datagrams[0].last.hi < datagrams[1].first.hi, "{datagrams:?}");
}

/// The other side sends the first frame of ten bytes, and rig looks at it so much later. Says whether its answer came
/// late, and what came of it.
async fn answered_after(late: Duration) -> Result<(), NodeError> {
    let play = async {
        let pair = Pair::open().await;
        let (mut ours, mut theirs) = (pair.ours.station(None), pair.theirs.station(None));
        let first = Frame::classic(Id::Standard(0x601), &[0x10, 10, 1, 2, 3, 4, 5, 6]).expect("a frame");
        pair.theirs.transmit(&first).await.expect("it is sent");
        let seen = ours.next().await.expect("it comes");
        tokio::time::sleep(late).await;
        let answered = IsoTp::new(OURS).take(&pair.ours, &seen, pair.clock, &mut |_| ()).await;
        assert_eq!(theirs.next().await.expect("an answer").frame.data()[0], 0x30);
        answered
    };
    LocalSet::new().run_until(play).await
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_which_the_other_side_waited_too_long_is_rigs_doing() {
    answered_after(Duration::from_millis(850)).await.expect("it is in time");
    let error = answered_after(Duration::from_millis(950)).await.expect_err("it is too late");
    insta::assert_snapshot!(error, @"rig kept it waiting for 952 ms, and ISO 15765-2 has no node wait longer than 900 ms; is the machine busy?");
}

/// rig sends ten bytes, and looks at the other side's flow control so much later.
async fn sent_after(late: Duration) -> Result<usize, NodeError> {
    let play = async {
        let pair = Pair::open().await;
        let (mut ours, mut theirs) = (pair.ours.station(None), pair.theirs.station(None));
        let isotp = IsoTp::new(OURS);
        let answer = async {
            theirs.next().await.expect("a first frame");
            let flow = Frame::classic(Id::Standard(0x601), &[0x30, 0, 0]).expect("a frame");
            pair.theirs.transmit(&flow).await.expect("it is sent");
            let seen = ours.next().await.expect("it comes");
            tokio::time::sleep(late).await;
            isotp.take(&pair.ours, &seen, pair.clock, &mut |_| ()).await.expect("nothing to answer");
        };
        let (sent, ()) = tokio::join!(isotp.send(&pair.ours, &[7; 10], pair.clock), answer);
        sent.map(|(_, wire)| wire)
    };
    LocalSet::new().run_until(play).await
}

#[tokio::test(start_paused = true)]
async fn a_payload_in_whose_middle_the_other_side_waited_too_long_is_rigs_failure() {
    assert_eq!(sent_after(Duration::from_millis(850)).await.expect("it is in time"), 13);
    assert!(matches!(sent_after(Duration::from_millis(950)).await, Err(NodeError::TooSlow(_))));
}
