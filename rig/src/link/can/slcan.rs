use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use rig_can::Frame;
use rig_can::bits::Rate;
use rig_can::lawicel::{BIT_RATES, Command, Lines, Reply, STAMP_WRAP};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until, timeout};

use super::adapter_clock::AdapterClock;
use super::error::CanError;
use super::trouble::of_flags;
use super::{Heard, Seen, on_bus_after};
use crate::fixture::{self, Port, Serial};
use crate::link::{BenchPorts, Chunk, Link, LinkError, Sent, shown};
use crate::stamp::{Clock, Nanos, Source, Stamp};

/// An adapter answers within a few frames of USB; one that is silent for so long does not answer this.
const ANSWER: Duration = Duration::from_millis(200);
/// How often the status flags are read. Each reading takes a few bytes of the adapter's serial port.
const LOOK: Duration = Duration::from_secs(1);
/// How long a received frame may lie in an adapter that is not overrun: a frame of full-speed USB (USB 2.0, section
/// 5.3), in which the host asks it once.
const HOLD: Nanos = 1_000_000;
/// A tick of the adapter's time stamps.
const TICK: Nanos = 1_000_000;

/// An adapter on a serial port that speaks LAWICEL's protocol.
pub(super) struct Slcan {
    link: Link,
    rate: Rate,
    clock: Clock,
    /// What the adapter answers.
    answers: Answers,
    state: RefCell<State>,
    /// One command at a time, so that answers fall to whom they belong.
    sending: Mutex<()>,
    next_look: Cell<Instant>,
    /// The status flags have come.
    looked: Notify,
    buffer: Cell<Option<Box<Buffer>>>,
    /// Own frames that an adapter without acknowledgements was given.
    assumed: RefCell<VecDeque<Seen>>,
    given: Notify,
}

type Buffer = [u8; 4096];

/// What an adapter answers, as it showed when it was opened. CANable's firmware acknowledges nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    commands: bool,
    stamps: bool,
    flags: bool,
}

struct State {
    replies: Replies,
    stamps: AdapterClock,
    /// Own frames whose acknowledgement has not come: the frame, and when its line was out.
    unacknowledged: VecDeque<(Frame, Stamp)>,
}

/// Finds the adapter's lines, and when they began to arrive.
#[derive(Default)]
struct Replies {
    lines: Lines,
    /// When the first byte of the line that has not ended was there.
    begun: Option<Stamp>,
}

impl Replies {
    /// Takes a byte; a line that it ends, and when that began.
    fn take(&mut self, byte: u8, at: Stamp) -> Option<(Result<Reply, ()>, Stamp)> {
        let begun = *self.begun.get_or_insert(at);
        let line = self.lines.reply(byte)?;
        self.begun = None;
        Some((line, begun))
    }
}

impl Slcan {
    /// Opens an adapter, sets its bit rate and opens its bus.
    pub(super) async fn open(
        serial: &Serial,
        rate: Rate,
        bench: &BenchPorts,
        clock: Clock,
    ) -> Result<(Self, BTreeMap<String, String>), LinkError> {
        let link = Link::open(&fixture::Stream::Serial(serial.clone()), bench, clock).await?.unpaced_usb();
        let mut opening = Opening { link: &link, replies: Replies::default(), port: port_name(serial), heard: false };
        let mut obtained = link.obtained().clone();
        let answers = opening.set_up(serial.baud, rate, &mut obtained).await?;
        let state = State {
            // A line may have begun meanwhile.
            replies: opening.replies,
            stamps: AdapterClock::new(TICK, Some(u64::from(STAMP_WRAP) * TICK), HOLD),
            unacknowledged: VecDeque::new(),
        };
        let slcan = Self {
            link,
            rate,
            clock,
            answers,
            state: RefCell::new(state),
            sending: Mutex::new(()),
            next_look: Cell::new(Instant::now() + LOOK),
            looked: Notify::new(),
            buffer: Cell::default(),
            assumed: RefCell::default(),
            given: Notify::new(),
        };
        Ok((slcan, obtained))
    }

    /// Waits for lines and tells what they say.
    pub(super) async fn hear(&self, each: &mut dyn FnMut(Heard)) -> io::Result<()> {
        let mut buffer = self.buffer.take().unwrap_or_else(|| Box::new([0; 4096]));
        tokio::select! { biased;
            chunk = self.link.receive(&mut buffer[..]) => self.lines(&chunk?, &buffer[..], each),
            () = self.given.notified() => {
                for seen in self.assumed.borrow_mut().drain(..) {
                    each(Heard::Frame { own: true, seen });
                }
            }
            () = sleep_until(self.next_look.get()), if self.answers.flags => {
                self.next_look.set(Instant::now() + LOOK);
                // While a frame is being written, the next look is soon enough.
                if let Ok(_turn) = self.sending.try_lock() {
                    self.command(&Command::Flags).await?;
                }
            }
        }
        self.buffer.set(Some(buffer));
        Ok(())
    }

