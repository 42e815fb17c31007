//! `metrics.txt`: `OpenMetrics` 1.0 text, for CI and scrapers.

use std::io::{self, Write};

use super::label::claims;
use super::spread::{PERCENTILES, Quantile, Spread};
use crate::verdict::{Finding, Findings, Outcome, Verdict};
use crate::visible::visible;

type Share = fn(&Finding) -> f64;

/// Writes the metrics of all claims, family by family, and the end mark.
pub(super) fn write(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    session(out, findings)?;
    head(out, "rig_verdict", "stateset", "Verdict of an edge or sub-total that the session judged.")?;
    for finding in claims(findings) {
        let labels = labels(findings, finding);
        for state in [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive] {
            if let Some(verdict) = finding.verdict {
                let holds = u8::from(verdict == state);
                writeln!(out, "rig_verdict{{{labels},rig_verdict=\"{}\"}} {holds}", state.word())?;
            }
        }
    }
    head(out, "rig_deliveries", "counter", "Deliveries by what became of them.")?;
    for finding in claims(findings) {
        let labels = labels(findings, finding);
        for (outcome, count) in outcomes(finding) {
            writeln!(out, "rig_deliveries_total{{{labels},outcome=\"{}\"}} {count}", outcome.word())?;
        }
    }
    let shares: [(&str, &str, Share); 4] = [
        ("rig_success_ratio", "Share of deliveries that arrived once, whole and in time.", |found| found.rate),
        ("rig_success_ratio_lower", "One-sided lower confidence bound of the success ratio.", |found| found.lower),
        ("rig_success_ratio_upper", "One-sided upper confidence bound of the success ratio.", |found| found.upper),
        ("rig_success_ratio_required", "Success ratio to be exceeded.", |found| found.budget.reliability),
    ];
    for (name, help, share) in shares {
        head(out, name, "gauge", help)?;
        for finding in claims(findings) {
            writeln!(out, "{name}{{{}}} {}", labels(findings, finding), share(finding))?;
        }
    }
    latencies(out, findings)?;
    buses(out, findings)?;
    writeln!(out, "# EOF")
}

fn session(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    let start = &findings.start;
    let simulated = start.simulated;
    let plan = label_value(&start.plan.name);
    head(out, "rig_session_verdict", "stateset", "Verdict of the session.")?;
    for state in [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive] {
        let holds = u8::from(findings.verdict == state);
        let word = state.word();
        writeln!(
            out,
            "rig_session_verdict{{plan=\"{plan}\",simulated=\"{simulated}\",rig_session_verdict=\"{word}\"}} {holds}"
        )?;
    }
    head(out, "rig_trials", "counter", "Trials by what became of them.")?;
    for (state, count) in [("counted", findings.trials.counted), ("void", findings.trials.void)] {
        writeln!(out, "rig_trials_total{{plan=\"{plan}\",simulated=\"{simulated}\",state=\"{state}\"}} {count}")?;
    }
    Ok(())
}

fn buses(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    if findings.buses.is_empty() {
        return Ok(());
    }
    head(out, "rig_bus_load_ratio", "gauge", "Share of the time that frames occupied a CAN bus.")?;
    for (name, bus) in &findings.buses {
        writeln!(out, "rig_bus_load_ratio{{bus=\"{}\"}} {}", label_value(name), bus.mean())?;
    }
    head(
        out,
        "rig_bus_frames",
        "counter",
        "Frames that rig saw on a CAN bus, and those known to be lost before it saw them.",
    )?;
    for (name, bus) in &findings.buses {
        let name = label_value(name);
        writeln!(out, "rig_bus_frames_total{{bus=\"{name}\",state=\"seen\"}} {}", bus.frames)?;
        writeln!(out, "rig_bus_frames_total{{bus=\"{name}\",state=\"lost\"}} {}", bus.lost)?;
    }
    Ok(())
}

fn latencies(out: &mut impl Write, findings: &Findings) -> io::Result<()> {
    head(out, "rig_latency_limit_seconds", "gauge", "Latency to be stayed under.")?;
    for finding in claims(findings) {
        let limit = finding.budget.latency.as_secs_f64();
        writeln!(out, "rig_latency_limit_seconds{{{}}} {limit}", labels(findings, finding))?;
    }
    head(
        out,
        "rig_latency_seconds",
        "summary",
        "Latency of all trials; +Inf where the quantile has none, so is over any limit.",
    )?;
    for finding in claims(findings) {
        let labels = labels(findings, finding);
        let spread = Spread::of(finding);
        for (_, part, of) in PERCENTILES {
            let q = part as f64 / of as f64;
            match spread.quantile(part, of) {
                Quantile::TooFew => {}
                Quantile::Never => writeln!(out, "rig_latency_seconds{{{labels},quantile=\"{q}\"}} +Inf")?,
                Quantile::Latency(nanos) => {
                    writeln!(out, "rig_latency_seconds{{{labels},quantile=\"{q}\"}} {}", nanos as f64 / 1e9)?;
                }
            }
        }
        writeln!(out, "rig_latency_seconds_count{{{labels}}} {}", finding.counts.trials())?;
    }
    Ok(())
}

fn head(out: &mut impl Write, name: &str, kind: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# TYPE {name} {kind}")?;
    if name.ends_with("_seconds") {
        writeln!(out, "# UNIT {name} seconds")?;
    }
    writeln!(out, "# HELP {name} {help}")
}

fn outcomes(finding: &Finding) -> impl Iterator<Item = (Outcome, u64)> {
    let counts = finding.counts;
    let unmet: Vec<_> = counts.unmet().collect();
    [(Outcome::OnTime, counts.on_time), (Outcome::NotSent, counts.not_sent)].into_iter().chain(unmet)
}

fn labels(findings: &Findings, finding: &Finding) -> String {
    let edge = findings.start.plan.edge(finding.edge);
    let names = [
        ("plan", &findings.start.plan.name),
        ("row", &finding.id),
        ("payload", &finding.payload),
        ("from", &edge.from),
        ("to", &edge.to),
    ];
    let text: Vec<_> = names.iter().map(|(name, value)| format!("{name}=\"{}\"", label_value(value))).collect();
    format!("{},simulated=\"{}\"", text.join(","), findings.start.simulated)
}

/// Escapes a label's value (`OpenMetrics` 1.0, section 3.1.2, `escaped-string`).
fn label_value(text: &str) -> String {
    visible(text).replace('\\', "\\\\").replace('"', "\\\"")
}
