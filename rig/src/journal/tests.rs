//! Records written and read back.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};

use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketOption;
use pcap_file::pcapng::{Block, PcapNgReader};
use proptest::prelude::*;

use super::synthetic::Synthetic;
use super::writer::Sink;
use super::*;
use crate::event::{Event, Fact};
use crate::plan::EdgeId;
use crate::verdict::Verdict;

const SMALL: Synthetic = Synthetic { planned: 600, played: 600, lost: 0.0, seed: 7 };

struct Folder {
    _parent: tempfile::TempDir,
    path: PathBuf,
}

fn folder() -> Folder {
    let parent = tempfile::tempdir().expect("a temporary folder");
    Folder { path: parent.path().join("reports").join("session"), _parent: parent }
}

fn written() -> Folder {
    let folder = folder();
    SMALL.write(&folder.path).expect("a record");
    folder
}

fn with_events(change: impl FnOnce(String) -> Vec<u8>) -> Folder {
    let folder = written();
    let text = fs::read_to_string(folder.path.join(EVENTS)).expect("events");
    fs::write(folder.path.join(EVENTS), change(text)).expect("changed events");
    folder
}

fn error_of(folder: &Folder) -> String {
    read(&folder.path, |_| {}).expect_err("an error").to_string().replace(&folder.path.display().to_string(), "SESSION")
}

#[test]
fn what_was_written_is_read() {
    let folder = written();
    let mut events = Vec::new();
    let reading = read(&folder.path, |event| events.push(event)).expect("a record");
    assert!(events == SMALL.events().collect::<Vec<_>>());
    assert_eq!(reading, Reading { events: events.len() as u64, torn: false });
}

#[test]
fn a_folder_that_exists_is_not_touched() {
    let folder = written();
    let before = fs::read(folder.path.join(EVENTS)).expect("events");
    let error = Journal::create(&folder.path).err().expect("an error");
    assert!(matches!(error, JournalError::Exists(_)) && error.to_string().contains("another name"), "{error}");
    assert_eq!(fs::read(folder.path.join(EVENTS)).expect("events"), before);
}

#[test]
fn a_torn_last_line_is_left_out_and_told() {
    let folder = with_events(|text| text.as_bytes()[..text.len() - 40].to_vec());
    let reading = read(&folder.path, |_| {}).expect("a record");
    assert!(reading.torn);
    let findings = findings(&folder.path).expect("findings");
    assert_eq!((findings.verdict, findings.end.clone()), (Verdict::Inconclusive, None));
    assert!(findings.reasons[0].contains("breaks off"), "{:?}", findings.reasons);
}

#[test]
fn damage_in_the_middle_is_an_error() {
    let folder = with_events(|text| text.replacen("delivery", "delivary", 1).into_bytes());
    insta::assert_snapshot!(error_of(&folder), @"line 3 of events.jsonl is no event: the file is damaged");
}

#[test]
fn a_record_of_the_first_layout_is_read() {
    let folder = with_events(|text| text.replacen("\"version\":2", "\"version\":1", 1).into_bytes());
    let reading = read(&folder.path, |_| {}).expect("a record");
    assert!(reading.events > 10 && !reading.torn, "{reading:?}");
}

#[test]
fn a_newer_record_is_refused_by_name() {
    let folder = with_events(|text| {
        let newer =
            text.replacen("\"version\":2", "\"version\":9", 1).replacen("\"rig\":\"0.1.0\"", "\"rig\":\"4.0\"", 1);
        newer.replacen("\"wall_gap\"", "\"gap_of_wall\"", 1).into_bytes()
    });
    insta::assert_snapshot!(error_of(&folder), @"the record has version 9 of the event's layout, written by rig 4.0, and this rig reads up to 2: use rig 4.0 or a newer one");
}

#[test]
fn an_edge_that_is_not_there_is_an_error() {
    let folder = with_events(|text| text.replacen("{\"edge\":4", "{\"edge\":5", 1).into_bytes());
    insta::assert_snapshot!(error_of(&folder), @"line 10 of events.jsonl cannot be of a session: edge 5 of 5");
}

#[test]
fn a_plan_that_cannot_be_is_an_error() {
    let folder = with_events(|text| text.replacen("\"request\":0", "\"request\":77", 1).into_bytes());
    insta::assert_snapshot!(error_of(&folder), @"line 1 of events.jsonl cannot be of a session: edge 77 of 5");
}

