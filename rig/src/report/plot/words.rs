//! The words on and for plots of a claim.

use crate::report::quantity::{found, grouped, required, setting};
use crate::report::spread::Spread;
use crate::verdict::{Finding, Outcome};
use crate::visible::visible;

/// `circuit-brk_device_status_cmd · 598 deliveries · 598 in time (100.00 %) · required: > 99.5 % under 2 s`.
pub(super) fn subtitle(finding: &Finding, spread: &Spread) -> String {
    let n = spread.n();
    let on_time = on_time(finding);
    format!(
        "{} · {} {} · {} in time ({}) · required: > {} under {}",
        finding.payload,
        grouped(n),
        if n == 1 { "delivery" } else { "deliveries" },
        grouped(on_time),
        found(on_time, n),
        required(finding.budget.reliability),
        setting(finding.budget.latency),
    )
}

/// What a plot of latencies shows, for those who do not see it.
pub(super) fn alt(what: &str, finding: &Finding, spread: &Spread) -> String {
    let n = spread.n();
    visible(&format!(
        "{what} of {}: {} of {} in time under {}; median {}, 99th percentile {}; {} without a latency.",
        finding.label,
        grouped(on_time(finding)),
        grouped(n),
        setting(finding.budget.latency),
        spread.quantile(1, 2).words(),
        spread.quantile(99, 100).words(),
        grouped(spread.never()),
    ))
}

/// How many were in time, of the deliveries that are drawn.
fn on_time(finding: &Finding) -> u64 {
    finding.points.iter().filter(|point| point.outcome == Outcome::OnTime).count() as u64
}
