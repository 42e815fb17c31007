//! Rails: supplies that are cut and restored through relay boards, programmable supplies and programs, and sensed
//! where the bench can.
//!
//! A change of a rail is known in three stages, each with its own instant: the command went out, the switch answered,
//! the rail was sensed at its new level. How long these lie apart is the equipment's nature (5 to 15 ms for a relay,
//! half a second for a supply's output, seconds for a network switch), so no stage is ever taken for another.
//!
//! [`Rails`] guards the equipment: a rail stays in each state for its dwell time, and is not cut more often than its
//! fixture allows. [`Rails::make_safe`] alone does not wait for either.

mod command;
mod error;
mod guard;
mod instrument;
mod lcus;
mod modbus_coil;
mod port;
mod scpi;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Mutex;

pub use error::PowerError;

use crate::event::PowerStage;
use crate::fixture::{Contact, Fixture, Level, Rail, Sense};
use crate::link::BenchPorts;
use crate::stamp::{Clock, Source, Stamp, nanos};
use guard::Guard;
use instrument::Instrument;

/// How long one rail's safe state may take: a reply that does not come, a port that is opened again, and once more.
const SAFE_DEADLINE: Duration = Duration::from_secs(5);
/// How often a rail is looked at while its edge is waited for: as fast as timers tick. It bounds the stamp's width.
const SENSE_PAUSE: Duration = Duration::from_millis(1);

/// The rails of a fixture, with all their instruments open.
pub struct Rails {
    switched: BTreeMap<String, Switched>,
    instruments: BTreeMap<String, Mutex<Instrument>>,
    obtained: Vec<(String, BTreeMap<String, String>)>,
    clock: Clock,
}

struct Switched {
    rail: Rail,
    guard: Guard,
    /// Held while the rail changes: its changes come one after the other.
    changing: Mutex<()>,
}

impl Rails {
    /// Opens every instrument, asks each for its state, and changes nothing.
    ///
    /// # Errors
    /// An instrument cannot be opened or does not answer, or a rail names a channel that its instrument does not have.
    pub async fn open(fixture: &Fixture, bench: &BenchPorts, clock: Clock) -> Result<Self, PowerError> {
        let (mut instruments, mut obtained) = (BTreeMap::new(), Vec::new());
        for (name, spec) in &fixture.instruments {
            let instrument = Instrument::open(name, spec, bench, clock).await?;
            obtained.push((name.clone(), instrument.obtained()));
            instruments.insert(name.clone(), Mutex::new(instrument));
        }
        let switched = fixture.rails.iter().map(|(name, rail)| (name.clone(), Switched::new(rail.clone()))).collect();
        let rails = Self { switched, instruments, obtained, clock };
        for (name, rail) in &rails.switched {
            rail.guard.found(rails.found(name, &rail.rail).await?);
        }
        Ok(rails)
    }

    /// What was asked for and what was obtained, by instrument.
    #[must_use]
    pub fn obtained(&self) -> Vec<(String, BTreeMap<String, String>)> {
        self.obtained.clone()
    }

    /// The level that a rail was last known at; `None` where it is not known, and while it changes.
    #[must_use]
    pub fn level(&self, rail: &str) -> Option<Level> {
        self.switched.get(rail)?.guard.level()
    }

    /// Brings a rail to a level: waits until dwell time and cycle rate allow it, commands it, and tells of each stage
    /// when it is reached.
    ///
    /// # Errors
    /// The instrument is gone, does not answer or refuses, or the edge was not sensed in time. The rail's level is then
    /// not known.
    pub async fn set(&self, rail: &str, to: Level, note: &mut dyn FnMut(PowerStage, Stamp)) -> Result<(), PowerError> {
        let switched = self.switched.get(rail).ok_or_else(|| PowerError::NoSuchRail { rail: error::shown(rail) })?;
        let _changing = switched.changing.lock().await;
        switched.guard.wait(to, &switched.rail, self.clock).await;

        let mut commanded = None;
        let acknowledged = self
            .switch(&switched.rail, to, &mut |at| {
                // A port that was opened again gets the command again: the first may have been the one that worked.
                if commanded.is_none() {
                    commanded = Some(at);
                    switched.guard.commanded(to, at.lo);
                    note(PowerStage::Commanded, at);
                }
            })
            .await?;
        note(PowerStage::Acknowledged, acknowledged);

        let commanded = commanded.unwrap_or(acknowledged);
        let sensed = match &switched.rail.sense {
            Sense::None { settle } => settled(commanded, acknowledged, *settle),
            Sense::Scpi { contact, threshold, timeout } => {
                let edge = Edge { rail, to, contact, threshold: *threshold, timeout: *timeout };
                self.sensed(&edge, commanded).await?
            }
        };
        switched.guard.reached(to, self.clock.now());
        note(PowerStage::Sensed, sensed);
        Ok(())
    }

