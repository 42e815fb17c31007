//! Files read, and what rig itself wrote read back.

use std::fs;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{InterfaceDescriptionBlock, InterfaceDescriptionOption};
use pcap_file::{DataLink, Endianness};
use proptest::prelude::*;
use rig_can::candump::Seen;
use rig_can::{Frame, Id, socketcan};

use super::*;
use crate::journal::synthetic::Synthetic;
use crate::journal::{Journal, LOG, Passed, TRACE, Traffic};

pub(crate) fn from(bytes: impl AsRef<[u8]>) -> Result<Recording, ReplayError> {
    Recording::from_reader(bytes.as_ref(), |source| panic!("{source}"))
}

fn error_of(bytes: impl AsRef<[u8]>) -> String {
    from(bytes).expect_err("an error").to_string()
}

fn shown(recording: &Recording) -> String {
    let line = |entry: &Entry| {
        let interface = entry.interface.map(|index| recording.interfaces[index].name.as_str());
        format!("{} {interface:?} {} {:?} {:?}\n", entry.number, entry.at, entry.sent, entry.what)
    };
    recording.entries.iter().map(line).collect()
}

#[test]
fn a_log_is_read_line_by_line() {
    let log = b"(1436509052.249713) can0 123#C0FFEE T\r\n\n(1436509052.349713) can1 12345678#R4\n\
        (1436509052.449713) can0 20000004#0004000000000000 R\n\xff\n# comment\n(1.000000) can0\n(1.0) can0 1#\n(1.000000) \
        can0 123# X";
    insta::assert_snapshot!(shown(&from(log).expect("a log")), @r#"
    1 Some("can0") 1436509052249713000 Some(true) Frame(Frame(123 Classic 3 [c0, ff, ee]))
    3 Some("can1") 1436509052349713000 None Frame(Frame(12345678 Remote 4 []))
    4 Some("can0") 1436509052449713000 Some(false) Error
    5 None 0 None Unreadable("bytes that are no text")
    6 None 0 None Unreadable("no time such as (1436509052.249713) at its beginning")
    7 None 0 None Unreadable("no frame after the interface")
    8 None 0 None Unreadable("no time such as (1436509052.249713) at its beginning")
    9 None 0 None Unreadable("more than a frame and its direction")
    "#);
}

#[test]
fn what_is_no_recording_is_said() {
    let older = [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0];
    let said =
        [error_of(older), error_of(vec![b'x'; 5000]), error_of("\n".repeat((1 << 22) + 1)), error_of(&SECTION[..20])];
    insta::assert_snapshot!(said.join("\n"), @r"
    this is a pcap file; make it a pcapng file with `editcap -F pcapng`
    line 1 is longer than any of a log: the file is none of candump's, and no pcapng file
    the file has more than 4194304 lines: play it in parts
    the file is damaged after packet 0: repair it with `editcap`, which writes what can be read
    ");
}

#[test]
fn a_file_of_countless_interfaces_is_refused() {
    let log = (0..100).fold(String::new(), |log, number| log + &format!("(1.000000) can{number} 123#\n"));
    insta::assert_snapshot!(error_of(log), @"the file has traffic of more than 64 interfaces: take out what is not to be played");
}

/// A section's head, little endian.
const SECTION: [u8; 28] = [
    0x0A, 0x0D, 0x0D, 0x0A, 28, 0, 0, 0, 0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 28, 0, 0, 0,
];

fn interface(name: &str, link: u32, resolution: u8) -> InterfaceDescriptionBlock<'static> {
    let options = vec![
        InterfaceDescriptionOption::IfName(name.to_owned().into()),
        InterfaceDescriptionOption::IfTsResol(resolution),
    ];
    InterfaceDescriptionBlock { linktype: DataLink::from(link), snaplen: 0, options }
}

fn packet(interface_id: u32, ticks: u64, flags: u32, data: &[u8]) -> EnhancedPacketBlock<'_> {
    EnhancedPacketBlock {
        interface_id,
        timestamp: std::time::Duration::from_nanos(ticks),
        original_len: 16,
        data: data.into(),
        options: vec![EnhancedPacketOption::Comment("odd".into()), EnhancedPacketOption::Flags(flags)],
    }
}

fn frame() -> Vec<u8> {
    socketcan::to_packet(&Seen::Frame(Frame::classic(Id::Standard(0x123), &[1]).expect("a frame")))
}

#[test_case::test_case(Endianness::Little; "little endian")]
#[test_case::test_case(Endianness::Big; "big endian")]
fn a_capture_is_read_packet_by_packet(order: Endianness) {
    let mut writer = PcapNgWriter::with_endianness(Vec::new(), order).expect("a section");
    let frame = frame();
    writer.write_pcapng_block(interface("eth0", 1, 6)).expect("written");
    writer.write_pcapng_block(interface("micro", 227, 6)).expect("written");
    writer.write_pcapng_block(interface("", 227, 0x8A)).expect("written");
    writer.write_pcapng_block(packet(0, 1, 0, b"ethernet")).expect("written");
    writer.write_pcapng_block(packet(1, 1_500_001, 1, &frame)).expect("written");
    writer.write_pcapng_block(packet(2, 1024 + 512, 2, &frame)).expect("written");
    writer.write_pcapng_block(packet(2, 2048, 0, &frame[..7])).expect("written");
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown(&from(writer.into_inner()).expect("a capture")), @r#"
        2 Some("micro") 1500001000 Some(false) Frame(Frame(123 Classic 1 [01]))
        3 Some("2") 1500000000 Some(true) Frame(Frame(123 Classic 1 [01]))
        4 Some("2") 2000000000 None Unreadable("no whole frame")
        "#);
    }
}

