//! LAWICEL's protocol as the kernel's own slcan speaks it: with the emulated adapter, and through that with rig.
//!
//! The kernel makes such an interface in the network namespace that the machine began with, whoever asks for it. That one
//! is no test's to change, so `cargo xtask test` runs this module in a guest even where this machine's kernel has CAN.

use rig::fixture::{Adapter, Flow, Parity, Port, Serial};
use rig::stamp::{Clock, Source};
use rig_can::candump::Seen;
use tokio::task::spawn_blocking;

use crate::candump::{Candump, assert_same, frames};
use crate::lab::Lab;
use crate::node;
use crate::peer::Peer;
use crate::presence;
use crate::serial_line::{NAME, SerialLine};

/// Frames of every kind that classic CAN has.
const KINDS: &str = "\
(1.000000) slcan0 000#
(1.001000) slcan0 123#01
(1.002000) slcan0 234#0102
(1.003000) slcan0 345#010203
(1.004000) slcan0 456#01020304
(1.005000) slcan0 567#0102030405
(1.006000) slcan0 678#010203040506
(1.007000) slcan0 789#01020304050607
(1.008000) slcan0 7FE#FFFFFFFFFFFFFFFF
(1.009000) slcan0 00000000#
(1.010000) slcan0 1FFFFFFF#0102030405060708
(1.011000) slcan0 123#R
(1.012000) slcan0 123#R8
(1.013000) slcan0 12345678#R4
";

#[test]
fn a_session_goes_over_the_kernels_slcan() {
    const TRIALS: u32 = 5;
    let (lab, _bench) = Lab::on("dispatch", "virtual-can").trials(TRIALS).with_bench_apart();
    let _line = SerialLine::attach(&lab, "can", 500_000);
    let lab = lab.fixture("port = \"ports/can\"", &format!("interface = \"{NAME}\""));
    let candump = Candump::listen(NAME);
    let ended = lab.run(&[]);
    assert_eq!(ended.code, Some(3), "a few trials decide nothing: {}{}", ended.out, ended.err);
    ended.assert_all_in_time(TRIALS);
    assert_same(&candump.frames(), &frames(&ended.file("trace.candump")));
    let storage = "Distr. Cust. Storage";
    for (label, delivery) in ended.deliveries_of(storage) {
        // The kernel shows an own frame when it hands it to the adapter, and not when it was on the bus.
        let source = if label.contains(&format!("→ {storage}")) { Source::Bounded } else { Source::Kernel };
        assert_eq!(delivery.on_wire.map(|stamp| stamp.source), Some(source), "{label}: {delivery:?}");
    }
}

#[test]
fn frames_of_every_kind_go_both_ways_between_the_kernels_slcan_and_rigs() {
    let lab = Lab::on("dispatch", "virtual-can").fixture("adapters = [\"can\"]", "adapters = [\"can\", \"other\"]");
    let (lab, _bench) = lab.with_bench_apart();
    let _line = SerialLine::attach(&lab, "other", 500_000);
    let candump = Candump::listen(NAME);
    let serial = Serial {
        port: Port::Path(lab.path("ports/can")),
        baud: 115_200,
        parity: Parity::None,
        stop_bits: 1,
        flow: Flow::None,
        rs485_echo: false,
    };
    node::in_real_time(async || {
        let (bus, _) = node::open_by(Adapter::Slcan(serial), false, Clock::start()).await;
        let mut station = bus.station(None);
        spawn_blocking(|| Peer::run("canplayer", &[], KINDS)).await.expect("it ends well");
        for sent in frames(KINDS) {
            let seen = node::next(&mut station).await;
            assert_eq!((Seen::Frame(seen.frame), seen.at.source), (sent, Source::Hardware));
        }
        assert_same(&candump.frames(), &frames(KINDS));

        for frame in frames(KINDS) {
            let Seen::Frame(frame) = frame else { panic!("{frame:?}") };
            bus.transmit(&frame).await.expect("it is sent");
        }
        for sent in frames(KINDS) {
            assert_eq!(candump.next().seen, sent);
        }
    });
}

#[test]
fn an_interface_at_another_bit_rate_is_refused() {
    let (bench, _running) = Lab::on("smoke", "virtual-can").with_bench_apart();
    let _line = SerialLine::attach(&bench, "can", 250_000);
    let said = "slcan0: the interface runs at 250000 bit/s, and the fixture says 500000; set it with `sudo ip link set \
                slcan0 down` and `sudo ip link set slcan0 up type can bitrate 500000`, or correct the fixture";
    presence::lab("interface = \"slcan0\"\nbitrate = 500000").run(&[]).assert_bus_refused(said);
}
