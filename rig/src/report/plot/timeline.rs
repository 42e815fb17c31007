//! The timeline: the latency of every delivery over the session's time, with the power cuts.

use std::collections::{BTreeMap, BTreeSet};

use plotters::prelude::*;

use super::axis::Axis;
use super::ecdf::latency_axis;
use super::mark::Mark;
use super::power::{Lane, felt_by};
use super::sheet::{DARK, DATA, DOUBT, LIMIT, Plane, RIGHT, Sheet, limit_note};
use super::{Drawn, Picture, words};
use crate::report::quantity::{grouped, setting};
use crate::report::spread::Spread;
use crate::stamp::{Nanos, nanos};
use crate::verdict::{Finding, Findings, Outcome, Point};

/// The most marks of one kind: some 80 bytes of SVG each, so that a plot stays well under a megabyte.
const MOST: usize = 2_500;
/// Columns and rows of the finest cells, about one for a pixel.
const CELLS: (f64, f64) = (800.0, 300.0);

/// Draws one mark for each delivery. Of marks of one kind in the same pixel one is drawn; where there are still too
/// many, the cells grow, kind by kind, so that no kind of failure disappears behind what went well.
pub(super) fn draw(findings: &Findings, finding: &Finding, spread: &Spread) -> Drawn<Picture> {
    let limit = nanos(finding.budget.latency);
    let latencies = latency_axis(spread, limit);
    let last = finding.points.last().map_or(0, |point| point.at);
    let time = Axis::session(findings.duration.max(last));
    let lanes = felt_by(findings, finding);
    let cuts = Lane::together(&lanes, findings.duration);
    let sheet = Sheet {
        title: &format!("Latency over time · {}", finding.label),
        subtitle: &words::subtitle(finding, spread),
        x_name: "time since the session's start",
        y_name: if latencies.is_log() { "latency (logarithmic)" } else { "latency" },
        height: 420,
        left: 90,
        right: RIGHT,
        key: &key(finding, cuts.is_some()),
    };
    let svg = sheet.draw(time.clone(), latencies.clone(), |plane| {
        if let Some(cuts) = &cuts {
            for (from, to, share) in cuts.shades(findings.duration) {
                let field = [(from, latencies.start()), (to, latencies.end())];
                plane.draw(&Rectangle::new(field, DARK.mix(share * 0.3).filled()))?;
            }
        }
        let at = limit as f64;
        plane.draw(&PathElement::new(vec![(0.0, at), (time.end(), at)], LIMIT.stroke_width(2)))?;
        for mark in [Mark::Dot, Mark::Stub, Mark::Tick, Mark::Diamond, Mark::Triangle, Mark::Cross] {
            let points = finding.points.iter().filter(|point| mark_of(point) == mark);
            for place in thinned(&points.map(|point| place_of(point, &latencies)), &time, &latencies) {
                draw_place(plane, mark, place, &latencies)?;
            }
        }
        limit_note(plane, (0.0, at), &format!("limit {}", setting(finding.budget.latency)))
    })?;
    let cut_words = match lanes.iter().map(|lane| lane.cuts).sum::<u64>() {
        0 => String::new(),
        cuts => format!(" {} power cuts are shaded.", grouped(cuts)),
    };
    let alt = words::alt("Latency over time", finding, spread) + &cut_words;
    Ok(Picture { svg, alt })
}

/// Where a delivery is drawn: its time, the upper end of its latency, the lower end where there is one.
#[derive(Clone, Copy)]
struct Place {
    at: Nanos,
    hi: Option<Nanos>,
    lo: Option<Nanos>,
}

fn place_of(point: &Point, latencies: &Axis) -> Place {
    let latency = match point.outcome {
        Outcome::Flawed(_) => point.latency,
        _ => point.timed(),
    };
    let seen = latency.filter(|l| latencies.place(l.hi as f64) - latencies.place(l.lo as f64) > 3.0 / CELLS.1);
    Place { at: point.at, hi: latency.map(|l| l.hi), lo: seen.map(|l| l.lo) }
}

fn mark_of(point: &Point) -> Mark {
    match (point.outcome, point.latency) {
        (Outcome::OnTime, _) => Mark::Dot,
        (Outcome::Late, Some(_)) => Mark::Triangle,
        (Outcome::Undecided, Some(_)) => Mark::Diamond,
        (Outcome::Flawed(_), Some(_)) => Mark::Cross,
        (Outcome::NotSent, _) => Mark::Stub,
        (Outcome::Lost | Outcome::LostInHop, _) | (_, None) => Mark::Tick,
    }
}

/// The highest place of each cell; cells as fine as the number of marks allows.
fn thinned(places: &(impl Iterator<Item = Place> + Clone), time: &Axis, latencies: &Axis) -> Vec<Place> {
    let mut coarse = 1.0;
    loop {
        let mut kept: BTreeMap<(u64, u64), Place> = BTreeMap::new();
        for place in places.clone() {
            let level = place.hi.map_or(0.0, |hi| latencies.place(hi as f64));
            let column = (time.place(place.at as f64) * CELLS.0 / coarse).floor();
            let row = (level * CELLS.1 / coarse).floor();
            let highest = kept.entry((column.to_bits(), row.to_bits())).or_insert(place);
            if place.hi > highest.hi {
                *highest = place;
            }
            if kept.len() > MOST {
                break;
            }
        }
        if kept.len() <= MOST {
            return kept.into_values().collect();
        }
        coarse *= 1.5;
    }
}

fn draw_place(plane: &Plane, mark: Mark, delivery: Place, latencies: &Axis) -> Drawn<()> {
    let at = delivery.at as f64;
    let hi = delivery.hi.map_or(latencies.start(), |hi| hi as f64);
    if let Some(lo) = delivery.lo {
        let color = if mark == Mark::Dot { DATA } else { DOUBT };
        plane.draw(&PathElement::new(vec![(at, lo as f64), (at, hi)], color.mix(0.5).stroke_width(1)))?;
    }
    mark.draw(plane, (at, hi))
}

/// The key names only what the plot has.
fn key(finding: &Finding, cuts: bool) -> Vec<(Mark, String)> {
    const WORDS: [(Mark, &str); 6] = [
        (Mark::Dot, "in time"),
        (Mark::Triangle, "late"),
        (Mark::Diamond, "undecided"),
        (Mark::Cross, "flawed"),
        (Mark::Tick, "not arrived"),
        (Mark::Stub, "not sent"),
    ];
    let present: BTreeSet<Mark> = finding.points.iter().map(mark_of).collect();
    let marks = WORDS.iter().filter(|(mark, _)| present.contains(mark));
    let mut key: Vec<_> = marks.map(|(mark, words)| (*mark, (*words).to_owned())).collect();
    if cuts {
        key.push((Mark::Dark, "rail without power (darker: for more of the time)".to_owned()));
    }
    key
}
