//! rig's own trace played by canplayer, and what candump recorded played by rig.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rig::journal::synthetic::Synthetic;
use rig::journal::{Journal, LOG, Passed, Traffic};
use rig_can::{Frame, Id, candump};
use test_case::test_case;

use crate::peer::Peer;

fn frames() -> [Frame; 5] {
    let (standard, extended) = (Id::Standard(0x123), Id::Extended(0x18DA_10F1));
    let frames = [
        Frame::classic(standard, &[1, 2, 3]),
        Frame::classic(extended, &[]),
        Frame::remote(standard, 5),
        Frame::fd(standard, &[7; 12], false),
        Frame::fd(extended, &[9; 64], true),
    ];
    frames.map(|frame| frame.expect("a frame"))
}

/// What a line of candump's tells, without its time and the flags that newer kernels set in every FD frame.
fn frame_of(line: &str) -> Frame {
    let record = candump::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let candump::Seen::Frame(frame) = record.seen else { panic!("{line}") };
    frame
}

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn rig(folder: &Path, arguments: &[&str]) -> Ended {
    let mut rig = Command::new(env!("CARGO_BIN_EXE_rig"));
    let ended = rig.current_dir(folder).arg("replay").args(arguments).output().expect("rig starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

/// A log of a session, in which the frames are 10 ms apart.
fn recorded(folder: &Path, bus: &str) -> String {
    let session = folder.join("session");
    let mut journal = Journal::create(&session).expect("a record");
    journal.event(&Synthetic::of_deliveries(5).events().next().expect("a start")).expect("written");
    for (at, frame) in (0..).step_by(10_000_000).zip(frames()) {
        let link = Arc::from(bus);
        let what = Passed::Frame(frame);
        let traffic = Traffic { link, outbound: true, at, what, note: None, trial: None };
        journal.traffic(&traffic).expect("written");
    }
    journal.finish().expect("written");
    session.join(LOG).display().to_string()
}

#[test]
fn canplayer_plays_a_sessions_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = recorded(folder.path(), "storage bus");
    let dump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
    Peer::run("canplayer", &["-I", &log, "vcan0=storage_bus"], "");
    assert_eq!(frames().map(|_| frame_of(&dump.line())), frames());
}

#[test]
fn rig_plays_what_candump_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = recorded(folder.path(), "vcan0");
    // Once by canplayer, so that the log which rig plays is one of candump's.
    let dump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
    Peer::run("canplayer", &["-I", &log], "");
    let lines = frames().map(|_| dump.line() + "\n");
    fs::write(folder.path().join("dump.log"), lines.concat()).expect("written");

    let ended = rig(folder.path(), &["dump.log", "--onto", "can:vcan0", "--format", "json"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(frames().map(|_| frame_of(&dump.line())), frames());
    let told: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((&told["frames"]["sent"], &told["frames"]["fd"]), (&5.into(), &2.into()), "{told}");
    // The last one is due 40 ms after the first; how late it is, is the machine's doing.
    let nanos = |key: &str| told[key].as_u64().unwrap_or_else(|| panic!("no {key}: {told}"));
    assert!(nanos("took-ns") >= nanos("recorded-ns"), "{told}");
}

#[test]
fn a_thousand_frames_are_all_on_the_bus() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = (0..1000).fold(String::new(), |log, at| log + &format!("(1.{:06}) can0 123#{at:04X}\n", at * 500));
    fs::write(folder.path().join("many.log"), log).expect("written");
    let dump = Peer::listen("candump", &["-L", "vcan0"], "vcan0");
    let ended = rig(folder.path(), &["many.log", "--onto", "can:vcan0"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    for at in 0..1000 {
        let line = dump.line();
        assert!(line.ends_with(&format!(" 123#{at:04X}")), "{at}: {line}");
    }
}

#[test_case("can:vcan1", 5, "2 lines are FD frames, which the bus does not carry (4, 5)"; "FD frames and a classic bus")]
#[test_case("can:vcan2", 3, "vcan2: the interface is down"; "a bus that is down")]
#[test_case("can:vcan9", 3, "vcan9: no such interface"; "no bus")]
fn what_cannot_be_played_is_told_before_the_first_frame(onto: &str, code: i32, said: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = recorded(folder.path(), "vcan0");
    let dump = Peer::listen("candump", &["-L", "vcan1"], "vcan1");
    let ended = rig(folder.path(), &[&log, "--onto", onto]);
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains(said), "{}", ended.err);
    Peer::run("cansend", &["vcan1", "001#"], "");
    assert!(dump.line().ends_with(" 001#"));
}
