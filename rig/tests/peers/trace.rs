//! What the programs that an engineer would use read in a session's traces: tshark, and the can-utils.

use std::path::{Path, PathBuf};
use std::process::Command;

use rig::journal::synthetic::Synthetic;
use rig::journal::{Journal, LOG, Passed, TRACE, Traffic};
use rig_can::{Frame, Id};

use crate::storage::play;

/// What RTAC's header takes before the bytes of the line (`LINKTYPE_RTAC_SERIAL`, 250).
const HEADER: u64 = 12;

/// tshark's own number for that link type.
const RTAC_SERIAL: &str = "153";

#[test]
fn the_peer_tshark_reads_the_trace_as_what_was_on_the_line() {
    let played = play();
    let fields = [
        "frame.encap_type",
        "frame.interface_name",
        "frame.packet_flags_direction",
        "rtacser.eventtype",
        "frame.len",
        "frame.comment",
    ];
    let text = tshark(&played.folder.join(TRACE), &fields);
    let (mut received, mut sent, mut sends) = (0, 0, 0);
    for line in text.lines() {
        let cells: Vec<_> = line.split('\t').collect();
        let [encapsulation, interface, direction, event, length, comment] = cells[..] else { panic!("{line:?}") };
        assert_eq!((encapsulation, interface), (RTAC_SERIAL, "storage"));
        let bytes = length.parse::<u64>().expect("a length") - HEADER;
        // Directions as pcapng has them: 1 is inbound, 2 outbound. RTAC's events: 1 and 2 transmission and reception.
        match (direction, event) {
            ("0x00000001", "0x02") => received += bytes,
            ("0x00000002", "0x01") => {
                sent += bytes;
                let row = if sends % 2 == 0 { "D3" } else { "D6" };
                sends += 1;
                let trial = (sends + 1) / 2;
                assert_eq!(comment, format!("{row} DAC - sub → Distr. Cust. Storage, trial {trial}"));
            }
            _ => panic!("{line:?}"),
        }
    }
    assert_eq!(sends, 2 * 10, "a packet for each command of each trial");
    assert_eq!((sent, received), played.bytes, "what was sent and received, as the peer counted it");
}

/// A frame of each kind, with the direction in which it went.
fn frames() -> [(bool, Passed); 7] {
    let standard = Id::standard(0x123).expect("an identifier");
    let extended = Id::extended(0x18DA_10F1).expect("an identifier");
    let long: Vec<u8> = (0..64).collect();
    let frame = |frame: Option<Frame>| Passed::Frame(frame.expect("a frame"));
    [
        (true, frame(Frame::classic(standard, &[0xC0, 0xFF, 0xEE]))),
        (false, frame(Frame::classic(extended, &[1, 2, 3, 4, 5, 6, 7, 8]))),
        (true, frame(Frame::remote(standard, 5))),
        (true, frame(Frame::fd(standard, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], false))),
        (true, frame(Frame::fd(extended, &long, true))),
        (false, frame(Frame::fd(standard, &[0xAA], true).map(|frame| frame.sent_passively(true)))),
        // Bus off, with the receive and transmit counters of the controller.
        (false, Passed::Error { class: 0x40, data: [0, 0, 0, 0, 0, 0, 96, 255] }),
    ]
}

/// Writes a record with those frames, a millisecond apart, on a bus whose name no interface of Linux could have.
fn record(parent: &Path) -> PathBuf {
    let folder = parent.join("session");
    let mut journal = Journal::create(&folder).expect("a record");
    let start = Synthetic::of_deliveries(5).events().next().expect("a start");
    journal.event(&start).expect("written");
    for (at, (outbound, what)) in (0..).step_by(1_000_000).zip(frames()) {
        let traffic = Traffic { link: "battery bus".into(), outbound, at, what, note: None, trial: Some(1) };
        journal.traffic(&traffic).expect("written");
    }
    journal.finish().expect("written");
    folder
}

#[test]
fn the_peer_tshark_reads_frames_of_every_kind() {
    let parent = tempfile::tempdir().expect("a folder");
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.packet_flags_direction",
        "can.id",
        "can.flags.xtd",
        "can.flags.rtr",
        "can.flags.err",
        "can.len",
        "canfd.flags.brs",
        "canfd.flags.esi",
        "data.data",
        "can.err.busoff",
        // Complaints, and the comment of a packet.
        "_ws.expert.message",
    ];
    let text = tshark(&record(parent.path()).join(TRACE), &fields).replace('\t', "|");
    insta::assert_snapshot!(text, @r"
    1767225600.000000000|battery bus|0x00000002|291|0|0|0|3|||c0ffee||trial 1
    1767225600.001000000|battery bus|0x00000001|416944369|1|0|0|8|||0102030405060708||trial 1
    1767225600.002000000|battery bus|0x00000002|291|0|1|0|5|||||trial 1
    1767225600.003000000|battery bus|0x00000002|291|0|||12|0|0|0102030405060708090a0b0c||trial 1
    1767225600.004000000|battery bus|0x00000002|416944369|1|||64|1|0|000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f||trial 1
    1767225600.005000000|battery bus|0x00000001|291|0|||1|1|1|aa||trial 1
    1767225600.006000000|battery bus|0x00000001||||1|8||||1|trial 1
    ");
}

/// canplayer reads lines as log2asc does, by the same parser, but only where the kernel has CAN.
#[test]
fn the_peer_log2asc_reads_frames_of_every_kind() {
    let parent = tempfile::tempdir().expect("a folder");
    let log = record(parent.path()).join(LOG);
    let text = output(Command::new("log2asc").env("TZ", "UTC").arg("-I").arg(log).arg("battery_bus"));
    insta::assert_snapshot!(text, @r"
    date Thu Jan  1 00:00:00 2026
    base hex  timestamps absolute
    no internal events logged
       0.000000 1  123             Tx   d 3 C0 FF EE
       0.001000 1  18DA10F1x       Rx   d 8 01 02 03 04 05 06 07 08
       0.002000 1  123             Tx   r 5
       0.003000 CANFD   1 Tx        123                                   0 0 9 12 01 02 03 04 05 06 07 08 09 0A 0B 0C   130000  130     1000 0 0 0 0 0
       0.004000 CANFD   1 Tx   18DA10F1x                                  1 0 f 64 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14 15 16 17 18 19 1A 1B 1C 1D 1E 1F 20 21 22 23 24 25 26 27 28 29 2A 2B 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F   130000  130     3000 0 0 0 0 0
       0.005000 CANFD   1 Rx        123                                   1 1 1  1 AA   130000  130     7000 0 0 0 0 0
       0.006000 1  ErrorFrame
    ");
}

fn tshark(trace: &Path, fields: &[&str]) -> String {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(trace).args(["-n", "-T", "fields", "-E", "separator=/t"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    output(&mut tshark)
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}
