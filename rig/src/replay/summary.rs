//! A replay in words, and for programs.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use super::outcome::Quantiles;
use super::{End, LeftOut, Outcome, Pace, Schedule};
use crate::stamp::{Nanos, nanos};
use crate::visible::visible_up_to;

/// The longest reason of a failure that is shown, in characters.
const LONGEST_REASON: usize = 200;

/// What was to be played, and what became of it; nothing yet where it was not played.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// What was to be played.
    pub schedule: &'a Schedule,
    /// How it was to be played.
    pub pace: Pace,
    /// What became of it.
    pub outcome: Option<&'a Outcome>,
}

impl Summary<'_> {
    /// The summary for programs; times are in nanoseconds.
    #[must_use]
    pub fn json(&self) -> Value {
        let Self { schedule, pace, outcome } = self;
        let mut summary = json!({
            "frames": { "planned": schedule.frames(), "fd": schedule.fd_frames() },
            "replies": { "planned": schedule.awaited() },
            "left-out": schedule.left_out,
            "reordered": schedule.reordered,
            "recorded-ns": schedule.span(),
            "speed": pace.speed.factor(),
        });
        if let Some(outcome) = outcome {
            let frames = json!({
                "planned": schedule.frames(),
                "fd": schedule.fd_frames(),
                "sent": outcome.sent,
                "failed": outcome.failures.count,
                "not-tried": outcome.not_tried,
                "late": outcome.late,
            });
            let failures = outcome.failures.first.iter().map(|(place, why)| json!({ "at": place.number, "why": why }));
            let replies = json!({ "planned": schedule.awaited(), "came": outcome.replies, "surplus": outcome.surplus });
            let end = match outcome.end {
                End::Complete => json!({ "how": "complete" }),
                End::Stopped => json!({ "how": "stopped" }),
                End::NoReply(place) => json!({ "how": "no-reply", "at": place.number }),
                End::Dead => json!({ "how": "bus-dead" }),
                End::Gone => json!({ "how": "link-gone" }),
            };
            let played = [
                ("end", end),
                ("frames", frames),
                ("replies", replies),
                ("failures", failures.collect()),
                ("handed-over-after-due-ns", json!(outcome.handed.quantiles())),
                ("on-bus-after-due-ns", json!(outcome.on_bus.quantiles())),
                ("tolerance-ns", json!(nanos(pace.tolerance))),
                ("shift-ns", json!(outcome.shift)),
                ("took-ns", json!(outcome.took)),
            ];
            for (key, value) in played {
                summary[key] = value;
            }
        }
        summary
    }

    fn outcome(&self, f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
        let Self { schedule, pace, .. } = self;
        writeln!(f, "played:     {} in {}", frames(outcome.sent), seconds(outcome.took))?;
        if let Some(error) = outcome.handed.quantiles() {
            writeln!(f, "schedule:   handed over {} after it was due", quantiles(error))?;
        }
        if let Some(error) = outcome.on_bus.quantiles() {
            writeln!(f, "            on the bus {} after it was due", quantiles(error))?;
        }
        writeln!(f, "late:       {} by more than {}", frames(outcome.late), millis_of(pace.tolerance))?;
        if schedule.awaited() > 0 {
            let Outcome { replies, surplus, shift, .. } = outcome;
            write!(f, "replies:    {replies} of {} came", schedule.awaited())?;
            if *surplus > 0 {
                write!(f, ", and {surplus} more than were awaited")?;
            }
            writeln!(f, "; they shifted the schedule by {}", millis(*shift))?;
        }
        if outcome.failures.count > 0 {
            writeln!(f, "not sent:   {}", frames(outcome.failures.count))?;
            for (place, why) in &outcome.failures.first {
                writeln!(f, "            {place}: {}", visible_up_to(why, LONGEST_REASON))?;
            }
        }
        let end = match outcome.end {
            End::Complete => return Ok(()),
            End::Stopped => "stopped".to_owned(),
            End::NoReply(place) => {
                format!("the reply of {place} did not come within {}", millis_of(pace.patience))
            }
            End::Dead => "the bus takes nothing any more: is another node there, at the same bit rate?".to_owned(),
            End::Gone => "the link is gone: check the adapter and its cable".to_owned(),
        };
        writeln!(f, "ended:      {end}")?;
        writeln!(f, "not tried:  {}", frames(outcome.not_tried))
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedule = self.schedule;
        write!(f, "recorded:   {} in {}", frames(schedule.frames()), seconds(schedule.span()))?;
        match schedule.fd_frames() {
            0 => {}
            fd => write!(f, ", {fd} of them FD frames")?,
        }
        match schedule.awaited() {
            0 => writeln!(f)?,
            1 => writeln!(f, ", and 1 reply to await")?,
            replies => writeln!(f, ", and {replies} replies to await")?,
        }
        let LeftOut { unreadable, errors, fd, other_direction, other_interface } = schedule.left_out;
        let left_out = [
            ("unreadable", unreadable),
            ("error frames", errors),
            ("FD frames", fd),
            ("of the other direction", other_direction),
            ("of other interfaces", other_interface),
        ];
        let left_out = left_out.iter().filter(|(_, count)| *count > 0);
        let left_out: Vec<_> = left_out.map(|(what, count)| format!("{what} {count}")).collect();
        if !left_out.is_empty() {
            writeln!(f, "left out:   {}", left_out.join(", "))?;
        }
        if schedule.reordered > 0 {
            writeln!(f, "reordered:  {}, by their times", frames(schedule.reordered))?;
        }
        self.outcome.map_or(Ok(()), |outcome| self.outcome(f, outcome))
    }
}

