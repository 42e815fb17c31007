//! The words on and for plots of a claim.

use crate::report::quantity::{found, grouped, latency, required, setting};
use crate::report::spread::{Quantile, Spread};
use crate::report::visible::visible;
use crate::verdict::{Finding, Outcome};

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
        quantile(spread.quantile(1, 2)),
        quantile(spread.quantile(99, 100)),
        grouped(spread.never()),
    ))
}

/// How many were in time, of the deliveries that are drawn.
fn on_time(finding: &Finding) -> u64 {
    finding.points.iter().filter(|point| point.outcome == Outcome::OnTime).count() as u64
}

fn quantile(quantile: Quantile) -> String {
    match quantile {
        Quantile::Latency(nanos) => latency(nanos),
        Quantile::Never => "over every limit".to_owned(),
        Quantile::TooFew => "not shown by so few".to_owned(),
    }
}
