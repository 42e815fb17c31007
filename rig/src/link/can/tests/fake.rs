use std::time::Duration;

use rig_can::lawicel::{Command, Flags, Lines, Reply};
use rig_can::{Frame, Id};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// An adapter that answers as it is told to.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own of some adapter")]
pub(super) struct Fake {
    pub(super) acknowledges: bool,
    pub(super) version: Option<&'static [u8]>,
    pub(super) stamps: bool,
    pub(super) rates: bool,
    pub(super) full: bool,
    /// Its status flags, where it has them.
    pub(super) flags: Option<u8>,
    /// So many of the first frames it answers with `first`, or not at all, and takes so long to do that.
    pub(super) ill: usize,
    pub(super) first: Option<Reply>,
    pub(super) takes: Duration,
    /// Asked for its flags, it does not answer but receives a frame, whose line it breaks off for so long.
    pub(super) breaks: Option<Duration>,
}

pub(super) const LAWICEL: Fake = Fake {
    acknowledges: true,
    version: Some(b"V1013\r"),
    stamps: true,
    rates: true,
    full: false,
    flags: Some(0),
    ill: 0,
    first: None,
    takes: Duration::ZERO,
    breaks: None,
};
/// CANable's firmware tells its version in its own way.
pub(super) const CANABLE: Fake =
    Fake { acknowledges: false, version: Some(b"16ac3f7 github.com/canable\r"), stamps: false, ..LAWICEL };

impl Fake {
    /// Answers for ever. A frame that it is told to transmit comes back as a received one, with data `EC` and its
    /// identifier one higher, 5 ms later.
    pub(super) async fn run(mut self, mut port: DuplexStream) {
        let start = tokio::time::Instant::now();
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        while let Ok(byte) = port.read_u8().await {
            let Some(Ok(command)) = lines.command(byte) else { continue };
            match command {
                Command::Version => out.extend(self.version.unwrap_or_default()),
                Command::Stamps(_) if !self.stamps => self.acknowledge(Reply::Refused, &mut out),
                Command::BitRate(_) if !self.rates => self.acknowledge(Reply::Refused, &mut out),
                Command::Flags if let Some(pause) = self.breaks => {
                    port.write_all(b"t123").await.expect("a reader");
                    tokio::time::sleep(pause).await;
                    out.extend(b"2AABB\r");
                }
                Command::Flags => {
                    let reply = self.flags.map_or(Reply::Refused, |flags| Reply::Flags(Flags(flags)));
                    self.acknowledge(reply, &mut out);
                }
                Command::Transmit(_) if self.ill > 0 => {
                    self.ill -= 1;
                    tokio::time::sleep(self.takes).await;
                    if let Some(reply) = self.first {
                        self.acknowledge(reply, &mut out);
                    }
                }
                Command::Transmit(_) if self.full => self.acknowledge(Reply::Refused, &mut out),
                Command::Transmit(frame) => {
                    self.acknowledge(Reply::Accepted, &mut out);
                    port.write_all(&std::mem::take(&mut out)).await.expect("a reader");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    let count = (40_000 + start.elapsed().as_millis()) % 60_000;
                    let answer = Frame::classic(Id::Standard((frame.id().number() & 0x7FF) as u16 + 1), &[0xEC]);
                    let stamp = self.stamps.then_some(count as u16);
                    Reply::Frame(answer.expect("a frame"), stamp).write(&mut out);
                }
                _ => self.acknowledge(Reply::Done, &mut out),
            }
            port.write_all(&std::mem::take(&mut out)).await.expect("a reader");
        }
    }

    fn acknowledge(self, reply: Reply, out: &mut Vec<u8>) {
        if self.acknowledges {
            reply.write(out);
        }
    }
}
