//! The steps of a plan, walked once in the order of a trial: every row is played once, what is passed on has arrived
//! before, and every rail that is cut is up again at the end.

mod power;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::check::Table;
use super::raw::{RawCause, RawStep};
use super::{Action, Cause, EdgeId, RowId, Step};
use crate::document::Given;
use crate::quantity::{Name, TimeRange};
use crate::review::Review;

/// The most steps a plan may have, branches included.
const MOST_STEPS: usize = 1024;

const ACTIONS: &str = "send, expect, exchange, forward, cut, restore, brown-out, bounce, wait, parallel";

/// What has happened before a step.
#[derive(Clone, Debug, Default)]
struct Past {
    /// Edges that were sent and not yet waited for, and where.
    sent: BTreeMap<EdgeId, Range<usize>>,
    /// Edges whose delivery was waited for.
    arrived: BTreeSet<EdgeId>,
    /// Rails that had a power edge.
    switched: BTreeSet<String>,
    /// Rails that are cut, and where.
    down: BTreeMap<String, Range<usize>>,
}

/// The walk through the steps.
pub(super) struct Route<'a> {
    review: &'a mut Review,
    table: &'a Table,
    past: Past,
    /// Edges that a step plays.
    played: BTreeSet<EdgeId>,
    steps: usize,
}

impl<'a> Route<'a> {
    pub fn new(review: &'a mut Review, table: &'a Table) -> Self {
        Self { review, table, past: Past::default(), played: BTreeSet::new(), steps: 0 }
    }

    /// The checked steps.
    pub fn steps(mut self, given: &Given<Vec<Spanned<RawStep>>>, top: &Range<usize>) -> Vec<Step> {
        let Some(raw) = given.get() else {
            self.review.missing(top, "step = … as [[step]] tables, in the order of a trial");
            return Vec::new();
        };
        let steps = self.branch(raw, 0);
        if self.steps > MOST_STEPS {
            let help = format!("a trial has at most {MOST_STEPS} steps, branches included");
            self.review.at(given.span(), "too many steps", &help);
        }
        let past = std::mem::take(&mut self.past);
        for (edge, at) in past.sent {
            let row = self.table.id(self.table.edge(edge).row);
            let help = format!("add a later step `expect = \"{row}\"`");
            self.review.at(Some(at), &format!("row `{row}` is sent here and never waited for"), &help);
        }
        for (rail, at) in past.down {
            let help = format!("add a later step `restore = \"{rail}\"`: every trial starts as the one before");
            self.review.at(Some(at), &format!("rail `{rail}` is still down at the end of the trial"), &help);
        }
        self.unplayed();
        steps
    }

    fn unplayed(&mut self) {
        for row in (0..).map(RowId).take(self.table.rows.len()) {
            let edges = self.table.edges_of(row);
            let missed: Vec<_> = edges.iter().filter(|edge| !self.played.contains(edge)).collect();
            let Some(first) = missed.first() else { continue };
            let id = self.table.id(row);
            if id.is_empty() {
                continue;
            }
            let message = if missed.len() == edges.len() {
                format!("no step plays row `{id}`")
            } else {
                format!("no step plays row `{id}` from {}", self.table.edge(**first).from)
            };
            let at = self.review.places.get(&format!("row.{id}")).cloned();
            let help = "add a [[step]] with send, expect, exchange or forward for it, or leave the row out";
            self.review.at(at, &message, help);
        }
    }

