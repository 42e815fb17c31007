//! candump as a witness: what was on a bus, by somebody else.

use std::fs;
use std::path::{Path, PathBuf};

use rig_can::Id;
use rig_can::candump::{Record, Seen, parse};

use crate::peer::Peer;

/// A frame that nothing else here sends.
const LAST: Id = Id::Standard(0x7FF);

/// A line of a log.
pub fn record(line: &str) -> Record {
    parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The frames of a log, those that end it left out.
pub fn frames(log: &str) -> Vec<Seen> {
    log.lines().map(|line| record(line).seen).filter(|seen| !is_last(seen)).collect()
}

/// Both are the same frames in the same order.
pub fn assert_same(found: &[Seen], expected: &[Seen]) {
    let count = found.len().max(expected.len());
    if let Some(at) = (0..count).find(|at| found.get(*at) != expected.get(*at)) {
        panic!(
            "{} and {} frames; at {at}, {:?} and {:?}",
            found.len(),
            expected.len(),
            found.get(at),
            expected.get(at)
        );
    }
}

fn is_last(seen: &Seen) -> bool {
    matches!(seen, Seen::Frame(frame) if frame.id() == LAST)
}

/// One that listens.
pub struct Candump {
    peer: Peer,
    interface: String,
}

impl Candump {
    /// What makes candump write down frames as its logs have them, with room for those that come while the machine is
    /// busy elsewhere: it loses others without a word.
    const OPTIONS: [&str; 3] = ["-L", "-r", "8000000"];

    /// Listens to an interface from now on. Interfaces may be followed by filters, as candump has them.
    pub fn listen(interface: &str) -> Self {
        Self::listen_with(interface, &[], Path::new("."))
    }

    fn listen_with(interface: &str, options: &[&str], folder: &Path) -> Self {
        let name = interface.split(',').next().expect("a name");
        let arguments = [&Self::OPTIONS, options, &[interface]].concat();
        Self { peer: Peer::listen_in(folder, "candump", &arguments, name), interface: name.to_owned() }
    }

    /// The next that it sees.
    pub fn next(&self) -> Record {
        record(&self.peer.line())
    }

    /// What it has seen, to the last frame that was sent before this.
    pub fn seen(&self) -> Vec<Record> {
        Peer::run("cansend", &[&self.interface, "7FF#"], "");
        let records = std::iter::repeat_with(|| self.next());
        records.take_while(|record| !is_last(&record.seen)).collect()
    }

    /// The frames among it.
    pub fn frames(&self) -> Vec<Seen> {
        self.seen().into_iter().map(|record| record.seen).collect()
    }
}

/// One that writes a log (`candump -l`).
pub struct Logger {
    candump: Candump,
    folder: PathBuf,
}

impl Logger {
    /// Logs an interface from now on, into a folder of its own.
    pub fn listen(interface: &str, folder: &Path) -> Self {
        // What it logs it says, too.
        Self { candump: Candump::listen_with(interface, &["-l", "-s", "0"], folder), folder: folder.to_owned() }
    }

    /// Its log, which it writes to its end when it is asked to end.
    pub fn log(self) -> String {
        self.candump.seen();
        self.candump.peer.stop();
        let mut files = fs::read_dir(&self.folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        fs::read_to_string(files.next().expect("a log")).expect("text")
    }
}
