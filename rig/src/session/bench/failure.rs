use crate::actor::DatabaseError;
use crate::event::{RigFault, Trouble};
use crate::link::LinkError;
use crate::power::PowerError;
use crate::probe::ProbeError;
use crate::session::child::ChildError;
use crate::session::wiring::Unplayed;

/// Why there is no bench to play on.
#[derive(Debug)]
pub enum Unopened {
    /// The session was interrupted.
    Interrupted,
    /// The bench is not ready.
    Failed(BenchFailure),
}

impl From<BenchFailure> for Unopened {
    fn from(failure: BenchFailure) -> Self {
        Self::Failed(failure)
    }
}

/// Why a bench is not ready.
#[derive(Debug, thiserror::Error)]
pub enum BenchFailure {
    /// The virtual bench did not start.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// The virtual bench cannot be made in memory.
    #[error("the virtual bench: {0}")]
    Virtual(String),
    /// A device's port is not there.
    #[error("device {0}: {1}")]
    Port(String, LinkError),
    /// A CAN bus cannot be opened.
    #[error("bus {0}: {1}")]
    Bus(String, LinkError),
    /// Not one frame is heard on a CAN bus, but errors are.
    #[error("bus {bus}: rig's adapter tells of {} and hears not one frame: {}", trouble.word(), trouble.advice())]
    Deaf {
        /// The bus.
        bus: String,
        /// What the adapter tells.
        trouble: Trouble,
    },
    /// A device's debug probe does not do its part.
    #[error("device {0}: {1}")]
    Probe(String, ProbeError),
    /// A device's port comes and goes.
    #[error("device {0}: its port is there and gone again; check cable and adapter")]
    Loose(String),
    /// A switch or sense does not do its part.
    #[error(transparent)]
    Power(#[from] PowerError),
    /// A connection between actors cannot be made.
    #[error("cannot connect {0}: {1}")]
    Connect(String, std::io::Error),
    /// An external actor cannot be reached.
    #[error("{0} is played by an external program: {1}")]
    External(String, LinkError),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Plan and fixture do not go together.
    #[error(transparent)]
    Unplayed(#[from] Unplayed),
}

impl BenchFailure {
    /// Which failure of the rig this is.
    #[must_use]
    pub fn fault(&self) -> RigFault {
        match self {
            Self::Child(_) | Self::Virtual(_) => RigFault::BenchGone,
            Self::Port(..) | Self::Loose(_) | Self::Bus(..) | Self::Deaf { .. } => RigFault::AdapterGone,
            Self::Probe(..) => RigFault::Probe,
            Self::Power(error) => error.fault(),
            Self::Connect(..) | Self::External(..) | Self::Database(_) | Self::Unplayed(_) => RigFault::Actor,
        }
    }
}
