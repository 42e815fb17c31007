//! CAN buses: frames to and from rig's adapter on a bus, each with the instant at which it was on the bus.
//!
//! | adapter | a frame was on the bus | rig's own frame was on the bus |
//! | --- | --- | --- |
//! | `SocketCAN` | the kernel's stamp, narrowed by the adapter's where it has a clock | its echo's stamp |
//! | slcan | its line's first byte, or the adapter's stamp where it gives one | after its line went out |
//!
//! A [`Bus`] is opened, then listened to by one task, which tells a [`Tap`] of everything and hands each frame to the
//! [`Station`]s that want it.

mod adapter_clock;
#[cfg(target_os = "linux")]
mod batch;
#[cfg(target_os = "linux")]
mod echoes;
mod error;
#[cfg(target_os = "linux")]
mod interface;
mod own;
mod slcan;
#[cfg(target_os = "linux")]
mod socket;
mod trouble;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;

use rig_can::bits::{self, Rate};
use rig_can::{Frame, Id};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::coop;

pub use error::CanError;

#[cfg(target_os = "linux")]
pub(crate) use interface::rate_of;

use super::{BenchPorts, LinkError};
use crate::event::Trouble;
use crate::fixture;
use crate::stamp::{Clock, Nanos, Source, Stamp, nanos};
use own::ON_BUS;
use slcan::Slcan;
#[cfg(target_os = "linux")]
use socket::Socket;

/// An open bus.
pub struct Bus {
    adapter: Adapter,
    rate: Rate,
    outlets: RefCell<Vec<Outlet>>,
    /// The adapter told that nobody acknowledges, and no own frame was on the bus since.
    unheard: Cell<bool>,
    obtained: BTreeMap<String, String>,
}

enum Adapter {
    #[cfg(target_os = "linux")]
    Socket(Box<Socket>),
    Slcan(Box<Slcan>),
}

struct Outlet {
    wanted: Option<Vec<Id>>,
    frames: UnboundedSender<Seen>,
}

/// A frame that was on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The frame.
    pub frame: Frame,
    /// When its last bit was on the bus.
    pub at: Stamp,
}

/// When an own frame left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmitted {
    /// It was handed to the kernel.
    pub handed: Stamp,
    /// Its last bit was on the bus.
    pub on_bus: Stamp,
}

impl Transmitted {
    /// A virtual bus carries a frame before the call returns by which it was handed over: it was handed over by then.
    fn new(handed: Stamp, on_bus: Stamp) -> Self {
        let until = handed.hi.min(on_bus.hi).max(handed.lo);
        Self { handed: Stamp::new(handed.lo, until, handed.source), on_bus }
    }
}

/// Is told of everything that a bus brings.
pub trait Tap {
    /// A frame was on the bus; `own` where rig sent it.
    fn frame(&self, own: bool, seen: &Seen);
    /// The kernel has made an error frame of what the adapter tells; the troubles in it follow.
    fn error_frame(&self, class: u32, data: [u8; 8], at: Stamp) {
        let _ = (class, data, at);
    }
    /// The adapter tells of trouble.
    fn trouble(&self, trouble: Trouble, at: Stamp);
    /// So many frames were lost between the bus and rig.
    fn lost(&self, frames: u32);
    /// The wall clock, by which the kernel stamps, was stepped.
    fn stepped(&self, nanos: i64);
    /// The adapter's own stamps contradict each other.
    fn contradiction(&self);
}

/// What an adapter brings.
#[derive(Clone, Copy)]
enum Heard {
    Frame { own: bool, seen: Seen },
    ErrorFrame { class: u32, data: [u8; 8], at: Stamp },
    Trouble { trouble: Trouble, at: Stamp },
    Lost(u32),
    Stepped(i64),
    Contradiction,
}

/// Frames of a bus, from when it was made on.
pub struct Station {
    frames: UnboundedReceiver<Seen>,
}

impl Station {
    /// Waits for the next frame; `None` where the bus is gone.
    pub async fn next(&mut self) -> Option<Seen> {
        self.frames.recv().await
    }
}

impl Bus {
    /// Opens rig's adapter on a bus. Where the fixture says so, only frames with these identifiers will come.
    ///
    /// # Errors
    /// Says what is missing or set wrongly, and what to do.
    pub async fn open(spec: &fixture::Bus, ids: &[Id], bench: &BenchPorts, clock: Clock) -> Result<Self, LinkError> {
        let (adapter, obtained) = match &spec.adapter {
            fixture::Adapter::Slcan(serial) => {
                let (slcan, obtained) = Slcan::open(serial, spec.rate, bench, clock).await?;
                (Adapter::Slcan(Box::new(slcan)), obtained)
            }
            fixture::Adapter::SocketCan(interface) => socket(interface, spec, ids, clock)?,
        };
        Ok(Self { adapter, rate: spec.rate, outlets: RefCell::default(), unheard: Cell::new(false), obtained })
    }

    /// What was asked for and what was obtained, in words.
    #[must_use]
    pub fn obtained(&self) -> &BTreeMap<String, String> {
        &self.obtained
    }

    /// The trouble that the adapter was in when it was opened. It tells of that no more.
    #[must_use]
    pub fn found(&self) -> Option<Trouble> {
        match &self.adapter {
            #[cfg(target_os = "linux")]
            Adapter::Socket(socket) => socket.found,
            Adapter::Slcan(slcan) => slcan.found,
        }
    }

