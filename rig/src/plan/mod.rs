//! A plan: a scenario's rows, sub-totals and steps, the number of trials and the decision rule.
//!
//! The types here are the checked plan; nothing in it can name a row, an actor or an edge that does not exist.

mod check;
mod need;
mod raw;
mod route;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::document::{self, Checked, FileKind};
use crate::problem::{Problems, Source};

pub(crate) use raw::RawPlan;

pub use need::Need;

/// A checked plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Short name, used in file names: lower-case letters, digits and `-`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// How many trials are to count.
    pub trials: u32,
    /// How trials become a verdict.
    pub decision: Decision,
    /// How long after its limit a payload is still waited for, so that late can be told from lost.
    pub patience: Duration,
    /// How long a trial listens after its last step, for duplicates and unsolicited payloads.
    pub settle: Duration,
    /// The session ends after this many trials in a row that lost a payload on the same edge.
    pub give_up_after: u32,
    /// The rows, in the source's order.
    pub rows: Vec<Row>,
    /// Every originator → destination of every row, in the rows' order.
    pub edges: Vec<Edge>,
    /// Budgets over a request row and its reply row.
    pub sub_totals: Vec<SubTotal>,
    /// What happens in a trial.
    pub steps: Vec<Step>,
}

/// Index of a row in [`Plan::rows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowId(pub u16);

/// Index of an edge in [`Plan::edges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EdgeId(pub u16);

/// One line of the requirements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id, such as `D1`.
    pub id: String,
    /// Its part of the scenario, such as `breaker-status`.
    pub phase: String,
    /// The payload's name; not unique.
    pub payload: String,
    /// The size of the application payload in bytes, smallest and largest.
    pub size: (u16, u16),
    /// What its edges must meet.
    pub budget: Budget,
    /// Whether it belongs to the session (`--only` leaves the others out: they are played and not judged).
    pub judged: bool,
}

/// A latency that must be stayed under and a reliability that must be exceeded; both strict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The latency limit.
    pub latency: Duration,
    /// The reliability as a share, such as 0.995.
    pub reliability: f64,
}

/// One originator → one destination of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Its row.
    pub row: RowId,
    /// The originating actor.
    pub from: String,
    /// The destination.
    pub to: String,
}

/// A budget over a request row and its reply row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubTotal {
    /// Its id, such as `D-T1`.
    pub id: String,
    /// Its part of the scenario.
    pub phase: String,
    /// Request and reply and what both together must meet; `None` where the source leaves the sub-total blank.
    pub claim: Option<RoundTrip>,
}

/// A request, its reply, and the budget of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// The request's edge.
    pub request: EdgeId,
    /// The reply's edge.
    pub reply: EdgeId,
    /// Request out to reply in.
    pub budget: Budget,
    /// Sum of both payloads' sizes, smallest and largest.
    pub size: (u16, u16),
}

/// How trials become a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// Fixed or sequential.
    pub rule: Rule,
    /// Confidence of each claim, such as 0.95.
    pub confidence: f64,
    /// Whether the confidence holds for all claims together (Bonferroni) or for each alone.
    pub family_wise: bool,
    /// The largest share of trials that may be void before the session is inconclusive.
    pub void_cap: f64,
}

/// When a verdict may be given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Once, after all trials.
    Fixed,
    /// As soon as a Wald sequential probability ratio test decides, at the latest after all trials.
    Sequential {
        /// Discrimination ratio: a good device fails this many times less often than the requirement allows.
        discrimination: f64,
    },
}

