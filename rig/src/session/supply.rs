//! Power as the session sees it: rails change, devices lose and regain it, facts are noted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;

use super::notes::Notes;
use super::port::Port;
use crate::event::{Fact, Misbehaviour, PowerStage, RigFault};
use crate::fixture::{Fixture, Level};
use crate::power::{PowerError, Rails};
use crate::stamp::{Nanos, Stamp};

/// The rails, the ports of what they feed, and the last edge of each.
pub struct Supply {
    rails: Rails,
    ports: Vec<Rc<Port>>,
    edges: RefCell<HashMap<String, Edge>>,
    notes: Notes,
}

/// A change of a rail that came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its new level.
    pub level: Level,
    /// When the command began to leave; the rail did not change before.
    pub commanded: Nanos,
    /// When it was sensed at its new level, or must be there by then.
    pub at: Stamp,
}

impl Supply {
    /// The rails of a fixture with the devices that hang on them.
    #[must_use]
    pub fn new(rails: Rails, ports: Vec<Rc<Port>>, notes: Notes) -> Self {
        Self { rails, ports, edges: RefCell::default(), notes }
    }

    /// The last edge of a rail that was sensed, or bounded; none where a change since then may or may not have come
    /// about.
    #[must_use]
    pub fn last_edge(&self, rail: &str) -> Option<Edge> {
        self.edges.borrow().get(rail).copied()
    }

    /// Cuts a rail for a short time. Where it may have been down for as long as `at_most`, what devices make of it is
    /// not what the plan asks about: the rig's fault.
    ///
    /// # Errors
    /// As [`Supply::set`].
    pub async fn dip(&self, rail: &str, down: Duration, at_most: Option<Duration>) -> Result<(), PowerError> {
        self.set(rail, Level::Off).await?;
        let cut = self.last_edge(rail);
        tokio::time::sleep(down).await;
        self.set(rail, Level::On).await?;
        if let (Some(cut), Some(restored), Some(at_most)) = (cut, self.last_edge(rail), at_most) {
            let lasted = Duration::from_nanos(restored.at.since(cut.at).hi);
            if lasted >= at_most {
                let [lasted, at_most] = [lasted, at_most].map(humantime::format_duration);
                let detail = format!("rail {rail} may have dipped for {lasted}, and the plan allows {at_most}");
                self.notes.fault(RigFault::LongDip, detail);
            }
        }
        Ok(())
    }

    /// Changes a rail. Where that gives devices their power back, waits until they have booted, at the longest for
    /// what the fixture allows.
    ///
    /// # Errors
    /// Where a switch or sense does not do its part; it is noted as the rig's fault, and the trial is void.
    pub async fn set(&self, rail: &str, to: Level) -> Result<(), PowerError> {
        let boots: Vec<_> = self.fed_by(rail).map(|port| (port, port.boots())).collect();
        let was = self.last_edge(rail).map(|edge| edge.level);
        // A device may die before its rail is sensed as off, and is up before it is sensed as on.
        for (port, _) in &boots {
            port.set_powered(to == Level::On);
        }
        self.change(rail, to).await?;
        if to == Level::On && was != Some(Level::On) {
            for (port, before) in boots {
                let booted = self.await_boot(port, before).await;
                // Where the cut failed, the device may have had power all along.
                if !booted && was == Some(Level::Off) {
                    let allowed = humantime::format_duration(port.device().boot);
                    port.misbehaved(Misbehaviour::SlowBoot, format!("no boot payload within {allowed} of its power"));
                }
            }
        }
        Ok(())
    }

    /// Energises every rail before the first trial, the ones that devices sense as the grid first, and waits for the
    /// devices that boot from it. A device that had power all along does not boot, and need not.
    ///
    /// # Errors
    /// As [`Supply::set`].
    pub async fn energise(&self, fixture: &Fixture) -> Result<(), PowerError> {
        let is_feeder = |rail: &String| self.ports.iter().any(|port| port.device().feeder.as_ref() == Some(rail));
        let (feeders, others): (Vec<_>, Vec<_>) = fixture.rails.keys().partition(|rail| is_feeder(rail));
        let before: Vec<_> = self.ports.iter().map(|port| port.boots()).collect();
        for rail in feeders.into_iter().chain(others) {
            for port in self.fed_by(rail) {
                port.set_powered(true);
            }
            self.change(rail, Level::On).await?;
        }
        let powered = self.ports.iter().zip(before).filter(|(port, _)| port.device().supply.is_some());
        join_all(powered.map(|(port, before)| self.await_boot(port, before))).await;
        Ok(())
    }

    /// Gives every rail that has none its power back, at the end of a trial.
    ///
    /// # Errors
    /// As [`Supply::set`].
    pub async fn restore_all(&self, fixture: &Fixture) -> Result<(), PowerError> {
        for rail in fixture.rails.keys() {
            if self.rails.level(rail) != Some(Level::On) {
                self.set(rail, Level::On).await?;
            }
        }
        Ok(())
    }

    /// Puts every rail into its safe state, whatever happened before.
    pub async fn make_safe(&self) {
        for (rail, to, result) in self.rails.make_safe().await {
            self.notes.note(Fact::Safe { rail, to, error: result.err().map(|error| error.to_string()) });
        }
    }

    async fn change(&self, rail: &str, to: Level) -> Result<(), PowerError> {
        let (mut commanded, mut sensed) = (None, None);
        self.edges.borrow_mut().remove(rail);
        let result = self
            .rails
            .set(rail, to, &mut |stage, at| {
                self.notes.note(Fact::Power { rail: rail.to_owned(), to, stage, at });
                match stage {
                    PowerStage::Commanded => commanded = Some(at.lo),
                    PowerStage::Acknowledged => {}
                    PowerStage::Sensed => sensed = Some(at),
                }
            })
            .await;
        if let Some(at) = sensed {
            let edge = Edge { level: to, commanded: commanded.unwrap_or(at.lo), at };
            self.edges.borrow_mut().insert(rail.to_owned(), edge);
            for port in self.ports.iter().filter(|port| port.device().feeder.as_deref() == Some(rail)) {
                port.grid_changed(to, at);
            }
        }
        if let Err(error) = &result {
            self.notes.fault(error.fault(), format!("rail {rail}: {error}"));
        }
        result
    }

    async fn await_boot(&self, port: &Port, before: u32) -> bool {
        tokio::time::timeout(port.device().boot, port.booted_since(before)).await.is_ok()
    }

    fn fed_by<'a>(&'a self, rail: &'a str) -> impl Iterator<Item = &'a Port> {
        self.ports.iter().map(|port| &**port).filter(move |port| port.device().supply.as_deref() == Some(rail))
    }
}
