//! Payloads of many frames between rig and the kernel's own ISO 15765-2, by isotpsend and isotprecv.

use std::fmt::Write;
use std::rc::Rc;

use rig::link::can::Bus;
use rig::protocol::can::{Datagram, IsoTp};
use rig::stamp::Clock;
use rig_can::Id;
use rig_can::isotp::{Addressing, Settings};
use test_case::test_matrix;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_local;
use tokio::time::{sleep_until, timeout};

use crate::node;
use crate::peer::{HANGS, Peer};

/// How the two sides go about it: rig's settings, and the kernel's options that fit them.
struct Way {
    settings: Settings,
    both: &'static [&'static str],
    /// What the kernel asks for when it receives, and how long its pause is then in nanoseconds.
    receiver: &'static [&'static str],
    pause: u64,
}

const STANDARD: Settings = Settings {
    send: Id::Standard(0x7B0),
    receive: Id::Standard(0x7A0),
    addressing: Addressing::Normal,
    frame_length: 8,
    fd: None,
    padding: None,
    block_size: 0,
    separation: 0,
    longest: 4095,
};
const IDS: &[&str] = &["-s", "7A0", "-d", "7B0"];

fn plain() -> Way {
    Way { settings: STANDARD, both: IDS, receiver: &[], pause: 0 }
}

/// Identifiers of 29 bits, as diagnostics of vehicles have them.
fn long_identifiers() -> Way {
    let (send, receive) = (Id::Extended(0x18DA_10F1), Id::Extended(0x18DA_F110));
    Way { settings: Settings { send, receive, ..STANDARD }, both: &["-s", "18DAF110", "-d", "18DA10F1"], ..plain() }
}

fn extended_addressing() -> Way {
    let addressing = Addressing::Extended { send: 0x55, receive: 0xAA };
    Way { settings: Settings { addressing, ..STANDARD }, both: &["-s", "7A0", "-d", "7B0", "-x", "AA:55"], ..plain() }
}

fn blocks_and_pauses() -> Way {
    Way {
        settings: Settings { block_size: 5, separation: 0x01, ..STANDARD },
        receiver: &["-b", "3", "-m", "1"],
        pause: 1_000_000,
        ..plain()
    }
}

fn short_pauses() -> Way {
    Way {
        settings: Settings { block_size: 16, separation: 0xF3, ..STANDARD },
        receiver: &["-b", "7", "-m", "F2"],
        pause: 200_000,
        ..plain()
    }
}

/// Each side holds the other to its padding.
fn padding() -> Way {
    Way {
        settings: Settings { padding: Some(0x55), ..STANDARD },
        both: &["-s", "7A0", "-d", "7B0", "-p", "AA:55", "-P", "a"],
        ..plain()
    }
}

fn fd_frames() -> Way {
    Way {
        settings: Settings { frame_length: 64, fd: Some(false), ..STANDARD },
        both: &["-s", "7A0", "-d", "7B0", "-L", "72:64:0"],
        ..plain()
    }
}

fn fd_frames_of_two_rates() -> Way {
    Way {
        settings: Settings { frame_length: 20, fd: Some(true), ..STANDARD },
        both: &["-s", "7A0", "-d", "7B0", "-L", "72:20:1"],
        ..plain()
    }
}

fn short_fd_frames() -> Way {
    Way {
        settings: Settings { fd: Some(true), ..STANDARD },
        both: &["-s", "7A0", "-d", "7B0", "-L", "72:8:1"],
        ..plain()
    }
}

fn everything_at_once() -> Way {
    let addressing = Addressing::Extended { send: 0x10, receive: 0x20 };
    let settings = Settings { addressing, padding: Some(0xCC), block_size: 2, separation: 1, ..fd_frames().settings };
    Way {
        settings,
        both: &["-s", "7A0", "-d", "7B0", "-x", "20:10", "-p", "CC:CC", "-P", "a", "-L", "72:64:0"],
        receiver: &["-b", "4", "-m", "1"],
        pause: 1_000_000,
    }
}

/// rig's side.
struct Side {
    bus: Rc<Bus>,
    isotp: Rc<IsoTp>,
    datagrams: UnboundedReceiver<Datagram>,
    clock: Clock,
}

impl Side {
    async fn open(settings: Settings) -> Self {
        settings.check().expect("settings that can be");
        let clock = Clock::start();
        let (bus, _) = node::open("vcan0", settings.fd.is_some(), clock).await;
        let isotp = Rc::new(IsoTp::new(settings));
        let (found, datagrams) = unbounded_channel();
        let (heard, taker) = (Rc::clone(&bus), Rc::clone(&isotp));
        let mut station = bus.station(Some(vec![settings.receive]));
        spawn_local(async move {
            let mut found = |datagram| drop(found.send(datagram));
            loop {
                let deadline = taker.deadline();
                tokio::select! {
                    seen = station.next() => {
                        let outcome = taker.take(&heard, &seen.expect("the bus is there"), clock, &mut found).await;
                        outcome.expect("rig answers in time");
                    }
                    () = sleep_until(clock.instant(deadline.unwrap_or_default())), if deadline.is_some() => {
                        taker.expire(clock.now(), &mut found);
                    }
                }
            }
        });
        Self { bus, isotp, datagrams, clock }
    }
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// As isotpsend reads it and isotprecv writes it.
fn text(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X} ").expect("text");
        text
    })
}

#[test_matrix(
    [plain, long_identifiers, extended_addressing, blocks_and_pauses, short_pauses, padding, fd_frames,
     fd_frames_of_two_rates, short_fd_frames, everything_at_once],
    [8, 62, 150, 4095]
)]
fn the_kernel_receives_what_rig_sends(way: fn() -> Way, length: usize) {
    let (way, bytes) = (way(), bytes(length));
    node::in_real_time(async || {
        let side = Side::open(way.settings).await;
        let receiver = Peer::listen("isotprecv", &[way.both, way.receiver, &["vcan0"]].concat(), "vcan0");
        let (sent, wire) =
            side.isotp.send(&side.bus, &bytes, side.clock).await.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(receiver.line().trim(), text(&bytes).trim());
        receiver.end();
        assert!(wire > length && sent.first.hi <= sent.last.hi, "{wire} {sent:?}");
        // One first frame of a few bytes less than the others; between all others there is a pause.
        let frames = u64::try_from(length).expect("a length").div_ceil(way.settings.frame_length.into());
        let least = frames.saturating_sub(2) * way.pause;
        assert!(sent.last.hi - sent.first.lo >= least, "{frames} frames in {sent:?}");
    });
}

#[test_matrix(
    [plain, long_identifiers, extended_addressing, blocks_and_pauses, short_pauses, padding, fd_frames,
     fd_frames_of_two_rates, short_fd_frames, everything_at_once],
    [8, 62, 150, 4095]
)]
fn rig_receives_what_the_kernel_sends(way: fn() -> Way, length: usize) {
    let (way, bytes) = (way(), bytes(length));
    node::in_real_time(async || {
        let mut side = Side::open(way.settings).await;
        let sender = Peer::feed("isotpsend", &[way.both, &["-b", "vcan0"]].concat(), &text(&bytes));
        let datagram = timeout(HANGS, side.datagrams.recv()).await.expect("it comes").expect("rig listens");
        assert_eq!((datagram.flaw, datagram.bytes), (None, bytes));
        assert!(datagram.wire > length && datagram.first.hi <= datagram.last.hi);
        sender.end();
    });
}
