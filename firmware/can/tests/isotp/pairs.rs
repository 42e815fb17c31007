//! What holds for any payload between any two nodes, and for any frames.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rig_can::isotp::{Addressing, ReceiveError, Receiver, SendError, Sender, Settings, TIMEOUT, Taken, Todo};
use rig_can::{Frame, Id, fd_length};

/// Sender and receiver on one bus, on which time passes only where both wait.
struct Bus {
    sender: Sender,
    receiver: Receiver,
    now: u64,
    /// Frames of the sender, each with the instant at which it was on the bus.
    sent: Vec<(u64, Frame)>,
    flows: Vec<Frame>,
    taken: Vec<Taken>,
}

impl Bus {
    fn of(sending: Settings, receiving: Settings) -> Self {
        let (sender, receiver) = (Sender::new(sending), Receiver::new(receiving));
        Self { sender, receiver, now: 0, sent: vec![], flows: vec![], taken: vec![] }
    }

    /// Sends a payload; `deliver` says which frames the receiver gets for the one that was sent.
    fn send(&mut self, payload: &[u8], deliver: &mut dyn FnMut(Frame) -> Vec<Frame>) -> Result<(), SendError> {
        self.sender.start(payload, self.now);
        loop {
            match self.sender.poll(self.now) {
                Todo::Send(frame) => {
                    self.sender.confirm(self.now);
                    self.sent.push((self.now, frame));
                    for frame in deliver(frame) {
                        self.receive(&frame);
                    }
                }
                Todo::Wait(until) => {
                    assert!(until > self.now, "a sender that waits for what is past waits for ever");
                    self.now = self.receiver.deadline().map_or(until, |deadline| deadline.min(until));
                    self.taken.extend(self.receiver.expire(self.now));
                }
                Todo::Done => return Ok(()),
                Todo::Failed(error) => return Err(error),
            }
        }
    }

    fn receive(&mut self, frame: &Frame) {
        let Self { sender, receiver, now, flows, taken, .. } = self;
        receiver.take(frame, *now, &mut |event| match event {
            Taken::Reply(flow) => flows.push(flow),
            event => taken.push(event),
        });
        for flow in std::mem::take(flows) {
            assert!(sender.take(&flow, *now));
            self.flows.push(flow);
        }
    }

    /// Lets the time pass in which the rest of a payload could come.
    fn settle(&mut self) {
        self.now += 2 * TIMEOUT;
        self.taken.extend(self.receiver.expire(self.now));
    }

    fn wholes(&self) -> Vec<&[u8]> {
        self.taken
            .iter()
            .filter_map(|taken| if let Taken::Whole(payload) = taken { Some(&payload[..]) } else { None })
            .collect()
    }
}

prop_compose! {
    /// Settings of two nodes that send each other payloads of up to 5000 bytes.
    fn pair()(
        addressing in prop_oneof![
            Just(Addressing::Normal),
            any::<(u8, u8)>().prop_map(|(send, receive)| Addressing::Extended { send, receive })
        ],
        fd in any::<Option<bool>>(),
        (sending_length, receiving_length) in (0..8_usize, 0..8_usize),
        (sending_padding, receiving_padding) in any::<(Option<u8>, Option<u8>)>(),
        (block_size, separation) in (prop_oneof![Just(0), 1..=20_u8, any::<u8>()], any::<u8>()),
    ) -> (Settings, Settings) {
        const LENGTHS: [u8; 8] = [8, 12, 16, 20, 24, 32, 48, 64];
        let length = |index: usize| if fd.is_some() { LENGTHS[index] } else { 8 };
        let sending = Settings {
            send: Id::Extended(0x18DA_10F1),
            receive: Id::Extended(0x18DA_F110),
            addressing,
            frame_length: length(sending_length),
            fd,
            padding: sending_padding,
            block_size: 0,
            separation: 0,
            longest: 1,
        };
        let receiving = Settings {
            send: sending.receive,
            receive: sending.send,
            addressing: match addressing {
                Addressing::Normal => Addressing::Normal,
                Addressing::Extended { send, receive } => Addressing::Extended { send: receive, receive: send },
            },
            frame_length: length(receiving_length),
            padding: receiving_padding,
            block_size,
            separation,
            longest: 5000,
            ..sending
        };
        (sending, receiving)
    }
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 1..=70), vec(any::<u8>(), 1..=5000)]
}

