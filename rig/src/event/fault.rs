use serde::{Deserialize, Serialize};

/// What kind of failure of the rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RigFault {
    /// A port is gone although its device has power, or an instrument's port is gone.
    AdapterGone,
    /// A switch or sense did not answer, or refused.
    Instrument,
    /// A power edge was not sensed in time.
    EdgeNotSensed,
    /// A dip of a rail may have lasted longer than the plan allows.
    LongDip,
    /// Frames of a CAN bus were lost between the bus and rig.
    Overrun,
    /// rig could not put a payload on its way, although its adapter is there.
    NotSent,
    /// rig's adapter has left its CAN bus.
    BusOff,
    /// rig's wire thread stood still.
    Stalled,
    /// The wall clock was stepped.
    ClockStep,
    /// An emulated actor could not send, receive or commit.
    Actor,
    /// A debug probe did not do its part before the first trial.
    Probe,
    /// The virtual bench ended by itself.
    BenchGone,
    /// rig panicked.
    Panic,
}

impl RigFault {
    /// The fault in a word, as events spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdapterGone => "adapter-gone",
            Self::Instrument => "instrument",
            Self::EdgeNotSensed => "edge-not-sensed",
            Self::LongDip => "long-dip",
            Self::Overrun => "overrun",
            Self::NotSent => "not-sent",
            Self::BusOff => "bus-off",
            Self::Stalled => "stalled",
            Self::ClockStep => "clock-step",
            Self::Actor => "actor",
            Self::Probe => "probe",
            Self::BenchGone => "bench-gone",
            Self::Panic => "panic",
        }
    }
}