#[test]
fn a_record_begins_with_the_start() {
    let headless = with_events(|text| text.split_once('\n').expect("lines").1.into());
    let empty = with_events(|_| Vec::new());
    let other = with_events(|_| b"hello\n".to_vec());
    for folder in [headless, empty, other] {
        assert!(matches!(read(&folder.path, |_| {}), Err(JournalError::NoStart)));
    }
    let missing = folder();
    insta::assert_snapshot!(error_of(&missing), @"cannot read SESSION/events.jsonl: name the folder of a session, with an events.jsonl in it");
}

#[test]
fn a_line_without_end_is_not_read_into_memory() {
    let folder = with_events(|text| {
        let mut long = text.into_bytes();
        long.extend(vec![b' '; 2 << 20]);
        long
    });
    assert!(matches!(read(&folder.path, |_| {}), Err(JournalError::Long { .. })));
}

fn send_all(events: impl Iterator<Item = Event>) -> mpsc::Receiver<Record> {
    let (sender, receiver) = mpsc::channel();
    for event in events {
        let traffic = Traffic {
            link: "breaker".into(),
            outbound: event.trial.is_none(),
            at: event.at,
            what: Passed::Bytes([1, 2, 3].into()),
            note: Some(EdgeId(1)),
            trial: event.trial,
        };
        sender.send(Record::Event(event)).expect("a receiver");
        sender.send(Record::Traffic(traffic)).expect("a receiver");
    }
    receiver
}

#[test]
fn a_recorder_finds_what_its_record_shows() {
    let folder = folder();
    let recorder = Recorder::create(&folder.path).expect("a folder");
    let mut seen = 0;
    let live = recorder.run(&send_all(SMALL.events()), |_, _, _| seen += 1).expect("a record");
    assert!(live.error.is_none());
    assert_eq!(live.findings.verdict, Verdict::Pass, "{:?}", live.findings.reasons);
    assert_eq!(seen, SMALL.events().count());
    let again = findings(&folder.path).expect("findings");
    assert_eq!(format!("{again:?}"), format!("{:?}", live.findings));
}

#[test]
fn a_recorder_needs_the_start_first() {
    let folder = folder();
    let recorder = Recorder::create(&folder.path).expect("a folder");
    let records = send_all(SMALL.events().skip(1));
    assert!(matches!(recorder.run(&records, |_, _, _| {}), Err(JournalError::NoStart)));
}

