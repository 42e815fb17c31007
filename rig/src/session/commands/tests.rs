//! How long a device held a command, by what the wire and the device's log show.

use super::*;

/// The last byte of the command was on the wire here.
const ON_WIRE: [Nanos; 2] = [1_000, 1_010];
/// The first byte of its answer was seen here.
const ANSWERED: Nanos = 5_000;

fn seen([lo, hi]: [Nanos; 2]) -> Stamp {
    Stamp::new(lo, hi, Source::User)
}

/// How long a device held a command at the least, whose log tells that it arrived within `logged`, and whose answer
/// was made before `after`.
fn held(logged: Option<[Nanos; 2]>, after: Nanos) -> Option<Nanos> {
    let sending = Sending { sent: seen([900, 910]), on_wire: Some(seen(ON_WIRE)), size: None, lost_in: None };
    let answer = Answer { after, first: seen([ANSWERED, ANSWERED + 10]) };
    let answer = Cell::new(Some(answer));
    let command = Command { kind: Kind::DischargeCmd, sequence: 7, sending, answer, noted: Cell::default() };
    let logged = logged.map(|[lo, hi]| Stamp::new(lo, hi, Source::Device));
    command.held(logged, command.arrived(logged, ANSWERED + 100))
}

const WIRE_ALONE: Option<Nanos> = Some(ANSWERED - ON_WIRE[1]);

#[test]
fn without_a_log_a_device_has_a_command_once_it_is_on_its_wire() {
    assert_eq!(held(None, ANSWERED), WIRE_ALONE);
}

#[test]
fn a_log_that_tells_no_more_than_the_wire_hides_nothing() {
    // It says no more than that the command arrived before it was answered.
    assert_eq!(held(Some([0, 9_000]), ANSWERED), WIRE_ALONE);
    // It narrows when the command arrived, and still has it arrive when it was on the wire.
    assert_eq!(held(Some([0, 4_000]), ANSWERED), WIRE_ALONE);
    assert_eq!(held(Some([1_005, 4_000]), ANSWERED), WIRE_ALONE);
}

#[test]
fn a_log_that_cannot_be_true_hides_nothing() {
    // Before it was sent, and after it was answered.
    assert_eq!(held(Some([100, 200]), ANSWERED), WIRE_ALONE);
    assert_eq!(held(Some([4_500, 4_600]), 4_000), WIRE_ALONE);
}

#[test]
fn a_device_that_had_the_command_later_than_its_wire_is_charged_from_then_on() {
    assert_eq!(held(Some([3_000, 3_100]), ANSWERED), Some(ANSWERED - 3_100));
    // Only what is certain.
    assert_eq!(held(Some([3_000, 9_000]), 4_000), Some(ANSWERED - 4_000));
}

#[test]
fn a_log_may_tell_more_sharply_than_the_wire_when_the_command_was_there() {
    assert_eq!(held(Some([900, 1_003]), ANSWERED), Some(ANSWERED - 1_003));
}
