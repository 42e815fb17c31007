//! The load on a CAN bus: a process of its own that sends frames at a rate, each with its number.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use socketcan::{CanDataFrame, CanSocket, EmbeddedFrame, Socket, StandardId};

/// The bus that is loaded.
pub const INTERFACE: &str = "vcan0";
/// Nothing has come for so long where it has brought all.
pub const QUIET: Duration = Duration::from_secs(2);
/// The id of all frames.
const ID: StandardId = StandardId::ZERO;

/// How many frames a log has, a line each.
pub fn logged(log: &Path) -> io::Result<u64> {
    BufReader::new(File::open(log)?).split(b'\n').try_fold(0, |frames, line| line.map(|_| frames + 1))
}

/// So many frames at so many a second.
#[derive(Clone, Copy, clap::Args)]
pub struct Load {
    /// Frames a second.
    pub rate: u32,
    /// Frames.
    pub frames: u32,
}

impl Load {
    /// Puts the load on the bus from another process; returns the longest that a frame was sent after it was due.
    pub fn play(self) -> io::Result<Duration> {
        let mut sender = Command::new(std::env::current_exe()?);
        let output = sender.arg("bench-sender").args([self.rate.to_string(), self.frames.to_string()]).output()?;
        let latest = String::from_utf8_lossy(&output.stdout).trim().parse();
        latest.map(Duration::from_nanos).map_err(|_| {
            io::Error::other(format!("the sender said: {}", String::from_utf8_lossy(&output.stderr).trim()))
        })
    }

    /// Sends on an absolute schedule. A sleep is longer than the time between frames, so what became due in it is sent
    /// at once.
    pub fn send(self) -> io::Result<Duration> {
        let socket = CanSocket::open(INTERFACE)?;
        let start = Instant::now();
        let mut latest = Duration::ZERO;
        for number in 0..self.frames {
            let due = Duration::from_secs(1) * number / self.rate;
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            latest = latest.max(start.elapsed().saturating_sub(due));
            let frame = CanDataFrame::new(ID, &u64::from(number).to_be_bytes()).ok_or(io::ErrorKind::InvalidInput)?;
            socket.write_frame(&frame)?;
        }
        Ok(latest)
    }
}