    /// Brings every rail to its safe level, all at the same time and at once: without waiting for dwell time or cycle
    /// rate, and with a deadline for each. One rail's failure stops no other.
    ///
    /// Futures of [`Self::set`] that have not ended are to be dropped first: one that still waits for a guard would
    /// change its rail afterwards. Dropping them at any point is safe; an answer they were owed is thrown away.
    pub async fn make_safe(&self) -> Vec<(String, Level, Result<(), PowerError>)> {
        let mut waiting: Vec<Pin<Box<dyn Future<Output = _> + '_>>> = Vec::new();
        for (name, switched) in &self.switched {
            waiting.push(Box::pin(async move { (name.clone(), switched.rail.safe, self.safe(name, switched).await) }));
        }
        let mut safe = Vec::new();
        poll_fn(|context| {
            waiting.retain_mut(|rail| match rail.as_mut().poll(context) {
                Poll::Ready(result) => {
                    safe.push(result);
                    false
                }
                Poll::Pending => true,
            });
            if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        safe.sort_by(|one, other| one.0.cmp(&other.0));
        safe
    }

    async fn safe(&self, name: &str, switched: &Switched) -> Result<(), PowerError> {
        let to = switched.rail.safe;
        let mut commanded = |at: Stamp| switched.guard.commanded(to, at.lo);
        tokio::time::timeout(SAFE_DEADLINE, self.switch(&switched.rail, to, &mut commanded))
            .await
            .map_err(|_| PowerError::Deadline { rail: error::shown(name), within: SAFE_DEADLINE })??;
        switched.guard.reached(to, self.clock.now());
        Ok(())
    }

    /// Commands a rail's switch and returns when it acknowledged.
    async fn switch(&self, rail: &Rail, to: Level, commanded: &mut dyn FnMut(Stamp)) -> Result<Stamp, PowerError> {
        let closed = contact_for(to, rail.energised_means);
        self.instrument(&rail.switch)?.lock().await.switch(rail.switch.channel, closed, commanded).await
    }

    /// Looks at a rail until it is at its new level. The edge lies between the last look that saw the old level and
    /// the answer to the first that saw the new one.
    async fn sensed(&self, edge: &Edge<'_>, commanded: Stamp) -> Result<Stamp, PowerError> {
        let until = self.clock.instant(self.clock.now()) + edge.timeout;
        let mut not_before = commanded.lo;
        loop {
            let look = self.instrument(edge.contact)?.lock().await.volts(edge.contact.channel).await?;
            if edge.reached(look.volts) {
                return Ok(Stamp::new(not_before, look.answered.hi, Source::User));
            }
            not_before = look.asked.lo.max(not_before);
            if tokio::time::Instant::now() >= until {
                return Err(PowerError::NotSensed {
                    rail: error::shown(edge.rail),
                    to: edge.to,
                    volts: look.volts,
                    threshold: edge.threshold,
                    within: edge.timeout,
                });
            }
            tokio::time::sleep(SENSE_PAUSE).await;
        }
    }

    /// The level that a rail is found at, where the bench can tell.
    async fn found(&self, name: &str, rail: &Rail) -> Result<Option<Level>, PowerError> {
        let closed = self.instrument(&rail.switch)?.lock().await.contact(rail.switch.channel).await?;
        if let Sense::Scpi { contact, threshold, timeout } = &rail.sense {
            let edge = Edge { rail: name, to: Level::On, contact, threshold: *threshold, timeout: *timeout };
            let look = self.instrument(contact)?.lock().await.volts(contact.channel).await?;
            return Ok(Some(if edge.reached(look.volts) { Level::On } else { Level::Off }));
        }
        Ok(closed.map(|closed| if closed == rail.energised_means { Level::On } else { Level::Off }))
    }

    fn instrument(&self, contact: &Contact) -> Result<&Mutex<Instrument>, PowerError> {
        let name = &contact.instrument;
        self.instruments.get(name).ok_or_else(|| PowerError::NoSuchInstrument { instrument: error::shown(name) })
    }
}

impl Switched {
    fn new(rail: Rail) -> Self {
        Self { rail, guard: Guard::default(), changing: Mutex::new(()) }
    }
}

/// An edge that is waited for.
struct Edge<'a> {
    rail: &'a str,
    to: Level,
    contact: &'a Contact,
    threshold: f64,
    timeout: Duration,
}

impl Edge<'_> {
    fn reached(&self, volts: f64) -> bool {
        (volts > self.threshold) == (self.to == Level::On)
    }
}

/// The contact's state in which a rail has power, or has none.
fn contact_for(power: Level, energised_means: Level) -> Level {
    match (power, energised_means) {
        (Level::On, contact) => contact,
        (Level::Off, Level::On) => Level::Off,
        (Level::Off, Level::Off) => Level::On,
    }
}

/// Where nothing senses the rail: not before the command began to leave, and not later than its settling time after
/// the acknowledgement.
fn settled(commanded: Stamp, acknowledged: Stamp, settle: Duration) -> Stamp {
    let settle = nanos(settle);
    Stamp::new(commanded.lo, acknowledged.hi.saturating_add(settle), Source::Bounded)
}

#[cfg(test)]
mod tests;