/// Frames that a payload takes, by the formats of clause 9.4.
fn frame_count(settings: &Settings, length: usize) -> usize {
    let room = usize::from(settings.frame_length) - usize::from(settings.addressing != Addressing::Normal);
    if length <= room - if settings.frame_length == 8 { 1 } else { 2 } {
        return 1;
    }
    let first = room - if length <= 4095 { 2 } else { 6 };
    1 + (length - first).div_ceil(room - 1)
}

proptest! {
    #[test]
    fn any_payload_arrives_whole_and_in_as_many_frames_as_it_takes(
        (sending, receiving) in pair(),
        payloads in vec(payload(), 1..4),
    ) {
        let mut bus = Bus::of(sending, receiving);
        for payload in &payloads {
            prop_assert_eq!(bus.send(payload, &mut |frame| vec![frame]), Ok(()));
        }
        prop_assert_eq!(bus.wholes(), payloads.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut frames, mut flows, mut begun) = (0, 0, 0);
        for payload in &payloads {
            let count = frame_count(&sending, payload.len());
            frames += count;
            let consecutive = count - 1;
            if consecutive > 0 {
                begun += 1;
                flows += 1;
                if receiving.block_size > 0 {
                    flows += (consecutive - 1) / usize::from(receiving.block_size);
                }
            }
        }
        prop_assert_eq!((bus.sent.len(), bus.flows.len()), (frames, flows));
        prop_assert_eq!(bus.taken.iter().filter(|taken| **taken == Taken::Begun).count(), begun);
        prop_assert_eq!(bus.taken.len(), begun + payloads.len(), "nothing else was said");
    }

    #[test]
    fn frames_have_their_lengths_and_pauses((sending, receiving) in pair(), payload in payload()) {
        let mut bus = Bus::of(sending, receiving);
        prop_assert_eq!(bus.send(&payload, &mut |frame| vec![frame]), Ok(()));
        let pause = match receiving.separation {
            code @ 0..=0x7F => u64::from(code) * 1_000_000,
            code @ 0xF1..=0xF9 => u64::from(code - 0xF0) * 100_000,
            _ => 127_000_000,
        };
        let last = bus.sent.len() - 1;
        for (index, (at, frame)) in bus.sent.iter().enumerate() {
            prop_assert_eq!(frame.is_fd(), sending.fd.is_some());
            prop_assert!(frame.length() <= sending.frame_length);
            if index < last {
                prop_assert_eq!(frame.length(), sending.frame_length);
            }
            if sending.padding.is_some() {
                prop_assert!(frame.length() >= 8);
            }
            if index > 1 {
                prop_assert_eq!(at - bus.sent[index - 1].0, pause);
            }
        }
        for flow in &bus.flows {
            let least = 3 + usize::from(receiving.addressing != Addressing::Normal);
            let length = if receiving.padding.is_some() { 8 } else { least };
            prop_assert_eq!(flow.data().len(), length);
        }
    }

    #[test]
    fn a_lost_frame_breaks_its_payload_and_no_other(
        (sending, receiving) in pair(),
        payload in vec(any::<u8>(), 100..=2000),
        at in any::<prop::sample::Index>(),
    ) {
        let mut bus = Bus::of(sending, receiving);
        let at = at.index(frame_count(&sending, payload.len()));
        let mut index = 0..;
        let _ = bus.send(&payload, &mut |frame| if index.next() == Some(at) { vec![] } else { vec![frame] });
        bus.settle();
        prop_assert!(bus.wholes().is_empty());
        prop_assert_eq!(bus.send(&payload, &mut |frame| vec![frame]), Ok(()));
        prop_assert_eq!(bus.wholes(), [&payload[..]]);
        let broken = bus.taken.iter().filter(|taken| matches!(taken, Taken::Broken { .. })).count();
        prop_assert_eq!(broken, usize::from(at > 0), "frame {} is lost: {:?}", at, bus.taken);
    }

    /// Up to 15 frames late, that is: then its number is the right one again, which no receiver can tell.
    #[test]
    fn a_frame_that_comes_twice_or_late_makes_no_other_payload(
        (sending, receiving) in pair(),
        payload in vec(any::<u8>(), 100..=2000),
        at in any::<prop::sample::Index>(),
        delay in 0..15_usize,
        keep in any::<bool>(),
    ) {
        let mut bus = Bus::of(sending, receiving);
        let last = frame_count(&sending, payload.len()) - 1;
        let at = 1 + at.index(last);
        let mut late = VecDeque::new();
        let mut index = 0_usize..;
        let _ = bus.send(&payload, &mut |frame| {
            let index = index.next().unwrap();
            if index == at {
                late.push_back(frame);
                if !keep {
                    return vec![];
                }
            }
            let mut frames = vec![frame];
            if index >= at + delay {
                frames.extend(late.pop_front());
            }
            frames
        });
        if let Some(frame) = late.pop_front() {
            bus.receive(&frame);
        }
        bus.settle();
        prop_assert!(bus.wholes().iter().all(|whole| *whole == payload), "{:?}", bus.taken);
        prop_assert!(bus.wholes().len() <= 1);
        let told = bus.taken.iter().any(|taken| matches!(taken, Taken::Broken { .. }));
        let in_order = !keep && (delay == 0 || at == last);
        prop_assert!(told || in_order, "frame {at} was late or double, and nothing was said of it");
    }

    #[test]
    fn any_frames_are_survived_within_bounds(
        (sending, receiving) in pair(),
        longest in 1..=100_usize,
        frames in vec(
            (
                prop_oneof![
                    Just(vec![]),
                    (select(vec![0x00_u8, 0x08, 0x10, 0x10, 0x10, 0x20, 0x20, 0x30, 0x40]), 0..16_u8, any::<u8>())
                        .prop_map(|(kind, low, next)| vec![kind | low, next % 40]),
                    (1..16_u8).prop_map(|sequence| vec![0x20 | sequence]),
                    (0..5_u8, any::<(u8, u8)>()).prop_map(|(status, (size, pause))| vec![0x30 | status, size, pause]),
                ],
                0..=64_usize,
                any::<bool>(),
                0..TIMEOUT / 3,
            ),
            0..300,
        ),
    ) {
        let receiving = Settings { longest, ..receiving };
        let (mut sender, mut receiver) = (Sender::new(receiving), Receiver::new(receiving));
        sender.start(&[0x55; 500], 0);
        let mut now = 0;
        for (control, length, address, wait) in frames {
            now += wait;
            let mut data = match (address, sending.addressing) {
                (true, Addressing::Extended { send, .. }) => vec![send],
                _ => vec![],
            };
            data.extend(control);
            data.resize(fd_length(data.len().max(length)).unwrap(), 0xAB);
            let frame = Frame::fd(sending.send, &data, false).unwrap();
            let before = receiver.deadline();
            let mut events = vec![];
            let mine = receiver.take(&frame, now, &mut |event| events.push(event));
            prop_assert!(mine || (events.is_empty() && receiver.deadline() == before));
            for event in events {
                match event {
                    Taken::Whole(payload) => prop_assert!((1..=longest).contains(&payload.len())),
                    Taken::Broken { flaw: ReceiveError::TooLong | ReceiveError::Meaningless, bytes } => {
                        prop_assert!(bytes.len() <= 64);
                    }
                    Taken::Broken { bytes, .. } => prop_assert!(bytes.len() < longest),
                    Taken::Begun => {}
                    Taken::Reply(flow) => prop_assert_eq!(flow.id(), receiving.send),
                }
            }
            let in_time = |deadline| deadline > now && deadline <= now + TIMEOUT;
            prop_assert!(!mine || receiver.deadline().is_none_or(in_time));
            sender.take(&frame, now);
            match sender.poll(now) {
                Todo::Send(_) => sender.confirm(now),
                Todo::Wait(until) => prop_assert!(until > now),
                Todo::Done | Todo::Failed(_) => sender.start(&[0x55; 500], now),
            }
        }
    }
}