fn frames(count: u64) -> String {
    if count == 1 { "1 frame".to_owned() } else { format!("{count} frames") }
}

fn quantiles(Quantiles { p50, p99, max }: Quantiles) -> String {
    format!("p50 {}, p99 {}, max {}", millis(p50), millis(p99), millis(max))
}

fn millis(nanos: Nanos) -> String {
    format!("{}.{:03} ms", nanos / 1_000_000, nanos / 1_000 % 1_000)
}

fn millis_of(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

fn seconds(nanos: Nanos) -> String {
    format!("{}.{:03} s", nanos / 1_000_000_000, nanos / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::outcome::{Failures, Spread};
    use crate::replay::recording::tests::from;
    use crate::replay::{Choice, Obstacle, Place, Speed, Unit};

    const PACE: Pace =
        Pace { speed: Speed::RECORDED, tolerance: Duration::from_millis(1), patience: Duration::from_secs(1) };

    fn schedule() -> Schedule {
        let log = "(1.000000) can0 600#01\n(1.010000) can0 601#60\n(1.015000) can0 600##1\n(1.020000) can0 20000040#\
            0000000000000000\n(1.025000) can0 600#03\n";
        let replies = vec!["601".parse().expect("a reply")];
        let choice = Choice { replies, fd: true, skip: Obstacle::ALL.into(), ..Choice::default() };
        Schedule::new(&from(log).expect("a log"), &choice).expect("a schedule")
    }

    fn spread(durations: &[Nanos]) -> Spread {
        let mut spread = Spread::default();
        for duration in durations {
            spread.add(*duration);
        }
        spread
    }

    fn outcome() -> Outcome {
        let place = Place { unit: Unit::Line, number: 5 };
        Outcome {
            sent: 2,
            failures: Failures { count: 1, first: vec![(place, "no\nroom".into())] },
            handed: spread(&[12_345, 2_000_000]),
            on_bus: spread(&[200_000, 2_200_000]),
            late: 1,
            replies: 1,
            surplus: 2,
            shift: 34_000_000,
            took: 59_123_456,
            ..Outcome::default()
        }
    }

    fn shown(outcome: Option<&Outcome>) -> String {
        Summary { schedule: &schedule(), pace: PACE, outcome }.to_string()
    }

    #[test]
    fn a_replay_is_told_in_words() {
        insta::assert_snapshot!(shown(Some(&outcome())), @r"
        recorded:   3 frames in 0.025 s, 1 of them FD frames, and 1 reply to await
        left out:   error frames 1
        played:     2 frames in 0.059 s
        schedule:   handed over p50 0.012 ms, p99 2.000 ms, max 2.000 ms after it was due
                    on the bus p50 0.200 ms, p99 2.200 ms, max 2.200 ms after it was due
        late:       1 frame by more than 1ms
        replies:    1 of 1 came, and 2 more than were awaited; they shifted the schedule by 34.000 ms
        not sent:   1 frame
                    line 5: no␊room
        ");
    }

    #[test]
    fn a_replay_that_ended_early_says_why() {
        let place = Place { unit: Unit::Packet, number: 2 };
        let ends = [End::Stopped, End::NoReply(place), End::Dead, End::Gone];
        let last = ends.map(|end| {
            let shown = shown(Some(&Outcome { end, not_tried: 1, ..Outcome::default() }));
            shown.lines().rev().take(2).collect::<Vec<_>>().join("; ")
        });
        insta::assert_snapshot!(last.join("\n"), @r"
        not tried:  1 frame; ended:      stopped
        not tried:  1 frame; ended:      the reply of packet 2 did not come within 1s
        not tried:  1 frame; ended:      the bus takes nothing any more: is another node there, at the same bit rate?
        not tried:  1 frame; ended:      the link is gone: check the adapter and its cable
        ");
    }

    #[test]
    fn what_would_be_played_is_told() {
        insta::assert_snapshot!(shown(None), @r"
        recorded:   3 frames in 0.025 s, 1 of them FD frames, and 1 reply to await
        left out:   error frames 1
        ");
    }

    #[test]
    fn programs_get_the_same() {
        let schedule = schedule();
        let outcome = outcome();
        let json = |outcome| Summary { schedule: &schedule, pace: PACE, outcome }.json();
        insta::assert_snapshot!(json(Some(&outcome)), @r#"{"end":{"how":"complete"},"failures":[{"at":5,"why":"no\nroom"}],"frames":{"failed":1,"fd":1,"late":1,"not-tried":0,"planned":3,"sent":2},"handed-over-after-due-ns":{"max":2000000,"p50":12345,"p99":2000000},"left-out":{"errors":1,"fd":0,"other-direction":0,"other-interface":0,"unreadable":0},"on-bus-after-due-ns":{"max":2200000,"p50":200000,"p99":2200000},"recorded-ns":25000000,"reordered":0,"replies":{"came":1,"planned":1,"surplus":2},"shift-ns":34000000,"speed":1.0,"tolerance-ns":1000000,"took-ns":59123456}"#);
        insta::assert_snapshot!(json(None), @r#"{"frames":{"fd":1,"planned":3},"left-out":{"errors":1,"fd":0,"other-direction":0,"other-interface":0,"unreadable":0},"recorded-ns":25000000,"reordered":0,"replies":{"planned":1},"speed":1.0}"#);
    }
}
