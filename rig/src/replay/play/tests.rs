//! Schedules played on a bus that the test makes, in virtual time.

use std::cell::RefCell;
use std::collections::VecDeque;

use rig_can::Id;

use super::*;
use crate::replay::recording::tests::from;
use crate::replay::{Choice, Reply};
use crate::stamp::{Clock, Source, Stamp};

const MILLISECOND: Nanos = 1_000_000;

/// A bus on which a frame takes a millisecond, with a device that answers requests.
struct Fake {
    clock: Clock,
    /// What was sent, and when.
    sent: RefCell<Vec<(u64, u8)>>,
    /// When the device answers the next frames 600: so many milliseconds later, or never.
    answers: RefCell<VecDeque<Option<u64>>>,
    arriving: RefCell<VecDeque<Nanos>>,
    /// The first byte of frames that it refuses, and of those that never get on it.
    refused: Vec<u8>,
    ignored: Vec<u8>,
    gone_at: Option<Nanos>,
}

impl Fake {
    fn new() -> Self {
        Self {
            clock: Clock::start(),
            sent: RefCell::default(),
            answers: RefCell::default(),
            arriving: RefCell::default(),
            refused: Vec::new(),
            ignored: Vec::new(),
            gone_at: None,
        }
    }

    /// The first bytes of what was sent, with the milliseconds at which it was handed over.
    fn log(&self) -> Vec<(u64, u8)> {
        self.sent.borrow().clone()
    }
}

