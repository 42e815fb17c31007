use serde::{Deserialize, Serialize};

/// What a device does that no single delivery shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehaviour {
    /// It took longer to boot than the fixture allows, or did not boot.
    SlowBoot,
    /// It forgot what its non-volatile memory must hold.
    ForgotState,
    /// It answers nothing although it has power.
    Stuck,
    /// It sends without end.
    Babbling,
    /// It booted although its power was not cut.
    UnexpectedBoot,
    /// It did not let a payload of many frames through.
    RefusedPayload,
    /// It held a command for longer than the fixture allows before it answered.
    SlowAnswer,
    /// Its program ended: a fault, a panic, or a watchdog that had waited long enough.
    Crashed,
}

impl Misbehaviour {
    /// The misbehaviour in a word, as events spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SlowBoot => "slow-boot",
            Self::ForgotState => "forgot-state",
            Self::Stuck => "stuck",
            Self::Babbling => "babbling",
            Self::UnexpectedBoot => "unexpected-boot",
            Self::RefusedPayload => "refused-payload",
            Self::SlowAnswer => "slow-answer",
            Self::Crashed => "crashed",
        }
    }
}