#[test]
fn a_trace_names_links_directions_and_edges() {
    let folder = folder();
    let recorder = Recorder::create(&folder.path).expect("a folder");
    recorder.run(&send_all(SMALL.events().take(3)), |_, _, _| {}).expect("a record");
    let file = fs::File::open(folder.path.join(TRACE)).expect("a trace");
    let mut reader = PcapNgReader::new(file).expect("a section");
    let mut lines = Vec::new();
    while let Some(block) = reader.next_block() {
        match block.expect("a block") {
            Block::InterfaceDescription(interface) => lines.push(format!("{:?}", interface.options)),
            Block::EnhancedPacket(packet) => {
                let comment = packet.options.iter().find_map(|option| match option {
                    EnhancedPacketOption::Comment(text) => Some(text.clone()),
                    _ => None,
                });
                let flags = packet.options.contains(&EnhancedPacketOption::Flags(2));
                let line = (packet.timestamp.as_nanos(), flags, comment, packet.data);
                lines.push(format!("{line:?}"));
            }
            _ => {}
        }
    }
    // 1767225600 s is 2026-01-01T00:00:00Z, 0x6955b900.
    insta::assert_snapshot!(lines.join("\n"), @r#"
    [IfName("breaker"), IfTsResol(9)]
    (1767225600000000000, true, Some("S2 Feeder Circuit Breaker → DAC - sub"), [105, 85, 185, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3])
    (1767225660000000000, false, Some("S2 Feeder Circuit Breaker → DAC - sub, trial 1"), [105, 85, 185, 60, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3])
    (1767225660146000000, false, Some("S2 Feeder Circuit Breaker → DAC - sub, trial 1"), [105, 85, 185, 60, 0, 2, 58, 80, 2, 0, 0, 0, 1, 2, 3])
    "#);
}

fn frame_at(at: u64) -> Traffic {
    let frame = rig_can::Frame::classic(rig_can::Id::Standard(0x123), &[0xAB]).expect("a frame");
    Traffic { link: "bus 1".into(), outbound: false, at, what: Passed::Frame(frame), note: None, trial: None }
}

#[test]
fn the_first_frame_makes_a_log() {
    let folder = folder();
    let mut journal = Journal::create(&folder.path).expect("a folder");
    // Before the start no wall time is known, and nothing is written.
    journal.traffic(&frame_at(0)).expect("nothing");
    journal.event(&SMALL.events().next().expect("a start")).expect("written");
    assert!(!folder.path.join(LOG).exists());
    journal.traffic(&frame_at(1_500_999)).expect("written");
    journal.traffic(&frame_at(2_000_000)).expect("written");
    journal.finish().expect("written");
    let log = fs::read_to_string(folder.path.join(LOG)).expect("a log");
    insta::assert_snapshot!(log, @r"
    (1767225600.001500) bus_1 123#AB R
    (1767225600.002000) bus_1 123#AB R
    ");
}

#[test]
fn bytes_and_frames_of_one_name_are_two_interfaces() {
    let folder = folder();
    let mut journal = Journal::create(&folder.path).expect("a folder");
    journal.event(&SMALL.events().next().expect("a start")).expect("written");
    let bytes = Traffic { what: Passed::Bytes(b"t12310AB\r".as_slice().into()), ..frame_at(0) };
    for traffic in [&bytes, &frame_at(1), &bytes] {
        journal.traffic(traffic).expect("written");
    }
    journal.finish().expect("written");
    let mut reader = PcapNgReader::new(fs::File::open(folder.path.join(TRACE)).expect("a trace")).expect("a section");
    let mut interfaces = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.expect("a block") {
            interfaces.push(packet.interface_id);
        }
    }
    assert_eq!(interfaces, [0, 1, 0]);
    assert_eq!(reader.interfaces().iter().map(|interface| interface.linktype.into()).collect::<Vec<u32>>(), [250, 227]);
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = bytes.len().min(self.0);
        self.0 -= room;
        if room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(room) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Disk {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_no_session_and_passes_none() {
    for (events, trace) in [(100_000, usize::MAX), (usize::MAX, 100_000), (0, 0)] {
        let none = || Err(io::ErrorKind::StorageFull.into());
        let plane = Recorder::to(Journal::to(Box::new(Disk(events)), Box::new(Disk(trace)), Box::new(none)));
        let mut told = 0;
        let recorded =
            plane.run(&send_all(SMALL.events()), |_, _, error| told += u32::from(error.is_some())).expect("findings");
        assert!(told > 0, "the session hears of it while it runs");
        let error = recorded.error.expect("an error");
        assert!(matches!(error, JournalError::Write { .. }));
        assert_eq!(recorded.findings.edges[0].counts.on_time, 600);
        assert_eq!(recorded.findings.verdict, Verdict::Inconclusive);
        assert_eq!(recorded.findings.reasons[0], error.to_string());
    }
}

#[test]
fn a_log_that_cannot_be_made_is_told_once_and_the_rest_goes_on() {
    let (events, trace) = (Shared::default(), Shared::default());
    let none = || Err(io::ErrorKind::StorageFull.into());
    let mut journal = Journal::to(Box::new(events.clone()), Box::new(trace.clone()), Box::new(none));
    journal.event(&SMALL.events().next().expect("a start")).expect("written");
    let error = journal.traffic(&frame_at(0)).expect_err("no room");
    assert!(matches!(error, JournalError::Write { file: LOG, .. }), "{error:?}");
    journal.flush().expect("written");
    let before = trace.0.lock().expect("a trace").len();
    journal.traffic(&frame_at(1)).expect("written to the trace");
    journal.finish().expect("written");
    assert!(trace.0.lock().expect("a trace").len() > before);
}

/// A file that the test can look into.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a file").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Shared {
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>, cut in 0..2_000_usize, at in 0..2_000_usize) {
        let mut record = Vec::new();
        for event in SMALL.events().take(8) {
            record.extend(serde_json::to_vec(&event).expect("an event"));
            record.push(b'\n');
        }
        let at = at.min(record.len());
        let end = (at + cut).min(record.len());
        record.splice(at..end, bytes);
        let mut tally = None;
        let _ = reader::read_lines(record.as_slice(), |event| match (&mut tally, event.fact) {
            (none @ None, Fact::Started(start)) => *none = Some(crate::verdict::Tally::new(*start)),
            (Some(tally), fact) => tally.note(&Event { fact, ..event }),
            (None, _) => {}
        });
        drop(tally.map(crate::verdict::Tally::findings));
    }
}
