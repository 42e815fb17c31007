//! What the page says of how the record came about, and what was noted on the way.

use serde::Serialize;

use super::claim::{Named, flaw_word, kind_word};
use crate::event::{Misbehaviour, RigFault};
use crate::report::quantity::{clock, grouped, latency, span};
use crate::verdict::{Findings, Remark};

/// The most remarks of a kind on the page; all of them are in `events.jsonl`.
const LISTED: usize = 500;

/// Where the record comes from.
#[derive(Serialize)]
pub(super) struct Record {
    /// The command line that asks for the same session again.
    again: Option<String>,
    facts: Vec<Named>,
    sources: Vec<Named>,
    host: Vec<Named>,
    strays: Vec<Stray>,
}

#[derive(Serialize)]
struct Stray {
    device: String,
    what: &'static str,
    count: String,
    bytes: String,
}

/// Remarks, the first of them one by one.
#[derive(Serialize)]
pub(super) struct Remarked {
    count: String,
    any: bool,
    rows: Vec<Row>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Row {
    at: String,
    trial: Option<u32>,
    kind: &'static str,
    detail: String,
}

impl Record {
    /// The record of a session.
    pub(super) fn of(findings: &Findings) -> Self {
        let start = &findings.start;
        let facts = [
            ("session", start.session.clone()),
            ("rig", start.rig.clone()),
            ("event layout", start.version.to_string()),
            ("plan", start.plan.name.clone()),
            ("fixture", start.fixture.name.clone()),
            ("seed", start.seed.to_string()),
            ("started", format!("{} (± {})", start.wall, latency(start.wall_gap))),
            ("lasted", span(findings.duration)),
        ];
        let strays = findings.strays.iter().map(|(device, flaw, count, bytes)| Stray {
            device: device.clone(),
            what: flaw_word(*flaw),
            count: grouped(*count),
            bytes: grouped(*bytes),
        });
        Self {
            again: (!start.command.is_empty()).then(|| shell(&start.command)),
            facts: facts.map(|(name, value)| Named { name: name.to_owned(), value }).into(),
            sources: start.sources.iter().map(pair).collect(),
            host: start.host.iter().map(pair).collect(),
            strays: strays.collect(),
        }
    }
}

/// The words of a command as a POSIX shell takes them (XCU section 2.2.2, single quotes).
fn shell(command: &[String]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    let words = command.iter().map(|word| {
        if !word.is_empty() && word.bytes().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn pair((name, value): (&String, &String)) -> Named {
    Named { name: name.clone(), value: value.clone() }
}

impl Remarked {
    /// Failures of the rig.
    pub(super) fn rig_faults(remarks: &[Remark<RigFault>]) -> Self {
        Self::of(remarks, |fault| match fault {
            RigFault::AdapterGone => "adapter gone",
            RigFault::Instrument => "instrument",
            RigFault::EdgeNotSensed => "power edge not sensed",
            RigFault::LongDip => "dip too long",
            RigFault::Overrun => "frames lost",
            RigFault::NotSent => "not sent by rig",
            RigFault::BusOff => "bus off",
            RigFault::Stalled => "rig stalled",
            RigFault::ClockStep => "clock stepped",
            RigFault::Actor => "emulated actor",
            RigFault::Probe => "debug probe",
            RigFault::BenchGone => "virtual bench gone",
            RigFault::Panic => "rig panicked",
        })
    }

    /// What devices did that no delivery shows.
    pub(super) fn misbehaviours(remarks: &[Remark<Misbehaviour>]) -> Self {
        Self::of(remarks, kind_word)
    }

    /// Everything else that was noted.
    pub(super) fn notes(remarks: &[Remark<()>]) -> Self {
        Self::of(remarks, |()| "")
    }

    fn of<K: Copy>(remarks: &[Remark<K>], word: impl Fn(K) -> &'static str) -> Self {
        let more = remarks.len().saturating_sub(LISTED) as u64;
        let row = |remark: &Remark<K>| Row {
            at: clock(remark.at),
            trial: remark.trial,
            kind: word(remark.kind),
            detail: remark.detail.clone(),
        };
        Self {
            count: grouped(remarks.len() as u64),
            any: !remarks.is_empty(),
            rows: remarks.iter().take(LISTED).map(row).collect(),
            more: (more > 0).then(|| grouped(more)),
        }
    }
}
