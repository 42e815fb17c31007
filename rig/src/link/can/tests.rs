mod fake;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use rig_can::bits::Rate;
use rig_can::lawicel::Reply;
use rig_can::{Frame, Id};
use tokio::task::{LocalSet, spawn_local};

use super::{Bus, Seen, Tap, Transmitted};
use crate::event::Trouble;
use crate::fixture::{self, Adapter, Flow, Listen, Parity, Port, Serial};
use crate::link::{BenchPorts, LinkError, MemoryPort};
use crate::stamp::{Clock, Source, Stamp};
use fake::{CANABLE, Fake, LAWICEL};

fn spec(nominal: u32) -> fixture::Bus {
    let serial = Serial {
        port: Port::Bench("can".into()),
        baud: 115_200,
        parity: Parity::None,
        stop_bits: 1,
        flow: Flow::None,
        rs485_echo: false,
    };
    fixture::Bus { adapter: Adapter::Slcan(serial), rate: Rate { nominal, data: None }, listen: Listen::All }
}

async fn open(fake: Fake) -> Result<Rc<Bus>, LinkError> {
    let port: MemoryPort = Rc::new(move || {
        let (near, far) = tokio::io::duplex(4096);
        spawn_local(fake.run(far));
        Ok(near)
    });
    let ports = BenchPorts::Memory(BTreeMap::from([("can".to_owned(), port)]));
    Bus::open(&spec(500_000), &[], &ports, Clock::start()).await.map(Rc::new)
}

/// Keeps what it is told.
#[derive(Default)]
struct Kept {
    frames: RefCell<Vec<(bool, Seen)>>,
    troubles: RefCell<Vec<Trouble>>,
    lost: Cell<u32>,
}

impl Tap for Kept {
    fn frame(&self, own: bool, seen: &Seen) {
        self.frames.borrow_mut().push((own, *seen));
    }

    fn trouble(&self, trouble: Trouble, _: Stamp) {
        self.troubles.borrow_mut().push(trouble);
    }

    fn lost(&self, frames: u32) {
        self.lost.set(self.lost.get() + frames);
    }

    fn stepped(&self, _: i64) {}

    fn contradiction(&self) {
        panic!("a true clock contradicts itself");
    }
}

async fn on_bus<T>(fake: Fake, play: impl AsyncFnOnce(Rc<Bus>, Rc<Kept>) -> T) -> T {
    LocalSet::new()
        .run_until(async {
            let bus = open(fake).await.expect("it opens");
            let kept = Rc::new(Kept::default());
            let (listening, tap) = (Rc::clone(&bus), Rc::clone(&kept));
            spawn_local(async move { listening.listen(&*tap).await });
            play(bus, kept).await
        })
        .await
}

fn frame(id: u16) -> Frame {
    Frame::classic(Id::Standard(id), &[1, 2, 3]).expect("a frame")
}

