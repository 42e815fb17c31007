//! rig on a loaded CAN bus: its link, its stamps and its record, without a plan.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rig::event::Trouble;
use rig::fixture::{Adapter, Bus as Spec, Listen};
use rig::journal::LOG;
use rig::link::BenchPorts;
use rig::link::can::{Bus, Seen, Tap};
use rig::stamp::{Source, Stamp};
use rig_can::bits::Rate;
use tokio::task::spawn_local;

use super::bus::{INTERFACE, Load, QUIET, logged};
use super::wire::{Notes, recorded_in};

/// What became of a load.
pub struct Listened {
    /// The longest that a frame was sent after it was due.
    pub late: Duration,
    /// Frames in the log that rig wrote.
    pub logged: u64,
    /// Frames that rig says it has lost.
    pub lost: u64,
    /// Frames without a stamp of the kernel.
    pub unstamped: u64,
}

/// Listens while a load is on the bus, and writes all of it.
pub fn listen(load: Load) -> io::Result<Listened> {
    let folder = tempfile::tempdir()?;
    let session = folder.path().join("session");
    let ((late, ear), recorded) = recorded_in(&session, 1, async |notes| {
        let rate = Rate { nominal: 1_000_000, data: None };
        let spec = Spec { adapter: Adapter::SocketCan(INTERFACE.into()), rate, listen: Listen::All };
        let bus = Bus::open(&spec, &[], &BenchPorts::None, notes.clock).await.map_err(io::Error::other)?;
        let ear = Rc::new(Ear {
            bus: INTERFACE.into(),
            notes,
            heard: Cell::new(0),
            lost: Cell::new(0),
            unstamped: Cell::new(0),
        });
        let listening = Rc::clone(&ear);
        let task = spawn_local(async move { bus.listen(&*listening).await });
        let late = tokio::task::spawn_blocking(move || load.play()).await??;
        let mut heard = None;
        while heard.replace(ear.heard.get()) != Some(ear.heard.get()) {
            tokio::time::sleep(QUIET).await;
        }
        task.abort();
        let _ = task.await;
        Ok((late, ear.counts()))
    })?;
    if let Some(error) = recorded.error {
        return Err(io::Error::other(error));
    }
    let (lost, unstamped) = ear;
    Ok(Listened { late, logged: logged(&session.join(LOG))?, lost, unstamped })
}

struct Ear {
    bus: Arc<str>,
    notes: Rc<Notes>,
    heard: Cell<u64>,
    lost: Cell<u64>,
    unstamped: Cell<u64>,
}

impl Ear {
    fn counts(&self) -> (u64, u64) {
        (self.lost.get(), self.unstamped.get())
    }
}

impl Tap for Ear {
    fn frame(&self, own: bool, seen: &Seen) {
        self.heard.set(self.heard.get() + 1);
        self.unstamped.set(self.unstamped.get() + u64::from(seen.at.source != Source::Kernel));
        self.notes.frame(&self.bus, own, seen);
    }

    fn trouble(&self, _: Trouble, _: Stamp) {}

    fn lost(&self, frames: u32) {
        self.lost.set(self.lost.get() + u64::from(frames));
    }

    fn stepped(&self, _: i64) {}

    fn contradiction(&self) {}
}
