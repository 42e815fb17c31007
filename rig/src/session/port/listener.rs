//! What a port hears, and what is made of it.

use std::cell::Cell;
use std::sync::Arc;

use rig_payload::{Frame, Header};

use super::Port;
use crate::event::{Fact, Flaw, Misbehaviour};
use crate::fixture;
use crate::link::Chunk;
use crate::protocol::can::NodeError;
use crate::protocol::{Arrived, Unit};
use crate::session::belief::{Boot, Reading};
use crate::session::line::Tap;

/// Takes what a port hears.
pub trait Ear {
    /// A whole payload, what it shows, and when its bytes were there.
    fn payload(&self, port: &Port, frame: Frame, reading: Reading, arrived: &Arrived);
    /// Something broken, and what it claims to be.
    fn broken(&self, port: &Port, flaw: Flaw, claimed: Option<Header>);
    /// The device has lost its memory.
    fn forgot(&self, port: &Port);
}

/// Notes what a port's line brings.
pub(super) struct Listener<'a> {
    pub(super) port: &'a Port,
    pub(super) ear: &'a dyn Ear,
    /// The line's name.
    pub(super) name: &'a Arc<str>,
    /// Whether a cut may have left something unfinished on the line.
    pub(super) cut_short: &'a Cell<bool>,
}

impl Tap for Listener<'_> {
    fn bytes(&self, chunk: &Chunk, bytes: &[u8]) -> bool {
        let Port { notes, heard, .. } = self.port;
        heard.set(heard.get() + chunk.length as u64);
        notes.traffic(self.name, false, chunk.read.hi, bytes, None);
        // What the cut left unfinished is not to run into the boot payload.
        self.port.powered.get() && self.cut_short.take()
    }

    fn arrived(&self, arrived: &Arrived) {
        if let fixture::Link::Can(_) = self.port.device.link {
            self.port.heard.set(self.port.heard.get() + u64::from(arrived.bytes));
        }
        self.port.take(arrived, self.ear);
    }

    fn unanswered(&self, error: NodeError) {
        // Noted, it has said what there is to say; the payload that waits for it expires.
        drop(self.port.not_sent("flow control", error));
    }
}

impl Port {
    fn take(&self, arrived: &Arrived, ear: &dyn Ear) {
        match arrived.what {
            Unit::Whole(frame) if frame.header.kind == rig_payload::Kind::Boot => self.boot(&frame, arrived, ear),
            Unit::Whole(frame) => {
                if self.powered.get() {
                    self.returning.set(false);
                }
                let reading = self.belief.borrow_mut().heard(&frame, arrived.first);
                if reading.contradiction {
                    let detail = format!(
                        "the stamps of {} contradict each other: its clock was stepped, or drifts more than \
                         stamp-drift-ppm allows",
                        self.name
                    );
                    self.notes.note(Fact::Warning { detail });
                }
                if let Some(boot) = reading.booted {
                    self.note_boot(boot, "told by its state, without a boot payload", ear);
                }
                ear.payload(self, frame, reading, arrived);
            }
            // A supply that falls takes the rest of a payload with it: no flaw of the device.
            Unit::Broken { .. } if !self.powered.get() || self.returning.get() => {}
            Unit::Broken { flaw, claimed } => {
                ear.broken(self, flaw, claimed);
                self.stray(None, flaw, arrived.last, arrived.bytes);
            }
        }
    }

    fn boot(&self, frame: &Frame, arrived: &Arrived, ear: &dyn Ear) {
        self.returning.set(false);
        let boot = self.belief.borrow_mut().booted(frame, arrived.first);
        self.notes.note(Fact::Booted { device: self.name.to_string(), at: arrived.last, boots: boot.boots });
        self.note_boot(boot, "told by its boot payload", ear);
        self.boots.set(self.boots.get() + 1);
        self.changed.notify_waiters();
    }

    fn note_boot(&self, boot: Boot, told: &str, ear: &dyn Ear) {
        let Boot { boots, expected, forgot } = boot;
        if !expected {
            let detail = format!("boot {boots}, {told}, and its power was not cut");
            self.misbehaved(Misbehaviour::UnexpectedBoot, detail);
        }
        if forgot {
            self.misbehaved(
                Misbehaviour::ForgotState,
                "a setting it had acknowledged is gone after the boot".to_owned(),
            );
            ear.forgot(self);
        }
    }
}