    /// Reads the status flags now, and waits until they have been told, where the adapter has them.
    pub(super) async fn look(&self) {
        if !self.answers.flags {
            return;
        }
        let looked = self.looked.notified();
        let asked = {
            let _turn = self.sending.lock().await;
            self.command(&Command::Flags).await
        };
        if asked.is_ok() {
            // An adapter that does not answer is gone or stuck; the session finds that by what it misses.
            let _ = timeout(ANSWER, looked).await;
        }
    }

    fn lines(&self, chunk: &Chunk, buffer: &[u8], each: &mut dyn FnMut(Heard)) {
        let mut state = self.state.borrow_mut();
        for (index, byte) in buffer[..chunk.length].iter().enumerate() {
            let Some((line, begun)) = state.replies.take(*byte, chunk.byte_arrived(index)) else { continue };
            match line {
                Ok(reply) => self.take(&mut state, reply, begun, each),
                // What a damaged line was is not known; it may have been a frame.
                Err(()) => each(Heard::Lost(1)),
            }
        }
    }

    /// Nobody waits any more for a frame's acknowledgement. Their order alone tells which frame one is of: should this
    /// one still come, it is taken for the next frame's.
    pub(super) fn give_up(&self, frame: &Frame) {
        let unacknowledged = &mut self.state.borrow_mut().unacknowledged;
        if let Some(at) = unacknowledged.iter().position(|(noted, _)| noted == frame) {
            unacknowledged.remove(at);
        }
    }

    /// Hands a frame to the adapter.
    pub(super) async fn send(&self, frame: &Frame) -> io::Result<Stamp> {
        if frame.is_fd() && self.rate.data.is_none() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an FD frame on a classic bus"));
        }
        let _turn = self.sending.lock().await;
        if !self.answers.commands {
            let sent = self.command(&Command::Transmit(*frame)).await?;
            let at = self.transmitted(frame, sent.last, sent.last);
            self.assumed.borrow_mut().push_back(Seen { frame: *frame, at });
            self.given.notify_one();
            return Ok(sent.first);
        }
        // Noted before its line is out, for its acknowledgement may come while the line is being written.
        let now = self.clock.now();
        self.state.borrow_mut().unacknowledged.push_back((*frame, Stamp::new(now, now, Source::User)));
        let sent = self.command(&Command::Transmit(*frame)).await;
        let mut state = self.state.borrow_mut();
        let noted = state.unacknowledged.iter_mut().rev().find(|(noted, _)| noted == frame);
        match (sent, noted) {
            (Ok(sent), Some(noted)) => {
                noted.1 = sent.last;
                Ok(sent.first)
            }
            (Ok(sent), None) => Ok(sent.first),
            (Err(error), _) => Err(error),
        }
    }

    async fn command(&self, command: &Command) -> io::Result<Sent> {
        let mut line = Vec::with_capacity(160);
        command.write(&mut line);
        self.link.send(&line).await
    }

    fn take(&self, state: &mut State, reply: Reply, begun: Stamp, each: &mut dyn FnMut(Heard)) {
        match reply {
            Reply::Frame(frame, count) => {
                let at = self.received(&mut state.stamps, count, begun, each);
                each(Heard::Frame { own: false, seen: Seen { frame, at } });
            }
            // Some adapters acknowledge a frame as they do any command.
            Reply::Accepted | Reply::Done => {
                if let Some((frame, out)) = state.unacknowledged.pop_front() {
                    let at = self.transmitted(&frame, out, begun);
                    each(Heard::Frame { own: true, seen: Seen { frame, at } });
                }
            }
            Reply::Refused => {
                if let Some((frame, _)) = state.unacknowledged.pop_front() {
                    each(Heard::Refused(frame));
                }
            }
            Reply::Flags(flags) => {
                for trouble in of_flags(flags) {
                    let since = begun.lo.saturating_sub(u64::try_from(LOOK.as_nanos()).unwrap_or(0));
                    let at = Stamp::new(since, begun.hi, Source::Bounded);
                    each(Heard::Trouble { trouble, at });
                }
                self.looked.notify_waiters();
            }
            Reply::Version(_) | Reply::Serial(_) => {}
        }
    }

    /// When a frame was on the bus whose line began to arrive at `begun`.
    fn received(
        &self,
        stamps: &mut AdapterClock,
        count: Option<u16>,
        begun: Stamp,
        each: &mut dyn FnMut(Heard),
    ) -> Stamp {
        let Some(count) = count.filter(|_| self.answers.stamps) else {
            return Stamp::new(begun.lo.saturating_sub(HOLD), begun.hi, begun.source);
        };
        let narrowed = stamps.narrow(u64::from(count) * TICK, begun.hi);
        if narrowed.contradiction {
            each(Heard::Contradiction);
        }
        narrowed.at
    }

    /// When an own frame was on the bus whose line was out at `out`, and which was acknowledged at `acknowledged`. An
    /// adapter acknowledges what it has taken, not what it has sent: where the bus is busy, the frame goes out later.
    fn transmitted(&self, frame: &Frame, out: Stamp, acknowledged: Stamp) -> Stamp {
        on_bus_after(Stamp::new(out.lo, acknowledged.hi.max(out.hi), out.source), frame, self.rate)
    }
}

