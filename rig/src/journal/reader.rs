//! Reads a record back, event by event.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use crate::event::{Event, Fact, VERSION};
use crate::plan::{Action, EdgeId, Plan, Rule, Step};
use crate::verdict::{Findings, Tally};

use super::{EVENTS, JournalError, LONGEST_LINE};

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How many events.
    pub events: u64,
    /// Whether the last line breaks off in the middle, as after a crash. It was left out.
    pub torn: bool,
}

/// What a session's record shows: the same as its recorder found.
///
/// # Errors
/// See [`read`].
pub fn findings(folder: &Path) -> Result<Findings, JournalError> {
    let mut tally = None;
    let reading = read(folder, |event| match (&mut tally, event.fact) {
        (none @ None, Fact::Started(start)) => *none = Some(Tally::new(*start)),
        (Some(tally), fact) => tally.note(&Event { fact, ..event }),
        (None, _) => {}
    })?;
    let mut findings = tally.ok_or(JournalError::NoStart)?.findings();
    if reading.torn {
        findings.doubt(format!("the record breaks off in the middle of event {}", reading.events + 1));
    }
    Ok(findings)
}

/// Hands the events of a session's folder over, in order. The first one is always the session's start, and every
/// index in them is in range.
///
/// # Errors
/// A [`JournalError`] where the record cannot be read, is of a newer rig, or is damaged elsewhere than in its last
/// line. Events before the damage were handed over.
pub fn read(folder: &Path, each: impl FnMut(Event)) -> Result<Reading, JournalError> {
    let path = folder.join(EVENTS);
    let cannot = |source| JournalError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(cannot)?;
    read_lines(BufReader::with_capacity(1 << 17, file), each).map_err(|error| match error {
        Broken::Io(source) => cannot(source),
        Broken::Record(error) => error,
    })
}

#[derive(Debug)]
enum Broken {
    Io(io::Error),
    Record(JournalError),
}

impl From<JournalError> for Broken {
    fn from(error: JournalError) -> Self {
        Self::Record(error)
    }
}

fn read_lines(mut source: impl BufRead, mut each: impl FnMut(Event)) -> Result<Reading, Broken> {
    let mut reading = Reading::default();
    let mut edges = None;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let line = reading.events + 1;
        let length = source.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut bytes).map_err(Broken::Io)?;
        if length == 0 {
            break;
        }
        if length > LONGEST_LINE {
            return Err(JournalError::Long { line }.into());
        }
        if edges.is_none() {
            check_version(&bytes)?;
        }
        let event: Event = match serde_json::from_slice(&bytes) {
            Ok(event) => event,
            Err(_) if !bytes.ends_with(b"\n") && line > 1 => {
                reading.torn = true;
                break;
            }
            Err(source) => return Err(JournalError::Line { line, source }.into()),
        };
        match (edges, &event.fact) {
            (None, Fact::Started(start)) => {
                check_plan(&start.plan).map_err(|what| JournalError::Impossible { line, what })?;
                edges = Some(start.plan.edges.len());
            }
            (None, _) => return Err(JournalError::NoStart.into()),
            (Some(_), Fact::Started(_)) => {
                return Err(JournalError::Impossible { line, what: "a second start".into() }.into());
            }
            (Some(edges), fact) => {
                check_edge(fact, edges).map_err(|what| JournalError::Impossible { line, what })?;
            }
        }
        each(event);
        reading.events += 1;
    }
    if edges.is_none() {
        return Err(JournalError::NoStart.into());
    }
    Ok(reading)
}

/// Looks at the version alone, because a newer start may not be readable as today's.
fn check_version(line: &[u8]) -> Result<(), JournalError> {
    #[derive(Deserialize)]
    struct First {
        fact: FirstFact,
    }
    #[derive(Deserialize)]
    struct FirstFact {
        started: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        version: u32,
        rig: String,
    }
    let first: First = serde_json::from_slice(line).map_err(|_| JournalError::NoStart)?;
    let Version { version, rig } = first.fact.started;
    if version > VERSION { Err(JournalError::Newer { found: version, rig }) } else { Ok(()) }
}

fn check_edge(fact: &Fact, edges: usize) -> Result<(), String> {
    let edge = match fact {
        Fact::Delivery(delivery) => Some(delivery.edge),
        Fact::Stray(stray) => stray.edge,
        _ => None,
    };
    edge.map_or(Ok(()), |edge| in_range(edge, edges))
}

fn in_range(edge: EdgeId, edges: usize) -> Result<(), String> {
    if usize::from(edge.0) < edges { Ok(()) } else { Err(format!("edge {} of {edges}", edge.0)) }
}

/// Holds a plan that was read to what a checked plan promises.
fn check_plan(plan: &Plan) -> Result<(), String> {
    let edges = plan.edges.len();
    if edges > usize::from(u16::MAX) {
        return Err(format!("{edges} edges"));
    }
    if let Some(edge) = plan.edges.iter().find(|edge| usize::from(edge.row.0) >= plan.rows.len()) {
        return Err(format!("row {} of {}", edge.row.0, plan.rows.len()));
    }
    let claims = || plan.sub_totals.iter().filter_map(|total| total.claim.as_ref());
    for claim in claims() {
        in_range(claim.request, edges)?;
        in_range(claim.reply, edges)?;
    }
    let share = |share: f64, what: &str| {
        if share > 0.0 && share < 1.0 { Ok(()) } else { Err(format!("{what} of {share}")) }
    };
    let budgets = plan.rows.iter().map(|row| row.budget).chain(claims().map(|claim| claim.budget));
    for budget in budgets {
        share(budget.reliability, "a reliability")?;
    }
    share(plan.decision.confidence, "a confidence")?;
    if let Rule::Sequential { discrimination } = plan.decision.rule
        && (!discrimination.is_finite() || discrimination <= 1.0)
    {
        return Err(format!("a discrimination ratio of {discrimination}"));
    }
    check_steps(&plan.steps, edges)
}

fn check_steps(steps: &[Step], edges: usize) -> Result<(), String> {
    for step in steps {
        let named: Vec<EdgeId> = match &step.action {
            Action::Send { edges } | Action::Expect { edges, .. } => edges.clone(),
            Action::Exchange { request, reply } => vec![*request, *reply],
            Action::Forward { received, edges } => edges.iter().copied().chain([*received]).collect(),
            Action::Parallel(branches) => {
                branches.iter().try_for_each(|branch| check_steps(branch, edges))?;
                Vec::new()
            }
            Action::Cut { .. }
            | Action::Restore { .. }
            | Action::BrownOut { .. }
            | Action::Bounce { .. }
            | Action::Wait => Vec::new(),
        };
        named.into_iter().try_for_each(|edge| in_range(edge, edges))?;
    }
    Ok(())
}
