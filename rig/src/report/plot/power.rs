//! Power: which rails were without it when, and how often they were cut.

use std::collections::{BTreeMap, BTreeSet};

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::mark::Mark;
use super::sheet::{DARK, DATA, FOOT, HEAD, INK, RIGHT, Sheet, anchored, note, text};
use super::{Drawn, Picture};
use crate::event::PowerStage;
use crate::fixture::{Level, Player};
use crate::report::quantity::{grouped, span};
use crate::stamp::Nanos;
use crate::verdict::{Finding, Findings};
use crate::visible::{visible, visible_up_to};

/// The most rails on one plot.
const ROWS: usize = 24;
/// Pixels of a rail's row.
const ROW: u32 = 46;
/// Columns that outages are shaded in, about one for a pixel.
const COLUMNS: usize = 780;
/// Outages from which on single ones can no longer be told apart.
const DENSE: usize = 200;
/// Columns then: each is wide enough for the share of several outages to mean something.
const FEW_COLUMNS: usize = 130;
/// Shades between power all the time and never: without bound, every column could be a field of its own.
const SHADES: f64 = 10.0;

/// The outages of a rail, or of several together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::report) struct Lane {
    /// The rail's name.
    pub(in crate::report) rail: String,
    /// Cuts that were sensed, or bounded where nothing senses the rail.
    pub(in crate::report) cuts: u64,
    /// Cuts that were commanded.
    pub(in crate::report) commanded: u64,
    /// From when to when it was without power: as early as it can have begun, as late as it can have ended; in order,
    /// apart.
    pub(in crate::report) outages: Vec<(Nanos, Nanos)>,
}

/// A lane for each rail, by name. An outage that is not over lasts to the session's end.
pub(in crate::report) fn lanes(findings: &Findings) -> Vec<Lane> {
    let mut rails: BTreeMap<&str, (Lane, Option<Nanos>)> = BTreeMap::new();
    for edge in &findings.power {
        let (lane, since) = rails.entry(&edge.rail).or_insert_with(|| (Lane::of(&edge.rail), None));
        match (edge.stage, edge.to) {
            (PowerStage::Commanded, Level::Off) => lane.commanded += 1,
            (PowerStage::Sensed, Level::Off) => {
                lane.cuts += u64::from(since.is_none());
                *since = since.or(Some(edge.at.lo));
            }
            (PowerStage::Sensed, Level::On) => {
                lane.outages.extend(since.take().map(|from| (from, edge.at.hi.max(from))));
            }
            _ => {}
        }
    }
    let closed = rails.into_values().map(|(mut lane, since)| {
        lane.outages.extend(since.map(|from| (from, findings.duration.max(from))));
        lane
    });
    closed.collect()
}

/// The lanes of the rails that a claim's devices are fed by or sense; all of them where no device takes part.
pub(super) fn felt_by(findings: &Findings, finding: &Finding) -> Vec<Lane> {
    let (plan, fixture) = (&findings.start.plan, &findings.start.fixture);
    let edge = plan.edges.get(usize::from(finding.edge.0));
    let players = edge.into_iter().flat_map(|edge| [&edge.from, &edge.to]).filter_map(|name| fixture.actors.get(name));
    let rails: BTreeSet<&String> = players
        .filter_map(|player| match player {
            Player::Device(name) => fixture.devices.get(name),
            Player::Emulated | Player::Database | Player::External(_) => None,
        })
        .flat_map(|device| device.feeder.iter().chain(&device.supply))
        .collect();
    let mut lanes = lanes(findings);
    if !rails.is_empty() {
        lanes.retain(|lane| rails.contains(&lane.rail));
    }
    lanes
}

impl Lane {
    fn of(rail: &str) -> Self {
        Self { rail: rail.to_owned(), cuts: 0, commanded: 0, outages: Vec::new() }
    }

