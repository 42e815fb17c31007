//! The sheet that every plot is drawn on: ground, title, axes, grid and key.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::Drawn;
use super::axis::Axis;
use super::mark::Mark;
use crate::visible::visible_up_to;

/// Width of every plot in pixels; text is legible at this width.
pub(super) const WIDTH: u32 = 900;
/// Pixels above the plane: title, sub-title.
pub(super) const HEAD: u32 = 62;
/// Pixels below the plane: tick labels, the axis' name, the key.
pub(super) const FOOT: u32 = 88;
/// Pixels of the key, at the bottom of what is below the plane.
const KEY: u32 = 34;
/// Pixels right of the plane, where nothing is written there.
pub(super) const RIGHT: u32 = 22;

// The palette of M. Okabe and K. Ito, "Color Universal Design" (2008): told apart by all common kinds of colour
// vision. Marks differ in shape as well, and lines carry their names, so that grey print loses nothing.
/// Ground of every plot, light in dark surroundings too.
pub(super) const GROUND: RGBColor = RGBColor(255, 255, 255);
/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(34, 34, 34);
/// Secondary text.
pub(super) const FAINT: RGBColor = RGBColor(95, 95, 95);
/// Grid.
pub(super) const GRID: RGBColor = RGBColor(229, 229, 229);
/// What arrived.
pub(super) const DATA: RGBColor = RGBColor(0, 114, 178);
/// The limit, and what failed it.
pub(super) const LIMIT: RGBColor = RGBColor(213, 94, 0);
/// What is undecided.
pub(super) const DOUBT: RGBColor = RGBColor(176, 120, 0);
/// A rail without power.
pub(super) const DARK: RGBColor = RGBColor(86, 86, 110);

/// The plane between the axes.
pub(super) type Plane<'a> = DrawingArea<SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

/// What surrounds the plane of a plot.
pub(super) struct Sheet<'t> {
    /// First line, in bold.
    pub(super) title: &'t str,
    /// Second line.
    pub(super) subtitle: &'t str,
    /// Name of the horizontal axis.
    pub(super) x_name: &'t str,
    /// Name of the vertical axis; none where the rows carry names.
    pub(super) y_name: &'t str,
    /// Height of the whole in pixels.
    pub(super) height: u32,
    /// Pixels left of the plane.
    pub(super) left: u32,
    /// Pixels right of the plane.
    pub(super) right: u32,
    /// What the marks mean.
    pub(super) key: &'t [(Mark, String)],
}

impl Sheet<'_> {
    /// The SVG text of the sheet with `marks` drawn on its plane.
    pub(super) fn draw(&self, x: Axis, y: Axis, marks: impl FnOnce(&Plane) -> Drawn<()>) -> Drawn<String> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (WIDTH, self.height)).into_drawing_area();
            area.fill(&GROUND)?;
            area.draw(&Text::new(visible_up_to(self.title, 100), (16, 12), bold(19)))?;
            area.draw(&Text::new(visible_up_to(self.subtitle, 130), (16, 37), text(16, FAINT)))?;
            self.draw_key(&area)?;
            let (_, plot) = area.split_vertically(HEAD);
            let (plot, _) = plot.split_vertically(self.height - HEAD - KEY);
            let mut chart = ChartBuilder::on(&plot)
                .margin_left(8)
                .margin_right(self.right)
                .x_label_area_size(FOOT - KEY)
                .y_label_area_size(self.left)
                .build_cartesian_2d(x, y)?;
            chart
                .configure_mesh()
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .axis_style(FAINT)
                .label_style(text(16, INK))
                .axis_desc_style(text(16, FAINT))
                .x_desc(self.x_name)
                .y_desc(self.y_name)
                .draw()?;
            marks(chart.plotting_area())?;
            area.present()?;
        }
        Ok(svg)
    }

    fn draw_key(&self, area: &DrawingArea<SVGBackend, Shift>) -> Drawn<()> {
        #[expect(clippy::cast_possible_wrap, reason = "heights of some hundred pixels")]
        let y = self.height as i32 - 16;
        let mut x = 24;
        for (mark, words) in self.key {
            let foot = if matches!(mark, Mark::Tick | Mark::Stub) { 6 } else { 0 };
            mark.draw(area, (x, y + foot))?;
            area.draw(&Text::new(words.clone(), (x + 14, y), anchored(text(16, INK), HPos::Left, VPos::Center)))?;
            x += 44 + width_of(words);
        }
        Ok(())
    }
}

/// About how many pixels a text of the key takes, without a font to ask: an average letter of a sans-serif face is
/// somewhat over half as wide as its size.
fn width_of(words: &str) -> i32 {
    i32::try_from(words.chars().count() * 13 / 2).unwrap_or(i32::MAX / 2)
}

/// Plain text of a size and colour. (The library writes 0.81 of the size as `font-size`.)
pub(super) fn text(size: u32, color: RGBColor) -> TextStyle<'static> {
    face(size, FontStyle::Normal, color)
}

fn bold(size: u32) -> TextStyle<'static> {
    face(size, FontStyle::Bold, INK)
}

fn face(size: u32, style: FontStyle, color: RGBColor) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::SansSerif, f64::from(size), style);
    TextStyle { font, color: color.to_backend_color(), pos: Pos::new(HPos::Left, VPos::Top) }
}

/// A text's style, anchored elsewhere than at its top left.
pub(super) fn anchored(style: TextStyle<'static>, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    TextStyle { pos: Pos::new(horizontal, vertical), ..style }
}

/// The limit's name over its level line, legible over whatever is drawn there.
pub(super) fn limit_note(plane: &Plane, at: (f64, f64), words: &str) -> Drawn<()> {
    let ground = [(4, -23), (13 + width_of(words), -3)];
    plane.draw(&(EmptyElement::at(at) + Rectangle::new(ground, GROUND.mix(0.8).filled())))?;
    note(plane, at, (8, -4), words, anchored(text(16, LIMIT), HPos::Left, VPos::Bottom))
}

/// Text beside a point of the plane, `by` pixels away, with `horizontal` and `vertical` saying which side of the text
/// is there.
pub(super) fn note(plane: &Plane, at: (f64, f64), by: (i32, i32), words: &str, style: TextStyle<'static>) -> Drawn<()> {
    plane.draw(&(EmptyElement::at(at) + Text::new(words.to_owned(), by, style)))
}
