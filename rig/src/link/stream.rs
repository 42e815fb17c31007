use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_serial::SerialStream;

use super::witness::{Wakes, Witness};
use crate::stamp::Nanos;

/// What bytes go through.
pub(super) enum Stream {
    Serial(SerialStream),
    Tcp(TcpStream),
    Memory(DuplexStream),
}

/// A read that ended.
pub(super) struct Read {
    /// How many bytes.
    pub(super) length: usize,
    /// When it began.
    pub(super) asked: Nanos,
}

/// Both directions of a stream.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl Stream {
    pub(super) fn wakes(&self) -> Wakes {
        match self {
            Self::Serial(_) | Self::Tcp(_) => Wakes::Runtime,
            Self::Memory(_) => Wakes::Peer,
        }
    }

    pub(super) fn pin(&mut self) -> Pin<&mut dyn Duplex> {
        match self {
            Self::Serial(stream) => Pin::new(stream),
            Self::Tcp(stream) => Pin::new(stream),
            Self::Memory(stream) => Pin::new(stream),
        }
    }

    /// Reads, and tells the witness when a look found nothing.
    pub(super) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        witness: &Witness,
    ) -> Poll<io::Result<Read>> {
        if let Self::Tcp(stream) = self {
            return poll_tcp(stream, context, buffer, witness);
        }
        // A serial stream that waits and was not woken answers from memory: that is no look. In all other cases it
        // asks the kernel, for its readiness stays set until the kernel says that nothing is there.
        let looks = matches!(self, Self::Memory(_)) || !witness.waits();
        let asked = witness.now();
        let mut into = ReadBuf::new(buffer);
        match self.pin().poll_read(context, &mut into) {
            Poll::Ready(result) => Poll::Ready(result.map(|()| Read { length: into.filled().len(), asked })),
            Poll::Pending => {
                if looks {
                    witness.missed(asked);
                }
                Poll::Pending
            }
        }
    }
}

/// tokio's own read of a TCP stream takes a short read for a sign that nothing is left, and waits without a look; here
/// every look is seen.
fn poll_tcp(
    stream: &TcpStream,
    context: &mut Context<'_>,
    buffer: &mut [u8],
    witness: &Witness,
) -> Poll<io::Result<Read>> {
    loop {
        ready!(stream.poll_read_ready(context))?;
        let asked = witness.now();
        match stream.try_read(buffer) {
            Ok(length) => return Poll::Ready(Ok(Read { length, asked })),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => witness.missed(asked),
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}