/// Both nodes send at the same time: the flow controls of one direction have the identifier of the other's frames.
#[test]
fn both_directions_go_at_once() {
    let (left, right) = (crate::tester(), crate::device());
    let mut nodes = [left, right].map(|settings| (Sender::new(settings), Receiver::new(settings)));
    let payloads = [vec![1; 300], vec![2; 200]];
    for (node, payload) in nodes.iter_mut().zip(&payloads) {
        node.0.start(payload, 0);
    }
    let mut bus = VecDeque::new();
    let mut whole = vec![];
    let mut idle = 0;
    while idle < 2 {
        idle = 0;
        for node in &mut nodes {
            if let Todo::Send(frame) = node.0.poll(0) {
                node.0.confirm(0);
                bus.push_back(frame);
            } else {
                idle += 1;
            }
        }
        while let Some(frame) = bus.pop_front() {
            for (sender, receiver) in &mut nodes {
                if sender.take(&frame, 0) {
                    continue;
                }
                receiver.take(&frame, 0, &mut |event| match event {
                    Taken::Begun => {}
                    Taken::Reply(flow) => bus.push_back(flow),
                    Taken::Whole(payload) => whole.push(payload),
                    Taken::Broken { flaw, .. } => panic!("{flaw}"),
                });
            }
        }
    }
    whole.sort();
    assert_eq!(whole, payloads);
}