/// The conversation by which an adapter is opened.
struct Opening<'a> {
    link: &'a Link,
    replies: Replies,
    port: String,
    /// Whether the adapter has answered anything.
    heard: bool,
}

impl Opening<'_> {
    async fn set_up(
        &mut self,
        baud: u32,
        rate: Rate,
        obtained: &mut BTreeMap<String, String>,
    ) -> Result<Answers, LinkError> {
        // Ends a line that somebody left unfinished (LAWICEL's manuals ask for it), and closes a bus that was left open.
        self.send(b"\r\r\r").await?;
        self.drain().await?;
        self.ask(&Command::Close).await?;
        for (what, command) in [("adapter-version", Command::Version), ("adapter-serial", Command::Serial)] {
            if let Some(Reply::Version(text) | Reply::Serial(text)) = self.ask(&command).await? {
                obtained.insert(what.into(), shown(&String::from_utf8_lossy(&text)));
            }
        }
        let stamps = self.ask(&Command::Stamps(true)).await? == Some(Reply::Done);
        let number = BIT_RATES.iter().position(|known| *known == rate.nominal).and_then(|at| u8::try_from(at).ok());
        let set = Command::BitRate(number.unwrap_or(u8::MAX));
        let done = self.need(&set, &format!("{} bit/s", rate.nominal), "check `bitrate`").await?;
        if let Some(data) = rate.data {
            let set = Command::DataBitRate(u8::try_from(data / 1_000_000).unwrap_or(0));
            let what = format!("{data} bit/s in the data phase");
            self.need(&set, &what, "it may be a classic adapter: leave `data-bitrate` out").await?;
        }
        let opened = self.need(&Command::Open, "to open the bus", "unplug it and plug it in again").await?;
        let flags = matches!(self.ask(&Command::Flags).await?, Some(Reply::Flags(_)));
        if !self.heard {
            return Err(CanError::NoAdapter { port: self.port.clone(), baud }.into());
        }
        let answers = Answers { commands: done && opened, stamps, flags };
        let words = |is: bool, yes: &str, no: &str| if is { yes.to_owned() } else { no.to_owned() };
        obtained.insert("bitrate".into(), rate.nominal.to_string());
        obtained.insert("acknowledges".into(), words(answers.commands, "yes", "no: when a frame left is not seen"));
        obtained.insert(
            "stamps".into(),
            words(stamps, "adapter, 1 ms", "none of its own: 1 ms of holding back is assumed"),
        );
        obtained.insert("status-flags".into(), words(flags, "read", "none: errors of the bus are not seen"));
        Ok(answers)
    }

    /// A command that must not be refused; says whether it was acknowledged.
    async fn need(&mut self, command: &Command, what: &str, help: &'static str) -> Result<bool, LinkError> {
        match self.ask(command).await? {
            Some(Reply::Refused) => {
                Err(CanError::Refused { port: self.port.clone(), command: what.to_owned(), help }.into())
            }
            answer => Ok(answer == Some(Reply::Done)),
        }
    }

    /// Sends a command and waits for its answer; `None` where none comes.
    async fn ask(&mut self, command: &Command) -> Result<Option<Reply>, LinkError> {
        let mut line = Vec::new();
        command.write(&mut line);
        self.send(&line).await?;
        let answer = timeout(ANSWER, self.answer()).await;
        match answer {
            Ok(reply) => {
                self.heard = true;
                reply.map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    /// The next answer. Frames that come in between belong to nobody yet.
    async fn answer(&mut self) -> Result<Reply, LinkError> {
        let mut byte = [0];
        loop {
            let chunk = self.link.receive(&mut byte).await.map_err(|source| self.failed(source))?;
            match self.replies.take(byte[0], chunk.byte_arrived(0)).map(|(line, _)| line) {
                Some(Ok(reply)) if !matches!(reply, Reply::Frame(..) | Reply::Accepted) => return Ok(reply),
                // CANable's firmware answers a version of its own form, and nothing else.
                Some(_) => self.heard = true,
                None => {}
            }
        }
    }

    async fn drain(&mut self) -> Result<(), LinkError> {
        /// A bus that was left open and busy sends on until it is closed.
        const MOST: usize = 16;
        let mut lost = [0; 256];
        for _ in 0..MOST {
            let Ok(read) = timeout(Duration::from_millis(50), self.link.receive(&mut lost)).await else {
                break;
            };
            self.heard = true;
            read.map_err(|source| self.failed(source))?;
        }
        Ok(())
    }

    async fn send(&self, bytes: &[u8]) -> Result<(), LinkError> {
        self.link.send(bytes).await.map(drop).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> LinkError {
        LinkError::Io { port: self.port.clone(), source }
    }
}

fn port_name(serial: &Serial) -> String {
    match &serial.port {
        Port::Path(path) => shown(&path.display().to_string()),
        Port::Bench(name) => format!("bench:{}", shown(name)),
    }
}
