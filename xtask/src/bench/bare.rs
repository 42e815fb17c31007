//! The yardstick: a bare write/poll/read loop in one thread, with nothing around it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::time::{ClockId, clock_gettime};
use rig_payload::{Actor, Body, Chunk, Decoder, Frame, Header, Kind, Setting};

use super::peer::open_bare;

/// What one block of exchanges took.
#[derive(Default)]
pub struct Block {
    /// Round trips.
    pub round_trips: Vec<Duration>,
    /// From the peer's own stamp to the receive stamp.
    pub stamps: Vec<Duration>,
}

/// A status command.
pub fn command(sequence: u16) -> Frame {
    let header = Header {
        kind: Kind::StorageStatusCmd,
        source: Actor::DacSub,
        destination: Actor::Storage,
        sequence,
        correlation: 0,
        stamp: 0,
    };
    Frame { header, body: Body::from(Setting::default()) }
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// One after another on one tty.
pub fn exchanges(port: &PathBuf, count: u16) -> io::Result<Block> {
    let mut tty = open_bare(port)?;
    let mut decoder = Decoder::default();
    let mut block = Block::default();
    let mut buffer = [0; 4096];
    for sequence in 0..count {
        let bytes = command(sequence).encode();
        let start = Instant::now();
        tty.write_all(bytes.as_bytes())?;
        'reply: loop {
            poll(&mut [PollFd::new(tty.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
            let read = tty.read(&mut buffer)?;
            let (ended, stamp) = (start.elapsed(), monotonic());
            for byte in &buffer[..read] {
                if let Some((Chunk::Frame(reply), _)) = decoder.push(*byte) {
                    block.round_trips.push(ended);
                    block.stamps.push(stamp.saturating_sub(Duration::from_nanos(reply.header.stamp)));
                    break 'reply;
                }
            }
        }
    }
    Ok(block)
}

/// One in flight on each of many ttys, over one epoll. Returns exchanges per second.
pub fn exchanges_at_once(ports: &[PathBuf], each: u16) -> io::Result<f64> {
    let mut ttys: Vec<(File, Decoder, u16)> =
        ports.iter().map(|port| Ok((open_bare(port)?, Decoder::default(), 0))).collect::<io::Result<_>>()?;
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (index, (tty, ..)) in ttys.iter().enumerate() {
        epoll.add(tty, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
    }
    let start = Instant::now();
    for (tty, ..) in &mut ttys {
        tty.write_all(command(0).encode().as_bytes())?;
    }
    let mut running = ttys.len();
    let mut events = [EpollEvent::empty(); 64];
    let mut buffer = [0; 4096];
    while running > 0 {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let index = usize::try_from(event.data()).unwrap_or(0);
            let (tty, decoder, done) = &mut ttys[index];
            let read = tty.read(&mut buffer)?;
            for byte in &buffer[..read] {
                if let Some((Chunk::Frame(_), _)) = decoder.push(*byte) {
                    *done += 1;
                    if *done == each {
                        running -= 1;
                    } else {
                        tty.write_all(command(*done).encode().as_bytes())?;
                    }
                }
            }
        }
    }
    Ok(f64::from(each) * ttys.len() as f64 / start.elapsed().as_secs_f64())
}
