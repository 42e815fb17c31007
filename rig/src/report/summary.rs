//! `summary.json` for programs and `summary.md` for the summary of a CI job.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::label::claims;
use super::quantity::plain;
use super::spread::{PERCENTILES, Quantile, Spread};
use crate::event::{End, Firmware, Flaw};
use crate::plan::{Decision, Plan, Rule};
use crate::stamp::nanos;
use crate::verdict::binomial::probability_to_pass;
use crate::verdict::{BusUse, Finding, Findings, Remark, Verdict, percent};
use crate::visible::visible;

/// Version of the layout of `summary.json`.
const VERSION: u32 = 1;
/// The most rows of the table: a job's summary on GitHub has 1 MiB.
const MOST_ROWS: usize = 500;

#[derive(Serialize)]
struct Summary<'a> {
    version: u32,
    session: &'a str,
    simulated: bool,
    verdict: &'static str,
    reasons: &'a [String],
    end: Option<&'a End>,
    rig: &'a str,
    plan: &'a str,
    fixture: &'a str,
    seed: u64,
    wall: &'a str,
    duration_ns: u64,
    trials: Value,
    decision: &'a Decision,
    operating_characteristic: Vec<Characteristic>,
    rows: Vec<Value>,
    edges: Vec<Value>,
    sub_totals: Vec<Value>,
    blank_sub_totals: Vec<&'a str>,
    strays: Vec<Value>,
    rig_faults: Vec<Value>,
    misbehaviours: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    firmware: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buses: Vec<Value>,
    sources: &'a std::collections::BTreeMap<String, String>,
}

/// How likely devices of different true reliabilities are to pass the plan, for claims of one requirement.
#[derive(Serialize)]
struct Characteristic {
    required: f64,
    trials: u32,
    /// True reliability and probability to pass.
    points: Vec<(f64, f64)>,
}

/// Writes everything but the single deliveries.
pub(super) fn write_json(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let start = &findings.start;
    let remark = |at: u64, trial: Option<u32>, kind: &str, detail: &str| json!({ "at_ns": at, "trial": trial, "kind": kind, "detail": detail });
    let summary = Summary {
        version: VERSION,
        session: &start.session,
        simulated: start.simulated,
        verdict: findings.verdict.word(),
        reasons: &findings.reasons,
        end: findings.end.as_ref(),
        rig: &start.rig,
        plan: &start.plan.name,
        fixture: &start.fixture.name,
        seed: start.seed,
        wall: &start.wall,
        duration_ns: findings.duration,
        trials: json!({
            "planned": findings.trials.planned,
            "counted": findings.trials.counted,
            "void": findings.trials.void,
        }),
        decision: &start.plan.decision,
        operating_characteristic: characteristics(&start.plan),
        rows: start
            .plan
            .rows
            .iter()
            .map(|row| json!({ "id": row.id, "verdict": findings.row(&row.id).map(Verdict::word) }))
            .collect(),
        edges: findings.edges.iter().map(|finding| claim(findings, finding)).collect(),
        sub_totals: findings.sub_totals.iter().map(|finding| claim(findings, finding)).collect(),
        blank_sub_totals: blank(&start.plan),
        strays: findings
            .strays
            .iter()
            .map(|(from, flaw, times, bytes)| json!({ "from": from, "flaw": flaw, "times": times, "bytes": bytes }))
            .collect(),
        rig_faults: findings
            .rig_faults
            .iter()
            .map(|Remark { at, trial, kind, detail }| remark(*at, *trial, kind.word(), detail))
            .collect(),
        misbehaviours: findings
            .misbehaviours
            .iter()
            .map(|Remark { at, trial, kind, detail }| remark(*at, *trial, kind.word(), detail))
            .collect(),
        firmware: findings.firmware.iter().map(|held| firmware(findings, held)).collect(),
        buses: findings.buses.iter().map(|(name, bus)| bus_use(name, bus)).collect(),
        sources: &start.sources,
    };
    serde_json::to_writer_pretty(&mut *out, &summary)?;
    writeln!(out)
}

fn firmware(findings: &Findings, held: &Firmware) -> Value {
    json!({
        "device": held.device,
        "elf": held.elf,
        "sha256": held.sha256,
        "build_id": held.build_id,
        "version": held.version,
        "how": held.how.word(),
        "logged": findings.logged.get(&held.device).copied().unwrap_or_default(),
    })
}

fn bus_use(name: &str, bus: &BusUse) -> Value {
    json!({
        "name": name,
        "frames": bus.frames,
        "lost": bus.lost,
        "load": bus.mean(),
        "peak_load": bus.peak,
        "troubles": bus.troubles,
    })
}