#[tokio::test(start_paused = true)]
async fn a_frame_and_its_answer_have_stamps_of_when_they_were_on_the_bus() {
    on_bus(LAWICEL, async |bus, kept| {
        let mut station = bus.station(Some(vec![Id::Standard(0x601)]));
        for _ in 0..20 {
            let sent = bus.transmit(&frame(0x600)).await.expect("it is sent");
            assert_eq!(sent.on_bus.lo, sent.handed.lo + bus.time(&frame(0x600)));
            let seen = station.next().await.expect("an answer");
            assert_eq!((seen.frame.data(), seen.at.source), ([0xEC].as_slice(), Source::Hardware));
            let true_instant = sent.handed.lo + 5_000_000;
            assert!(seen.at.lo <= true_instant && true_instant <= seen.at.hi, "{true_instant} in {:?}", seen.at);
            // The count starts again in between.
            tokio::time::sleep(Duration::from_secs(7)).await;
        }
        let frames = kept.frames.borrow();
        assert_eq!(frames.iter().filter(|(own, _)| *own).count(), 20);
        assert_eq!(frames.len(), 40);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_acknowledges_nothing_is_used_without_its_word() {
    on_bus(CANABLE, async |bus, kept| {
        assert_eq!(bus.obtained()["acknowledges"], "no: when a frame left is not seen");
        assert_eq!(bus.obtained()["stamps"], "none of its own: 1 ms of holding back is assumed");
        let mut station = bus.station(None);
        bus.transmit(&frame(0x100)).await.expect("it is sent");
        assert_eq!(station.next().await.expect("an answer").frame.id(), Id::Standard(0x101));
        assert_eq!(kept.frames.borrow().len(), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_frame_is_an_error_and_the_next_one_is_not() {
    let fake = Fake { full: true, ..LAWICEL };
    on_bus(fake, async |bus, kept| {
        let error = bus.transmit(&frame(1)).await.expect_err("it is refused");
        assert_eq!(error.to_string(), "the adapter refuses the frame: its buffer is full");
        assert!(bus.transmit(&frame(2)).await.is_err());
        assert!(kept.frames.borrow().is_empty());
    })
    .await;
}

/// One frame that is never acknowledged, and one that is handed over half a second later and acknowledged after the
/// first was given up.
async fn second_of(first: Frame, second: Frame, fake: Fake) -> io::Result<Transmitted> {
    let fake = Fake { ill: 1, takes: Duration::from_millis(1_200), ..fake };
    on_bus(fake, async |bus, kept| {
        let late = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            bus.transmit(&second).await
        };
        let (first, second) = tokio::join!(bus.transmit(&first), late);
        assert!(first.is_err(), "{first:?}");
        assert_eq!(kept.frames.borrow().iter().filter(|(own, _)| *own).count(), 1);
        second
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_given_up_takes_no_other_with_it() {
    second_of(frame(1), frame(2), LAWICEL).await.expect("it is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn of_equal_frames_the_one_that_waited_too_long_is_given_up() {
    second_of(frame(1), frame(1), LAWICEL).await.expect("it is acknowledged");
}

#[tokio::test(start_paused = true)]
async fn any_answer_after_a_frame_shows_that_it_will_not_be_acknowledged() {
    let [no_flags, no_version] = [Fake { flags: None, ..LAWICEL }, Fake { version: None, ..LAWICEL }];
    for fake in [no_flags, no_version] {
        second_of(frame(1), frame(2), fake).await.expect("it is acknowledged");
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_comes_too_late_is_not_the_next_frames() {
    for second in [frame(1), frame(2)] {
        let takes = Duration::from_millis(1_200);
        let fake = Fake { ill: 1, first: Some(Reply::Accepted), takes, ..LAWICEL };
        on_bus(fake, async |bus, kept| {
            bus.transmit(&frame(1)).await.expect_err("it is not acknowledged in time");
            let sent = bus.transmit(&second).await.expect("it is acknowledged");
            let frames = kept.frames.borrow();
            let own: Vec<_> = frames.iter().filter(|(own, _)| *own).map(|(_, seen)| *seen).collect();
            assert_eq!(own.iter().map(|seen| seen.frame).collect::<Vec<_>>(), [frame(1), second]);
            // The first may have been on the bus at once, the second not before it was handed over.
            assert!(own[0].at.lo < 1_000_000_000 && sent.on_bus == own[1].at, "{own:?}");
            assert_eq!(sent.on_bus.lo, sent.handed.lo + bus.time(&second));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_not_acknowledged_while_its_sender_waits_takes_no_later_frames_place() {
    on_bus(Fake { ill: 1, ..LAWICEL }, async |bus, _| {
        let late = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            bus.transmit(&frame(2)).await
        };
        let frame = frame(1);
        let (first, second) = tokio::join!(bus.transmit(&frame), late);
        insta::assert_snapshot!(first.expect_err("it is not acknowledged"), @"the adapter does not acknowledge the frame, and answers what it was asked after it");
        second.expect("it is acknowledged");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_nothing_tells_acknowledgements_apart_a_frame_in_doubt_is_no_silence_of_the_bus() {
    let fake = Fake { flags: None, version: None, ..LAWICEL };
    on_bus(Fake { ill: 1, ..fake }, async |bus, _| {
        let dropped = tokio::time::timeout(Duration::from_millis(5), bus.transmit(&frame(1))).await;
        assert!(dropped.is_err());
        let error = bus.transmit(&frame(2)).await.expect_err("the acknowledgement may be the first one's");
        insta::assert_snapshot!(error, @"it cannot be told whether the frame was on the bus within 1 s, or one before it that was given up");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_nobody_waits_for_takes_no_later_frames_place() {
    let fake = Fake { ill: 1, takes: Duration::from_millis(20), ..LAWICEL };
    on_bus(fake, async |bus, _| {
        let dropped = tokio::time::timeout(Duration::from_millis(5), bus.transmit(&frame(1))).await;
        assert!(dropped.is_err());
        bus.transmit(&frame(1)).await.expect("it is acknowledged");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_to_the_frame_that_was_refused() {
    let fake = Fake { ill: 1, first: Some(Reply::Refused), takes: Duration::from_millis(20), ..LAWICEL };
    on_bus(fake, async |bus, _| {
        let dropped = tokio::time::timeout(Duration::from_millis(5), bus.transmit(&frame(1))).await;
        assert!(dropped.is_err());
        bus.transmit(&frame(2)).await.expect("it is acknowledged");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn status_flags_become_troubles() {
    let fake = Fake { flags: Some(0xA0), ..LAWICEL };
    on_bus(fake, async |_, kept| {
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let told = kept.troubles.borrow();
        assert_eq!(told[..2], [Trouble::ErrorPassive, Trouble::BusError]);
        assert_eq!(told.len(), 4, "they are read once a second");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_trouble_that_an_adapter_is_in_when_it_is_opened_is_found() {
    for (flags, found) in
        [(0, None), (0x80, None), (0x04, Some(Trouble::ErrorWarning)), (0xA4, Some(Trouble::ErrorPassive))]
    {
        let fake = Fake { flags: Some(flags), ..LAWICEL };
        on_bus(fake, async |bus, _| assert_eq!(bus.found(), found)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_whose_line_began_before_the_bus_was_open_is_read() {
    let fake = Fake { breaks: Some(Duration::from_millis(300)), stamps: false, ..LAWICEL };
    on_bus(fake, async |bus, kept| {
        let mut station = bus.station(None);
        let seen = tokio::time::timeout(Duration::from_secs(1), station.next()).await;
        let seen = seen.expect("its line ends").expect("a frame");
        assert_eq!((seen.frame.id(), seen.frame.data()), (Id::Standard(0x123), [0xAA, 0xBB].as_slice()));
        assert_eq!(kept.lost.get(), 0);
        // Its first byte came before opening ended, which waited for the flags for 200 ms.
        assert!(seen.at.lo < 100_000_000, "{:?}", seen.at);
    })
    .await;
}

async fn refusal(fake: Fake) -> String {
    LocalSet::new().run_until(async { open(fake).await.map(drop).expect_err("it does not open").to_string() }).await
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_bus_from_being_opened_is_said() {
    let mute = Fake { version: None, ..CANABLE };
    insta::assert_snapshot!(refusal(mute).await, @"bench:can: nothing there answers as an adapter of LAWICEL's protocol; check the port, its baud rate (115200), and that the adapter has slcan firmware");
    insta::assert_snapshot!(refusal(Fake { rates: false, ..LAWICEL }).await, @"bench:can: the adapter refuses 500000 bit/s; check `bitrate`");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_interface_that_is_not_there_is_said() {
    let bus = fixture::Bus { adapter: Adapter::SocketCan("nocan7".into()), ..spec(500_000) };
    let error = Bus::open(&bus, &[], &BenchPorts::None, Clock::start()).await.map(drop).expect_err("it is not there");
    let text = error.to_string();
    assert!(
        text.starts_with("nocan7: no such interface; ") || text.starts_with("nocan7: this kernel has no CAN; "),
        "{text}"
    );
}
