//! The yardstick on a CAN bus: candump of can-utils, which stamps frames and writes them to a file.

use std::fs;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::bus::{self, INTERFACE, QUIET};

/// A program that does not start in this time hangs.
const HANGS: Duration = Duration::from_secs(30);

/// A candump that runs; it ends when this is dropped.
pub struct Candump {
    child: Child,
    folder: TempDir,
}

impl Candump {
    /// Starts it, and waits until it listens.
    pub fn listen() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let child = Command::new("candump")
            .args(["-l", "-T", &QUIET.as_millis().to_string(), INTERFACE])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let candump = Self { child, folder };
        let begun = Instant::now();
        while !fs::read_to_string("/proc/net/can/rcvlist_all")?.contains(INTERFACE) {
            if begun.elapsed() > HANGS {
                return Err(io::Error::other("candump does not listen"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(candump)
    }

    /// Waits until nothing more comes, and returns how many frames are in its file.
    pub fn logged(mut self) -> io::Result<u64> {
        self.child.wait()?;
        let log = fs::read_dir(&self.folder)?.next().ok_or(io::ErrorKind::NotFound)??;
        bus::logged(&log.path())
    }
}

impl Drop for Candump {
    fn drop(&mut self) {
        // It has ended by itself where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