    fn branch(&mut self, raw: &[Spanned<RawStep>], depth: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        for step in raw {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                break;
            }
            let after = step.get_ref().after.get().copied().unwrap_or_default();
            if let Some((action, TimeRange(low, high))) = self.action(step, after, depth) {
                steps.push(Step { after: (low, high), action });
            }
        }
        steps
    }

    /// The action of a step, and the pause before it.
    fn action(&mut self, step: &Spanned<RawStep>, after: TimeRange, depth: usize) -> Option<(Action, TimeRange)> {
        let (span, raw) = (step.span(), step.get_ref());
        self.one_action(raw, &span)?;
        self.companions(raw);
        let action = if let Some((name, at)) = raw.send.spanned() {
            self.send(name, at, raw)
        } else if let Some((name, at)) = raw.expect.spanned() {
            self.expect(name, at, (raw, &span))
        } else if let Some((name, at)) = raw.forward.spanned() {
            self.forward(name, at, (raw, &span))
        } else if let Some((rows, at)) = raw.exchange.spanned() {
            self.exchange(rows, at)
        } else if let Some((rail, at)) = raw.cut.spanned() {
            Some(self.cut(rail, at))
        } else if let Some((rail, at)) = raw.restore.spanned() {
            Some(self.restore(rail, at))
        } else if let Some((brown_out, at)) = raw.brown_out.spanned() {
            self.brown_out(brown_out, &at)
        } else if let Some((bounce, at)) = raw.bounce.spanned() {
            self.bounce(bounce, &at)
        } else if let Some((branches, at)) = raw.parallel.spanned() {
            self.parallel(branches, at, depth)
        } else {
            let TimeRange(low, high) = raw.wait.get().copied()?;
            return Some((Action::Wait, TimeRange(low + after.0, high + after.1)));
        };
        action.map(|action| (action, after))
    }

    fn one_action(&mut self, raw: &RawStep, span: &Range<usize>) -> Option<()> {
        let given = [
            raw.send.span(),
            raw.expect.span(),
            raw.forward.span(),
            raw.exchange.span(),
            raw.cut.span(),
            raw.restore.span(),
            raw.brown_out.span(),
            raw.bounce.span(),
            raw.wait.span(),
            raw.parallel.span(),
        ];
        let mut given: Vec<_> = given.into_iter().flatten().collect();
        given.sort_by_key(|span| span.start);
        if let Some(second) = given.get(1) {
            self.review.at(Some(second.clone()), "a step does one thing", "make it a [[step]] of its own");
        } else if given.is_empty() && !self.review.lost_in(span) {
            self.review.at(Some(span.clone()), "this step does nothing", &format!("write one of: {ACTIONS}"));
        }
        (given.len() == 1).then_some(())
    }

    /// Keys that mean something only beside others.
    fn companions(&mut self, raw: &RawStep) {
        let sends = raw.send.get().or(raw.expect.get()).or(raw.forward.get()).is_some();
        let misplaced = [
            (raw.cause.span(), raw.expect.get().is_some(), "`cause` belongs to an `expect`"),
            (raw.received.span(), raw.forward.get().is_some(), "`received` belongs to a `forward`"),
            (raw.from.span(), sends, "`from` belongs to a `send`, `expect` or `forward`"),
        ];
        for (span, fits, message) in misplaced {
            if span.is_some() && !fits {
                self.review.at(span, message, "leave it out of this step");
            }
        }
    }

    fn send(&mut self, name: &Name, at: Range<usize>, raw: &RawStep) -> Option<Action> {
        let row = self.table.row(self.review, name, at.clone())?;
        let edges = self.originated(row, &raw.from, &at)?;
        self.play(&edges, &at);
        for edge in &edges {
            self.past.sent.insert(*edge, at.clone());
        }
        Some(Action::Send { edges })
    }

    fn expect(&mut self, name: &Name, at: Range<usize>, (raw, step): (&RawStep, &Range<usize>)) -> Option<Action> {
        let row = self.table.row(self.review, name, at.clone())?;
        let edges = self.originated(row, &raw.from, &at)?;
        let sent = edges.iter().filter(|edge| self.past.sent.remove(edge).is_some()).count();
        let cause = if sent > 0 {
            if raw.cause.get().is_some() {
                let message = "an earlier step sends this row: that is its cause";
                self.review.at(raw.cause.span(), message, "leave `cause` out");
            }
            Some(Cause::Payload(*edges.first()?))
        } else {
            self.play(&edges, &at);
            self.cause(&raw.cause, &edges, step)
        };
        self.past.arrived.extend(&edges);
        Some(Action::Expect { edges, cause: cause? })
    }

    fn cause(&mut self, given: &Given<RawCause>, edges: &[EdgeId], step: &Range<usize>) -> Option<Cause> {
        let Some((raw, at)) = given.spanned() else {
            self.review.missing(step, r#"cause = { rail = "feeder" }"#);
            return None;
        };
        match (raw.rail.spanned(), raw.row.spanned()) {
            (Some((rail, at)), None) => {
                self.review.places.entry(format!("rail.{}", rail.0)).or_insert_with(|| at.clone());
                if !self.past.switched.contains(&rail.0) {
                    let message = format!("rail `{}` has no power edge before this step", rail.0);
                    self.review.at(
                        Some(at),
                        &message,
                        "cut or restore it in an earlier step, or name the rail that was",
                    );
                }
                Some(Cause::Rail(rail.0.clone()))
            }
            (None, Some((name, at))) => {
                let row = self.table.row(self.review, name, at.clone())?;
                let originator = self.table.edge(*edges.first()?).from.clone();
                self.received(row, &originator, &at).map(Cause::Payload)
            }
            _ => {
                let help = r#"write cause = { rail = "feeder" } or cause = { row = "I4" }"#;
                self.review.at(Some(at), "a cause is one of a rail and a row", help);
                None
            }
        }
    }

    fn forward(&mut self, name: &Name, at: Range<usize>, (raw, step): (&RawStep, &Range<usize>)) -> Option<Action> {
        let row = self.table.row(self.review, name, at.clone())?;
        self.review.need(&raw.received, step, r#"received = "I1""#);
        let (source, source_at) = raw.received.spanned()?;
        let source = self.table.row(self.review, source, source_at.clone())?;
        let receivers: BTreeSet<_> =
            self.table.edges_of(source).into_iter().map(|edge| self.table.edge(edge).to.clone()).collect();
        let all = self.table.edges_of(row);
        let mut originators: Vec<_> = all.iter().map(|edge| self.table.edge(*edge).from.clone()).collect();
        originators.dedup();
        let mut both = originators.into_iter().filter(|actor| receivers.contains(actor));
        let edges = if raw.from.get().is_some() {
            self.originated(row, &raw.from, &at)?
        } else {
            match (both.next(), both.next()) {
                (Some(actor), None) => all.into_iter().filter(|edge| self.table.edge(*edge).from == actor).collect(),
                (Some(_), Some(_)) => self.originated(row, &raw.from, &at)?,
                (None, _) => {
                    let (row, source) = (self.table.id(row), self.table.id(source));
                    let message = format!("nobody who receives row `{source}` originates row `{row}`");
                    let help = "`received` names the row on which the forwarding actor gets the payload";
                    self.review.at(Some(source_at), &message, help);
                    self.played.extend(all);
                    return None;
                }
            }
        };
        self.play(&edges, &at);
        let originator = self.table.edge(*edges.first()?).from.clone();
        let received = self.received(source, &originator, &source_at);
        self.past.arrived.extend(&edges);
        Some(Action::Forward { received: received?, edges })
    }

    /// The edge of a row on which an actor received a payload in an earlier step.
    fn received(&mut self, row: RowId, actor: &str, at: &Range<usize>) -> Option<EdgeId> {
        let to_actor: Vec<_> =
            self.table.edges_of(row).into_iter().filter(|edge| self.table.edge(*edge).to == actor).collect();
        let id = self.table.id(row);
        let arrived = to_actor.iter().find(|edge| self.past.arrived.contains(edge)).copied();
        if to_actor.is_empty() {
            let message = format!("{actor} is no destination of row `{id}`");
            self.review.at(Some(at.clone()), &message, "name a row that this actor receives");
        } else if arrived.is_none() {
            let message = format!("row `{id}` has not arrived at {actor} before this step");
            self.review.at(Some(at.clone()), &message, "move this step after the one that waits for it");
        }
        arrived
    }

    fn exchange(&mut self, rows: &[Spanned<Name>], at: Range<usize>) -> Option<Action> {
        let [request, reply] = rows else {
            let help = r#"write its request and its reply: exchange = ["I4", "I5"]"#;
            self.review.at(Some(at), "an exchange is of two rows", help);
            return None;
        };
        let mut end = |name: &Spanned<Name>| {
            let row = self.table.row(self.review, name.get_ref(), name.span())?;
            let edge = self.table.only_edge(self.review, row, &name.span());
            if edge.is_none() {
                self.played.extend(self.table.edges_of(row));
            }
            edge
        };
        let (request_edge, reply_edge) = (end(request), end(reply));
        for (edge, name) in [(request_edge, request), (reply_edge, reply)] {
            self.play(edge.as_slice(), &name.span());
            self.past.arrived.extend(edge);
        }
        self.table.answers(self.review, request_edge?, reply_edge?, reply.span());
        Some(Action::Exchange { request: request_edge?, reply: reply_edge? })
    }

    /// The edges of a row from one originator: the one that `from` picks, or the only one.
    fn originated(&mut self, row: RowId, from: &Given<Name>, at: &Range<usize>) -> Option<Vec<EdgeId>> {
        let all = self.table.edges_of(row);
        let originators: BTreeSet<_> = all.iter().map(|edge| self.table.edge(*edge).from.clone()).collect();
        let names = || originators.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
        let actor = match (from.spanned(), originators.len()) {
            (Some((name, _)), _) if originators.contains(&name.0) => name.0.clone(),
            (Some((name, at)), _) => {
                let message = format!("{} does not originate row `{}`", name.0, self.table.id(row));
                self.review.at(Some(at), &message, &format!("write from = {}", names()));
                self.played.extend(all);
                return None;
            }
            (None, 1) => originators.first()?.clone(),
            (None, _) => {
                let message = format!("row `{}` has {} originators", self.table.id(row), originators.len());
                let help = format!("say which one in this step: from = {}", names());
                self.review.at(Some(at.clone()), &message, &help);
                self.played.extend(all);
                return None;
            }
        };
        Some(all.into_iter().filter(|edge| self.table.edge(*edge).from == actor).collect())
    }

    /// Notes that a step plays these edges; no other may.
    fn play(&mut self, edges: &[EdgeId], at: &Range<usize>) {
        let again = edges.iter().find(|edge| self.played.contains(edge));
        if let Some(edge) = again {
            let edge = self.table.edge(*edge);
            let message = format!("row `{}` from {} is played twice in a trial", self.table.id(edge.row), edge.from);
            let help = "every edge counts once a trial; give the second its own row or leave it out";
            self.review.at(Some(at.clone()), &message, help);
        }
        self.played.extend(edges);
    }
}
