//! A sheet to draw on, in pixels with fractions.
//!
//! Plotters writes whole pixels only, which makes kinks in flat lines. The sheet is therefore ten
//! times as large inside, and its frame scales it back.

use plotters::{
    backend::{DrawingBackend, SVGBackend},
    style::{
        Color as _, FontFamily, IntoFont as _, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{
    font::{FAMILY, Face},
    look::{Dash, Marker},
};

/// A point in pixels, from the upper left corner.
pub(crate) type Spot = (f64, f64);

/// Sheet units in a pixel.
const FINE: f64 = 10.0;
/// Where plotters puts the upper edge of a text over its baseline, in em.
const TOP: f64 = 0.76;
/// What plotters divides a size by to get the em.
const SIZE_PER_EM: f64 = 1.24;
const NEVER_FAILS: &str = "drawing into a string cannot fail";

/// Which point of a text its position is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub(crate) color: RGBColor,
    /// In pixels.
    pub(crate) width: f64,
    pub(crate) dash: Dash,
}

/// A sheet under the pen.
pub(crate) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// Draws a sheet of `width` × `height` pixels; gives the SVG, with `title` and `description` for
/// those who cannot see it. `name` makes its ids unique in a page of several.
pub(crate) fn draw(
    (width, height): (u32, u32),
    name: &str,
    (title, description): (&str, &str),
    paint: impl FnOnce(&mut Canvas<'_>),
) -> String {
    let mut svg = String::new();
    let fine = |pixels: u32| whole(f64::from(pixels) * FINE).unsigned_abs();
    let mut canvas = Canvas {
        backend: SVGBackend::with_string(&mut svg, (fine(width), fine(height))),
    };
    canvas.rect(
        (0.0, 0.0),
        (f64::from(width), f64::from(height)),
        plotters::style::WHITE,
        1.0,
    );
    paint(&mut canvas);
    canvas.backend.present().expect(NEVER_FAILS);
    drop(canvas);
    let (_, body) = svg
        .split_once('\n')
        .expect("plotters opens with a line of its own");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\" \
         stroke-linejoin=\"round\">\n<title id=\"{name}-title\">{}</title>\n\
         <desc id=\"{name}-desc\">{}</desc>\n{body}",
        fine(width),
        fine(height),
        crate::page::escape(title),
        crate::page::escape(description),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a sheet has far fewer units than an i32"
)]
fn whole(units: f64) -> i32 {
    units.round() as i32
}

fn fine((x, y): Spot) -> (i32, i32) {
    (whole(x * FINE), whole(y * FINE))
}

fn pen(color: RGBColor, alpha: f64, width: f64) -> ShapeStyle {
    let stroke_width = whole(width * FINE).unsigned_abs();
    ShapeStyle {
        color: color.mix(alpha),
        filled: true,
        stroke_width,
    }
}

impl Canvas<'_> {
    /// A line through `points`; a single point draws nothing.
    pub(crate) fn line(&mut self, points: &[Spot], stroke: Stroke) {
        let style = pen(stroke.color, 1.0, stroke.width);
        let dashes = match stroke.dash.lengths() {
            [] => vec![points.to_vec()],
            lengths => dashes(points, lengths),
        };
        for dash in dashes {
            let mut path: Vec<(i32, i32)> = dash.into_iter().map(fine).collect();
            path.dedup();
            if path.len() > 1 {
                self.backend.draw_path(path, &style).expect(NEVER_FAILS);
            }
        }
    }

    /// A filled area.
    pub(crate) fn polygon(&mut self, points: &[Spot], color: RGBColor, alpha: f64) {
        let path = points.iter().copied().map(fine);
        self.backend
            .fill_polygon(path, &pen(color, alpha, 0.0))
            .expect(NEVER_FAILS);
    }

    /// A filled rectangle between two corners.
    pub(crate) fn rect(&mut self, from: Spot, to: Spot, color: RGBColor, alpha: f64) {
        let style = pen(color, alpha, 0.0);
        self.backend
            .draw_rect(fine(from), fine(to), &style, true)
            .expect(NEVER_FAILS);
    }

    /// A marker of about `size` pixels across, with a white rim.
    pub(crate) fn marker(&mut self, at: Spot, marker: Marker, size: f64, color: RGBColor) {
        for (radius, color) in [
            (size / 2.0 + 1.5, plotters::style::WHITE),
            (size / 2.0, color),
        ] {
            match marker.corners() {
                [] => {
                    let radius = whole(radius * FINE).unsigned_abs();
                    let style = pen(color, 1.0, 0.0);
                    self.backend
                        .draw_circle(fine(at), radius, &style, true)
                        .expect(NEVER_FAILS);
                }
                corners => {
                    let corner = |(x, y): &Spot| (at.0 + x * radius, at.1 + y * radius);
                    self.polygon(&corners.iter().map(corner).collect::<Vec<_>>(), color, 1.0);
                }
            }
        }
    }

    /// A line of text with its baseline at `at`.
    pub(crate) fn text(
        &mut self,
        text: &str,
        at: Spot,
        face: Face,
        color: RGBColor,
        anchor: Anchor,
    ) {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = face.size * FINE * SIZE_PER_EM;
        let style: TextStyle<'_> = (FontFamily::Name(FAMILY), size, face.style())
            .into_font()
            .into();
        let style = style.color(&color).pos(Pos::new(h_pos, VPos::Top));
        let top = fine((at.0, at.1 - TOP * face.size));
        self.backend
            .draw_text(text, &style, top)
            .expect(NEVER_FAILS);
    }
}

/// Cuts a line into dashes: `lengths` are drawn and left out in turn, in pixels.
fn dashes(points: &[Spot], lengths: &[f64]) -> Vec<Vec<Spot>> {
    let mut dashes = Vec::new();
    let mut dash: Vec<Spot> = points.first().copied().into_iter().collect();
    let (mut phase, mut left) = (0, lengths[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        let mut distance = libm::hypot(to.0 - from.0, to.1 - from.1);
        while distance > left {
            let share = left / distance;
            from = (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            );
            distance -= left;
            if phase % 2 == 0 {
                dash.push(from);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            phase = (phase + 1) % lengths.len();
            left = lengths[phase];
        }
        left -= distance;
        if phase % 2 == 0 {
            dash.push(to);
        }
    }
    dashes.push(dash);
    dashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_go_on_round_a_corner() {
        let found = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)], &[3.0, 1.0]);
        assert_eq!(found[0], vec![(0.0, 0.0), (3.0, 0.0)]);
        assert_eq!(found[1], vec![(4.0, 0.0), (5.0, 0.0), (5.0, 2.0)]);
        assert_eq!(found[2], vec![(5.0, 3.0), (5.0, 5.0)]);
    }
}
