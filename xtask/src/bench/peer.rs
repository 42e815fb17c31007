//! The far end of a benchmark: ttys that answer every status command at once, or that send without end at a baud rate.
//! A process of its own, one thread, one poll loop: the same for the bare loop and for rig.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::ttyname;
use rig_payload::{Actor, Body, Chunk, Decoder, Frame, Header, Kind, State};

/// What a peer does on each of its ttys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Answers every command with a 50-byte reply, stamped with `CLOCK_MONOTONIC`.
    Answer,
    /// Sends 50-byte payloads at 115200 baud without a pause.
    Stream,
}

/// A peer that runs.
pub struct Peer {
    child: Child,
    /// Its ttys.
    pub ports: Vec<PathBuf>,
}

impl Peer {
    /// Starts a peer with `count` ttys.
    pub fn start(role: Role, count: usize) -> io::Result<Self> {
        let role = if role == Role::Answer { "answer" } else { "stream" };
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench-peer", role, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let ports = BufReader::new(output).lines().take(count).map(|line| line.map(PathBuf::from));
        let ports = ports.collect::<io::Result<_>>()?;
        Ok(Self { child, ports })
    }

    /// Lets a streaming peer begin.
    pub fn go(&mut self) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |input| input.write_all(b"go\n"))
    }

    /// Ends the peer and returns the last line it said: what a streaming peer sent and could not send.
    pub fn stop(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Line {
    master: File,
    decoder: Decoder,
    sequence: u16,
    /// Kept open so that the master does not hang up while nobody listens.
    _slave: std::os::fd::OwnedFd,
}

/// Runs as the peer process until it is killed.
pub fn run(role: Role, count: usize) -> io::Result<()> {
    let mut lines = (0..count).map(|_| Line::open()).collect::<io::Result<Vec<_>>>()?;
    match role {
        Role::Answer => answer(&mut lines),
        Role::Stream => stream(&mut lines),
    }
}

impl Line {
    fn open() -> io::Result<Self> {
        let pty = openpty(None, None)?;
        let mut raw = tcgetattr(&pty.slave)?;
        cfmakeraw(&mut raw);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &raw)?;
        fcntl(pty.master.as_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        println!("{}", ttyname(&pty.slave)?.display());
        Ok(Self { master: pty.master.into(), decoder: Decoder::default(), sequence: 0, _slave: pty.slave })
    }

    fn payload(&mut self, correlation: u16) -> Frame {
        self.sequence = self.sequence.wrapping_add(1);
        let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
        let header = Header {
            kind: Kind::StorageStatusResp,
            source: Actor::Storage,
            destination: Actor::DacSub,
            sequence: self.sequence,
            correlation,
            stamp: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
        };
        Frame { header, body: Body::from(State::default()) }
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = match self.master.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        for byte in &buffer[..read] {
            if let Some((Chunk::Frame(command), _)) = self.decoder.push(*byte) {
                let reply = self.payload(command.header.sequence);
                self.master.write_all(reply.encode().as_bytes())?;
            }
        }
        Ok(())
    }
}

fn answer(lines: &mut [Line]) -> io::Result<()> {
    loop {
        let ready: Vec<bool> = {
            let mut polled: Vec<_> =
                lines.iter().map(|line| PollFd::new(line.master.as_fd(), PollFlags::POLLIN)).collect();
            poll(&mut polled, PollTimeout::NONE)?;
            polled.iter().map(|fd| fd.any().unwrap_or(false)).collect()
        };
        for (line, _) in lines.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            line.serve()?;
        }
    }
}

/// Sends on every line what 115200 baud carries, by absolute schedule; a write that does not fit is a loss, and a gap
/// in the sequence tells the other end.
fn stream(lines: &mut [Line]) -> io::Result<()> {
    let mut go = String::new();
    io::stdin().read_line(&mut go)?;
    let size = Frame::encode(&lines[0].payload(0)).as_bytes().len() as u32;
    let every = Duration::from_secs(1) * size * 10 / 115_200;
    let start = std::time::Instant::now();
    for round in 1.. {
        for line in &mut *lines {
            let frame = line.payload(0);
            let bytes = frame.encode();
            // A tty takes all or, when its reader is too slow, a part: the reader then sees a broken payload.
            let _ = (&line.master).write(bytes.as_bytes());
        }
        std::thread::sleep((start + every * round).saturating_duration_since(std::time::Instant::now()));
    }
    Ok(())
}

/// A tty's near end for the bare loop: raw, blocking in poll only.
pub fn open_bare(path: &PathBuf) -> io::Result<File> {
    let tty = File::options().read(true).write(true).open(path)?;
    let mut raw = tcgetattr(&tty)?;
    cfmakeraw(&mut raw);
    tcsetattr(&tty, SetArg::TCSANOW, &raw)?;
    Ok(tty)
}
