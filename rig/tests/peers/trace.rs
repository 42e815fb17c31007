//! What tshark, which an engineer would use, reads in a session's trace.

use std::process::Command;

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
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(played.folder.join("trace.pcapng")).args(["-n", "-T", "fields", "-E", "separator=/t"]);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().expect("tshark starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
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
