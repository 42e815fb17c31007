//! Links: how bytes get to a device or an instrument and back, each with the instants that can truly be said of it.
//!
//! A link lives on the wire plane: one thread, one current-thread runtime. Receiving and sending both work on `&self`,
//! so that one task can wait for bytes while another sends. Nothing here writes a file, formats text or blocks once a
//! link is open.
//!
//! | link | a byte is received at | its bytes are paced |
//! | --- | --- | --- |
//! | serial, UART or USB | read's return, less the bytes behind it; `lo` less the adapter's hold | by the line |
//! | serial, pseudo-terminal | read's return | by the peer, if at all |
//! | TCP | read's return | no |
//! | memory | the peer's write | no |

mod adapter;
pub mod can;
mod chunk;
#[cfg(target_os = "linux")]
mod device;
mod echo;
mod error;
mod memory;
mod serial;
mod stream;
mod tcp;
pub mod turn;
mod witness;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::Mutex;
use tokio::task::coop;

pub use chunk::{Chunk, Sent};
pub use error::LinkError;
pub(crate) use error::shown;
pub use memory::MemoryPort;

use crate::fixture;
use crate::stamp::{Clock, Nanos, Source, Stamp};
use adapter::Pacing;
use echo::Echo;
use stream::Stream;
use witness::Witness;

/// A frame of full-speed USB, in which the host asks an adapter once (USB 2.0, section 5.3).
const USB_FRAME: Nanos = 1_000_000;

/// Where the ports that a fixture names `bench:NAME` are found.
#[derive(Clone, Default)]
pub enum BenchPorts {
    /// Nowhere: the fixture has no virtual bench.
    #[default]
    None,
    /// As ttys in a directory, each under its name.
    Directory(PathBuf),
    /// In this process, for virtual time.
    Memory(BTreeMap<String, MemoryPort>),
}

/// An open link.
pub struct Link {
    stream: RefCell<Stream>,
    witness: Witness,
    /// Held while a payload is written, so that two senders do not mix their bytes.
    sending: Mutex<()>,
    pacing: Pacing,
    echo: Option<RefCell<Echo>>,
    /// When the line has sent all it was given so far.
    busy_until: Cell<Stamp>,
    clock: Clock,
    obtained: BTreeMap<String, String>,
}

impl Link {
    /// Opens what `spec` describes.
    ///
    /// # Errors
    /// Says which port, what is wrong with it and what to do. A TCP peer that does not answer within 3 s is an error.
    pub async fn open(spec: &fixture::Stream, bench: &BenchPorts, clock: Clock) -> Result<Self, LinkError> {
        match spec {
            fixture::Stream::Tcp(address) => Ok(Self::over(tcp::connect(address).await?, clock)),
            fixture::Stream::Serial(settings) => {
                let opened = match (&settings.port, bench) {
                    (fixture::Port::Path(path), _) => serial::open(path, settings)?,
                    (fixture::Port::Bench(name), BenchPorts::Directory(directory)) => {
                        serial::open(&memory::port_below(directory, name)?, settings)?
                    }
                    (fixture::Port::Bench(name), BenchPorts::Memory(ports)) => memory::open(name, ports)?,
                    (fixture::Port::Bench(name), BenchPorts::None) => {
                        return Err(LinkError::NoBench { name: shown(name) });
                    }
                };
                let mut link = Self::over(opened, clock);
                link.echo = settings.rs485_echo.then(|| RefCell::new(Echo::new(settings)));
                Ok(link)
            }
        }
    }

    /// Opens what `spec` describes, and tries again until the session clock reads `until`: for a port that comes back
    /// when its device's power does.
    ///
    /// # Errors
    /// The last attempt's error.
    pub async fn reopen(
        spec: &fixture::Stream,
        bench: &BenchPorts,
        clock: Clock,
        until: Nanos,
    ) -> Result<Self, LinkError> {
        // udev takes tens of milliseconds to make a link below /dev/serial/by-id; asking more often gains nothing.
        const PAUSE: Duration = Duration::from_millis(20);
        loop {
            match Self::open(spec, bench, clock).await {
                Err(error) if clock.now() >= until => return Err(error),
                Err(_) => tokio::time::sleep(PAUSE).await,
                opened => return opened,
            }
        }
    }

    /// A link over one end of a memory stream.
    #[must_use]
    pub fn memory(stream: DuplexStream, clock: Clock) -> Self {
        Self::over(memory::opened(stream), clock)
    }

