//! The echoes by which the kernel shows when own frames were on the bus.

use std::cell::RefCell;
use std::collections::VecDeque;

use rig_can::Frame;

use super::own::Own;
use crate::stamp::Stamp;

/// Own frames whose echo has not come, in the order in which they were handed over.
///
/// An echo names no frame but equals it. Equal frames go out in the order in which they were handed over, so that an
/// echo is of the first that equals it: the one that was given up, unless that was lost on its way out, which nobody
/// tells.
#[derive(Default)]
pub(super) struct Echoes(RefCell<VecDeque<Own>>);

impl Echoes {
    /// A frame was handed over.
    pub(super) fn expect(&self, own: Own) {
        self.0.borrow_mut().push_back(own);
    }

    /// An echo has come.
    pub(super) fn take(&self, frame: &Frame, at: Stamp) {
        let mut due = self.0.borrow_mut();
        let Some(first) = due.iter().position(|own| own.frame == *frame) else { return };
        let Some(own) = due.remove(first) else { return };
        let mut later = due.range(first..).filter(|later| later.frame == *frame).peekable();
        // As many echoes have come as equal frames were handed over: none was lost.
        let is_last = later.peek().is_none();
        if own.is_doubtful() {
            later.for_each(|later| later.doubt(at.lo));
        }
        if is_last {
            own.was_on_bus(at);
        } else {
            own.was_on_bus_by(at);
        }
        // Controllers send what was handed over first or what wins arbitration: a frame that was handed over before this
        // one and would win against it is not on its way any more.
        let mut before = first;
        due.retain(|own| {
            let earlier = before > 0;
            before = before.saturating_sub(1);
            !(earlier && own.is_given_up() && own.frame.id().priority() <= frame.id().priority())
        });
    }

    /// The controller left the bus, or came back, at this instant: which of the frames that it had are lost is not
    /// known.
    pub(super) fn interrupt(&self, at: Stamp) {
        for own in self.0.borrow_mut().iter_mut().filter(|own| own.handed.lo <= at.hi) {
            own.fail("the adapter was off the bus while it had the frame");
        }
    }

    /// No echo will come any more.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io;

    use proptest::prelude::*;
    use rig_can::{Frame, Id};

    use super::super::own::Departure;
    use super::*;
    use crate::stamp::{Nanos, Source};

    fn frame(id: u16, data: u8) -> Frame {
        Frame::classic(Id::Standard(id), &[data]).expect("a frame")
    }

    fn at(instant: Nanos) -> Stamp {
        Stamp::new(instant, instant + 9, Source::Kernel)
    }

    impl Echoes {
        fn hand_over(&self, frame: Frame, instant: Nanos) -> Departure {
            let (own, departure) = Own::new(frame, at(instant));
            self.expect(own);
            departure
        }

        fn hear(&self, frame: Frame, instant: Nanos) {
            self.take(&frame, at(instant));
        }
    }

    /// What the sender is told, who waits no longer than it takes.
    async fn told(departure: Departure) -> io::Result<Stamp> {
        departure.on_bus(&Cell::new(true)).await
    }

    async fn error(departure: Departure) -> io::Error {
        told(departure).await.expect_err("it was not on the bus")
    }

    #[tokio::test(start_paused = true)]
    async fn the_late_echo_of_a_frame_that_was_given_up_is_no_equal_frames() {
        let echoes = Echoes::default();
        assert_eq!(error(echoes.hand_over(frame(1, 1), 100)).await.kind(), io::ErrorKind::TimedOut);
        drop(echoes.hand_over(frame(1, 1), 200));
        let waiting = echoes.hand_over(frame(1, 1), 300);
        for late in [400, 500, 600] {
            echoes.hear(frame(1, 1), late);
        }
        assert_eq!(told(waiting).await.expect("it was on the bus"), at(600));
    }