/// One thing that happens in a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// A pause before it, drawn from this range from the trial's seed.
    pub after: (Duration, Duration),
    /// What happens.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Emulated actors send payloads; their deliveries are waited for by a later `Expect` of the same edges, which
    /// every checked plan has.
    Send {
        /// The edges to send on.
        edges: Vec<EdgeId>,
    },
    /// Waits for payloads that devices or external actors send by themselves.
    Expect {
        /// The edges to wait on.
        edges: Vec<EdgeId>,
        /// What makes the originator send them.
        cause: Cause,
    },
    /// Sends a request and waits for its reply.
    Exchange {
        /// The request's edge.
        request: EdgeId,
        /// The reply's edge.
        reply: EdgeId,
    },
    /// An actor passes on what it received, and the deliveries are waited for.
    Forward {
        /// The edge on which the actor received it.
        received: EdgeId,
        /// The edges it passes it on to.
        edges: Vec<EdgeId>,
    },
    /// Takes a rail's power away.
    Cut {
        /// The rail's name.
        rail: String,
    },
    /// Gives a rail its power back, and waits for the devices it feeds to say that they have booted.
    Restore {
        /// The rail's name.
        rail: String,
    },
    /// Cuts a rail for a given short time.
    BrownOut {
        /// The rail's name.
        rail: String,
        /// How long it is down.
        down: Duration,
        /// A dip that may have lasted as long as this is not the one that was meant: the rig's fault.
        at_most: Option<Duration>,
    },
    /// Cuts a rail several times in a row; it is up at the end.
    Bounce {
        /// The rail's name.
        rail: String,
        /// How many cuts.
        cuts: u32,
        /// How long it is down, and up, each time.
        each: Duration,
        /// As for a brown-out, for each time it is down.
        at_most: Option<Duration>,
    },
    /// Nothing happens for the pause before it.
    Wait,
    /// Branches of steps at the same time.
    Parallel(Vec<Vec<Step>>),
}

/// What makes an originator send by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The last power edge on a rail.
    Rail(String),
    /// A payload on this edge, whose sequence the expected payload carries as its correlation. Where an earlier
    /// `Send` sent the expected edges, the first of them: what is waited for is what was sent.
    Payload(EdgeId),
}

/// `--only` names a row that the plan does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan {plan} has no row {row:?}; its rows are {rows}")]
pub struct UnknownRow {
    /// The plan's name.
    pub plan: String,
    /// The row that was asked for.
    pub row: String,
    /// The rows there are.
    pub rows: String,
}

impl Plan {
    /// Reads and checks a plan's file.
    ///
    /// # Errors
    /// Every problem of the file.
    pub fn load(path: &std::path::Path) -> Result<Checked<Self>, Problems> {
        let source = document::read(path)?;
        FileKind::Plan.expect(&source)?;
        Self::parse(&source)
    }

    /// Checks a plan's text.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn parse(source: &Source) -> Result<Checked<Self>, Problems> {
        check::plan(source)
    }

    /// Judges only these rows: the others are played, because what is judged may depend on them, and not judged.
    ///
    /// # Errors
    /// The first id that is no row's; the plan is left as it was.
    pub fn only(&mut self, ids: &[String]) -> Result<(), UnknownRow> {
        if let Some(row) = ids.iter().find(|id| !self.rows.iter().any(|row| row.id == **id)) {
            let rows: Vec<_> = self.rows.iter().map(|row| row.id.as_str()).collect();
            return Err(UnknownRow { plan: self.name.clone(), row: row.clone(), rows: rows.join(", ") });
        }
        for row in &mut self.rows {
            row.judged = ids.contains(&row.id);
        }
        Ok(())
    }

    /// The edge of an id.
    #[must_use]
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[usize::from(id.0)]
    }

    /// The row of an edge.
    #[must_use]
    pub fn row_of(&self, id: EdgeId) -> &Row {
        &self.rows[usize::from(self.edge(id).row.0)]
    }

    /// Ids and edges, in order.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeId, &Edge)> {
        (0..).map(EdgeId).zip(&self.edges)
    }

    /// The label of an edge: `I3 Distr. Cust. Storage → LMS - Utility`.
    #[must_use]
    pub fn label(&self, id: EdgeId) -> String {
        let edge = self.edge(id);
        format!("{} {} → {}", self.row_of(id).id, edge.from, edge.to)
    }

    /// The confidence of each claim: where the plan's is for all claims together, the error is shared out evenly
    /// among the judged ones (Bonferroni's inequality).
    #[must_use]
    pub fn claim_confidence(&self) -> f64 {
        let confidence = self.decision.confidence;
        if !self.decision.family_wise {
            return confidence;
        }
        let judged = |id: EdgeId| self.row_of(id).judged;
        let edges = self.edges().filter(|(id, _)| judged(*id)).count();
        let totals = self.sub_totals.iter().filter_map(|total| total.claim.as_ref());
        let totals = totals.filter(|claim| judged(claim.request) && judged(claim.reply)).count();
        1.0 - (1.0 - confidence) / (edges + totals).max(1) as f64
    }
}
