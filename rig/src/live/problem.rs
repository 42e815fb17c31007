//! What of an event a person at the bench wants to be told at once.

use std::fmt;
use std::time::Duration;

use crate::event::{Arrival, Delivery, Event, Fact, Flaw, Misbehaviour, RigFault};
use crate::plan::{EdgeId, Plan};
use crate::stamp::{Nanos, nanos};

/// A problem in words, not yet made harmless for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// When it was noted.
    pub at: Nanos,
    /// In which trial.
    pub trial: Option<u32>,
    what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.trial {
            Some(trial) => write!(f, "trial {trial}: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Problem {
    /// The problem that an event tells, if any. What the fixture asks for (copies that a hop made, ports of devices
    /// without power) and what only follows from another problem (payloads never sent) is none.
    pub fn of(event: &Event, plan: &Plan) -> Option<Self> {
        let what = match &event.fact {
            Fact::Delivery(delivery) => of_delivery(delivery, plan)?,
            Fact::Stray(stray) if !stray.by_hop => {
                format!("{}: {}, {} bytes", stray.from, flaw(stray.flaw), stray.bytes)
            }
            Fact::LinkDown { name, reason, unpowered: false } => format!("{name}: port gone: {reason}"),
            Fact::Misbehaved { device, how, detail } => format!("{device}: {}: {detail}", misbehaviour(*how)),
            Fact::RigFault { fault, detail } => format!("the rig's fault: {}: {detail}", rig_fault(*fault)),
            Fact::Warning { detail } => format!("warning: {detail}"),
            Fact::Safe { rail, error: Some(error), .. } => format!("rail {rail} is NOT in its safe state: {error}"),
            _ => return None,
        };
        Some(Self { at: event.at, trial: event.trial, what })
    }
}

fn of_delivery(delivery: &Delivery, plan: &Plan) -> Option<String> {
    let row = plan.edges.get(usize::from(delivery.edge.0)).and_then(|edge| plan.rows.get(usize::from(edge.row.0)));
    if row.is_some_and(|row| !row.judged) {
        return None;
    }
    let how = match &delivery.end {
        Arrival::Whole => {
            let limit = row?.budget.latency;
            let latency = delivery.arrived?.since(delivery.sent?);
            if latency.under(nanos(limit)) != Some(false) {
                return None;
            }
            format!("late: {}, limit {}", seconds(latency.hi), seconds_of(limit))
        }
        Arrival::Flawed(what) => flaw(*what).to_owned(),
        Arrival::Absent => "nothing arrived".to_owned(),
        Arrival::Broken(what) => format!("only pieces arrived: {}", flaw(*what)),
        Arrival::LostInHop(hop) => format!("lost in hop {hop}"),
        Arrival::NotSent => return None,
    };
    Some(format!("{}: {how}", label(delivery.edge, plan)))
}

fn label(edge: EdgeId, plan: &Plan) -> String {
    if usize::from(edge.0) < plan.edges.len() { plan.label(edge) } else { format!("edge {}", edge.0) }
}

fn seconds(nanos: Nanos) -> String {
    seconds_of(Duration::from_nanos(nanos))
}

fn seconds_of(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

const fn flaw(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Corrupt => "corrupt",
        Flaw::Truncated => "truncated",
        Flaw::Garbage => "garbage",
        Flaw::WrongSize => "wrong size",
        Flaw::Duplicate => "duplicate",
        Flaw::OutOfOrder => "out of order",
        Flaw::WrongState => "wrong state",
        Flaw::Unsolicited => "unsolicited",
    }
}

const fn misbehaviour(how: Misbehaviour) -> &'static str {
    match how {
        Misbehaviour::SlowBoot => "slow boot",
        Misbehaviour::ForgotState => "forgot its state",
        Misbehaviour::Stuck => "stuck",
        Misbehaviour::Babbling => "babbling",
        Misbehaviour::UnexpectedBoot => "booted by itself",
        Misbehaviour::RefusedPayload => "refused a payload",
        Misbehaviour::SlowAnswer => "slow answer",
        Misbehaviour::Crashed => "crashed",
    }
}

const fn rig_fault(fault: RigFault) -> &'static str {
    match fault {
        RigFault::AdapterGone => "adapter gone",
        RigFault::Instrument => "instrument",
        RigFault::EdgeNotSensed => "power edge not sensed",
        RigFault::LongDip => "dip too long",
        RigFault::Overrun => "frames lost",
        RigFault::NotSent => "not sent",
        RigFault::BusOff => "bus off",
        RigFault::Stalled => "stalled",
        RigFault::ClockStep => "clock stepped",
        RigFault::Actor => "actor",
        RigFault::Probe => "debug probe",
        RigFault::BenchGone => "virtual bench gone",
        RigFault::Panic => "panic",
    }
}
