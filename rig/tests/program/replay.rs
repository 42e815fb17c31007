//! Recorded CAN traffic played back, onto the emulated bus of a virtual bench.

use std::fs;

use serde_json::Value;
use test_case::test_case;

use crate::lab::{Lab, Running};

const LOG: &str = "\
(1.000000) can0 600#01 T
(1.010000) can0 601#60 R
(1.020000) can0 600#02 T
(1.030000) can0 601#61 R
(1.040000) can0 20000040#0000000000000000 R
";

/// A lab with the log, and another one of two buses.
fn lab() -> Lab {
    let lab = Lab::new("smoke");
    let files = [
        ("can.log", LOG),
        ("two.log", "(1.000000) can0 600#01\n(1.000000) can1 600#01\n"),
        ("odd.log", "(1.000000) can0 600#01\nno frame\n"),
        ("never.log", "(1.000000) can0 600#FF T\n(1.000000) can0 601# R\n"),
    ];
    for (name, text) in files {
        fs::write(lab.path(name), text).expect("a recording");
    }
    lab
}

/// A bus with two adapters, below `ports`.
fn bench(lab: &Lab) -> Running {
    let fixture = "version = 1\nname = \"cans\"\ntitle = \"A bus\"\nstall-limit = \"10s\"\n[actors]\n[bench.bus.can]\n\
        bitrate = 500000\nadapters = [\"a\", \"b\"]\n";
    fs::write(lab.path("cans.toml"), fixture).expect("a fixture");
    fs::create_dir(lab.path("ports")).expect("a folder");
    let mut bench = lab.start(lab.rig(&["bench", "cans.toml", "--dir", "ports"]));
    bench.until_printed("ready");
    bench
}

const ONTO: [&str; 5] = ["--skip", "errors", "--reply-timeout", "60s", "--onto"];

#[test]
fn both_sides_of_a_recording_can_be_played_to_each_other() {
    let lab = lab();
    let _bench = bench(&lab);
    let device = [&["replay", "can.log", "--received-only", "--reply", "600"], &ONTO[..], &["slcan:ports/b@500000"]];
    let mut device = lab.start(lab.rig(&device.concat()));
    device.until_said("playing can.log onto slcan:ports/b@500000");
    let tester = [&["replay", "can.log", "--sent-only", "--reply", "601", "--format", "json"], &ONTO[..]];
    let tester = lab.ask(&[&tester.concat()[..], &["slcan:ports/a@500000"]].concat());
    assert_eq!(tester.code, Some(0), "{}{}", tester.out, tester.err);
    let told: Value = serde_json::from_str(&tester.out).unwrap();
    assert_eq!((&told["frames"]["sent"], &told["replies"]["came"]), (&2.into(), &2.into()), "{told}");
    assert_eq!(told["left-out"]["errors"], 1, "{told}");
    assert!(told["took-ns"].as_u64().unwrap() >= 20_000_000, "{told}");
    let device = device.end();
    assert_eq!(device.code, Some(0), "{}{}", device.out, device.err);
    assert!(device.said().contains("played: 2 frames"), "{}", device.out);
    assert!(device.said().contains("replies: 2 of 2 came"), "{}", device.out);
}

#[test]
fn a_reply_that_does_not_come_ends_with_1_and_its_line() {
    let lab = lab();
    let _bench = bench(&lab);
    // A node that hears everything, and waits for what does not come.
    let silent =
        [&["replay", "never.log", "--received-only", "--reply", "600#FF"], &ONTO[..], &["slcan:ports/b@500000"]];
    let mut silent = lab.start(lab.rig(&silent.concat()));
    silent.until_said("playing never.log");
    let tester = ["replay", "can.log", "--skip", "errors", "--reply", "601", "--reply-timeout", "200ms"];
    let tester = lab.ask(&[&tester[..], &["--onto", "slcan:ports/a@500000"]].concat());
    assert_eq!(tester.code, Some(1), "{}{}", tester.out, tester.err);
    let said = "ended: the reply of line 2 did not come within 200ms not tried: 1 frame";
    assert!(tester.said().contains(said), "{}", tester.out);
}

#[test]
fn a_link_that_goes_ends_with_3() {
    let lab = lab();
    let bench = bench(&lab);
    let waiting = [&["replay", "can.log", "--received-only", "--reply", "600"], &ONTO[..], &["slcan:ports/b@500000"]];
    let mut waiting = lab.start(lab.rig(&waiting.concat()));
    waiting.until_said("playing can.log");
    drop(bench);
    let waiting = waiting.end();
    assert_eq!(waiting.code, Some(3), "{}{}", waiting.out, waiting.err);
}

#[test_case(&["can.log", "--dry-run", "--skip", "errors"], 0, "recorded: 4 frames in 0.030 s left out: error frames 1"; "what would be played")]
#[test_case(&["can.log", "--dry-run"], 5, "error: can.log: line 5 is an error frame, which cannot be sent; leave it out with --skip errors"; "an error frame")]
#[test_case(&["odd.log", "--dry-run"], 5, "error: odd.log: line 2 holds no frame; it has no time such as (1436509052.249713) at its beginning"; "a line that is no frame")]
#[test_case(&["none.log", "--dry-run"], 5, "error: cannot read none.log: name a log of candump's or a pcapng file (No such file or directory"; "no file")]
#[test_case(&["two.log", "--dry-run"], 2, "error: two.log: the file has traffic of several interfaces: name the one to play with --interface; it has can0, can1"; "several buses")]
#[test_case(&["two.log", "--onto", "slcan:none@500000", "--interface", "can1"], 3, "error: none: no such port"; "no port")]
#[test_case(&["two.log"], 2, "--onto <LINK>"; "nothing to play onto")]
fn the_exit_code_says_what_is_wrong(arguments: &[&str], code: i32, said: &str) {
    let ended = lab().ask(&[&["replay"], arguments].concat());
    assert_eq!(ended.code, Some(code), "{}{}", ended.out, ended.err);
    let all = format!("{} {}", ended.said(), ended.err);
    assert!(all.contains(said), "{all}");
}
