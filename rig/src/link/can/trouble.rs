use rig_can::lawicel::Flags;
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
                 bit rate or missing termination; `ip link set … type can restart-ms 100` brings it back by itself"
            }
            Self::Restarted => "the adapter is back on the bus",
            Self::Overrun => {
                "the adapter lost received frames: the machine is busy, or the bus busier than the adapter; use `listen = \
                 \"devices\"` or a faster adapter"
            }
            Self::NotSent => "the adapter could not send a frame in time: the bus is never free, or nobody acknowledges",
            Self::Wires => "the transceiver tells of a broken or shorted wire: check CAN-H and CAN-L",
        }
    }

    /// The troubles that an error frame of the kernel tells of (`linux/can/error.h`).
    pub(super) fn of_error_frame(class: u32, data: [u8; 8]) -> impl Iterator<Item = Self> {
        const CONTROLLER: u32 = 0x04;
        let controller = if class & CONTROLLER == 0 { 0 } else { data[1] };
        [
            (class & 0x20 != 0, Self::NoAcknowledge),
            (class & 0x02 != 0, Self::ArbitrationLost),
            (class & (0x08 | 0x80) != 0, Self::BusError),
            (controller & (0x04 | 0x08) != 0, Self::ErrorWarning),
            (controller & (0x10 | 0x20) != 0, Self::ErrorPassive),
            (class & 0x40 != 0, Self::BusOff),
            (class & 0x100 != 0, Self::Restarted),
            (controller & 0x01 != 0, Self::Overrun),
            (class & 0x01 != 0 || controller & 0x02 != 0, Self::NotSent),
            (class & 0x10 != 0, Self::Wires),
        ]
        .into_iter()
        .filter_map(|(is_so, trouble)| is_so.then_some(trouble))
    }

    /// The troubles that an slcan adapter's status flags tell of.
    pub(super) fn of_flags(flags: Flags) -> impl Iterator<Item = Self> {
        let Flags(bits) = flags;
        [
            (bits & 0x01 != 0 || bits & 0x08 != 0, Self::Overrun),
            (bits & 0x02 != 0, Self::NotSent),
            (bits & 0x04 != 0, Self::ErrorWarning),
            (bits & 0x20 != 0, Self::ErrorPassive),
            (bits & 0x40 != 0, Self::ArbitrationLost),
            (bits & 0x80 != 0, Self::BusError),
        ]
        .into_iter()
        .filter_map(|(is_so, trouble)| is_so.then_some(trouble))
    }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Trouble};

    fn told(class: u32, controller: u8) -> Vec<Trouble> {
        Trouble::of_error_frame(class, [0, controller, 0, 0, 0, 0, 0, 0]).collect()
    }

    #[test]
    fn an_error_frame_tells_all_that_it_says() {
        assert_eq!(told(0x20, 0), [Trouble::NoAcknowledge]);
        assert_eq!(told(0x40, 0xFF), [Trouble::BusOff], "the second byte means something only with its class");
        assert_eq!(told(0x04, 0x30), [Trouble::ErrorPassive]);
        assert_eq!(told(0x8C, 0x08), [Trouble::BusError, Trouble::ErrorWarning]);
        assert_eq!(told(0x200, 0), [], "counters alone are no trouble");
    }

    #[test]
    fn status_flags_tell_all_that_they_say() {
        assert_eq!(Trouble::of_flags(Flags(0)).count(), 0);
        assert_eq!(Trouble::of_flags(Flags(0xA0)).collect::<Vec<_>>(), [Trouble::ErrorPassive, Trouble::BusError]);
        assert_eq!(Trouble::of_flags(Flags(0x09)).collect::<Vec<_>>(), [Trouble::Overrun]);
    }

    #[test]
    fn every_trouble_has_a_word_of_its_own_and_it_is_serde_s() {
        for trouble in Trouble::ALL {
            assert_eq!(serde_json::to_string(&trouble).expect("json"), format!("\"{}\"", trouble.word()));
        }
    }
}
