//! An own frame between being handed over and being on the bus.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use rig_can::Frame;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::stamp::{Nanos, Source, Stamp};

/// How long a frame may take until it is on the bus (`N_As` of ISO 15765-2:2016, table 16).
pub(super) const ON_BUS: Duration = Duration::from_secs(1);

/// An own frame that is not known to be on the bus. It outlasts its sender's patience, for what the adapter still tells
/// of it would else be taken for what it tells of a later one.
pub(super) struct Own {
    pub(super) frame: Frame,
    /// When it was handed over.
    pub(super) handed: Stamp,
    told: Option<oneshot::Sender<io::Result<Stamp>>>,
    doubt: Doubt,
}

/// Since when what was told of another frame may have been told of this one.
type Doubt = Rc<Cell<Option<Nanos>>>;

/// What the sender of an own frame awaits.
pub(super) struct Departure {
    told: oneshot::Receiver<io::Result<Stamp>>,
    doubt: Doubt,
}

impl Own {
    pub(super) fn new(frame: Frame, handed: Stamp) -> (Self, Departure) {
        let (sender, told) = oneshot::channel();
        let doubt = Doubt::default();
        (Self { frame, handed, told: Some(sender), doubt: Rc::clone(&doubt) }, Departure { told, doubt })
    }

    /// Whether nobody waits for it any more. Such a frame may still go out, or never.
    pub(super) fn is_given_up(&self) -> bool {
        self.told.as_ref().is_none_or(oneshot::Sender::is_closed)
    }

    /// What was just told of the frame may have been told of a later one.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_given_up() || self.doubt.get().is_some()
    }

    /// What was told at `since` of another frame may have been told of this one.
    pub(super) fn doubt(&self, since: Nanos) {
        self.doubt.set(self.doubt.get().or(Some(since)));
    }

    /// It was on the bus at an instant that is surely its own.
    pub(super) fn was_on_bus(mut self, at: Stamp) {
        self.tell(Ok(at));
    }

    /// It was on the bus at this instant or, where that is in doubt, before.
    pub(super) fn was_on_bus_by(mut self, at: Stamp) {
        let at = self.doubt.get().map_or(at, |since| Stamp::new(since.max(self.handed.lo), at.hi, Source::Bounded));
        self.tell(Ok(at));
    }

    /// It will not be on the bus, or nobody can tell.
    pub(super) fn fail(&mut self, why: &'static str) {
        self.tell(Err(io::Error::other(why)));
    }

    fn tell(&mut self, outcome: io::Result<Stamp>) {
        if let Some(told) = self.told.take() {
            // Whoever sent it may have stopped waiting.
            let _ = told.send(outcome);
        }
    }
}

impl Departure {
    /// Waits until the frame is on the bus. `unheard` says whether the adapter tells that nobody acknowledges.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] where it is not on the bus in time because nobody acknowledges it;
    /// [`io::ErrorKind::NotConnected`] where the adapter is gone; others where the adapter does not send it, or cannot be
    /// understood.
    pub(super) async fn on_bus(self, unheard: &Cell<bool>) -> io::Result<Stamp> {
        match timeout(ON_BUS, self.told).await {
            Ok(Ok(told)) => told,
            Ok(Err(_)) => Err(io::Error::new(io::ErrorKind::NotConnected, "the adapter is gone")),
            Err(_) if self.doubt.get().is_some() => Err(io::Error::other(
                "it cannot be told whether the frame was on the bus within 1 s, or one before it that was given up",
            )),
            Err(_) if unheard.get() => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "not on the bus within 1 s: nobody acknowledges it"))
            }
            Err(_) => Err(io::Error::other("not on the bus within 1 s: the bus is never free, or the adapter hangs")),
        }
    }
}
