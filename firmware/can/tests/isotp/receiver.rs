use rig_can::isotp::{ReceiveError, Receiver, Settings, TIMEOUT, Taken};
use test_case::test_case;

use crate::{broken, counted, device, reply, taken, to_device};

#[test]
fn a_long_payload_is_received_in_blocks() {
    let mut receiver = Receiver::new(Settings { block_size: 1, separation: 0x0A, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0), [Taken::Begun, reply("30 01 0A")]);
    assert_eq!(receiver.deadline(), Some(TIMEOUT));
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 5), [reply("30 01 0A")]);
    assert_eq!(receiver.deadline(), Some(5 + TIMEOUT));
    let last = to_device("22 0E 0F 10 11 12 13 14");
    assert_eq!(taken(&mut receiver, &last, 6), [Taken::Whole(counted(20))]);
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn the_last_frame_may_be_padded_or_short() {
    for last in ["22 0E 0F", "22 0E 0F CC CC CC CC CC"] {
        let mut receiver = Receiver::new(device());
        assert_eq!(taken(&mut receiver, &to_device("10 0F 01 02 03 04 05 06"), 0), [Taken::Begun, reply("30 00 00")]);
        assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 0), []);
        assert_eq!(taken(&mut receiver, &to_device(last), 0), [Taken::Whole(counted(15))]);
    }
}

#[test]
fn flow_controls_are_padded_too() {
    let mut receiver = Receiver::new(Settings { padding: Some(0xCC), block_size: 8, separation: 0xF3, ..device() });
    assert_eq!(
        taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0),
        [Taken::Begun, reply("30 08 F3 CC CC CC CC CC")]
    );
}

#[test]
fn a_payload_that_is_too_long_is_refused() {
    let mut receiver = Receiver::new(Settings { longest: 19, ..device() });
    assert_eq!(
        taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0),
        [reply("32 00 00"), broken(ReceiveError::TooLong, "01 02 03 04 05 06")]
    );
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 1), [], "it belongs to what is refused");
    let huge = to_device("10 00 FF FF FF FF 01 02");
    assert_eq!(taken(&mut receiver, &huge, 2), [reply("32 00 00"), broken(ReceiveError::TooLong, "01 02")]);
    let mut receiver = Receiver::new(Settings { longest: 1, ..device() });
    assert_eq!(taken(&mut receiver, &to_device("02 3E 80"), 0), [broken(ReceiveError::TooLong, "3E 80")]);
}

#[test]
fn another_payload_interrupts_the_one_that_was_begun() {
    let mut receiver = Receiver::new(device());
    let first = to_device("10 14 01 02 03 04 05 06");
    taken(&mut receiver, &first, 0);
    let interrupted = broken(ReceiveError::Interrupted, "01 02 03 04 05 06");
    assert_eq!(taken(&mut receiver, &first, 1), [interrupted.clone(), Taken::Begun, reply("30 00 00")]);
    assert_eq!(taken(&mut receiver, &to_device("01 3E"), 2), [interrupted, Taken::Whole(vec![0x3E])]);
    assert_eq!(receiver.deadline(), None);
}

#[test]
fn a_wrong_sequence_ends_the_payload_once() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 20 01 02 03 04 05 06"), 0);
    taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 0);
    assert_eq!(
        taken(&mut receiver, &to_device("23 15 16 17 18 19 1A 1B"), 0),
        [broken(ReceiveError::WrongSequence, "01 02 03 04 05 06 07 08 09 0A 0B 0C 0D")]
    );
    assert_eq!(receiver.deadline(), None);
    assert_eq!(taken(&mut receiver, &to_device("24 1C 1D 1E 1F 20"), 1), [], "what follows of a broken payload");
    let stray = broken(ReceiveError::Meaningless, "1C 1D");
    assert_eq!(taken(&mut receiver, &to_device("24 1C 1D"), 1 + TIMEOUT), [stray], "this is of no payload");
}

#[test]
fn a_frame_that_comes_too_late_is_of_no_payload() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    assert_eq!(receiver.expire(TIMEOUT - 1), None);
    let timeout = broken(ReceiveError::Timeout, "01 02 03 04 05 06");
    assert_eq!(receiver.clone().expire(TIMEOUT), Some(timeout.clone()));
    assert_eq!(taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), TIMEOUT), [timeout]);
    assert_eq!(receiver.expire(10 * TIMEOUT), None);
}

#[test]
fn a_reset_forgets_what_was_begun() {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    receiver.reset();
    assert_eq!(receiver.deadline(), None);
    assert_eq!(taken(&mut receiver, &to_device("21 07"), 0), [broken(ReceiveError::Meaningless, "07")]);
}

#[test_case("21 07 08"; "a middle frame that is short")]
#[test_case("21 07 08 09 0A 0B 0C 0D 0E 0F 10 11"; "a frame that is longer than the first")]
#[test_case("30 00"; "a flow control that is cut")]
#[test_case("00"; "a single frame of nothing")]
#[test_case("10 05 01 02 03 04 05 00"; "a first frame of what fits a single one")]
#[test_case("40"; "no such type")]
#[test_case(""; "nothing at all")]
fn a_frame_without_meaning_ends_nothing_but_itself(frame: &str) {
    let mut receiver = Receiver::new(device());
    taken(&mut receiver, &to_device("10 14 01 02 03 04 05 06"), 0);
    let events = taken(&mut receiver, &to_device(frame), 1);
    assert!(matches!(events[..], [Taken::Broken { flaw: ReceiveError::Meaningless, .. }]), "{events:?}");
    assert_eq!(receiver.deadline(), Some(TIMEOUT));
    taken(&mut receiver, &to_device("21 07 08 09 0A 0B 0C 0D"), 2);
    assert_eq!(taken(&mut receiver, &to_device("22 0E 0F 10 11 12 13 14"), 3), [Taken::Whole(counted(20))]);
}
