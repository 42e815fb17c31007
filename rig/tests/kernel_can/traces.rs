//! What was on a bus of the kernel, recorded and played again: by rig and candump, by canplayer and rig.

use std::fs;

use rig::stamp::Clock;
use rig_can::candump::Seen;
use serde_json::Value;
use tempfile::TempDir;
use test_case::test_case;
use tokio::task::spawn_blocking;

use crate::candump::{Candump, Logger, assert_same, frames};
use crate::lab::{Ended, Lab};
use crate::node;
use crate::peer::Peer;

/// Frames of every kind, at the times of an old log.
const KINDS: &str = "\
(1436509052.249713) vcan0 123#
(1436509052.250000) vcan0 123#DEADBEEF01020304
(1436509052.251000) vcan0 000#00
(1436509052.252000) vcan0 12345678#11223344
(1436509052.253000) vcan0 00000123#55
(1436509052.254000) vcan0 1FFFFFFF#0102030405060708
(1436509052.255000) vcan0 123#R
(1436509052.256000) vcan0 12345678#R8
(1436509052.257000) vcan0 123##0
(1436509052.258000) vcan0 123##0112233445566778899AABBCC
(1436509052.259000) vcan0 1ABCDEF0##1AA
(1436509052.260000) vcan0 7EF##1000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F
(1436509052.261000) vcan0 7EF##2AB
";

/// A session with storage on the bus.
fn session() -> (Lab, Ended) {
    let lab = Lab::on("dispatch", "vcan").trials(2);
    let ended = lab.run(&[]);
    assert_eq!(ended.code, Some(3), "two trials decide nothing: {}{}", ended.out, ended.err);
    (lab, ended)
}

/// Has rig replay a log, and returns what candump sees.
fn replayed(lab: &Lab, log: &str) -> Vec<Seen> {
    fs::write(lab.path("bus.log"), log).expect("a log");
    let candump = Candump::listen("vcan0");
    let ended = lab.ask(&["replay", "bus.log", "--onto", "can:vcan0", "--format", "json"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    let told: Value = serde_json::from_str(&ended.out).expect("JSON");
    let counts = (log.lines().count(), log.matches("##").count());
    assert_eq!((&told["frames"]["sent"], &told["frames"]["fd"]), (&counts.0.into(), &counts.1.into()), "{told}");
    assert!(told["took-ns"].as_u64() >= told["recorded-ns"].as_u64(), "{told}");
    candump.frames()
}

#[test]
fn what_candump_logs_of_a_session_rig_replays() {
    let folder = TempDir::new().expect("a folder");
    let logger = Logger::listen("vcan0", folder.path());
    let (lab, ended) = session();
    let trace = frames(&ended.file("trace.candump"));
    let log = logger.log();
    assert_same(&frames(&log), &trace);
    assert_same(&replayed(&lab, &log), &trace);
}

#[test]
fn canplayer_plays_a_sessions_trace() {
    let (lab, ended) = session();
    let trace = lab.session().join("trace.candump");
    let candump = Candump::listen("vcan0");
    Peer::run("canplayer", &["-I", trace.to_str().expect("a path"), "vcan0=storage"], "");
    assert_same(&candump.frames(), &frames(&ended.file("trace.candump")));
}

#[test]
fn rig_replays_frames_of_every_kind() {
    let lab = Lab::on("smoke", "vcan");
    assert_same(&replayed(&lab, KINDS), &frames(KINDS));
}

#[test]
fn a_thousand_frames_are_replayed_in_their_order() {
    let log = (0..1000).fold(String::new(), |log, at| log + &format!("(1.{:06}) can0 123#{at:04X}\n", at * 500));
    assert_same(&replayed(&Lab::on("smoke", "vcan"), &log), &frames(&log));
}

#[test_case("can:vcan1", 5, "5 lines are FD frames, which the bus does not carry (9, 10, 11, "; "FD frames and a classic bus")]
#[test_case("can:vcan2", 3, "vcan2: the interface is down"; "a bus that is down")]
#[test_case("can:vcan9", 3, "vcan9: no such interface"; "no bus")]
fn what_cannot_be_replayed_is_told_before_the_first_frame(onto: &str, code: i32, said: &str) {
    let lab = Lab::on("smoke", "vcan");
    fs::write(lab.path("bus.log"), KINDS).expect("a log");
    let candump = Candump::listen("vcan1");
    let ended = lab.ask(&["replay", "bus.log", "--onto", onto]);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains(said), "{}", ended.err);
    assert_same(&candump.frames(), &[]);
}

#[test]
fn rig_hears_frames_of_every_kind_that_canplayer_plays() {
    node::in_real_time(async || {
        let (bus, told) = node::open("vcan0", true, Clock::start()).await;
        let mut station = bus.station(None);
        spawn_blocking(|| Peer::run("canplayer", &[], KINDS)).await.expect("it ends well");
        for _ in KINDS.lines() {
            node::next(&mut station).await;
        }
        let heard = told.frames.borrow();
        assert!(heard.iter().all(|(own, _)| !own));
        assert_eq!(heard.iter().map(|(_, seen)| Seen::Frame(seen.frame)).collect::<Vec<_>>(), frames(KINDS));
    });
}
