use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;

use rig_can::{Frame, Id};

use crate::event::Trouble;
use crate::link::can::{self, Station, Tap, Transmitted};
use crate::link::{BenchPorts, LinkError};
use crate::stamp::Clock;

use super::{Onto, Reply};

/// What a replay needs of a CAN bus.
pub trait Bus {
    /// Hands a frame over when it is first polled, and is done when the frame was on the bus. Several may be under way;
    /// they go out in the order in which they were first polled.
    ///
    /// # Errors
    /// Why the frame did not get on the bus, or not in time.
    fn transmit(&self, frame: &Frame) -> impl Future<Output = io::Result<Transmitted>>;

    /// The next frame that another node sent; `None` when no more will come. No frame is lost where it is dropped
    /// before it is done.
    fn received(&self) -> impl Future<Output = Option<Frame>>;
}

/// rig's adapter on a bus, open.
pub struct Open {
    bus: can::Bus,
    station: RefCell<Station>,
    fd: bool,
}

impl Open {
    /// Opens a bus to play on it. Of what other nodes send, the replies are listened for.
    ///
    /// # Errors
    /// Says what is missing or set wrongly, and what to do.
    pub async fn open(onto: &Onto, replies: &[Reply], clock: Clock) -> Result<Self, LinkError> {
        let spec = onto.bus();
        let bus = can::Bus::open(&spec, &[], &BenchPorts::None, clock).await?;
        let wanted: Vec<Id> = replies.iter().map(|reply| reply.id).collect();
        let station = RefCell::new(bus.station(Some(wanted)));
        Ok(Self { bus, station, fd: spec.rate.data.is_some() })
    }

    /// Whether it carries FD frames.
    #[must_use]
    pub fn carries_fd(&self) -> bool {
        self.fd
    }

    /// The trouble that the adapter was in when it was opened.
    #[must_use]
    pub fn found(&self) -> Option<Trouble> {
        self.bus.found()
    }

    /// Listens until the adapter is gone, which has to go on while something is played.
    pub async fn listen(&self, tap: &dyn Tap) -> io::Error {
        self.bus.listen(tap).await
    }
}

impl Bus for Open {
    fn transmit(&self, frame: &Frame) -> impl Future<Output = io::Result<Transmitted>> {
        self.bus.transmit(frame)
    }

    async fn received(&self) -> Option<Frame> {
        // Borrowed for each look alone.
        let seen = poll_fn(|context| pin!(self.station.borrow_mut().next()).poll(context)).await;
        seen.map(|seen| seen.frame)
    }
}
