use rig_payload::Actor;

use crate::fixture::{Fixture, Player};
use crate::plan::{EdgeId, Plan};

/// Where an actor of an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind a device's port.
    Device(Actor),
    /// In rig.
    Emulated,
    /// In rig, with the database.
    Database,
    /// In a program behind TCP.
    External(Actor),
}

/// Which edge goes from where to where.
#[derive(Clone, Debug)]
pub struct Wiring {
    edges: Vec<Wire>,
}

#[derive(Clone, Copy, Debug)]
struct Wire {
    from: Place,
    to: Place,
    hops: bool,
}

/// A plan and a fixture that do not go together; `check` finds this first and says it better.
#[derive(Debug, thiserror::Error)]
#[error("the fixture says of no player that it plays {0:?}")]
pub struct Unplayed(String);

impl Wiring {
    /// The wiring of a plan's edges on a fixture.
    ///
    /// # Errors
    /// Where nobody plays an actor.
    pub fn new(plan: &Plan, fixture: &Fixture) -> Result<Self, Unplayed> {
        let place = |name: &str| {
            let actor = Actor::from_name(name).ok_or_else(|| Unplayed(name.to_owned()))?;
            Ok(match fixture.actors.get(name).ok_or_else(|| Unplayed(name.to_owned()))? {
                Player::Device(_) => Place::Device(actor),
                Player::Emulated => Place::Emulated,
                Player::Database => Place::Database,
                Player::External(_) => Place::External(actor),
            })
        };
        let has_hops = |from: &str, to: &str| fixture.paths.iter().any(|path| path.from == from && path.to == to);
        let edges = plan.edges.iter().map(|edge| {
            Ok(Wire { from: place(&edge.from)?, to: place(&edge.to)?, hops: has_hops(&edge.from, &edge.to) })
        });
        Ok(Self { edges: edges.collect::<Result<_, _>>()? })
    }

    /// Where the originator of an edge is.
    #[must_use]
    pub fn origin(&self, edge: EdgeId) -> Place {
        self.edges[usize::from(edge.0)].from
    }

    /// Where the destination of an edge is.
    #[must_use]
    pub fn destination(&self, edge: EdgeId) -> Place {
        self.edges[usize::from(edge.0)].to
    }

    /// Whether what a device's port receives on this edge goes on over the network, because there are hops between
    /// them or because its actor sits behind a connection of its own.
    #[must_use]
    pub fn is_relayed(&self, edge: EdgeId) -> bool {
        let wire = self.edges[usize::from(edge.0)];
        matches!(wire.from, Place::Device(_)) && (wire.hops || wire.to != Place::Emulated)
    }

    /// Whether an edge ends in rig and is reached over a loopback connection.
    #[must_use]
    pub fn needs_channel(&self, edge: EdgeId) -> bool {
        let wire = self.edges[usize::from(edge.0)];
        let ends_in_rig = matches!(wire.to, Place::Emulated | Place::Database);
        ends_in_rig && (self.is_relayed(edge) || matches!(wire.from, Place::Emulated | Place::Database))
    }
}
