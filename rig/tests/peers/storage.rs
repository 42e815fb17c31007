//! The device is a storage controller that speaks the reference frame from its documentation alone.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::process::{Peer, Wire};

/// Trials of `plan.toml`.
const TRIALS: u64 = 10;

/// A session that was played with the peer.
pub struct Played {
    /// The session's folder.
    pub folder: PathBuf,
    /// How many bytes the peer says that it received from rig, and sent to it.
    pub bytes: (u64, u64),
    code: Option<i32>,
    said: String,
    _parent: tempfile::TempDir,
}

/// Plays `plan.toml` with the peer by rig's own program.
pub fn play() -> Played {
    let wire = Wire::new();
    let (peer, supply) = Peer::start("storage.py", &[&wire.peer()]);
    let parent = tempfile::tempdir().expect("a temporary folder");
    let fixture = parent.path().join("peer.toml");
    let text = format!(
        r#"
        version = 1
        name = "peer"
        title = "A storage controller that is not rig's, with its supply"
        # A machine that is busy with other tests stands still now and then.
        stall-limit = "2s"
        [actors]
        "Distr. Cust. Storage" = {{ device = "storage" }}
        "DAC - sub" = "emulated"
        "Distr. SCADA FEP" = "emulated"
        "LMS - Utility" = "emulated"
        [device.storage]
        link = {{ port = "{}", baud = 115200 }}
        feeder = "feeder"
        boot = "5s"
        detection = "5s"
        enter-service = "0s"
        [instrument.source]
        driver = "scpi"
        link = {{ tcp = "127.0.0.1:{supply}" }}
        [rail.feeder]
        switch = {{ instrument = "source", channel = 1 }}
        sense = {{ driver = "scpi", instrument = "source", channel = 1, threshold-volts = 115.0, timeout = "10s" }}
        safe = "on"
        dwell = "1ms"
        max-cuts-per-minute = 10000
        "#,
        wire.rig().display()
    );
    std::fs::write(&fixture, text).expect("the folder takes it");
    let plan = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/plan.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_rig"))
        .args(["--color", "never", "run"])
        .arg(plan)
        .arg("--fixture")
        .arg(fixture)
        .args(["--seed", "1", "--name", "session", "--output"])
        .arg(parent.path())
        .output()
        .expect("rig starts");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let counts = peer.finish();
    let words: Vec<_> = counts.split(' ').collect();
    let ["received", received, "sent", sent] = words[..] else { panic!("the peer said {counts:?}") };
    let count = |word: &str| word.parse().expect("a count");
    Played {
        folder: parent.path().join("session"),
        bytes: (count(received), count(sent)),
        code: output.status.code(),
        said,
        _parent: parent,
    }
}

#[test]
fn a_peer_storage_meets_every_row_in_every_trial() {
    let played = play();
    assert_eq!(played.code, Some(3), "ten trials decide nothing: {}", played.said);
    let summary = std::fs::read(played.folder.join("summary.json")).expect("a summary");
    let summary: Value = serde_json::from_slice(&summary).expect("JSON");
    assert_eq!(summary["verdict"], "inconclusive");
    let edges = summary["edges"].as_array().expect("edges");
    assert_eq!(edges.len(), 10);
    for claim in edges.iter().chain(summary["sub_totals"].as_array().expect("sub-totals")) {
        assert_eq!(claim["on_time"], TRIALS, "{claim}\n{}", played.said);
    }
}
