//! A plan as it is written: what serde reads and what the schema describes.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::document::Given;
use crate::quantity::{Bytes, Line, Name, Percent, Slug, Time, TimeRange};

/// A test plan of rig: a scenario's rows and their budgets, what happens in a trial, and how trials become a verdict.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "rig plan")]
#[schemars(rename = "Plan")]
pub(crate) struct RawPlan {
    /// Version of this layout: 1.
    #[schemars(with = "i64", range(min = 1, max = 1))]
    pub version: Given<i64>,
    /// Short name, used in file names: lower-case letters, digits and `-`.
    pub name: Given<Slug>,
    /// One line for people.
    pub title: Given<Line>,
    /// How many trials are to count.
    #[schemars(with = "i64", range(min = 1, max = 1_000_000))]
    pub trials: Given<i64>,
    /// How long after its limit a payload is still waited for, so that late can be told from lost: `"2s"`.
    pub patience: Given<Time>,
    /// How long a trial listens after its last step, for duplicates and unsolicited payloads: `"20ms"`.
    pub settle: Given<Time>,
    /// The session ends after this many trials in a row that lost a payload on the same edge.
    #[schemars(with = "i64", range(min = 1, max = 1_000_000))]
    pub give_up_after: Given<i64>,
    /// How trials become a verdict.
    pub decision: Given<RawDecision>,
    /// The rows, in the source's order.
    #[schemars(with = "Vec<RawRow>")]
    pub row: Given<Vec<Spanned<RawRow>>>,
    /// Budgets over a request row and its reply row.
    #[serde(default)]
    #[schemars(with = "Vec<RawSubTotal>")]
    pub sub_total: Given<Vec<Spanned<RawSubTotal>>>,
    /// What happens in a trial, in order.
    #[schemars(with = "Vec<RawStep>")]
    pub step: Given<Vec<Spanned<RawStep>>>,
}

/// How trials become a verdict.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Decision")]
pub(crate) struct RawDecision {
    /// `fixed`: judged once, after all trials. `sequential`: as soon as a sequential test decides.
    pub rule: Given<RawRule>,
    /// Confidence of each claim: `"95%"`.
    pub confidence: Given<Percent>,
    /// Whether the confidence holds for all claims together (Bonferroni) or for each alone.
    #[serde(default)]
    pub family_wise: Given<bool>,
    /// The largest share of trials that the rig's own faults may void: `"5%"`.
    pub void_cap: Given<Percent>,
    /// Sequential only: a good device fails this many times less often than the requirement allows.
    #[serde(default)]
    pub discrimination: Given<f64>,
}

/// When a verdict may be given.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Rule")]
pub(crate) enum RawRule {
    /// Once, after all trials.
    #[default]
    Fixed,
    /// As soon as a Wald sequential probability ratio test decides, at the latest after all trials.
    Sequential,
}

/// One line of the requirements.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Row")]
pub(crate) struct RawRow {
    /// Its id, such as `D1`; the key of the row.
    pub id: Given<Name>,
    /// Its part of the scenario, such as `breaker-status`.
    pub phase: Given<Slug>,
    /// The originating actors: alternatives, each an edge to each destination.
    #[schemars(with = "Vec<Name>", length(min = 1))]
    pub from: Given<Vec<Spanned<Name>>>,
    /// The destinations.
    #[schemars(with = "Vec<Name>", length(min = 1))]
    pub to: Given<Vec<Spanned<Name>>>,
    /// The payload's name.
    pub payload: Given<Name>,
    /// The limit that a payload must stay under: `"8s"`.
    pub latency: Given<Time>,
    /// The share of trials that must be exceeded: `"99.5%"`.
    pub reliability: Given<Percent>,
    /// The size of the application payload in bytes: `50` or `"50..150"`.
    pub size: Given<Bytes>,
}