    /// Both ends of a memory stream, for two actors in virtual time.
    #[must_use]
    pub fn memory_pair(clock: Clock) -> (Self, Self) {
        /// As much as a TCP connection would hold for a reader that is late.
        const HELD: usize = 64 * 1024;
        let (near, far) = tokio::io::duplex(HELD);
        (Self::memory(near, clock), Self::memory(far, clock))
    }

    /// Both ends of a TCP connection within this machine, for two actors in real time.
    ///
    /// # Errors
    /// The system has no port or no memory for it.
    pub async fn loopback_pair(clock: Clock) -> io::Result<(Self, Self)> {
        let (near, far) = tcp::loopback().await?;
        Ok((Self::over(near, clock), Self::over(far, clock)))
    }

    fn over(opened: Opened, clock: Clock) -> Self {
        Self {
            witness: Witness::new(clock, opened.stream.wakes()),
            stream: RefCell::new(opened.stream),
            sending: Mutex::new(()),
            pacing: opened.pacing,
            echo: None,
            busy_until: Cell::new(Stamp::new(0, 0, Source::User)),
            clock,
            obtained: opened.obtained,
        }
    }

    /// The same link without a line that paces bytes, where its device is on USB itself (`cdc_acm`): the baud rate that
    /// such a port tells then means nothing.
    pub(crate) fn unpaced_usb(mut self) -> Self {
        if self.obtained.get("line").is_some_and(|line| line.ends_with("cdc_acm")) {
            self.pacing = self.pacing.without_line();
        }
        self
    }

    /// What was asked for and what was obtained, in words.
    #[must_use]
    pub fn obtained(&self) -> &BTreeMap<String, String> {
        &self.obtained
    }

    /// How often an RS-485 adapter's echo was not what had been sent: bytes of two senders met on the line.
    #[must_use]
    pub fn echo_mismatches(&self) -> u64 {
        self.echo.as_ref().map_or(0, |echo| echo.borrow().mismatches())
    }

    /// Waits for bytes and takes as many as are there, at least one. Dropping the future loses none.
    ///
    /// # Errors
    /// The link is gone; an end of the stream is [`io::ErrorKind::UnexpectedEof`].
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Chunk> {
        if buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a buffer of no bytes receives nothing"));
        }
        loop {
            // A device that sends without end must leave the other tasks their turn.
            coop::consume_budget().await;
            // Within, a wait means that nothing was there; tokio's own forced pauses would look the same.
            let chunk = coop::unconstrained(poll_fn(|context| self.poll_read(context, buffer))).await?;
            let Some(echo) = &self.echo else { return Ok(chunk) };
            let dropped = echo.borrow_mut().drop_from(&buffer[..chunk.length], chunk.read.hi);
            if dropped < chunk.length {
                buffer.copy_within(dropped..chunk.length, 0);
                return Ok(chunk.without_first(dropped));
            }
        }
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Chunk>> {
        let waker = self.witness.stand_before(context.waker());
        let mut context = Context::from_waker(&waker);
        let Poll::Ready(read) = self.stream.borrow_mut().poll_read(&mut context, buffer, &self.witness) else {
            return Poll::Pending;
        };
        let read = read?;
        let hi = self.clock.now();
        if read.length == 0 {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other end is gone")));
        }
        let lo = self.witness.took(read.asked, read.length == buffer.len()).saturating_sub(self.pacing.hold);
        Poll::Ready(Ok(Chunk {
            length: read.length,
            read: Stamp::new(lo.min(hi), hi, Source::User),
            byte_time: self.pacing.shortest_byte(),
        }))
    }

    /// Sends bytes, after those of other senders. Where the future is dropped, a part may be on its way already.
    ///
    /// # Errors
    /// The link is gone.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<Sent> {
        let _turn = self.sending.lock().await;
        let before = self.clock.now();
        if let Some(echo) = &self.echo {
            echo.borrow_mut().expect(bytes, before);
        }
        let mut taken = self.write(bytes).await?;
        let first = Stamp::new(before, self.clock.now(), Source::User);
        while taken < bytes.len() {
            taken += self.write(&bytes[taken..]).await?;
        }
        let last = self.pacing.last_byte(bytes.len(), first, self.clock.now(), self.busy_until.get());
        self.busy_until.set(last);
        Ok(Sent { first, last })
    }

    async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let taken = poll_fn(|context| self.stream.borrow_mut().pin().poll_write(context, bytes)).await?;
        if taken == 0 {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "the other end takes no bytes"));
        }
        Ok(taken)
    }
}

/// A stream with what is known of it.
struct Opened {
    stream: Stream,
    pacing: Pacing,
    obtained: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
