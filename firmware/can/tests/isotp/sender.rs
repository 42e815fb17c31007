use rig_can::isotp::{SendError, Sender, TIMEOUT, Todo, WAITS};
use test_case::test_case;

use crate::{MS, bytes, counted, extended, from_device, sent, started, tester};

#[test]
fn a_long_payload_is_sent_in_blocks() {
    let mut sender = started(tester(), &counted(20));
    assert_eq!(sent(&mut sender, 0), bytes("10 14 01 02 03 04 05 06"));
    assert_eq!(sender.poll(0), Todo::Wait(TIMEOUT));
    assert!(sender.take(&from_device("30 01 0A"), 5 * MS));
    assert_eq!(sent(&mut sender, 5 * MS), bytes("21 07 08 09 0A 0B 0C 0D"));
    assert_eq!(sender.poll(5 * MS), Todo::Wait(5 * MS + TIMEOUT));
    assert!(sender.take(&from_device("30 00 00"), 6 * MS));
    assert_eq!(sent(&mut sender, 6 * MS), bytes("22 0E 0F 10 11 12 13 14"));
    assert_eq!(sender.poll(6 * MS), Todo::Done);
}

#[test]
fn extended_addressing_takes_a_byte_of_every_frame() {
    let mut sender = started(extended(tester()), &counted(12));
    assert_eq!(sent(&mut sender, 0), bytes("F1 10 0C 01 02 03 04 05"));
    assert!(!sender.take(&from_device("30 00 00"), 0), "no address");
    assert!(!sender.take(&from_device("11 30 00 00"), 0), "another's address");
    assert!(sender.take(&from_device("10 30 00 00"), 0));
    assert_eq!(sent(&mut sender, 0), bytes("F1 21 06 07 08 09 0A 0B"));
    assert_eq!(sent(&mut sender, 0), bytes("F1 22 0C"));
    assert_eq!(sender.poll(0), Todo::Done);
}

#[test]
fn sequence_numbers_start_again_after_15() {
    let mut sender = started(tester(), &counted(6 + 7 * 18));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), 0));
    let numbers: Vec<u8> = (0..18).map(|_| sent(&mut sender, 0)[0]).collect();
    let expected: Vec<u8> = (1..=15).chain(0..=2).map(|number| 0x20 | number).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn the_separation_time_is_between_consecutive_frames_whatever_is_between_them() {
    let mut sender = started(tester(), &counted(40));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 02 05"), 7 * MS));
    sent(&mut sender, 7 * MS);
    assert_eq!(sender.poll(7 * MS), Todo::Wait(12 * MS));
    assert_eq!(sender.poll(12 * MS - 1), Todo::Wait(12 * MS));
    sent(&mut sender, 12 * MS);
    assert!(sender.take(&from_device("30 00 F5"), 12 * MS + 100_000));
    assert_eq!(sender.poll(12 * MS + 100_000), Todo::Wait(12 * MS + 500_000));
    sent(&mut sender, 12 * MS + 500_000);
    assert!(!matches!(sender.poll(13 * MS - 1), Todo::Send(_)));
    assert!(matches!(sender.poll(13 * MS), Todo::Send(_)));
}

#[test]
fn the_separation_time_starts_when_a_frame_is_on_the_bus() {
    let mut sender = started(tester(), &counted(40));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 05"), MS));
    assert!(matches!(sender.poll(MS), Todo::Send(_)));
    assert_eq!(sender.poll(MS), Todo::Wait(MS + TIMEOUT), "a frame is handed out once");
    sender.confirm(30 * MS);
    assert_eq!(sender.poll(30 * MS), Todo::Wait(35 * MS));
}

#[test]
fn a_flow_control_may_be_faster_than_the_confirmation() {
    let mut sender = started(tester(), &counted(20));
    assert!(matches!(sender.poll(0), Todo::Send(_)));
    assert!(sender.take(&from_device("30 00 00"), 1));
    assert_eq!(sender.poll(1), Todo::Wait(TIMEOUT), "not before the first frame is confirmed");
    sender.confirm(2);
    assert_eq!(sent(&mut sender, 2)[0], 0x21);
}

#[test]
fn a_frame_that_is_not_sent_ends_the_payload() {
    let mut sender = started(tester(), &[1]);
    assert!(matches!(sender.poll(0), Todo::Send(_)));
    assert_eq!(sender.poll(TIMEOUT - 1), Todo::Wait(TIMEOUT));
    assert_eq!(sender.poll(TIMEOUT), Todo::Failed(SendError::NotSent));
    assert_eq!(sender.poll(TIMEOUT), Todo::Done, "said once");
    sender.confirm(TIMEOUT);
    assert_eq!(sender.poll(TIMEOUT), Todo::Done);
}

#[test]
fn a_flow_control_that_does_not_come_ends_the_payload() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), TIMEOUT), "it is one, and too late");
    assert_eq!(sender.poll(TIMEOUT), Todo::Failed(SendError::NoFlowControl));
}

#[test]
fn the_other_side_may_ask_to_wait_but_not_for_ever() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    for ask in 1..=u64::from(WAITS) {
        assert!(sender.take(&from_device("31 00 00"), ask * 900 * MS));
        assert_eq!(sender.poll(ask * 900 * MS), Todo::Wait(ask * 900 * MS + TIMEOUT));
    }
    let mut patient = sender.clone();
    assert!(patient.take(&from_device("30 00 00"), 9500 * MS));
    assert_eq!(sent(&mut patient, 9500 * MS)[0], 0x21);
    assert!(sender.take(&from_device("31 00 00"), 9500 * MS));
    assert_eq!(sender.poll(9500 * MS), Todo::Failed(SendError::WaitedTooLong));
}

#[test_case("32 00 00", SendError::Overflow)]
#[test_case("33 00 00", SendError::InvalidFlow)]
#[test_case("3F 00 00", SendError::InvalidFlow)]
fn a_refusal_ends_the_payload(flow: &str, error: SendError) {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device(flow), 1));
    assert_eq!(sender.poll(1), Todo::Failed(error));
    assert_eq!(sender.poll(1), Todo::Done);
}

#[test]
fn a_flow_control_that_is_not_due_changes_nothing() {
    let mut sender = Sender::new(tester());
    assert!(sender.take(&from_device("30 00 00"), 0));
    assert_eq!(sender.poll(0), Todo::Done);
    sender.start(&counted(30), 0);
    assert!(sender.take(&from_device("32 00 00"), 0));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 05"), 0));
    assert!(sender.take(&from_device("32 00 00"), 0));
    sent(&mut sender, 0);
    assert!(sender.take(&from_device("30 00 00"), 0));
    assert_eq!(sender.poll(0), Todo::Wait(5 * MS));
}

#[test]
fn a_payload_of_no_bytes_is_not_sent() {
    let mut sender = started(tester(), &[]);
    assert_eq!(sender.poll(0), Todo::Failed(SendError::Length));
    assert_eq!(sender.poll(0), Todo::Done);
}

#[test]
fn another_payload_replaces_the_one_under_way() {
    let mut sender = started(tester(), &counted(20));
    sent(&mut sender, 0);
    sender.start(&[7], 1);
    assert_eq!(sent(&mut sender, 1), [1, 7]);
    assert_eq!(sender.poll(1), Todo::Done);
}