    #[tokio::test(start_paused = true)]
    async fn one_echo_of_two_equal_frames_is_the_rigs_doubt_and_nobodys_silence() {
        let echoes = Echoes::default();
        drop(echoes.hand_over(frame(1, 1), 100));
        let waiting = echoes.hand_over(frame(1, 1), 200);
        echoes.hear(frame(1, 1), 300);
        let error = error(waiting).await;
        assert_eq!(error.kind(), io::ErrorKind::Other);
        insta::assert_snapshot!(error, @"it cannot be told whether the frame was on the bus within 1 s, or one before it that was given up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_either_of_two_echoes_may_be_of_was_on_the_bus_between_them() {
        let echoes = Echoes::default();
        drop(echoes.hand_over(frame(1, 1), 100));
        let [first, second] = [200, 300].map(|instant| echoes.hand_over(frame(1, 1), instant));
        echoes.hear(frame(1, 1), 400);
        echoes.hear(frame(1, 1), 500);
        assert_eq!(told(first).await.expect("it was on the bus"), Stamp::new(400, 509, Source::Bounded));
        assert_eq!(error(second).await.kind(), io::ErrorKind::Other);
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_later_ones_have_passed_is_lost() {
        for passing in [frame(1, 2), frame(2, 1)] {
            let echoes = Echoes::default();
            drop(echoes.hand_over(frame(1, 1), 100));
            drop(echoes.hand_over(passing, 200));
            echoes.hear(passing, 300);
            let waiting = echoes.hand_over(frame(1, 1), 400);
            echoes.hear(frame(1, 1), 500);
            assert_eq!(told(waiting).await.expect("it was on the bus"), at(500));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_one_of_higher_priority_has_passed_may_still_come() {
        let echoes = Echoes::default();
        drop(echoes.hand_over(frame(2, 1), 100));
        drop(echoes.hand_over(frame(1, 1), 200));
        echoes.hear(frame(1, 1), 300);
        let waiting = echoes.hand_over(frame(2, 1), 400);
        echoes.hear(frame(2, 1), 500);
        echoes.hear(frame(2, 1), 600);
        assert_eq!(told(waiting).await.expect("it was on the bus"), at(600));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_controller_had_when_it_left_the_bus_is_not_known_to_be_on_it() {
        let echoes = Echoes::default();
        let [before, after] = [100, 300].map(|instant| echoes.hand_over(frame(1, 1), instant));
        echoes.interrupt(at(200));
        echoes.hear(frame(1, 1), 400);
        let error = error(before).await;
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (io::ErrorKind::Other, "the adapter was off the bus while it had the frame")
        );
        assert!(told(after).await.is_err(), "the echo may be the first one's");
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_echo_comes_any_more_the_adapter_is_gone() {
        let echoes = Echoes::default();
        let waiting = echoes.hand_over(frame(1, 1), 100);
        echoes.clear();
        assert_eq!(error(waiting).await.kind(), io::ErrorKind::NotConnected);
    }

    #[derive(Clone, Copy, Debug)]
    enum Act {
        HandOver {
            id: u16,
            data: u8,
        },
        GiveUp(usize),
        /// The controller sends the frame that it has had for longest, or that wins arbitration.
        Send {
            first: bool,
        },
        /// The controller loses a frame that was given up.
        Lose(usize),
        /// The controller leaves the bus and loses so many frames.
        Leave(usize),
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            6 => (1..3_u16, 1..3_u8).prop_map(|(id, data)| Act::HandOver { id, data }),
            3 => any::<usize>().prop_map(Act::GiveUp),
            6 => any::<bool>().prop_map(|first| Act::Send { first }),
            1 => any::<usize>().prop_map(Act::Lose),
            1 => (0..3_usize).prop_map(Act::Leave),
        ];
        proptest::collection::vec(act, 1..60)
    }

    /// A frame as the controller has it, which knows what became of it.
    struct Known {
        frame: Frame,
        departure: Option<Departure>,
        queued: bool,
        sent: Option<Nanos>,
    }

    proptest! {
        /// Whatever is given up and whatever of that is lost: a frame that was not on the bus is never said to have been,
        /// and one that was, was there within its stamp.
        #[test]
        fn no_frame_is_said_to_have_been_on_the_bus_when_it_was_not(acts in acts()) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let echoes = Echoes::default();
            let mut frames: Vec<Known> = Vec::new();
            for (index, act) in acts.into_iter().enumerate() {
                let now = 100 * (index as Nanos + 1);
                let count = frames.len();
                let mut queued: Vec<&mut Known> = frames.iter_mut().filter(|known| known.queued).collect();
                match act {
                    Act::HandOver { id, data } => {
                        let departure = Some(echoes.hand_over(frame(id, data), now));
                        frames.push(Known { frame: frame(id, data), departure, queued: true, sent: None });
                    }
                    Act::GiveUp(which) if count > 0 => frames[which % count].departure = None,
                    Act::Send { first } => {
                        let next = if first { queued.first_mut() } else {
                            queued.iter_mut().min_by_key(|known| known.frame.id().number())
                        };
                        if let Some(known) = next {
                            (known.queued, known.sent) = (false, Some(now));
                            echoes.hear(known.frame, now);
                        }
                    }
                    Act::Lose(which) => {
                        queued.retain(|known| known.departure.is_none());
                        let count = queued.len();
                        if count > 0 {
                            queued[which % count].queued = false;
                        }
                    }
                    Act::Leave(loses) => {
                        queued.iter_mut().take(loses).for_each(|known| known.queued = false);
                        echoes.interrupt(at(now));
                    }
                    Act::GiveUp(_) => {}
                }
            }
            runtime.expect("a runtime").block_on(async {
                for known in frames {
                    let Some(departure) = known.departure else { continue };
                    if let Ok(stamp) = told(departure).await {
                        let sent = known.sent.expect("it was on the bus");
                        assert!(stamp.lo <= sent && sent <= stamp.hi, "{sent} in {stamp:?}");
                    }
                }
            });
        }
    }
}
