//! The empirical distribution of latencies: the share of deliveries that had arrived by each latency.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::mark::Mark;
use super::sheet::{DATA, FAINT, LIMIT, Plane, RIGHT, Sheet, anchored, note, text};
use super::steps::stairs;
use super::{Drawn, Picture, words};
use crate::report::quantity::{grouped, required, setting};
use crate::report::spread::Spread;
use crate::stamp::{Nanos, nanos};
use crate::verdict::Finding;

/// Columns that a curve is thinned to: about two for a pixel.
pub(super) const COLUMNS: f64 = 1600.0;
/// Part of an axis from which the width of an interval can be seen.
const SEEN: f64 = 1.0 / 300.0;

/// Draws the distribution. The curve is of the latest instants, so that it shows no more in time than was seen to be;
/// the field beside it reaches to the earliest. Where deliveries never arrived, it does not reach 100 %.
pub(super) fn draw(finding: &Finding, spread: &Spread) -> Drawn<Picture> {
    let limit = nanos(finding.budget.latency);
    let axis = latency_axis(spread, limit);
    let between = is_wide(spread, &axis);
    let mut key = vec![(Mark::Curve, "arrived by then, at the latest".to_owned())];
    if between {
        key.push((Mark::Between, "at the earliest".to_owned()));
    }
    key.push((Mark::Limit, "limit".to_owned()));
    let sheet = Sheet {
        title: &format!("Distribution of latency · {}", finding.label),
        subtitle: &words::subtitle(finding, spread),
        x_name: if axis.is_log() { "latency (logarithmic)" } else { "latency" },
        y_name: "share of deliveries",
        height: 420,
        left: 74,
        right: RIGHT,
        key: &key,
    };
    let svg = sheet.draw(axis.clone(), Axis::share(), |plane| {
        draw_never(plane, &axis, spread, limit)?;
        draw_required(plane, &axis, finding)?;
        if between {
            let mut field = curve(spread.earliest(), spread, &axis);
            field.extend(curve(spread.latest(), spread, &axis).into_iter().rev());
            plane.draw(&Polygon::new(field, DATA.mix(0.25)))?;
        }
        plane.draw(&PathElement::new(curve(spread.latest(), spread, &axis), DATA.stroke_width(2)))?;
        draw_limit(plane, limit, finding)
    })?;
    Ok(Picture { svg, alt: words::alt("Distribution of latency", finding, spread) })
}

/// The axis that shows all latencies and the limit.
pub(super) fn latency_axis(spread: &Spread, limit: Nanos) -> Axis {
    let (least, most) = spread.ends().unwrap_or((limit, limit));
    // Earliest instants may be 0, which no logarithmic axis has: as low as a hundredth of the smallest latest one.
    let earliest = spread.earliest().first().map_or(least, |earliest| (*earliest).max(least / 100));
    let least = least.min(earliest);
    Axis::latency(least.min(limit), most.max(limit))
}

/// Whether earliest and latest are so far apart that it can be seen.
pub(super) fn is_wide(spread: &Spread, axis: &Axis) -> bool {
    let ends = spread.earliest().iter().zip(spread.latest());
    ends.into_iter().any(|(lo, hi)| axis.place(*hi as f64) - axis.place(*lo as f64) > SEEN)
}

fn curve(latencies: &[Nanos], spread: &Spread, axis: &Axis) -> Vec<(f64, f64)> {
    let n = spread.n().max(1) as f64;
    let ranks = latencies.iter().zip(1_u32..).map(|(latency, rank)| (*latency as f64, f64::from(rank) / n));
    let corners = stairs(std::iter::once((axis.start(), 0.0)).chain(ranks), |x| axis.place(x), COLUMNS);
    let reached = latencies.len() as f64 / n;
    corners.into_iter().chain([(axis.end(), reached)]).collect()
}

/// The share that no latency reaches.
fn draw_never(plane: &Plane, axis: &Axis, spread: &Spread, limit: Nanos) -> Drawn<()> {
    if spread.never() == 0 {
        return Ok(());
    }
    let reached = 1.0 - spread.never() as f64 / spread.n() as f64;
    plane.draw(&Rectangle::new([(axis.start(), reached), (axis.end(), 1.0)], LIMIT.mix(0.16).filled()))?;
    let words = format!("{} without a latency: over any limit", grouped(spread.never()));
    // Away from the rise of the curve, on the side of the limit with more room.
    let at = limit as f64;
    let (side, by) = if axis.place(at) > 0.5 { (HPos::Right, -8) } else { (HPos::Left, 8) };
    note(plane, (at, reached), (by, 6), &words, anchored(text(16, LIMIT), side, VPos::Top))
}

fn draw_required(plane: &Plane, axis: &Axis, finding: &Finding) -> Drawn<()> {
    let share = finding.budget.reliability.clamp(0.0, 1.0);
    plane.draw(&PathElement::new(vec![(axis.start(), share), (axis.end(), share)], FAINT.stroke_width(1)))?;
    let words = format!("required > {}", required(finding.budget.reliability));
    let style = anchored(text(15, FAINT), HPos::Left, VPos::Bottom);
    note(plane, (axis.start(), share), (8, -2), &words, style)
}

fn draw_limit(plane: &Plane, limit: Nanos, finding: &Finding) -> Drawn<()> {
    let at = limit as f64;
    plane.draw(&PathElement::new(vec![(at, 0.0), (at, 1.06)], LIMIT.stroke_width(2)))?;
    let style = anchored(text(16, LIMIT), HPos::Right, VPos::Bottom);
    note(plane, (at, 0.0), (-6, -6), &format!("limit {}", setting(finding.budget.latency)), style)
}
