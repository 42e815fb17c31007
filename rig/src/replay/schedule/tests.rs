//! What is played of a recording, and what is refused.

use super::*;
use crate::replay::recording::tests::from;

const LOG: &str = "\
(10.000000) can0 600#01 T
(10.010000) can0 601#02 R
(10.020000) can0 600##1FF T
(10.030000) can0 20000004#0004000000000000 R
(10.030000) can1 123#
mumble
(10.025000) can0 600#05 T
";

fn with(choice: &Choice) -> Result<Schedule, ReplayError> {
    Schedule::new(&from(LOG).expect("a log"), choice)
}

/// `can0` of the log, and everything else as it is by default.
fn can0() -> Choice {
    Choice { interface: Some("can0".into()), fd: true, ..Choice::default() }
}

fn lenient() -> Choice {
    Choice { skip: Obstacle::ALL.into(), ..can0() }
}

fn error_of(choice: &Choice) -> String {
    with(choice).expect_err("an error").to_string()
}

fn shown(schedule: &Schedule) -> String {
    let steps = schedule.steps.iter().map(|step| format!("{} at {}: {:?}\n", step.number, step.at, step.act));
    steps.chain([format!("{:?}", schedule.left_out)]).collect()
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_lines() {
    insta::assert_snapshot!(error_of(&Choice { fd: false, ..can0() }), @r"
    line 6 holds no frame; it has no time such as (1436509052.249713) at its beginning; leave it out with --skip unreadable
    line 4 is an error frame, which cannot be sent; leave it out with --skip errors
    line 3 is an FD frame, which the bus does not carry; leave it out with --skip fd
    ");
}

#[test]
fn many_of_a_kind_are_counted_and_the_first_named() {
    let log = from("oops\n".repeat(7) + "(1.000000) can0 123#\n").expect("a log");
    let error = Schedule::new(&log, &Choice::default()).expect_err("an error");
    insta::assert_snapshot!(error, @"7 lines hold no frame (1, 2, 3, 4, 5, …); line 1 has no time such as (1436509052.249713) at its beginning; leave them out with --skip unreadable");
}

#[test]
fn a_time_that_runs_backwards_is_refused_with_its_line() {
    let log = from("(2.000000) can0 123#\n(1.000000) can0 123#\n").expect("a log");
    let error = Schedule::new(&log, &Choice::default()).expect_err("an error");
    insta::assert_snapshot!(error, @"line 2 is earlier than what is before it: play the frames in the order of their times with --sort");
    let sorted = Schedule::new(&log, &Choice { sort: true, ..Choice::default() }).expect("a schedule");
    assert_eq!(sorted.steps.iter().map(|step| step.number).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_time_that_runs_backwards_by_less_than_stamps_err_is_put_right_and_counted() {
    let log = from("(2.000000) can0 123#\n(2.000900) can0 123#\n(2.000001) can0 123#\n").expect("a log");
    let schedule = Schedule::new(&log, &Choice::default()).expect("a schedule");
    assert_eq!(schedule.steps.iter().map(|step| step.number).collect::<Vec<_>>(), [1, 3, 2]);
    assert_eq!(schedule.reordered, 1);
}

#[test]
fn what_was_asked_to_be_left_out_is_counted() {
    let choice = Choice { fd: false, ..lenient() };
    insta::assert_snapshot!(shown(&with(&choice).expect("a schedule")), @r"
    1 at 0: Send(Frame(600 Classic 1 [01]))
    2 at 10000000: Send(Frame(601 Classic 1 [02]))
    7 at 25000000: Send(Frame(600 Classic 1 [05]))
    LeftOut { unreadable: 1, errors: 1, fd: 1, other_direction: 0, other_interface: 1 }
    ");
}

#[test]
fn one_direction_can_be_played() {
    let choice = |direction| Choice { direction: Some(direction), ..lenient() };
    insta::assert_snapshot!(shown(&with(&choice(Direction::Sent)).expect("a schedule")), @r"
    1 at 0: Send(Frame(600 Classic 1 [01]))
    3 at 20000000: Send(Frame(600 Fd { switch: true, passive: false } 1 [ff]))
    7 at 25000000: Send(Frame(600 Classic 1 [05]))
    LeftOut { unreadable: 1, errors: 1, fd: 0, other_direction: 1, other_interface: 1 }
    ");
    insta::assert_snapshot!(shown(&with(&choice(Direction::Received)).expect("a schedule")), @r"
    2 at 0: Send(Frame(601 Classic 1 [02]))
    LeftOut { unreadable: 1, errors: 1, fd: 0, other_direction: 3, other_interface: 1 }
    ");
    let log = from("(1.000000) can0 123#\n").expect("a log");
    let choice = Choice { direction: Some(Direction::Sent), ..Choice::default() };
    insta::assert_snapshot!(Schedule::new(&log, &choice).expect_err("an error"), @"line 1 does not say whether its frame was sent or received: leave out --sent-only and --received-only");
}

#[test]
fn a_reply_is_awaited_where_it_was_received() {
    let reply = |text: &str| vec![text.parse::<Reply>().expect("a reply")];
    let choice = Choice { direction: Some(Direction::Sent), replies: reply("601"), ..lenient() };
    insta::assert_snapshot!(shown(&with(&choice).expect("a schedule")), @r"
    1 at 0: Send(Frame(600 Classic 1 [01]))
    2 at 10000000: Await(0)
    3 at 20000000: Send(Frame(600 Fd { switch: true, passive: false } 1 [ff]))
    7 at 25000000: Send(Frame(600 Classic 1 [05]))
    LeftOut { unreadable: 1, errors: 1, fd: 0, other_direction: 0, other_interface: 1 }
    ");
    insta::assert_snapshot!(error_of(&Choice { replies: reply("600"), ..lenient() }), @"no frame 600 is recorded that could be awaited; those that were recorded as sent are sent");
    insta::assert_snapshot!(error_of(&Choice { replies: reply("601#03"), ..lenient() }), @"no frame 601#03 is recorded that could be awaited; those that were recorded as sent are sent");
}

#[test]
fn the_interface_is_named_where_there_are_several() {
    let named = |name: Option<&str>| error_of(&Choice { interface: name.map(str::to_owned), ..Choice::default() });
    insta::assert_snapshot!(named(None), @"the file has traffic of several interfaces: name the one to play with --interface; it has can0, can1");
    insta::assert_snapshot!(named(Some("can\x1b2")), @"the file has no traffic of an interface `can␛2`; it has can0, can1");
}

#[test]
fn a_file_without_frames_has_nothing_to_play() {
    let skip = Choice { skip: Obstacle::ALL.into(), ..Choice::default() };
    for (log, choice) in [("", Choice::default()), ("\n", Choice::default()), ("oops", skip)] {
        let error = Schedule::new(&from(log).expect("a log"), &choice).expect_err("an error");
        assert!(matches!(error, ReplayError::NoFrames), "{error}");
    }
}
