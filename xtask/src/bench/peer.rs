//! The far end of a benchmark: a process of its own with ttys that answer every request at once, or that send at a baud
//! rate. One thread, one epoll loop; the same for rig and for the bare loops.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rig_payload::{Chunk, Decoder};

use super::payload;
use super::tty::FarEnd;

/// Bits per second of a streaming line, ten for a byte.
pub const BAUD: u32 = 115_200;

/// What a peer does on each of its ttys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Answers every request with a reply, stamped with `CLOCK_MONOTONIC` right before it is written.
    Answer,
    /// Sends replies that nobody asked for, as many as [`BAUD`] carries.
    Stream,
}

/// A peer that runs; it ends when this is dropped.
pub struct Peer {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// The near ends of its ttys.
    pub ports: Vec<PathBuf>,
}

/// What a streaming peer did.
#[derive(Clone, Copy, Debug)]
pub struct Streamed {
    /// Payloads that were due, all ttys together.
    pub due: u64,
    /// The longest that a payload was written after it was due: a peer that is late offers less than the baud rate.
    pub latest: Duration,
}

impl Peer {
    /// Starts a peer with so many ttys.
    pub fn start(role: Role, ttys: usize) -> io::Result<Self> {
        let role = if role == Role::Answer { "answer" } else { "stream" };
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bench-peer", role, &ttys.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut output = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let ports =
            output.by_ref().lines().take(ttys).map(|line| line.map(PathBuf::from)).collect::<io::Result<_>>()?;
        Ok(Self { child, input, output, ports })
    }

    /// Lets a streaming peer send for so long.
    pub fn stream_for(&mut self, time: Duration) -> io::Result<()> {
        writeln!(self.input, "{}", time.as_millis())
    }

    /// Waits until a streaming peer has sent all.
    pub fn streamed(&mut self) -> io::Result<Streamed> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let mut numbers = line.split_whitespace().map_while(|number| number.parse().ok());
        let (Some(due), Some(latest)) = (numbers.next(), numbers.next()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the peer ended before it had sent all"));
        };
        Ok(Streamed { due, latest: Duration::from_nanos(latest) })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A peer that has ended already needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Line {
    far: FarEnd,
    decoder: Decoder,
    sequence: u16,
}

/// Runs as the peer's process.
pub fn run(role: Role, ttys: usize) -> io::Result<()> {
    let line = || Ok(Line { far: FarEnd::open()?, decoder: Decoder::default(), sequence: 0 });
    let mut lines = (0..ttys).map(|_| line()).collect::<io::Result<Vec<Line>>>()?;
    for line in &lines {
        println!("{}", line.far.path.display());
    }
    match role {
        Role::Answer => answer(&mut lines),
        Role::Stream => {
            let mut time = String::new();
            io::stdin().read_line(&mut time)?;
            let time = Duration::from_millis(time.trim().parse().map_err(io::Error::other)?);
            let Streamed { due, latest } = stream(&mut lines, time);
            println!("{due} {}", latest.as_nanos());
            // The ttys stay until all of it has been read: until the parent kills this process, or ends itself.
            io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
        }
    }
}

fn answer(lines: &mut [Line]) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (index, line) in lines.iter().enumerate() {
        epoll.add(&line.far.master, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
    }
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let line = usize::try_from(event.data()).ok().and_then(|index| lines.get_mut(index));
            line.map_or(Ok(()), Line::serve)?;
        }
    }
}

/// Sends on an absolute schedule, each line at a phase of its own. What a tty does not take is lost, as on a line whose
/// receiver is too slow; the other end sees a gap or a broken payload.
fn stream(lines: &mut [Line], time: Duration) -> Streamed {
    let size = payload::reply(0, 0).encode().as_bytes().len();
    let every = Duration::from_secs(1) * 10 * u32::try_from(size).unwrap_or(u32::MAX) / BAUD;
    let phase = every / u32::try_from(lines.len()).unwrap_or(u32::MAX);
    let start = Instant::now();
    let mut streamed = Streamed { due: 0, latest: Duration::ZERO };
    let mut due = Duration::ZERO;
    loop {
        for line in &mut *lines {
            due += phase;
            let elapsed = start.elapsed();
            std::thread::sleep(due.saturating_sub(elapsed));
            streamed.latest = streamed.latest.max(elapsed.saturating_sub(due));
            streamed.due += 1;
            let payload = line.next(0);
            // A part or nothing is written where the tty is full.
            let _ = (&line.far.master).write(payload.encode().as_bytes());
        }
        if due >= time {
            return streamed;
        }
    }
}

impl Line {
    fn next(&mut self, correlation: u16) -> rig_payload::Frame {
        self.sequence = self.sequence.wrapping_add(1);
        payload::reply(self.sequence, correlation)
    }

    fn serve(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let read = match self.far.master.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            read => read?,
        };
        for byte in &buffer[..read] {
            if let Some((Chunk::Frame(request), _)) = self.decoder.push(*byte) {
                let reply = self.next(request.header.sequence);
                self.far.master.write_all(reply.encode().as_bytes())?;
            }
        }
        Ok(())
    }
}
