use serde::{Deserialize, Serialize};

/// What an adapter tells of a bus, or of itself, that is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Nobody acknowledged a frame of rig's.
    NoAcknowledge,
    /// Another node's frame won; rig's is sent again.
    ArbitrationLost,
    /// A frame broke the rules of the bus: its bits, stuffing, form or checksum.
    BusError,
    /// An error counter is over 96.
    ErrorWarning,
    /// An error counter is over 127: the adapter may no longer disturb others (ISO 11898-1:2015, 12.1.4).
    ErrorPassive,
    /// The transmit error counter is over 255: the adapter has left the bus.
    BusOff,
    /// The adapter is back on the bus.
    Restarted,
    /// The adapter lost received frames.
    Overrun,
    /// The adapter had no room for a frame of rig's, or could not send one in time.
    NotSent,
    /// The transceiver tells of its wires.
    Wires,
}

impl Trouble {
    /// All kinds of trouble, in order.
    pub const ALL: [Self; 10] = [
        Self::NoAcknowledge,
        Self::ArbitrationLost,
        Self::BusError,
        Self::ErrorWarning,
        Self::ErrorPassive,
        Self::BusOff,
        Self::Restarted,
        Self::Overrun,
        Self::NotSent,
        Self::Wires,
    ];

    /// The trouble in a word, as events spell it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoAcknowledge => "no-acknowledge",
            Self::ArbitrationLost => "arbitration-lost",
            Self::BusError => "bus-error",
            Self::ErrorWarning => "error-warning",
            Self::ErrorPassive => "error-passive",
            Self::BusOff => "bus-off",
            Self::Restarted => "restarted",
            Self::Overrun => "overrun",
            Self::NotSent => "not-sent",
            Self::Wires => "wires",
        }
    }

    /// What was seen, why it may be so, and what to check.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NoAcknowledge => {
                "nobody acknowledges rig's frames: check that the device has power, that both sides have the same bit rate, \
                 and that CAN-H and CAN-L are connected and not swapped"
            }
            Self::ArbitrationLost => {
                "frames of other nodes with smaller identifiers go first; that is normal on a busy bus, and delays rig's"
            }
            Self::BusError => {
                "frames break the rules of the bus: check that all nodes have the same bit rate and sample point, the \
                 termination (120 Ω at both ends, 60 Ω between the wires) and the cable"
            }
            Self::ErrorWarning => "the adapter counts many errors: check bit rates, termination and cable",
            Self::ErrorPassive => {
                "the adapter counts so many errors that it is error passive: check that another node is there and powered, \
                 bit rates, termination and cable"
            }
            Self::BusOff => {
                "the adapter has left the bus after too many errors of its own frames: check for a short circuit, another \
                 bit rate or missing termination; `ip link set … type can restart` brings it back, and `ip link set … type can \
                 restart-ms 100`, given while it is down, brings it back by itself"
            }
            Self::Restarted => "the adapter is back on the bus",
            Self::Overrun => {
                "the adapter lost received frames: the machine is busy, or the bus busier than the adapter; use `listen = \
                 \"devices\"` or a faster adapter"
            }
            Self::NotSent => {
                "the adapter could not send a frame in time: the bus is never free, or nobody acknowledges"
            }
            Self::Wires => "the transceiver tells of a broken or shorted wire: check CAN-H and CAN-L",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn every_trouble_has_a_word_of_its_own_and_it_is_serde_s() {
        for trouble in Trouble::ALL {
            assert_eq!(serde_json::to_string(&trouble).expect("json"), format!("\"{}\"", trouble.word()));
        }
    }
}
