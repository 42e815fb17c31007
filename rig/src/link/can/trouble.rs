use rig_can::lawicel::Flags;
#[cfg(target_os = "linux")]
use socketcan::nl::CanState;

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

/// The trouble that a controller of the kernel's is in.
#[cfg(target_os = "linux")]
pub(super) fn of_state(state: CanState) -> Option<Trouble> {
    match state {
        CanState::BusOff => Some(Trouble::BusOff),
        CanState::ErrorPassive => Some(Trouble::ErrorPassive),
        CanState::ErrorWarning => Some(Trouble::ErrorWarning),
        CanState::ErrorActive | CanState::Stopped | CanState::Sleeping => None,
    }
}

/// The trouble that an slcan adapter is in. The other flags tell of what has happened, which may be long ago.
pub(super) fn of_counters(flags: Flags) -> Option<Trouble> {
    let warning = flags.error_warning().then_some(Trouble::ErrorWarning);
    if flags.error_passive() { Some(Trouble::ErrorPassive) } else { warning }
}

#[cfg(test)]
mod tests {
    use super::{Flags, Trouble, of_counters, of_error_frame, of_flags};

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

    #[test]
    fn what_has_happened_once_is_no_trouble_that_an_adapter_is_in() {
        let told = [0, 0x80, 0x84, 0x24].map(|flags| of_counters(Flags(flags)));
        assert_eq!(told, [None, None, Some(Trouble::ErrorWarning), Some(Trouble::ErrorPassive)]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_controllers_state_is_trouble_where_it_is_one() {
        use super::CanState::{BusOff, ErrorActive, ErrorPassive, ErrorWarning, Sleeping, Stopped};
        let told = [BusOff, ErrorPassive, ErrorWarning].map(super::of_state);
        assert_eq!(told, [Trouble::BusOff, Trouble::ErrorPassive, Trouble::ErrorWarning].map(Some));
        assert_eq!([ErrorActive, Stopped, Sleeping].map(super::of_state), [None; 3]);
    }
}
