use rig_can::lawicel::Flags;

use crate::event::Trouble;

/// The troubles that an error frame of the kernel tells of (`linux/can/error.h`).
pub(super) fn of_error_frame(class: u32, data: [u8; 8]) -> impl Iterator<Item = Trouble> {
    const CONTROLLER: u32 = 0x04;
    let controller = if class & CONTROLLER == 0 { 0 } else { data[1] };
    [
        (class & 0x20 != 0, Trouble::NoAcknowledge),
        (class & 0x02 != 0, Trouble::ArbitrationLost),
        (class & (0x08 | 0x80) != 0, Trouble::BusError),
        (controller & (0x04 | 0x08) != 0, Trouble::ErrorWarning),
        (controller & (0x10 | 0x20) != 0, Trouble::ErrorPassive),
        (class & 0x40 != 0, Trouble::BusOff),
        (class & 0x100 != 0, Trouble::Restarted),
        (controller & 0x01 != 0, Trouble::Overrun),
        (class & 0x01 != 0 || controller & 0x02 != 0, Trouble::NotSent),
        (class & 0x10 != 0, Trouble::Wires),
    ]
    .into_iter()
    .filter_map(|(is_so, trouble)| is_so.then_some(trouble))
}

/// The troubles that an slcan adapter's status flags tell of.
pub(super) fn of_flags(flags: Flags) -> impl Iterator<Item = Trouble> {
    [
        (flags.receive_queue_full() || flags.data_overrun(), Trouble::Overrun),
        (flags.transmit_queue_full(), Trouble::NotSent),
        (flags.error_warning(), Trouble::ErrorWarning),
        (flags.error_passive(), Trouble::ErrorPassive),
        (flags.arbitration_lost(), Trouble::ArbitrationLost),
        (flags.bus_error(), Trouble::BusError),
    ]
    .into_iter()
    .filter_map(|(is_so, trouble)| is_so.then_some(trouble))
}

#[cfg(test)]
mod tests {
    use super::{Flags, Trouble, of_error_frame, of_flags};

    fn told(class: u32, controller: u8) -> Vec<Trouble> {
        of_error_frame(class, [0, controller, 0, 0, 0, 0, 0, 0]).collect()
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
        assert_eq!(of_flags(Flags(0)).count(), 0);
        assert_eq!(of_flags(Flags(0xA0)).collect::<Vec<_>>(), [Trouble::ErrorPassive, Trouble::BusError]);
        assert_eq!(of_flags(Flags(0x09)).collect::<Vec<_>>(), [Trouble::Overrun]);
    }
}