impl Bus for Fake {
    async fn transmit(&self, frame: &Frame) -> io::Result<Transmitted> {
        let now = self.clock.now();
        let first = frame.data().first().copied().unwrap_or_default();
        self.sent.borrow_mut().push((now / MILLISECOND, first));
        if self.refused.contains(&first) {
            return Err(io::Error::other("no room"));
        }
        if self.ignored.contains(&first) {
            pending::<()>().await;
        }
        if let Some(Some(after)) = self.answers.borrow_mut().pop_front() {
            self.arriving.borrow_mut().push_back(now + after * MILLISECOND);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let handed = Stamp::new(now, now, Source::User);
        let on_bus = Stamp::new(now, self.clock.now(), Source::Kernel);
        Ok(Transmitted { handed, on_bus })
    }

    async fn received(&self) -> Option<Frame> {
        let next = self.arriving.borrow().front().copied();
        let at = next.into_iter().chain(self.gone_at).min();
        let Some(at) = at else { return pending().await };
        if self.clock.now() < at {
            sleep_until(self.clock.instant(at)).await;
        }
        self.arriving.borrow_mut().pop_front().filter(|_| next == Some(at))?;
        Frame::classic(Id::Standard(0x601), &[0x60])
    }
}

const PACE: Pace =
    Pace { speed: Speed::RECORDED, tolerance: Duration::from_millis(1), patience: Duration::from_millis(100) };

fn schedule(log: &str, reply: Option<&str>) -> Schedule {
    let replies = reply.map(|text| text.parse::<Reply>().expect("a reply")).into_iter().collect();
    Schedule::new(&from(log).expect("a log"), &Choice { replies, fd: true, ..Choice::default() }).expect("a schedule")
}

/// So many frames, so many microseconds apart.
fn every(micros: u64, count: u64) -> String {
    (0..count).fold(String::new(), |log, at| log + &format!("(1.{:06}) can0 600#01\n", at * micros))
}

async fn played(fake: &Fake, schedule: &Schedule, pace: Pace) -> Outcome {
    play(schedule, fake, pace, &Alarm::in_virtual_time(fake.clock), pending()).await
}

#[tokio::test(start_paused = true)]
async fn each_frame_is_handed_over_when_it_is_due() {
    let log = "(5.000000) can0 600#01\n(5.003000) can0 600#02\n(5.003000) can0 600#03\n(6.000000) can0 600#04\n";
    let fake = Fake::new();
    tokio::time::sleep(Duration::from_millis(40)).await;
    let outcome = played(&fake, &schedule(log, None), PACE).await;
    assert_eq!(fake.log(), [(40, 1), (43, 2), (43, 3), (1040, 4)]);
    assert_eq!((outcome.end, outcome.sent, outcome.late, outcome.not_tried), (End::Complete, 4, 0, 0));
    assert_eq!(outcome.handed.quantiles().expect("frames").max, 0);
    assert_eq!(outcome.on_bus.quantiles().expect("frames").p50, MILLISECOND);
    assert_eq!(outcome.took, 1001 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn a_speed_scales_the_schedule() {
    let log = "(5.000000) can0 600#01\n(5.010000) can0 600#02\n(5.030000) can0 600#03\n";
    let fake = Fake::new();
    let pace = Pace { speed: "2".parse().expect("a speed"), ..PACE };
    played(&fake, &schedule(log, None), pace).await;
    assert_eq!(fake.log(), [(0, 1), (5, 2), (15, 3)]);
}

/// A bus that holds frames up delays these, and none after them.
#[tokio::test(start_paused = true)]
async fn errors_do_not_add_up() {
    let log = every(100, 200) + "(2.000000) can0 600#02\n";
    let fake = Fake::new();
    let outcome = played(&fake, &schedule(&log, None), PACE).await;
    assert_eq!(outcome.sent, 201);
    // Virtual time goes in milliseconds, so most are late by a part of one.
    assert!(outcome.handed.quantiles().expect("frames").max > 0);
    assert_eq!(fake.log().last(), Some(&(1000, 2)));
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_shifts_what_comes_after_it() {
    let log = "(1.000000) can0 600#01\n(1.010000) can0 601#60\n(1.015000) can0 600#02\n(1.020000) can0 601#60\n\
        (1.030000) can0 600#03\n";
    let fake = Fake::new();
    // 20 ms later than recorded; 3 ms earlier.
    fake.answers.borrow_mut().extend([Some(30), Some(2)]);
    let outcome = played(&fake, &schedule(log, Some("601#60")), PACE).await;
    assert_eq!(fake.log(), [(0, 1), (35, 2), (50, 3)]);
    assert_eq!((outcome.end, outcome.replies, outcome.shift), (End::Complete, 2, 20 * MILLISECOND));
    assert_eq!((outcome.late, outcome.surplus), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_does_not_come_ends_the_replay() {
    let log = "(1.000000) can0 600#01\n(1.010000) can0 601#60\n(1.015000) can0 600#02\n(1.016000) can0 600#03\n";
    let fake = Fake::new();
    let outcome = played(&fake, &schedule(log, Some("601")), PACE).await;
    let End::NoReply(place) = outcome.end else { panic!("{:?}", outcome.end) };
    assert_eq!(place.to_string(), "line 2");
    assert_eq!((outcome.sent, outcome.not_tried, outcome.replies), (1, 2, 0));
    // From when it was due, which is 10 ms after the start.
    assert_eq!(outcome.took, 110 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn replies_that_nobody_awaits_are_counted() {
    let log = "(1.000000) can0 600#01\n(1.001000) can0 601#60\n(1.002000) can0 600#02\n(1.500000) can0 600#03\n";
    let fake = Fake::new();
    fake.answers.borrow_mut().extend([Some(1), Some(1)]);
    let outcome = played(&fake, &schedule(log, Some("601")), PACE).await;
    assert_eq!((outcome.replies, outcome.surplus), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_the_bus_does_not_take_is_counted_with_its_line() {
    let log = "(1.000000) can0 600#01\n(1.010000) can0 600#02\n(1.020000) can0 600#03\n";
    let fake = Fake { refused: vec![1], ignored: vec![2], ..Fake::new() };
    let outcome = played(&fake, &schedule(log, None), PACE).await;
    assert_eq!((outcome.end, outcome.sent, outcome.failures.count), (End::Complete, 1, 2));
    let said: Vec<_> = outcome.failures.first.iter().map(|(place, why)| format!("{place}: {why}")).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    line 1: no room
    line 2: not on the bus within 3s
    ");
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_nothing_any_more_ends_the_replay() {
    let log = every(1000, 1000);
    let fake = Fake { ignored: vec![1], ..Fake::new() };
    let outcome = played(&fake, &schedule(&log, None), PACE).await;
    assert_eq!((outcome.end, outcome.sent), (End::Dead, 0));
    assert_eq!(outcome.failures.count + outcome.not_tried, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_gone_ends_the_replay() {
    let log = "(1.000000) can0 600#01\n(1.100000) can0 600#02\n";
    let fake = Fake { gone_at: Some(50 * MILLISECOND), ..Fake::new() };
    let outcome = played(&fake, &schedule(log, None), PACE).await;
    assert_eq!((outcome.end, outcome.sent, outcome.not_tried), (End::Gone, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_replay_can_be_stopped() {
    let log = "(1.000000) can0 600#01\n(9.000000) can0 600#02\n";
    let fake = Fake::new();
    let stop = tokio::time::sleep(Duration::from_secs(3));
    let alarm = Alarm::in_virtual_time(fake.clock);
    let outcome = play(&schedule(log, None), &fake, PACE, &alarm, stop).await;
    assert_eq!((outcome.end, outcome.sent, outcome.not_tried), (End::Stopped, 1, 1));
}

/// The only one in real time, for which it has another timer.
#[tokio::test]
async fn a_schedule_is_played_in_real_time() {
    let log = "(1.000000) can0 600#01\n(1.000300) can0 600#02\n(1.004900) can0 600#03\n";
    let fake = Fake::new();
    let alarm = Alarm::in_real_time(fake.clock).expect("a timer");
    let outcome = play(&schedule(log, None), &fake, PACE, &alarm, pending()).await;
    assert_eq!((outcome.end, outcome.sent), (End::Complete, 3));
    assert!(outcome.took >= 4_900_000, "{}", outcome.took);
}

#[test]
fn a_speed_is_a_number_in_reason() {
    for wrong in ["0", "-1", "NaN", "inf", "1e9", "fast", ""] {
        assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
    }
    assert_eq!("0.5".parse::<Speed>().map(|speed| speed.apply(10)), Ok(20));
}
