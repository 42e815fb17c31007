//! Plays a schedule on a bus.

use std::future::{Future, pending};
use std::io;
use std::pin::{Pin, pin};
use std::str::FromStr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use rig_can::Frame;
use tokio::time::{sleep_until, timeout};

use super::schedule::{Act, Step};
use super::{Alarm, Bus, End, Outcome, Place, Schedule};
use crate::link::can::Transmitted;
use crate::stamp::{Nanos, nanos};

/// How many frames may be handed over and not be on the bus yet: fewer than the queue of a CAN interface holds
/// (`txqueuelen`, 10), for frames that find it full may overtake each other.
const UNDER_WAY: usize = 8;

/// So many frames in a row that the bus did not take end the replay.
const REFUSED: usize = 16;

/// How long a frame may take to be on the bus. A bus gives it up before; this is for one that hangs.
const ON_BUS: Duration = Duration::from_secs(3);

/// How a schedule is kept.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How fast recorded time passes.
    pub speed: Speed,
    /// How much later than due a frame may be handed over without being counted as late.
    pub tolerance: Duration,
    /// How long after it is due a reply may come.
    pub patience: Duration,
}

/// How many times as fast as it was recorded something is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed(f64);

impl Speed {
    /// As recorded.
    pub const RECORDED: Self = Self(1.0);

    /// How many times as fast.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.0
    }

    /// How long a recorded duration takes.
    fn apply(self, recorded: Nanos) -> Nanos {
        if self == Self::RECORDED {
            return recorded;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and saturating is meant"
        )]
        let played = (recorded as f64 / self.0) as Nanos;
        played
    }
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let speed = text.parse().ok().filter(|speed| (0.001..=1000.0).contains(speed));
        speed.map(Self).ok_or("write a number from 0.001 to 1000")
    }
}

/// Plays a schedule on a bus, until `stop`. The alarm's clock is the one that the bus stamps by.
pub async fn play(
    schedule: &Schedule,
    bus: &impl Bus,
    pace: Pace,
    alarm: &Alarm,
    stop: impl Future<Output = ()>,
) -> Outcome {
    let mut player = Player {
        schedule,
        bus,
        pace,
        alarm,
        start: alarm.clock().now(),
        shift: 0,
        stop: pin!(stop),
        under_way: FuturesUnordered::new(),
        tried: 0,
        refused_in_a_row: 0,
        came: vec![0; schedule.replies.len()],
        outcome: Outcome::default(),
    };
    let end = player.play().await.err().unwrap_or_default();
    player.end(end).await
}

struct Player<'a, B, S> {
    schedule: &'a Schedule,
    bus: &'a B,
    pace: Pace,
    alarm: &'a Alarm,
    start: Nanos,
    /// How much later everything is due, because of replies.
    shift: Nanos,
    stop: Pin<&'a mut S>,
    under_way: FuturesUnordered<LocalBoxFuture<'a, Sent>>,
    tried: u64,
    refused_in_a_row: usize,
    /// Of each reply, how many came that no step has awaited yet.
    came: Vec<u64>,
    outcome: Outcome,
}

/// A frame that was handed over.
struct Sent {
    number: u64,
    due: Nanos,
    result: io::Result<Transmitted>,
}

impl<B: Bus, S: Future<Output = ()>> Player<'_, B, S> {
    async fn play(&mut self) -> Result<(), End> {
        for step in &self.schedule.steps {
            match step.act {
                Act::Send(frame) => self.send(step, frame).await?,
                Act::Await(reply) => self.wait_for(step, reply).await?,
            }
        }
        Ok(())
    }

    async fn send(&mut self, step: &Step, frame: Frame) -> Result<(), End> {
        let due = self.due(step);
        let mut alarm = pin!(self.alarm.at(due));
        while !self.turn(alarm.as_mut()).await? {}
        while self.under_way.len() == UNDER_WAY {
            self.turn(pin!(pending())).await?;
        }
        let (number, bus) = (step.number, self.bus);
        self.tried += 1;
        self.under_way.push(Box::pin(async move {
            let sent = timeout(ON_BUS, bus.transmit(&frame)).await;
            let hangs = || io::Error::new(io::ErrorKind::TimedOut, format!("not on the bus within {ON_BUS:?}"));
            Sent { number, due, result: sent.unwrap_or_else(|_| Err(hangs())) }
        }));
        Ok(())
    }

    /// Waits for a reply. One that came before its turn is not waited for.
    async fn wait_for(&mut self, step: &Step, reply: usize) -> Result<(), End> {
        let due = self.due(step);
        if self.came[reply] == 0 {
            let deadline = due.max(self.now()).saturating_add(nanos(self.pace.patience));
            let mut alarm = pin!(sleep_until(self.alarm.clock().instant(deadline)));
            while self.came[reply] == 0 {
                if self.turn(alarm.as_mut()).await? {
                    return Err(End::NoReply(self.place(step.number)));
                }
            }
            self.shift += self.now().saturating_sub(due);
        }
        self.came[reply] -= 1;
        self.outcome.replies += 1;
        Ok(())
    }

    /// Lets one thing happen. Whether it was the alarm.
    async fn turn(&mut self, alarm: Pin<&mut impl Future<Output = ()>>) -> Result<bool, End> {
        // In this order, so that a frame is handed over before anything else, and a busy bus delays none.
        tokio::select! {
            biased;
            () = &mut self.stop => return Err(End::Stopped),
            Some(sent) = self.under_way.next() => self.note(sent)?,
            () = alarm => return Ok(true),
            frame = self.bus.received() => self.arrive(&frame.ok_or(End::Gone)?),
        }
        Ok(false)
    }

    fn arrive(&mut self, frame: &Frame) {
        if let Some(reply) = self.schedule.replies.iter().position(|reply| reply.is(frame)) {
            self.came[reply] += 1;
        }
    }

    fn note(&mut self, sent: Sent) -> Result<(), End> {
        match sent.result {
            Ok(Transmitted { handed, on_bus }) => {
                let error = handed.hi.saturating_sub(sent.due);
                self.refused_in_a_row = 0;
                self.outcome.sent += 1;
                self.outcome.handed.add(error);
                self.outcome.late += u64::from(error > nanos(self.pace.tolerance));
                self.outcome.on_bus.add(on_bus.hi.saturating_sub(sent.due));
                Ok(())
            }
            Err(error) => {
                self.refused_in_a_row += 1;
                self.outcome.failures.add(self.place(sent.number), error.to_string());
                if self.refused_in_a_row < REFUSED { Ok(()) } else { Err(End::Dead) }
            }
        }
    }

    /// The outcome, once the frames that are under way are on the bus or given up.
    async fn end(mut self, end: End) -> Outcome {
        while let Some(sent) = self.under_way.next().await {
            // It has ended already.
            let _ = self.note(sent);
        }
        self.outcome.end = end;
        self.outcome.not_tried = self.schedule.frames() - self.tried;
        self.outcome.surplus = self.came.iter().sum();
        self.outcome.shift = self.shift;
        self.outcome.took = self.now() - self.start;
        self.outcome
    }

    fn due(&self, step: &Step) -> Nanos {
        self.start.saturating_add(self.pace.speed.apply(step.at)).saturating_add(self.shift)
    }

    fn now(&self) -> Nanos {
        self.alarm.clock().now()
    }

    fn place(&self, number: u64) -> Place {
        Place { unit: self.schedule.unit, number }
    }
}

#[cfg(test)]
mod tests;
