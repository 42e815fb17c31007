//! The percentile plot, as `HdrHistogram` made it known: latency at each quantile, every further nine as wide as the one
//! before (<https://hdrhistogram.github.io/HdrHistogram/plotFiles.html>).

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::ecdf::{COLUMNS, is_wide, latency_axis};
use super::mark::Mark;
use super::sheet::{DARK, DATA, FAINT, LIMIT, Plane, RIGHT, Sheet, anchored, limit_note, note, text};
use super::steps::stairs;
use super::{Drawn, Picture, words};
use crate::report::quantity::{grouped, required, setting};
use crate::report::spread::Spread;
use crate::stamp::{Nanos, nanos};
use crate::verdict::Finding;

/// Draws latency at each quantile, up to the last one that so many deliveries can show. The claim is met where the
/// curve crosses the required quantile under the limit; whether that is shown is the verdict's business.
pub(super) fn draw(finding: &Finding, spread: &Spread) -> Drawn<Picture> {
    let limit = nanos(finding.budget.latency);
    let latencies = latency_axis(spread, limit);
    let quantiles = Axis::nines(spread.n());
    let between = is_wide(spread, &latencies);
    let mut key = vec![(Mark::Curve, "latency, at the most".to_owned())];
    if between {
        key.push((Mark::Between, "at the least".to_owned()));
    }
    key.push((Mark::Limit, "limit".to_owned()));
    let sheet = Sheet {
        title: &format!("Latency by percentile · {}", finding.label),
        subtitle: &words::subtitle(finding, spread),
        x_name: "percentile (each further nine as wide as the one before)",
        y_name: if latencies.is_log() { "latency (logarithmic)" } else { "latency" },
        height: 420,
        left: 90,
        right: RIGHT,
        key: &key,
    };
    let svg = sheet.draw(quantiles.clone(), latencies.clone(), |plane| {
        let frame = Frame { plane, quantiles: &quantiles, latencies: &latencies, n: spread.n() };
        frame.draw_beyond()?;
        frame.draw_never(spread)?;
        frame.draw_limit(finding)?;
        frame.draw_required(finding)?;
        if between {
            let mut field = frame.curve(spread.earliest());
            field.extend(frame.curve(spread.latest()).into_iter().rev());
            plane.draw(&Polygon::new(field, DATA.mix(0.25)))?;
        }
        plane.draw(&PathElement::new(frame.curve(spread.latest()), DATA.stroke_width(2)))
    })?;
    Ok(Picture { svg, alt: words::alt("Latency by percentile", finding, spread) })
}

struct Frame<'f, 'p> {
    plane: &'f Plane<'p>,
    quantiles: &'f Axis,
    latencies: &'f Axis,
    n: u64,
}

impl Frame<'_, '_> {
    /// From the share below a latency, `i / n`, the quantile's depth is `1 / (1 - i / n) = n / (n - i)`.
    fn curve(&self, latencies: &[Nanos]) -> Vec<(f64, f64)> {
        let depths = (0..self.n).map(|below| self.n as f64 / (self.n - below) as f64);
        let points = depths.zip(latencies).map(|(depth, latency)| (depth, *latency as f64));
        let mut corners = stairs(points, |depth| self.quantiles.place(depth), COLUMNS);
        // The last step ends where those without a latency begin; with none of those, at the last quantile shown.
        let never = self.n - latencies.len() as u64;
        if let (Some(&(_, level)), 1..) = (corners.last(), never) {
            corners.push((self.n as f64 / never as f64, level));
        }
        corners
    }

    /// What so few deliveries cannot show.
    fn draw_beyond(&self) -> Drawn<()> {
        let (from, to) = (self.n.max(1) as f64, self.quantiles.end());
        let field = [(from, self.latencies.start()), (to, self.latencies.end())];
        self.plane.draw(&Rectangle::new(field, DARK.mix(0.1).filled()))?;
        let style = anchored(text(15, FAINT), HPos::Right, VPos::Bottom);
        let words = format!("nothing shown beyond n = {} ", grouped(self.n));
        note(self.plane, (to, self.latencies.start()), (-4, -6), &words, style)
    }

    fn draw_never(&self, spread: &Spread) -> Drawn<()> {
        if spread.never() == 0 {
            return Ok(());
        }
        let from = self.n as f64 / spread.never() as f64;
        let field = [(from, self.latencies.start()), (self.n as f64, self.latencies.end())];
        self.plane.draw(&Rectangle::new(field, LIMIT.mix(0.16).filled()))?;
        let right_half = self.quantiles.place(from) > 0.6;
        let (side, by) = if right_half { (HPos::Right, -6) } else { (HPos::Left, 6) };
        let words = format!("{} without a latency: over any limit", grouped(spread.never()));
        let style = anchored(text(16, LIMIT), side, VPos::Top);
        note(self.plane, (from, self.latencies.end()), (by, 60), &words, style)
    }

    fn draw_limit(&self, finding: &Finding) -> Drawn<()> {
        let at = nanos(finding.budget.latency) as f64;
        let line = vec![(self.quantiles.start(), at), (self.quantiles.end(), at)];
        self.plane.draw(&PathElement::new(line, LIMIT.stroke_width(2)))?;
        let words = format!("limit {}", setting(finding.budget.latency));
        limit_note(self.plane, (self.quantiles.start(), at), &words)
    }

    fn draw_required(&self, finding: &Finding) -> Drawn<()> {
        let depth = 1.0 / (1.0 - finding.budget.reliability.clamp(0.0, 1.0));
        if depth > self.quantiles.end() {
            return Ok(());
        }
        let line = vec![(depth, self.latencies.start()), (depth, self.latencies.end())];
        self.plane.draw(&PathElement::new(line, FAINT.stroke_width(1)))?;
        let style = anchored(text(15, FAINT), HPos::Right, VPos::Top);
        let words = format!("required > {}", required(finding.budget.reliability));
        note(self.plane, (depth, self.latencies.end()), (-5, 4), &words, style)
    }
}
