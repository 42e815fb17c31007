//! Marks: how each outcome is drawn, told apart by shape as well as by colour.

use plotters::coord::CoordTranslate;
use plotters::prelude::*;

use super::Drawn;
use super::sheet::{DARK, DATA, DOUBT, LIMIT};

/// Something drawn at a point, or its sample in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// A dot: in time.
    Dot,
    /// A triangle: late.
    Triangle,
    /// A diamond: undecided.
    Diamond,
    /// A cross: arrived with a flaw.
    Cross,
    /// A tall tick: did not arrive.
    Tick,
    /// A short grey tick: not sent.
    Stub,
    /// A stroke of the data's colour: a curve.
    Curve,
    /// A pale field of the data's colour: between the earliest and the latest it can have been.
    Between,
    /// A stroke of the limit's colour.
    Limit,
    /// A field: without power.
    Dark,
    /// A dark field: without power, on the plot of the rails.
    Outage,
    /// A box with whiskers.
    Box,
    /// An arrow: beyond the end of the axis.
    Beyond,
}

impl Mark {
    /// Draws the mark at a point of an area.
    pub(super) fn draw<C: CoordTranslate>(self, area: &DrawingArea<SVGBackend, C>, at: C::From) -> Drawn<()>
    where
        C::From: Clone,
    {
        let base = EmptyElement::at(at);
        match self {
            Self::Dot => area.draw(&(base + Circle::new((0, 0), 2, DATA.mix(0.75).filled()))),
            Self::Triangle => area.draw(&(base + Polygon::new(vec![(0, -5), (5, 4), (-5, 4)], LIMIT))),
            Self::Diamond => area.draw(&(base + Polygon::new(vec![(0, -6), (6, 0), (0, 6), (-6, 0)], DOUBT))),
            Self::Beyond => area.draw(&(base + Polygon::new(vec![(-7, -5), (2, 0), (-7, 5)], LIMIT))),
            Self::Cross => area.draw(
                &(base
                    + PathElement::new(vec![(-4, -4), (4, 4)], LIMIT.stroke_width(2))
                    + PathElement::new(vec![(-4, 4), (4, -4)], LIMIT.stroke_width(2))),
            ),
            Self::Tick => area.draw(&(base + PathElement::new(vec![(0, -14), (0, 0)], LIMIT.stroke_width(2)))),
            Self::Stub => area.draw(&(base + PathElement::new(vec![(0, -6), (0, 0)], DARK.stroke_width(1)))),
            Self::Curve => area.draw(&(base + PathElement::new(vec![(-8, 0), (8, 0)], DATA.stroke_width(2)))),
            Self::Between => area.draw(&(base + Rectangle::new([(-8, -5), (8, 5)], DATA.mix(0.25).filled()))),
            Self::Limit => area.draw(&(base + PathElement::new(vec![(-8, 0), (8, 0)], LIMIT.stroke_width(2)))),
            Self::Dark => area.draw(&(base + Rectangle::new([(-8, -6), (8, 6)], DARK.mix(0.35).filled()))),
            Self::Outage => area.draw(&(base + Rectangle::new([(-8, -6), (8, 6)], DARK.filled()))),
            Self::Box => area.draw(
                &(base
                    + PathElement::new(vec![(-9, 0), (9, 0)], DATA.stroke_width(1))
                    + Rectangle::new([(-5, -4), (5, 4)], DATA.filled())),
            ),
        }
    }
}
