//! The yardsticks: bare loops over poll and epoll in one thread, with nothing around them.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use rig_payload::{Chunk, Decoder, Frame};

use super::block::{Block, nanos};
use super::cpu::monotonic;
use super::payload;

/// The reply that ends in these bytes, if one does.
pub fn reply(decoder: &mut Decoder, bytes: &[u8]) -> Option<Frame> {
    bytes.iter().find_map(|byte| match decoder.push(*byte)? {
        (Chunk::Frame(frame), _) => Some(frame),
        _ => None,
    })
}

/// Exchanges one after another on one tty: write, poll, read.
pub fn exchanges(port: &Path, count: u16, block: &mut Block) -> io::Result<()> {
    let mut tty = super::tty::open_near(port)?;
    let mut decoder = Decoder::default();
    let mut buffer = [0; 4096];
    for sequence in 0..count {
        let began = Instant::now();
        let request = payload::request(sequence).encode();
        let sent = Instant::now();
        tty.write_all(request.as_bytes())?;
        let (frame, received, stamp) = loop {
            poll(&mut [PollFd::new(tty.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
            let read = tty.read(&mut buffer)?;
            let (received, stamp) = (Instant::now(), monotonic());
            if let Some(frame) = reply(&mut decoder, &buffer[..read]) {
                break (frame, received, stamp);
            }
        };
        block.whole.push(nanos(began.elapsed()));
        block.round_trips.push(nanos(received - sent));
        block.stamps.push(nanos(stamp).saturating_sub(frame.header.stamp));
    }
    Ok(())
}

/// Keeps one exchange in flight on each of many ttys, over one epoll. Returns exchanges per second.
pub fn exchanges_at_once(ports: &[PathBuf], each: u16) -> io::Result<f64> {
    let mut ttys: Vec<(File, Decoder, u16)> = ports
        .iter()
        .map(|port| Ok((super::tty::open_near(port)?, Decoder::default(), 0)))
        .collect::<io::Result<_>>()?;
    let epoll = Epoll::new(EpollCreateFlags::empty())?;
    for (index, (tty, ..)) in ttys.iter().enumerate() {
        epoll.add(tty, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
    }
    let start = Instant::now();
    for (tty, ..) in &mut ttys {
        tty.write_all(payload::request(0).encode().as_bytes())?;
    }
    let mut running = ttys.len();
    let mut events = [EpollEvent::empty(); 64];
    let mut buffer = [0; 4096];
    while running > 0 {
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            let (tty, decoder, done) = &mut ttys[usize::try_from(event.data()).unwrap_or(0)];
            let read = tty.read(&mut buffer)?;
            if reply(decoder, &buffer[..read]).is_none() {
                continue;
            }
            *done += 1;
            if *done == each {
                running -= 1;
            } else {
                tty.write_all(payload::request(*done).encode().as_bytes())?;
            }
        }
    }
    Ok(f64::from(each) * ttys.len() as f64 / start.elapsed().as_secs_f64())
}
