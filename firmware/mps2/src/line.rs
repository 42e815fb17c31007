use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rig_payload::{Actor, Chunk, Decoder, Frame, Header, Kind, Setting};

/// How long a payload is waited for. None takes so long unless the firmware is broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one look at the line takes at most.
const LOOK: Duration = Duration::from_millis(50);

/// A serial port of the machine, seen from outside.
#[derive(Debug)]
pub struct Line {
    stream: UnixStream,
    decoder: Decoder,
    arrived: VecDeque<Frame>,
}

/// Why no payload came.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The machine is gone.
    #[error("the machine's port is closed")]
    Closed(#[from] io::Error),
    /// The machine is there and says nothing.
    #[error("no payload came within {} s", PATIENCE.as_secs())]
    Silent,
    /// The machine says something else.
    #[error("something that is no payload came: {0:?}")]
    Broken(Box<Chunk>),
}

impl Line {
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(LOOK))?;
        Ok(Self { stream, decoder: Decoder::default(), arrived: VecDeque::new() })
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// Where the machine is gone.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), LineError> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Waits for the next payload.
    ///
    /// # Errors
    /// Where none comes, or something else.
    pub fn receive(&mut self) -> Result<Frame, LineError> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(frame) = self.arrived.pop_front() {
                return Ok(frame);
            }
            if Instant::now() > until {
                return Err(LineError::Silent);
            }
            self.look()?;
        }
    }

    /// Waits for the next payload of a kind; those before it are forgotten.
    ///
    /// # Errors
    /// Where none comes, or something that is no payload.
    pub fn receive_kind(&mut self, kind: Kind) -> Result<Frame, LineError> {
        loop {
            let frame = self.receive()?;
            if frame.header.kind == kind {
                return Ok(frame);
            }
        }
    }

    /// The payloads that have arrived after a short look.
    ///
    /// # Errors
    /// Where something else has arrived, or the machine is gone.
    pub fn arrived(&mut self) -> Result<Vec<Frame>, LineError> {
        self.look()?;
        Ok(self.arrived.drain(..).collect())
    }

    /// The payloads that a machine without power has left on the line; the last may be cut off.
    pub fn rest(&mut self) -> Vec<Frame> {
        while self.look().is_ok() {}
        self.arrived.drain(..).collect()
    }

    /// Takes in what is there, or waits a moment for it.
    fn look(&mut self) -> Result<(), LineError> {
        let mut bytes = [0; 4096];
        let count = match self.stream.read(&mut bytes) {
            Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error.into()),
        };
        for byte in &bytes[..count] {
            match self.decoder.push(*byte) {
                None => {}
                Some((Chunk::Frame(frame), _)) => self.arrived.push_back(frame),
                Some((broken, _)) => return Err(LineError::Broken(Box::new(broken))),
            }
        }
        Ok(())
    }
}

/// A command as it goes on the line.
#[must_use]
pub fn command(kind: Kind, destination: Actor, sequence: u16, value: i32) -> Vec<u8> {
    let header = Header { kind, source: Actor::DacOps, destination, sequence, correlation: 0, stamp: 0 };
    Frame { header, body: Setting { value, flags: 0 }.into() }.encode().as_bytes().to_vec()
}