#[test]
fn a_packet_of_no_interface_holds_no_frame() {
    let mut block = [0; 32];
    block[..9].copy_from_slice(&[6, 0, 0, 0, 32, 0, 0, 0, 7]);
    block[28] = 32;
    insta::assert_snapshot!(shown(&from([&SECTION[..], &block].concat()).expect("a capture")), @r#"1 None 0 None Unreadable("an interface that the file does not describe")"#);
}

#[test]
fn a_capture_that_breaks_off_is_refused() {
    let mut writer = PcapNgWriter::with_endianness(Vec::new(), Endianness::Little).expect("a section");
    writer.write_pcapng_block(interface("can0", 227, 9)).expect("written");
    writer.write_pcapng_block(packet(0, 1, 1, &frame())).expect("written");
    let mut bytes = writer.into_inner();
    bytes.extend([6, 0, 0, 0, 64, 0, 0, 0, 0]);
    insta::assert_snapshot!(error_of(bytes), @"the file is damaged after packet 1: repair it with `editcap`, which writes what can be read");
}

/// What a record has of each frame: which way it went, what it was, when on the session clock.
type Played = Vec<(bool, Seen, u64)>;

/// Lets rig record what was played, and reads both traces back.
fn recorded(played: &Played) -> (Recording, Recording) {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("session");
    let mut journal = Journal::create(&folder).expect("a record");
    journal.event(&Synthetic::of_deliveries(5).events().next().expect("a start")).expect("written");
    for (outbound, seen, at) in played {
        let what = match seen {
            Seen::Frame(frame) => Passed::Frame(*frame),
            Seen::Error(class, data) => Passed::Error { class: *class, data: *data },
        };
        let traffic = Traffic { link: "bus".into(), outbound: *outbound, at: *at, what, note: None, trial: None };
        journal.traffic(&traffic).expect("written");
    }
    journal.finish().expect("written");
    assert!(fs::exists(folder.join(LOG)).expect("a folder"));
    (Recording::read(&folder.join(TRACE)).expect("a trace"), Recording::read(&folder.join(LOG)).expect("a log"))
}

/// Anything that a bus can tell.
fn anything() -> impl Strategy<Value = Seen> {
    let id = prop_oneof![(0..=0x7FF_u16).prop_map(Id::Standard), (0..=0x1FFF_FFFF_u32).prop_map(Id::Extended)];
    let frame = (id, any::<[u8; 64]>(), 0..=8_u8, 0..4_u8).prop_map(|(id, bytes, length, format)| {
        let data = &bytes[..usize::from(length)];
        let frame = match format {
            0 => Frame::classic(id, data),
            1 => Frame::remote(id, length),
            2 => Frame::fd(id, data, false).map(|frame| frame.sent_passively(true)),
            _ => Frame::fd(id, &bytes, true),
        };
        Seen::Frame(frame.expect("a length that the format has"))
    });
    let error = (0..=0x1FFF_FFFF_u32, any::<[u8; 8]>()).prop_map(|(class, data)| Seen::Error(class, data));
    prop_oneof![4 => frame, 1 => error]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_rig_recorded_is_read_as_it_was(
        played in prop::collection::vec((any::<bool>(), anything(), 0..1_u64 << 50), 1..20)
    ) {
        // 2026-01-01T00:00:00Z.
        const START: u64 = 1_767_225_600_000_000_000;
        let (trace, log) = recorded(&played);
        for (recording, resolution) in [(trace, 1), (log, 1000)] {
            prop_assert_eq!(recording.entries.len(), played.len());
            for (entry, (outbound, seen, at)) in recording.entries.iter().zip(&played) {
                let what = match seen {
                    Seen::Frame(frame) => What::Frame(*frame),
                    Seen::Error(..) => What::Error,
                };
                prop_assert_eq!(&entry.what, &what);
                prop_assert_eq!((entry.sent, entry.interface), (Some(*outbound), Some(0)));
                prop_assert_eq!(entry.at, (START + at) / resolution * resolution);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>) {
        let _ = from(&bytes);
        let _ = from([&SECTION, &*bytes].concat());
    }

    #[test]
    fn no_damage_breaks_the_reader(at in 0..400_usize, byte: u8, cut in 0..400_usize) {
        let mut writer = PcapNgWriter::with_endianness(Vec::new(), Endianness::Little).expect("a section");
        writer.write_pcapng_block(interface("can0", 227, 9)).expect("written");
        for _ in 0..3 {
            writer.write_pcapng_block(packet(0, 1, 1, &frame())).expect("written");
        }
        let mut bytes = writer.into_inner();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = from(&bytes);
        bytes.truncate(cut);
        let _ = from(&bytes);
    }
}
