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
    /// Listens to an interface from now on. Interfaces may be followed by filters, as candump has them.
    pub fn listen(interface: &str) -> Self {
        let name = interface.split(',').next().expect("a name");
        Self { peer: Peer::listen("candump", &["-L", interface], name), interface: name.to_owned() }
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
    peer: Peer,
    folder: PathBuf,
    interface: String,
}

impl Logger {
    /// It writes its file when it ends, and it ends after so many frames.
    const FRAMES: usize = 2_000;

    /// Logs an interface from now on, into a folder of its own.
    pub fn listen(interface: &str, folder: &Path) -> Self {
        let count = Self::FRAMES.to_string();
        let peer = Peer::listen_in(folder, "candump", &["-l", "-n", &count, interface], interface);
        Self { peer, folder: folder.to_owned(), interface: interface.to_owned() }
    }

    /// Its log of `count` frames, which is all that there were.
    pub fn log(self, count: usize) -> String {
        let more = Self::FRAMES.checked_sub(count).expect("not too many frames").to_string();
        Peer::run("cangen", &[&self.interface, "-g", "0", "-n", &more, "-I", "7FF", "-L", "0"], "");
        self.peer.end();
        let mut files = fs::read_dir(&self.folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        fs::read_to_string(files.next().expect("a log")).expect("text")
    }
}