fn claim(findings: &Findings, finding: &Finding) -> Value {
    let edge = findings.start.plan.edge(finding.edge);
    let counts = &finding.counts;
    let flawed: serde_json::Map<_, _> =
        Flaw::ALL.iter().zip(counts.flawed).map(|(flaw, n)| (flaw.word().to_owned(), n.into())).collect();
    let spread = Spread::of(finding);
    let percentiles = PERCENTILES.map(|(name, part, of)| (name, spread.quantile(part, of)));
    let latency: serde_json::Map<_, _> = percentiles
        .into_iter()
        .chain([("max", spread.max())])
        .map(|(name, value)| (name.to_owned(), quantile(value)))
        .collect();
    json!({
        "label": finding.label,
        "id": finding.id,
        "phase": finding.phase,
        "payload": finding.payload,
        "from": edge.from,
        "to": edge.to,
        "limit_ns": nanos(finding.budget.latency),
        "reliability": finding.budget.reliability,
        "verdict": finding.verdict.map(Verdict::word),
        "reason": finding.reason,
        "missing": finding.missing,
        "trials": counts.trials(),
        "on_time": counts.on_time,
        "late": counts.late,
        "undecided": counts.undecided,
        "lost": counts.lost,
        "lost_in_hop": counts.lost_in_hop,
        "flawed": flawed,
        "not_sent": counts.not_sent,
        "rate": finding.rate,
        "lower": finding.lower,
        "upper": finding.upper,
        "latency_ns": latency,
        "largest_arrived_ns": spread.ends().map(|(_, largest)| largest),
        "detection_max_ns": (!finding.detection.is_empty()).then(|| finding.detection.max()),
    })
}

/// Nanoseconds; `"over-any-limit"` where the quantile lies among the payloads that did not arrive once and whole;
/// nothing where there are too few trials for it.
fn quantile(quantile: Quantile) -> Value {
    match quantile {
        Quantile::TooFew => Value::Null,
        Quantile::Never => "over-any-limit".into(),
        Quantile::Latency(nanos) => nanos.into(),
    }
}

fn blank(plan: &Plan) -> Vec<&str> {
    plan.sub_totals.iter().filter(|total| total.claim.is_none()).map(|total| total.id.as_str()).collect()
}

/// Of a fixed plan alone: a device exactly as good as required, and ones that fail 2, 5, 10 and 50 times less often.
fn characteristics(plan: &Plan) -> Vec<Characteristic> {
    if plan.decision.rule != Rule::Fixed {
        return Vec::new();
    }
    let claims = plan.sub_totals.iter().filter_map(|total| total.claim.as_ref()).map(|claim| claim.budget);
    let mut required: Vec<_> =
        plan.rows.iter().map(|row| row.budget).chain(claims).map(|budget| budget.reliability).collect();
    required.sort_by(f64::total_cmp);
    required.dedup();
    let point = |required: f64, better: f64| {
        let truth = 1.0 - (1.0 - required) / better;
        (truth, probability_to_pass(plan.trials.into(), required, plan.claim_confidence(), truth))
    };
    let of = |required| Characteristic {
        required,
        trials: plan.trials,
        points: [1.0, 2.0, 5.0, 10.0, 50.0].map(|better| point(required, better)).into(),
    };
    required.into_iter().map(of).collect()
}

/// Writes the verdict, why, and a table of the claims.
pub(super) fn write_markdown(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let start = &findings.start;
    let simulated = if start.simulated { " (simulated)" } else { "" };
    writeln!(
        out,
        "## {} {}: {}{simulated}\n",
        mark(Some(findings.verdict)),
        escape(&start.plan.name),
        findings.verdict.word()
    )?;
    for reason in &findings.reasons {
        writeln!(out, "- {}", escape(reason))?;
    }
    let trials = &findings.trials;
    writeln!(
        out,
        "\nSession {} on {}: {} of {} trials count, {} void; confidence {} for {}.\n",
        escape(&start.session),
        escape(&start.fixture.name),
        trials.counted,
        trials.planned,
        trials.void,
        percent(start.plan.decision.confidence),
        if start.plan.decision.family_wise { "all claims together" } else { "each claim" },
    )?;
    writeln!(out, "| | claim | in time | required | lower bound | limit | p50 | p99 | max |")?;
    writeln!(out, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    for finding in claims(findings).take(MOST_ROWS) {
        let spread = Spread::of(finding);
        let quantiles = [spread.quantile(1, 2), spread.quantile(99, 100), spread.max()].map(in_words);
        writeln!(
            out,
            "| {} | {} | {} of {} | &gt; {} | {} | &lt; {} s | {} |",
            mark(finding.verdict),
            escape(&finding.label),
            finding.counts.on_time,
            finding.counts.trials(),
            percent(finding.budget.reliability),
            percent(finding.lower),
            finding.budget.latency.as_secs_f64(),
            quantiles.join(" | "),
        )?;
    }
    let left_out = claims(findings).count().saturating_sub(MOST_ROWS);
    if left_out > 0 {
        writeln!(out, "\n{left_out} more claims are in summary.json.")?;
    }
    for id in blank(&start.plan) {
        writeln!(out, "\nSub-total {} is left blank by the source.", escape(id))?;
    }
    Ok(())
}

fn mark(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "✅",
        Some(Verdict::Fail) => "❌",
        Some(Verdict::Inconclusive) => "❔",
        None => "➖",
    }
}

fn in_words(quantile: Quantile) -> String {
    match quantile {
        Quantile::TooFew => String::new(),
        shown => plain(&shown.words()),
    }
}

/// Text that GitHub-flavoured Markdown shows as it is, also in a table: `CommonMark` 2.4 lets every ASCII punctuation
/// character be escaped, and `<` and `&` become entities so that no HTML can begin.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in visible(text).chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            ' ' | '.' | ',' | ':' | ';' | '%' | '/' | '(' | ')' | '-' => out.push(character),
            _ if character.is_ascii_punctuation() => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_stays_text() {
        assert_eq!(super::escape("a|b <img> *x* `y`\n[z](u)"), "a\\|b &lt;img&gt; \\*x\\* \\`y\\`␊\\[z\\](u)");
    }
}
