//! A device's log, read through its debug probe for as long as the session goes.

use std::rc::Rc;
use std::time::Duration;

use rig_payload::Kind;

use super::firmware::Held;
use super::notes::Notes;
use super::port::Port;
use crate::event::{Fact, Misbehaviour};
use crate::probe::{CoreState, Driver, Log, LogLine, Probe, ProbeError, Target, Told};
use crate::stamp::{Nanos, Source, Stamp, narrow};

/// How often a log is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The first pause before a probe that has failed is tried again; each one is twice as long as the one before.
const RETRY: Duration = Duration::from_secs(1);
/// The longest.
const RETRY_LONGEST: Duration = Duration::from_secs(60);

/// Reads a device's log.
pub struct Logbook {
    port: Rc<Port>,
    target: Target,
    /// None while it is not attached.
    probe: Option<Probe>,
    driver: Driver,
    notes: Notes,
    /// When the log was last known to be empty; what is read was written later. With none, it may be from before the
    /// session.
    empty_at: Option<Nanos>,
    /// The boot that began what is read now.
    boots: Option<u16>,
    /// The log tells of a crash, and may say more of it in the next line.
    crash: Option<String>,
    locked_up: bool,
    warned: Warned,
    /// The pause before a probe that fails now is tried again.
    pause: Duration,
}

/// What was warned of already; once a session is enough.
#[derive(Default)]
struct Warned {
    garbled: bool,
    lost: bool,
}

/// Why a log is not read any more.
enum Lost {
    /// The device has no power.
    Power,
    Probe(ProbeError),
}

impl Logbook {
    /// The log of a device that was just started.
    #[must_use]
    pub fn new(held: Held, driver: Driver, notes: Notes) -> Self {
        let Held { port, target, probe, since } = held;
        Self { probe: Some(probe), empty_at: since, ..Self::unattached((port, target), driver, notes) }
    }

    fn unattached((port, target): (Rc<Port>, Target), driver: Driver, notes: Notes) -> Self {
        Self {
            port,
            target,
            probe: None,
            driver,
            notes,
            empty_at: None,
            boots: None,
            crash: None,
            locked_up: false,
            warned: Warned::default(),
            pause: RETRY,
        }
    }

    /// Reads the log until the session ends, or there turns out to be none. A device that loses its power takes its
    /// debug port with it: the probe is attached again when the device has booted.
    pub async fn keep(mut self) {
        loop {
            let lost = match &mut self.probe {
                Some(_) => self.follow().await,
                None => match self.attach().await {
                    Ok(()) => continue,
                    Err(error) => Lost::Probe(error),
                },
            };
            self.port.log_read(None);
            if let Some(probe) = self.probe.take() {
                // Whoever opens a probe next has to find it free.
                probe.end().await;
            }
            if let Lost::Probe(error) = lost {
                self.warn_lost(&error);
                if let ProbeError::NoLog { .. } = error {
                    return;
                }
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(RETRY_LONGEST);
            }
        }
    }

    /// Reads until the probe or the device's power is lost.
    async fn follow(&mut self) -> Lost {
        while let Some(probe) = &mut self.probe {
            let (asked, cuts) = (self.notes.now(), self.port.cuts());
            // A request is never given up: the probe is to be found free by whoever opens it next.
            match probe.log().await {
                Ok(log) => {
                    let goes_on = log.goes_on();
                    self.note(log, asked);
                    if goes_on {
                        continue;
                    }
                }
                Err(_) if self.port.cuts() != cuts => return Lost::Power,
                Err(error) => return Lost::Probe(error),
            }
            if tokio::time::timeout(LOOK, self.port.power_is(false)).await.is_ok() {
                return Lost::Power;
            }
        }
        Lost::Power
    }

    /// Attaches again, once the device has power and has booted.
    async fn attach(&mut self) -> Result<(), ProbeError> {
        let port = &self.port;
        loop {
            port.power_is(true).await;
            if port.is_boot_due() {
                // Attaching stops the core for a moment, which is not to make its boot any later.
                let _ = tokio::time::timeout(port.device().boot, port.booted_since(port.boots())).await;
            }
            let cuts = port.cuts();
            match self.driver.attach(&self.target).await {
                Ok(probe) => {
                    self.probe = Some(probe);
                    self.locked_up = false;
                    return Ok(());
                }
                Err(_) if port.cuts() != cuts => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn note(&mut self, log: Log, asked: Nanos) {
        let Log { lines, emptied, garbled, state, .. } = log;
        self.pause = RETRY;
        let at = Stamp::new(self.empty_at.unwrap_or_default(), self.notes.now(), Source::User);
        if lines.is_empty() {
            self.tell_crash();
        }
        for line in lines {
            self.note_line(line, at);
        }
        if emptied {
            self.empty_at = Some(asked);
            self.port.log_read(Some(asked));
        }
        if garbled > 0 && !std::mem::replace(&mut self.warned.garbled, true) {
            let detail = format!("{}: parts of its log are garbled: does it hold this firmware?", self.port.name());
            self.notes.note(Fact::Warning { detail });
        }
        let locked_up = state == CoreState::LockedUp;
        if locked_up && !std::mem::replace(&mut self.locked_up, locked_up) {
            let detail = "its core is locked up: it faulted while it handled a fault".to_owned();
            self.port.misbehaved(Misbehaviour::Crashed, detail);
        }
    }

    fn note_line(&mut self, line: LogLine, at: Stamp) {
        // What happened before the session is no matter of it.
        let told = line.told().filter(|told| self.empty_at.is_some() || matches!(told, Told::Boot { .. }));
        match told {
            Some(Told::Crash(reason)) => self.crash = Some(reason.to_owned()),
            told => {
                self.tell_crash();
                match told {
                    Some(Told::Boot { boots, reset }) => {
                        self.boots = Some(boots);
                        let is_crash = self.empty_at.is_some() && matches!(reset, "panic" | "hard-fault" | "watchdog");
                        self.crash = is_crash.then(|| reset.to_owned());
                    }
                    Some(Told::Received { kind, sequence, at }) => self.tell_arrival(kind, sequence, at),
                    Some(Told::Crash(_)) | None => {}
                }
            }
        }
        let (device, LogLine { level, text, stamp, .. }) = (self.port.name().to_string(), line);
        let told = stamp.zip(self.boots).and_then(|(stamp, boots)| self.port.instant_of(stamp, boots));
        let at = narrow(at, told);
        self.notes.note(Fact::Log { device, at, level, text, stamp });
    }

    /// Tells of a crash, once nothing more can be said of it.
    fn tell_crash(&mut self) {
        if let Some(reason) = self.crash.take() {
            self.port.misbehaved(Misbehaviour::Crashed, reason);
        }
    }

    fn tell_arrival(&self, kind: &str, sequence: u16, at: u64) {
        if let (Some(kind), Some(boots)) = (Kind::from_name(kind), self.boots) {
            self.port.tell_arrival(kind, sequence, boots, at);
        }
    }

    /// Warns once that the log is lost; no trial depends on it.
    fn warn_lost(&mut self, error: &ProbeError) {
        if !std::mem::replace(&mut self.warned.lost, true) {
            let detail = format!("the log of {} is not read for now: {error}", self.port.name());
            self.notes.note(Fact::Warning { detail });
        }
    }
}

#[cfg(test)]
mod tests;