    /// How long a frame occupies the bus.
    #[must_use]
    pub fn time(&self, frame: &Frame) -> Nanos {
        bits::time(frame, self.rate)
    }

    /// A station that is given every frame with one of these identifiers, or every frame; rig's own are not among
    /// them.
    #[must_use]
    pub fn station(&self, wanted: Option<Vec<Id>>) -> Station {
        let (sender, frames) = unbounded_channel();
        self.outlets.borrow_mut().push(Outlet { wanted, frames: sender });
        Station { frames }
    }

    /// Listens until the adapter is gone. Stations end then, and frames that are under way are given up.
    pub async fn listen(&self, tap: &dyn Tap) -> io::Error {
        loop {
            // A bus that is never silent must leave the other tasks their turn.
            coop::consume_budget().await;
            let mut each = |heard| self.take(heard, tap);
            let heard = match &self.adapter {
                #[cfg(target_os = "linux")]
                Adapter::Socket(socket) => socket.hear(&mut each).await,
                Adapter::Slcan(slcan) => slcan.hear(&mut each).await,
            };
            if let Err(error) = heard {
                self.outlets.borrow_mut().clear();
                self.adapter.clear();
                return error;
            }
        }
    }

    /// Has the adapter tell all that has come so far and is not told of yet, and what it lost where no frame that came
    /// after that has told of it. Someone must listen meanwhile.
    pub async fn look(&self, tap: &dyn Tap) {
        match &self.adapter {
            // One that cannot be asked is gone, which the listener tells.
            #[cfg(target_os = "linux")]
            Adapter::Socket(socket) => drop(socket.look(&mut |heard| self.take(heard, tap))),
            Adapter::Slcan(slcan) => slcan.look().await,
        }
    }

    /// Sends a frame, and waits until it is on the bus.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] where it is not on the bus within a second because nobody acknowledges it;
    /// [`io::ErrorKind::NotConnected`] where the adapter is gone; others where the adapter refuses it or the bus is never
    /// free.
    pub async fn transmit(&self, frame: &Frame) -> io::Result<Transmitted> {
        let (handed, departure) = match &self.adapter {
            #[cfg(target_os = "linux")]
            Adapter::Socket(socket) => socket.send(frame).await?,
            Adapter::Slcan(slcan) => slcan.send(frame).await?,
        };
        let on_bus = departure.on_bus(&self.unheard).await?;
        Ok(Transmitted::new(handed, on_bus))
    }

    fn take(&self, heard: Heard, tap: &dyn Tap) {
        match heard {
            Heard::Frame { own, seen } => {
                tap.frame(own, &seen);
                if own {
                    self.unheard.set(false);
                } else {
                    self.hand_on(seen);
                }
            }
            Heard::Trouble { trouble, at } => {
                // An adapter that tells of no acknowledgements of its own goes error passive by them.
                if matches!(trouble, Trouble::NoAcknowledge | Trouble::ErrorPassive) {
                    self.unheard.set(true);
                }
                tap.trouble(trouble, at);
            }
            Heard::ErrorFrame { class, data, at } => tap.error_frame(class, data, at),
            Heard::Lost(frames) => tap.lost(frames),
            Heard::Stepped(nanos) => tap.stepped(nanos),
            Heard::Contradiction => tap.contradiction(),
        }
    }

    fn hand_on(&self, seen: Seen) {
        self.outlets.borrow_mut().retain(|outlet| {
            let wanted = outlet.wanted.as_ref().is_none_or(|wanted| wanted.contains(&seen.frame.id()));
            !(if wanted { outlet.frames.send(seen).is_err() } else { outlet.frames.is_closed() })
        });
    }
}

impl Adapter {
    /// It is gone: frames that are under way are given up.
    fn clear(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Socket(socket) => socket.clear(),
            Self::Slcan(slcan) => slcan.clear(),
        }
    }
}

/// When an own frame was on the bus that the adapter had at `had`, where it does not tell: its bits take their time, and
/// it is given up that is not on the bus in time.
fn on_bus_after(had: Stamp, frame: &Frame, rate: Rate) -> Stamp {
    let latest = nanos(ON_BUS);
    Stamp::new(had.lo + bits::time(frame, rate), had.hi.saturating_add(latest), Source::Bounded)
}

#[cfg(target_os = "linux")]
fn socket(
    interface: &str,
    spec: &fixture::Bus,
    ids: &[Id],
    clock: Clock,
) -> Result<(Adapter, BTreeMap<String, String>), LinkError> {
    let filter = (spec.listen == fixture::Listen::Devices).then_some(ids);
    let (socket, obtained) = Socket::open(interface, spec.rate, filter, clock)?;
    Ok((Adapter::Socket(Box::new(socket)), obtained))
}

#[cfg(not(target_os = "linux"))]
fn socket(
    interface: &str,
    _: &fixture::Bus,
    _: &[Id],
    _: Clock,
) -> Result<(Adapter, BTreeMap<String, String>), LinkError> {
    Err(CanError::Unsupported { interface: super::shown(interface), os: std::env::consts::OS }.into())
}

#[cfg(test)]
mod tests;