/// A budget over a request row and its reply row; with only id and phase where the source leaves it blank.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "SubTotal")]
pub(crate) struct RawSubTotal {
    /// Its id, such as `D-T1`.
    pub id: Given<Name>,
    /// Its part of the scenario.
    pub phase: Given<Slug>,
    /// The request's row.
    #[serde(default)]
    pub request: Given<Name>,
    /// The reply's row.
    #[serde(default)]
    pub reply: Given<Name>,
    /// The limit from request out to reply in.
    #[serde(default)]
    pub latency: Given<Time>,
    /// The share of trials that must be exceeded.
    #[serde(default)]
    pub reliability: Given<Percent>,
    /// Request and reply together, in bytes.
    #[serde(default)]
    pub size: Given<Bytes>,
}

/// One thing that happens in a trial: exactly one of `send`, `expect`, `exchange`, `forward`, `cut`, `restore`,
/// `brown-out`, `bounce`, `wait` and `parallel`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Step")]
pub(crate) struct RawStep {
    /// A pause before it, drawn from this range from the trial's seed: `"5ms..25ms"`.
    #[serde(default)]
    pub after: Given<TimeRange>,
    /// A row whose payload an emulated actor sends; a later `expect` of the row waits for it.
    #[serde(default)]
    pub send: Given<Name>,
    /// A row whose payload is waited for.
    #[serde(default)]
    pub expect: Given<Name>,
    /// With `expect`: what makes the originator send it. Left out where an earlier step sends the row.
    #[serde(default)]
    pub cause: Given<RawCause>,
    /// With `send`, `expect` and `forward`: which originator, where the row has several.
    #[serde(default)]
    pub from: Given<Name>,
    /// A row that an actor sends because of what it received; its payload is waited for.
    #[serde(default)]
    pub forward: Given<Name>,
    /// With `forward`: the row on which the actor received what it passes on.
    #[serde(default)]
    pub received: Given<Name>,
    /// A request row, which is sent, and its reply row, which is waited for.
    #[serde(default)]
    #[schemars(with = "Vec<Name>", length(min = 2, max = 2))]
    pub exchange: Given<Vec<Spanned<Name>>>,
    /// A rail whose power is taken away.
    #[serde(default)]
    pub cut: Given<Name>,
    /// A rail that gets its power back; the devices it feeds are waited for until they have booted.
    #[serde(default)]
    pub restore: Given<Name>,
    /// A rail that is cut for a given short time.
    #[serde(default)]
    pub brown_out: Given<RawBrownOut>,
    /// A rail that is cut several times in a row; it is up at the end.
    #[serde(default)]
    pub bounce: Given<RawBounce>,
    /// A pause: `"10ms"`, or drawn from `"5ms..25ms"`.
    #[serde(default)]
    pub wait: Given<TimeRange>,
    /// Branches of steps at the same time.
    #[serde(default)]
    #[schemars(with = "Vec<Vec<RawStep>>", length(min = 2, max = 16))]
    pub parallel: Given<Vec<Vec<Spanned<RawStep>>>>,
}

/// What makes an originator send by itself: one of `rail` and `row`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Cause")]
pub(crate) struct RawCause {
    /// The last power edge on this rail.
    #[serde(default)]
    pub rail: Given<Name>,
    /// The payload of this row, received by the originator.
    #[serde(default)]
    pub row: Given<Name>,
}

/// A rail that is cut for a short time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "BrownOut")]
pub(crate) struct RawBrownOut {
    /// The rail.
    pub rail: Given<Name>,
    /// How long it is down.
    pub down: Given<Time>,
    /// A dip that may have lasted as long as this, because the switch or the machine was slow, voids the trial:
    /// name less than what the devices ride through.
    #[serde(default)]
    pub at_most: Given<Time>,
}

/// A rail that is cut several times in a row.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Bounce")]
pub(crate) struct RawBounce {
    /// The rail.
    pub rail: Given<Name>,
    /// How many cuts.
    #[schemars(with = "i64", range(min = 1, max = 1_000))]
    pub cuts: Given<i64>,
    /// How long it is down, and up, each time.
    pub each: Given<Time>,
    /// As for a brown-out, for each time it is down.
    #[serde(default)]
    pub at_most: Given<Time>,
}
