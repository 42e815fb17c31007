//! The port of its own that a device has for what it sends to a home.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::{Ear, LOOK_AGAIN, Listener, Port};
use crate::event::Fact;
use crate::fixture::Stream;
use crate::link::LinkError;
use crate::session::line::{Line, Wires};

/// What is known of such a port.
#[derive(Default)]
pub(super) struct Home {
    open: Cell<bool>,
    trouble: RefCell<Option<LinkError>>,
    /// See [`Port`]'s own.
    pub(super) cut_short: Cell<bool>,
    /// See [`Port`]'s own.
    pub(super) adrift: Cell<bool>,
}

impl Port {
    /// Opens the device's port for a home, where it has one, and listens; where it is not there, or no longer, looks for
    /// it again until the session ends.
    pub async fn listen_at_home(&self, wires: &Wires, ear: &dyn Ear) {
        let Some(stream) = &self.device.in_home else { return };
        let name: Arc<str> = format!("{}.in-home", self.name).into();
        loop {
            match Line::stream(stream, self.device.protocol, wires, self.notes.clock()).await {
                Ok(line) => self.hear_at_home(Rc::new(line), (&name, stream), ear).await,
                Err(error) => *self.home.trouble.borrow_mut() = Some(error),
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until the port for a home is open, where the device has one.
    pub async fn opened_at_home(&self) {
        self.until(|| self.device.in_home.is_none() || self.home.open.get()).await;
    }

    /// Why that port could not be opened, the last time it was tried in vain.
    #[must_use]
    pub fn trouble_at_home(&self) -> Option<LinkError> {
        self.home.trouble.take()
    }

    async fn hear_at_home(&self, line: Rc<Line>, (name, stream): (&Arc<str>, &Stream), ear: &dyn Ear) {
        if let Some(obtained) = line.obtained() {
            self.notes.note(Fact::LinkUp { name: name.to_string(), obtained: obtained.clone() });
        }
        self.home.open.set(true);
        self.home.adrift.set(false);
        self.changed.notify_waiters();
        let error = line.hear(&Listener { port: self, ear, name, cut_short: &self.home.cut_short }).await;
        self.home.open.set(false);
        self.home.adrift.set(self.note_lost(name, stream, &error));
    }
}
