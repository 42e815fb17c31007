//! From the plan as written to the checked plan: names resolve, numbers can be met, every row is played once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use rig_payload::Actor;
use toml::Spanned;

use super::raw::{RawDecision, RawPlan, RawRow, RawRule, RawSubTotal};
use super::route::Route;
use super::{Budget, Decision, Edge, EdgeId, Plan, RoundTrip, Row, RowId, Rule, SubTotal};
use crate::document::{Checked, Given};
use crate::problem::{Problems, Source};
use crate::quantity::{Bytes, Name, Percent, Time};
use crate::review::{Review, closest, suggest};

/// The most rows a plan may have.
const MOST_ROWS: usize = 256;

/// The most edges a plan may have.
const MOST_EDGES: usize = 1024;

/// The most trials a plan may ask for.
const MOST_TRIALS: i64 = 1_000_000;

/// Reads and checks a plan's text.
pub(super) fn plan(source: &Source) -> Result<Checked<Plan>, Problems> {
    let (mut review, raw) = Review::start::<RawPlan>(source);
    let plan = raw.map(|raw| checked(&mut review, &raw));
    review.finish(plan)
}

fn checked(review: &mut Review, raw: &Spanned<RawPlan>) -> Plan {
    let (top, raw) = (raw.span(), raw.get_ref());
    // The top of a file has no line of its own: what is missing there is shown at its first byte.
    let top = top.start..top.start;
    review.version(&raw.version, &top);
    let name = review.need(&raw.name, &top, r#"name = "islanded""#);
    let title = review.need(&raw.title, &top, r#"title = "what this plan is for""#);
    let trials = review.count(&raw.trials, &top, "trials = 600", MOST_TRIALS);
    let give_up_after = review.count(&raw.give_up_after, &top, "give-up-after = 20", MOST_TRIALS);
    let patience = review.need(&raw.patience, &top, r#"patience = "2s""#);
    let settle = review.need(&raw.settle, &top, r#"settle = "20ms""#);
    let decision = decision(review, &raw.decision, &top);
    let table = rows(review, &raw.row, &top, decision.confidence);
    let sub_totals = sub_totals(review, &raw.sub_total, &table, decision.confidence);
    let steps = Route::new(review, &table).steps(&raw.step, &top);
    Plan {
        name: name.unwrap_or_default().0,
        title: title.unwrap_or_default().0,
        trials,
        decision,
        patience: patience.unwrap_or_default().0,
        settle: settle.unwrap_or_default().0,
        give_up_after,
        rows: table.rows,
        edges: table.edges,
        sub_totals,
        steps,
    }
}

fn decision(review: &mut Review, given: &Given<RawDecision>, top: &Range<usize>) -> Decision {
    let blank = Decision { rule: Rule::Fixed, confidence: 0.95, family_wise: false, void_cap: 0.0 };
    let Some((raw, span)) = given.spanned() else {
        review.missing(top, r#"decision = { rule = "fixed", confidence = "95%", void-cap = "5%" }"#);
        return blank;
    };
    let rule = review.need(&raw.rule, &span, r#"rule = "fixed""#).unwrap_or_default();
    let confidence =
        review.need(&raw.confidence, &span, r#"confidence = "95%""#).unwrap_or(Percent(blank.confidence)).0;
    if !(0.5..1.0).contains(&confidence) {
        let help = r#"write at least "50%" and less than "100%"; "95%" is usual"#;
        review.at(raw.confidence.span(), "no count of trials gives this confidence", help);
    }
    let void_cap = review.need(&raw.void_cap, &span, r#"void-cap = "5%""#).unwrap_or_default().0;
    let rule = match (rule, raw.discrimination.spanned()) {
        (RawRule::Fixed, None) => Rule::Fixed,
        (RawRule::Fixed, Some((_, at))) => {
            review.at(
                Some(at),
                "a fixed plan has no discrimination ratio",
                r#"leave it out, or write rule = "sequential""#,
            );
            Rule::Fixed
        }
        (RawRule::Sequential, given) => {
            let (discrimination, at) = given.map_or((3.0, None), |(ratio, at)| (*ratio, Some(at)));
            if at.is_none() {
                review.missing(&span, "discrimination = 3.0");
            } else if !(discrimination > 1.0 && discrimination <= 100.0) {
                review.at(at, "no sequential test has this discrimination ratio", "write a number over 1, such as 3.0");
            }
            Rule::Sequential { discrimination }
        }
    };
    let confidence = if (0.5..1.0).contains(&confidence) { confidence } else { blank.confidence };
    Decision { rule, confidence, family_wise: raw.family_wise.get().copied().unwrap_or_default(), void_cap }
}

/// The rows of a plan while it is checked, and what finds them.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub rows: Vec<Row>,
    pub edges: Vec<Edge>,
    by_id: BTreeMap<String, RowId>,
}

impl Table {
    /// The row that a value names; a problem at the value's place where there is none.
    pub fn row(&self, review: &mut Review, name: &Name, at: Range<usize>) -> Option<RowId> {
        let found = self.by_id.get(&name.0).copied();
        // A row whose id could not be read is somewhere.
        if found.is_none() && !review.lost("id") {
            let ids = || self.by_id.keys().map(String::as_str);
            let help = suggest(&name.0, ids(), "add a [[row]] with this id");
            review.at(Some(at), &format!("there is no row `{}`", name.0), &help);
            // Going on with the row that was meant, so that it is not reported as one that nobody plays.
            return closest(&name.0, ids()).and_then(|id| self.by_id.get(id)).copied();
        }
        found
    }

    /// The edges of a row.
    pub fn edges_of(&self, row: RowId) -> Vec<EdgeId> {
        (0..).map(EdgeId).zip(&self.edges).filter(|(_, edge)| edge.row == row).map(|(id, _)| id).collect()
    }

    /// An edge.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[usize::from(id.0)]
    }

    /// The id of a row.
    pub fn id(&self, row: RowId) -> &str {
        &self.rows[usize::from(row.0)].id
    }

    /// The only edge of a row, such as a request or a reply has.
    pub fn only_edge(&self, review: &mut Review, row: RowId, at: &Range<usize>) -> Option<EdgeId> {
        let edges = self.edges_of(row);
        if edges.len() > 1 {
            let message = format!("row `{}` has {} edges", self.id(row), edges.len());
            review.at(Some(at.clone()), &message, "a request or reply goes from one actor to one; use send and expect");
        }
        edges.first().copied().filter(|_| edges.len() == 1)
    }

    /// Whether an edge is the way back of another; a problem where not.
    pub fn answers(&self, review: &mut Review, request: EdgeId, reply: EdgeId, at: Range<usize>) {
        let (out, back) = (self.edge(request), self.edge(reply));
        if (&out.from, &out.to) != (&back.to, &back.from) {
            let message = format!("row `{}` is no reply to row `{}`", self.id(back.row), self.id(out.row));
            let row = self.id(back.row);
            let help = format!(
                "a reply goes from {} to {}, and row `{row}` goes from {} to {}",
                out.to, out.from, back.from, back.to
            );
            review.at(Some(at), &message, &help);
        }
    }
}

fn rows(review: &mut Review, given: &Given<Vec<Spanned<RawRow>>>, top: &Range<usize>, confidence: f64) -> Table {
    let mut table = Table::default();
    let Some(raw) = given.get() else {
        review.missing(top, "row = … as [[row]] tables, one for each line of the requirements");
        return table;
    };
    for raw in raw.iter().take(MOST_ROWS) {
        row(review, &mut table, raw, confidence);
    }
    if raw.len() > MOST_ROWS || table.edges.len() > MOST_EDGES {
        let message = format!("{} rows with {} edges", raw.len(), table.edges.len());
        let help = format!("split the plan: at most {MOST_ROWS} rows and {MOST_EDGES} edges");
        review.at(given.span(), &message, &help);
        table.edges.truncate(MOST_EDGES);
    }
    if raw.is_empty() {
        review.at(given.span(), "a plan without rows has nothing to judge", "add a [[row]]");
    }
    table
}

fn row(review: &mut Review, table: &mut Table, raw: &Spanned<RawRow>, confidence: f64) {
    let (span, raw) = (raw.span(), raw.get_ref());
    let id = review.need(&raw.id, &span, r#"id = "D1""#).unwrap_or_default().0;
    let phase = review.need(&raw.phase, &span, r#"phase = "breaker-status""#).unwrap_or_default().0;
    let payload = review.need(&raw.payload, &span, r#"payload = "the payload's name""#).unwrap_or_default().0;
    let size = review.need(&raw.size, &span, "size = 50").unwrap_or_default();
    let budget = budget(review, (&raw.latency, &raw.reliability), &span, confidence);
    let index = RowId(u16::try_from(table.rows.len()).unwrap_or(u16::MAX));
    if let Some(at) = raw.id.span() {
        review.places.insert(format!("row.{id}"), at.clone());
        if table.by_id.insert(id.clone(), index).is_some() {
            review.at(Some(at), &format!("a second row `{id}`"), "a row's id is its key: write another");
        }
    }
    review.place(format!("row.{id}.payload"), &raw.payload);
    review.place(format!("row.{id}.size"), &raw.size);
    let from = actors(review, &raw.from, &span, (&id, r#"from = ["DAC - sub"]"#));
    let to = actors(review, &raw.to, &span, (&id, r#"to = ["Feeder Circuit Breaker"]"#));
    for from in &from {
        for to in &to {
            if from == to {
                let help = "an edge goes from one actor to another; leave it out on one side";
                review.at(raw.to.span(), &format!("{to} would send to itself"), help);
            }
            table.edges.push(Edge { row: index, from: from.clone(), to: to.clone() });
        }
    }
    table.rows.push(Row { id, phase, payload, size: (size.0, size.1), budget, judged: true });
}

fn actors(
    review: &mut Review,
    given: &Given<Vec<Spanned<Name>>>,
    row: &Range<usize>,
    (id, example): (&str, &str),
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in review.need(given, row, example).unwrap_or_default() {
        let (at, name) = (name.span(), meant(review, &name));
        review.places.entry(format!("actor.{name}")).or_insert_with(|| at.clone());
        if names.contains(&name) {
            review.at(Some(at), &format!("{name} is named twice"), "leave one out");
        } else {
            names.push(name);
        }
    }
    if names.is_empty() && given.get().is_some() {
        review.at(given.span(), &format!("row `{id}` has no edge"), &format!("name an actor: {example}"));
    }
    names
}

/// The actor that is meant by a name. One that is close to an actor of the reference frame is a problem, and is then
/// taken for that one, so that its rows are not told to be wrong as well. Whether there are others is for the protocol
/// to say.
fn meant(review: &mut Review, name: &Spanned<Name>) -> String {
    let (at, name) = (name.span(), &name.get_ref().0);
    match closest(name, Actor::ALL.into_iter().map(Actor::name)) {
        Some(actor) if actor != name => {
            review.at(Some(at), &format!("no actor is named `{name}`"), &format!("did you mean `{actor}`?"));
            actor.to_owned()
        }
        _ => name.clone(),
    }
}

/// A budget that a count of trials can decide.
fn budget(
    review: &mut Review,
    (latency, reliability): (&Given<Time>, &Given<Percent>),
    table: &Range<usize>,
    confidence: f64,
) -> Budget {
    let limit = review.need(latency, table, r#"latency = "2s""#).unwrap_or_default().0;
    if limit == Duration::ZERO && latency.get().is_some() {
        review.at(latency.span(), "no payload arrives in under no time", r#"write a limit such as latency = "2s""#);
    }
    let share = review.need(reliability, table, r#"reliability = "99.5%""#).unwrap_or_default().0;
    if reliability.get().is_some() {
        if share >= 1.0 {
            let help = r#"it must be exceeded: write less than "100%", such as reliability = "99.5%""#;
            review.at(reliability.span(), "no count of trials shows more than 100 %", help);
        } else if share <= 0.0 {
            let help = r#"write more than "0%", such as reliability = "99.5%""#;
            review.at(reliability.span(), "every count of trials shows at least 0 %", help);
        } else if crate::verdict::binomial::trials_to_pass(share, confidence, 0).is_none() {
            let help = "lower the reliability or the confidence";
            review.at(reliability.span(), "a million trials without a failure do not show this", help);
        }
    }
    Budget { latency: limit, reliability: share }
}

fn sub_totals(
    review: &mut Review,
    given: &Given<Vec<Spanned<RawSubTotal>>>,
    table: &Table,
    confidence: f64,
) -> Vec<SubTotal> {
    let mut sub_totals: Vec<SubTotal> = Vec::new();
    for raw in given.get().into_iter().flatten().take(MOST_ROWS) {
        let (span, raw) = (raw.span(), raw.get_ref());
        let id = review.need(&raw.id, &span, r#"id = "D-T1""#).unwrap_or_default().0;
        let phase = review.need(&raw.phase, &span, r#"phase = "breaker-status""#).unwrap_or_default().0;
        if table.by_id.contains_key(&id) || sub_totals.iter().any(|other| other.id == id) {
            review.at(raw.id.span(), &format!("a second `{id}`"), "rows and sub-totals share their ids: write another");
        }
        let claim = claim(review, raw, &span, (table, confidence));
        sub_totals.push(SubTotal { id, phase, claim });
    }
    sub_totals
}

fn claim(
    review: &mut Review,
    raw: &RawSubTotal,
    span: &Range<usize>,
    (table, confidence): (&Table, f64),
) -> Option<RoundTrip> {
    let blank = raw.request.get().is_none()
        && raw.reply.get().is_none()
        && raw.latency.get().is_none()
        && raw.reliability.get().is_none()
        && raw.size.get().is_none();
    if blank {
        return None;
    }
    let mut end = |given: &Given<Name>, example| {
        review.need(given, span, example);
        let (name, at) = given.spanned()?;
        let row = table.row(review, name, at.clone())?;
        table.only_edge(review, row, &at)
    };
    let request = end(&raw.request, r#"request = "D1", or leave everything but id and phase out"#);
    let reply = end(&raw.reply, r#"reply = "D2""#);
    let budget = budget(review, (&raw.latency, &raw.reliability), span, confidence);
    let size = review.need(&raw.size, span, "size = 75")?;
    let (request, reply) = (request?, reply?);
    table.answers(review, request, reply, raw.reply.span().unwrap_or(span.clone()));
    let size_of = |edge| table.rows[usize::from(table.edge(edge).row.0)].size;
    let sum =
        Bytes(size_of(request).0.saturating_add(size_of(reply).0), size_of(request).1.saturating_add(size_of(reply).1));
    if size != sum && size_of(request).0 > 0 && size_of(reply).0 > 0 {
        let help = if sum.0 == sum.1 { sum.0.to_string() } else { format!("\"{}..{}\"", sum.0, sum.1) };
        review.at(raw.size.span(), "not the sum of request and reply", &format!("write size = {help}"));
    }
    Some(RoundTrip { request, reply, budget, size: (size.0, size.1) })
}
