mod due;
mod opening;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::time::Duration;

use rig_can::Frame;
use rig_can::bits::Rate;
use rig_can::lawicel::{Command, Lines, Reply, STAMP_WRAP};
use tokio::sync::{Mutex, Notify};
use tokio::time::{Instant, sleep_until, timeout};

use super::adapter_clock::AdapterClock;
use super::own::{Departure, Own};
use super::trouble::of_flags;
use super::{Heard, Seen, on_bus_after};
use crate::event::Trouble;
use crate::fixture::{self, Serial};
use crate::link::{BenchPorts, Chunk, Link, LinkError, Sent, USB_FRAME};
use crate::stamp::{Clock, Nanos, Source, Stamp, nanos};
use due::Due;
use opening::Opening;

/// An adapter answers within a few frames of USB; one that is silent for so long does not answer this.
const ANSWER: Duration = Duration::from_millis(200);
/// How often the status flags are read. Each reading takes a few bytes of the adapter's serial port.
const LOOK: Duration = Duration::from_secs(1);
/// How long a received frame may lie in an adapter that is not overrun.
const HOLD: Nanos = USB_FRAME;
/// A tick of the adapter's time stamps.
const TICK: Nanos = 1_000_000;

/// An adapter on a serial port that speaks LAWICEL's protocol.
pub(super) struct Slcan {
    link: Link,
    rate: Rate,
    clock: Clock,
    /// What the adapter answers.
    answers: Answers,
    /// The trouble that the adapter was in when it was opened.
    pub(super) found: Option<Trouble>,
    state: RefCell<State>,
    /// One command at a time, so that answers fall to whom they belong.
    sending: Mutex<()>,
    next_look: Cell<Instant>,
    /// The status flags have come.
    looked: Notify,
    buffer: Cell<Option<Box<Buffer>>>,
    /// Own frames that an adapter without acknowledgements was given.
    assumed: RefCell<VecDeque<(Own, Stamp)>>,
    given: Notify,
}

type Buffer = [u8; 4096];

/// What an adapter answers, as it showed when it was opened. CANable's firmware acknowledges nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    commands: bool,
    stamps: bool,
    flags: bool,
    /// What it answers at any time.
    question: Option<Command>,
}

struct State {
    replies: Replies,
    stamps: AdapterClock,
    due: Due,
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
        let mut opening = Opening::new(&link, serial);
        let mut obtained = link.obtained().clone();
        let answers = opening.set_up(serial.baud, rate, &mut obtained).await?;
        let state = State {
            // A line may have begun meanwhile.
            replies: opening.replies,
            stamps: AdapterClock::new(TICK, Some(u64::from(STAMP_WRAP) * TICK), HOLD),
            due: Due::default(),
        };
        let slcan = Self {
            found: opening.found,
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
                for (own, at) in self.assumed.borrow_mut().drain(..) {
                    each(Heard::Frame { own: true, seen: Seen { frame: own.frame, at } });
                    own.was_on_bus(at);
                }
            }
            () = sleep_until(self.next_look.get()), if self.answers.flags => {
                self.next_look.set(Instant::now() + LOOK);
                // While a frame is being written, the next look is soon enough.
                if let Ok(_turn) = self.sending.try_lock() {
                    self.ask(Command::Flags).await?;
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
            self.ask(Command::Flags).await
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

    /// Hands a frame to the adapter.
    pub(super) async fn send(&self, frame: &Frame) -> io::Result<(Stamp, Departure)> {
        if frame.is_fd() && self.rate.data.is_none() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "an FD frame on a classic bus"));
        }
        let _turn = self.sending.lock().await;
        if !self.answers.commands {
            let sent = self.command(&Command::Transmit(*frame)).await?;
            let (own, departure) = Own::new(*frame, sent.last);
            let at = self.transmitted(frame, sent.last, sent.last);
            self.assumed.borrow_mut().push_back((own, at));
            self.given.notify_one();
            return Ok((sent.first, departure));
        }
        // What is acknowledged after the answer is none of the frames before.
        if self.state.borrow().due.owes()
            && let Some(question) = self.answers.question
        {
            self.ask(question).await?;
        }
        // Noted before its line is out, for its acknowledgement may come while the line is being written.
        let now = self.clock.now();
        let (own, departure) = Own::new(*frame, Stamp::new(now, now, Source::User));
        self.state.borrow_mut().due.frame(own);
        let sent = self.command(&Command::Transmit(*frame)).await?;
        self.state.borrow_mut().due.out(sent.last);
        Ok((sent.first, departure))
    }

    /// Nothing will come any more.
    pub(super) fn clear(&self) {
        self.state.borrow_mut().due.clear();
        self.assumed.borrow_mut().clear();
    }

    async fn ask(&self, question: Command) -> io::Result<()> {
        self.state.borrow_mut().due.question();
        self.command(&question).await.map(drop)
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
                if let Some(own) = state.due.acknowledged() {
                    let at = self.transmitted(&own.frame, own.handed, begun);
                    each(Heard::Frame { own: true, seen: Seen { frame: own.frame, at } });
                    own.was_on_bus(at);
                }
            }
            Reply::Refused => state.due.refused(),
            Reply::Flags(flags) => {
                for trouble in of_flags(flags) {
                    let since = begun.lo.saturating_sub(nanos(LOOK));
                    let at = Stamp::new(since, begun.hi, Source::Bounded);
                    each(Heard::Trouble { trouble, at });
                }
                state.due.answered();
                self.looked.notify_waiters();
            }
            Reply::Version(_) => state.due.answered(),
            Reply::Serial(_) => {}
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
