//! Peers as processes, and the ttys between them and rig.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes this long unless it hangs.
const HANGS: Duration = Duration::from_secs(60);

/// A peer that runs; it ends when this is dropped.
pub struct Peer {
    child: Child,
    said: Receiver<String>,
}

impl Peer {
    /// Starts a script of this folder and waits until it says `ready`; returns what it says after that word.
    pub fn start(script: &str, arguments: &[&Path]) -> (Self, String) {
        let python = std::env::var_os("RIG_PEERS").expect(
            "RIG_PEERS does not name a python with the peers of rig/tests/peers/requirements.txt: \
             run `cargo xtask test`, which installs them, or leave these tests out with `cargo test -- --skip peer`",
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let mut child = Command::new(python)
            .arg(folder.join(script))
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the python of RIG_PEERS starts");
        let out = child.stdout.take().expect("its output is a pipe");
        let (lines, said) = channel();
        thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let peer = Self { child, said };
        let ready = peer.next();
        let about = ready.strip_prefix("ready").unwrap_or_else(|| panic!("{script} said {ready:?}"));
        (peer, about.trim().to_owned())
    }

    /// The next line that it says.
    pub fn next(&self) -> String {
        self.said.recv_timeout(HANGS).expect("the peer says something")
    }

    /// Closes its input, at which it ends, and returns the last line that it says.
    pub fn finish(mut self) -> String {
        drop(self.child.stdin.take());
        self.child.wait().expect("it ends");
        self.said.iter().last().expect("it said something")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ttys that are joined: what one is given, the other has.
pub struct Wire {
    socat: Child,
    folder: tempfile::TempDir,
}

impl Wire {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let end = |name: &str| format!("pty,raw,echo=0,link={}", folder.path().join(name).display());
        let socat = Command::new("socat").arg(end("rig")).arg(end("peer")).spawn().expect("socat starts");
        let wire = Self { socat, folder };
        let begun = Instant::now();
        while !(wire.rig().exists() && wire.peer().exists()) {
            assert!(begun.elapsed() < HANGS, "socat makes no ttys");
            thread::sleep(Duration::from_millis(5));
        }
        wire
    }

    /// The end that rig opens.
    pub fn rig(&self) -> PathBuf {
        self.folder.path().join("rig")
    }

    /// The end that the peer opens.
    pub fn peer(&self) -> PathBuf {
        self.folder.path().join("peer")
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _ = self.socat.kill();
        let _ = self.socat.wait();
    }
}