    /// When any of the rails was without power; `None` where none ever was.
    pub(super) fn together(lanes: &[Self], duration: Nanos) -> Option<Self> {
        let mut outages: Vec<_> = lanes.iter().flat_map(|lane| &lane.outages).copied().collect();
        outages.sort_unstable();
        let mut apart: Vec<(Nanos, Nanos)> = Vec::with_capacity(outages.len());
        for (from, to) in outages {
            match apart.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => apart.push((from, to)),
            }
        }
        let cuts = lanes.iter().map(|lane| lane.cuts).sum();
        let any = !apart.is_empty() && duration > 0;
        any.then(|| Self { outages: apart, cuts, ..Self::of("") })
    }

    /// How long the rail was without power in all.
    pub(in crate::report) fn without(&self) -> Nanos {
        self.outages.iter().map(|(from, to)| to - from).sum()
    }

    /// Whether the outages are too many to be drawn one by one.
    fn is_dense(&self) -> bool {
        self.outages.len() > DENSE
    }

    /// Fields from when to when, with the share of the time without power in them: thousands of short cuts become a
    /// few hundred fields.
    pub(super) fn shades(&self, duration: Nanos) -> Vec<(f64, f64, f64)> {
        let count = if self.is_dense() { FEW_COLUMNS } else { COLUMNS };
        let column = |at| column(at).min(count - 1);
        let width = duration.max(1) as f64 / count as f64;
        let mut shares = vec![0.0_f64; count];
        for &(from, to) in &self.outages {
            let (from, to) = (from as f64 / width, to as f64 / width);
            let columns = shares.iter_mut().enumerate().skip(column(from)).take(column(to) - column(from) + 1);
            for (at, share) in columns {
                *share += (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
            }
        }
        let mut fields: Vec<(f64, f64, f64)> = Vec::new();
        for (at, share) in shares.into_iter().enumerate() {
            let (from, to) = (at as f64 * width, (at + 1) as f64 * width);
            let share = (share.min(1.0) * SHADES).ceil() / SHADES;
            match fields.last_mut() {
                Some(last) if last.2.to_bits() == share.to_bits() => last.1 = to,
                _ => fields.push((from, to, share)),
            }
        }
        fields.retain(|field| field.2 > 0.0);
        fields
    }
}

fn column(at: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column of some hundred, from 0 up")]
    let column = at.max(0.0) as usize;
    column
}

/// The rails, a plot's worth at a time; none where no rail changed.
pub(super) fn pages(findings: &Findings) -> Vec<Vec<Lane>> {
    lanes(findings).chunks(ROWS).map(<[Lane]>::to_vec).collect()
}

/// Draws a row for each rail: a bar while it has power, a shade while it has none.
pub(super) fn draw(lanes: &[Lane], duration: Nanos) -> Drawn<Picture> {
    let names = lanes.iter().map(|lane| visible_up_to(&lane.rail, 20)).collect();
    let cuts: u64 = lanes.iter().map(|lane| lane.cuts).sum();
    let time = Axis::session(duration);
    let rows = u32::try_from(lanes.len()).unwrap_or(u32::MAX).min(64);
    let without = if lanes.iter().any(Lane::is_dense) { "without (taller: for more of the time)" } else { "without" };
    let sheet = Sheet {
        title: "Power of the rails",
        subtitle: &format!("{} cuts in {}", grouped(cuts), span(duration)),
        x_name: "time since the session's start",
        y_name: "",
        height: HEAD + FOOT + rows * ROW,
        left: 150,
        right: RIGHT,
        key: &[(Mark::Between, "with power".to_owned()), (Mark::Outage, without.to_owned())],
    };
    let svg = sheet.draw(time.clone(), Axis::rows(names), |plane| {
        for (row, lane) in lanes.iter().enumerate() {
            let (top, bottom) = (row as f64 - 0.08, row as f64 + 0.36);
            plane.draw(&Rectangle::new([(0.0, top), (time.end(), bottom)], DATA.mix(0.25).filled()))?;
            for (from, to, share) in lane.shades(duration) {
                let field = [(from, bottom - share * (bottom - top)), (to, bottom)];
                plane.draw(&Rectangle::new(field, DARK.filled()))?;
            }
            let style = anchored(text(15, INK), HPos::Left, VPos::Bottom);
            note(plane, (0.0, top), (4, -3), &words(lane), style)?;
        }
        Ok(())
    })?;
    let rails: Vec<_> = lanes.iter().map(|lane| format!("{}: {}", visible(&lane.rail), words(lane))).collect();
    Ok(Picture { svg, alt: format!("Power of the rails over time. {}.", rails.join("; ")) })
}

fn words(lane: &Lane) -> String {
    if lane.cuts == 0 {
        return "never cut".to_owned();
    }
    format!("{} cuts, {} without power", grouped(lane.cuts), span(lane.without()))
}
