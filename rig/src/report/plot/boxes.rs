//! All claims side by side: a box and whiskers of each one's latencies, against its limit.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::mark::Mark;
use super::sheet::{DATA, FAINT, FOOT, HEAD, INK, LIMIT, Plane, Sheet, anchored, note, text};
use super::{Drawn, Picture};
use crate::report::quantity::grouped;
use crate::report::spread::{Quantile, Spread};
use crate::stamp::{Nanos, nanos};
use crate::verdict::{Finding, Findings};
use crate::visible::visible_up_to;

/// The most claims on one plot.
const ROWS: usize = 48;
/// Pixels of a claim's row.
const ROW: u32 = 24;

/// What the overview needs of a claim.
pub(super) struct Summary {
    label: String,
    limit: Nanos,
    n: u64,
    never: u64,
    /// The 1st, 25th, 50th, 75th and 99th percentile.
    quantiles: [Quantile; 5],
    ends: Option<(Nanos, Nanos)>,
}

impl Summary {
    fn of(finding: &Finding) -> Self {
        let spread = Spread::of(finding);
        // The first percentile is the 99th from above: it asks for as many deliveries.
        let first = if spread.n() < 100 { Quantile::TooFew } else { spread.quantile(1, 100) };
        let quarter = if spread.n() < 4 { Quantile::TooFew } else { spread.quantile(1, 4) };
        let upper = [(1, 2), (3, 4), (99, 100)].map(|(part, of)| spread.quantile(part, of));
        Self {
            label: finding.label.clone(),
            limit: nanos(finding.budget.latency),
            n: spread.n(),
            never: spread.never(),
            quantiles: [first, quarter, upper[0], upper[1], upper[2]],
            ends: spread.ends(),
        }
    }
}

/// The claims, a plot's worth at a time.
pub(super) fn pages(findings: &Findings) -> Vec<Vec<Summary>> {
    let mut summaries = findings.edges.iter().chain(&findings.sub_totals).map(Summary::of).peekable();
    let mut pages = Vec::new();
    while summaries.peek().is_some() {
        pages.push(summaries.by_ref().take(ROWS).collect());
    }
    pages
}

/// Draws a row for each claim. The rows lie, so that the names of originator and destination can be read.
pub(super) fn draw(claims: &[Summary]) -> Drawn<Picture> {
    let least = claims.iter().map(|claim| claim.ends.map_or(claim.limit, |ends| ends.0.min(claim.limit))).min();
    let most = claims.iter().map(|claim| claim.ends.map_or(claim.limit, |ends| ends.1.max(claim.limit))).max();
    let latencies = Axis::latency_log(least.unwrap_or(1), most.unwrap_or(1));
    let names = claims.iter().map(|claim| visible_up_to(&claim.label, 44)).collect();
    let rows = u32::try_from(claims.len()).unwrap_or(u32::MAX).min(64);
    let sheet = Sheet {
        title: "Latency of every edge and sub-total against its limit",
        subtitle: "box: 25th to 75th percentile, line: median · whiskers: 1st and 99th · \
                   without a latency: above all",
        x_name: "latency (logarithmic)",
        y_name: "",
        height: HEAD + FOOT + rows.max(1) * ROW,
        left: 322,
        right: 120,
        key: &[
            (Mark::Box, "latency, at the most".to_owned()),
            (Mark::Limit, "limit of the edge (upright line)".to_owned()),
            (Mark::Dot, "largest".to_owned()),
            (Mark::Beyond, "99th percentile has none".to_owned()),
        ],
    };
    let svg = sheet.draw(latencies.clone(), Axis::rows(names), |plane| {
        for (row, claim) in claims.iter().enumerate() {
            draw_row(plane, row as f64, claim, latencies.end())?;
        }
        Ok(())
    })?;
    let alt = format!(
        "Box plot of the latencies of {} edges and sub-totals, each against its limit; the numbers are in the table of \
         edges.",
        claims.len()
    );
    Ok(Picture { svg, alt })
}

fn draw_row(plane: &Plane, row: f64, claim: &Summary, end: f64) -> Drawn<()> {
    let limit = claim.limit as f64;
    plane.draw(&PathElement::new(vec![(limit, row - 0.42), (limit, row + 0.42)], LIMIT.stroke_width(3)))?;
    // What never arrived is beyond every latency: its quantiles are drawn to the end of the axis.
    let at = |quantile: Quantile| match quantile {
        Quantile::Latency(nanos) => Some(nanos as f64),
        Quantile::Never => Some(end),
        Quantile::TooFew => None,
    };
    let [first, quarter, median, three, last] = claim.quantiles.map(at);
    if let (Some(first), Some(last)) = (first, last) {
        plane.draw(&PathElement::new(vec![(first, row), (last, row)], DATA.stroke_width(1)))?;
        for whisker in [first, last] {
            plane.draw(&PathElement::new(vec![(whisker, row - 0.16), (whisker, row + 0.16)], DATA.stroke_width(1)))?;
        }
    }
    if let (Some(quarter), Some(three)) = (quarter, three) {
        plane.draw(&Rectangle::new([(quarter, row - 0.27), (three, row + 0.27)], DATA.filled()))?;
    }
    if let Some(median) = median {
        plane.draw(&PathElement::new(vec![(median, row - 0.34), (median, row + 0.34)], INK.stroke_width(2)))?;
    }
    if let Some((_, largest)) = claim.ends {
        Mark::Dot.draw(plane, (largest as f64, row))?;
    }
    if claim.quantiles[4] == Quantile::Never {
        Mark::Beyond.draw(plane, (end, row))?;
    }
    let counts = match claim.never {
        0 => format!("n {}", grouped(claim.n)),
        never => format!("n {}, {} without", grouped(claim.n), grouped(never)),
    };
    let color = if claim.never == 0 { FAINT } else { LIMIT };
    note(plane, (end, row), (10, 0), &counts, anchored(text(15, color), HPos::Left, VPos::Center))
}
