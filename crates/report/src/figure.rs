//! A figure: a title, a line of set-up, what is drawn, and the names of the lines.

use crate::{
    axis::Axis,
    bars::Bars,
    canvas::{Anchor, Canvas, Spot, Stroke, draw},
    font::Face,
    layout::{Frame, spread},
    look::{INK, Look, QUIET, SHADE},
    panel,
};

/// Everything that is drawn, in the units of the axes.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) title: String,
    /// Set-up, replications, and what band or bars mean; one paragraph each.
    pub(crate) subtitle: Vec<String>,
    /// What the shaded times are, or, without shading, what else happened.
    pub(crate) incidents: Vec<String>,
    pub(crate) content: Content,
    /// The contenders to name, in the order of their index.
    pub(crate) keys: Vec<Key>,
}

/// What is drawn under the title.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Lines between axes, in up to four panels.
    Panels(Vec<Panel>),
    /// Bars from zero.
    Bars(Bars),
}

/// The name of a contender's line.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) look: Look,
    pub(crate) label: String,
    /// Words under the label, such as "nobody served".
    pub(crate) remark: String,
}

/// One pair of axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// What sets the panel apart from the others, if there are any.
    pub(crate) heading: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// One per key, in the same order.
    pub(crate) series: Vec<Series>,
    pub(crate) theory: Vec<Curve>,
    pub(crate) shades: Vec<Shade>,
}

/// The data of one contender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub(crate) paths: Vec<Vec<(f64, f64)>>,
    /// Outlines of the intervals' area.
    pub(crate) bands: Vec<Vec<(f64, f64)>>,
    /// Intervals as bars: where, from, to.
    pub(crate) bars: Vec<(f64, f64, f64)>,
    pub(crate) marks: Vec<(f64, f64)>,
}

/// A curve that theory gives.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A time during which something was wrong.
#[derive(Clone, Debug)]
pub(crate) struct Shade {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) name: String,
    /// What to write where the name does not fit.
    pub(crate) short: String,
}

const WIDTH: f64 = 1200.0;
const EDGE: f64 = 24.0;
/// Length of a line's sample before its name.
const SAMPLE: f64 = 44.0;
/// Between panels, and between the last panel and the names.
const GAP: f64 = 24.0;
const COLUMN_MOST: f64 = 230.0;

impl Figure {
    /// The figure as SVG.
    pub(crate) fn svg(&self, name: &str, description: &str) -> String {
        let rows = match &self.content {
            Content::Panels(panels) if panels.len() > 2 => 2,
            _ => 1,
        };
        let height = match &self.content {
            Content::Bars(bars) => bars.height(),
            Content::Panels(_) if rows == 2 => 900,
            Content::Panels(_) => 700,
        };
        draw((1200, height), name, (&self.title, description), |canvas| {
            let top = self.header(canvas);
            let right = WIDTH - EDGE;
            let room = Frame {
                left: EDGE,
                top,
                right,
                bottom: f64::from(height) - 14.0,
            };
            match &self.content {
                Content::Panels(panels) => self.panels(canvas, panels, room, rows),
                Content::Bars(bars) => bars.draw(canvas, &self.keys, room),
            }
        })
    }

    /// Whether any time is shaded.
    fn shaded(&self) -> bool {
        let Content::Panels(panels) = &self.content else {
            return false;
        };
        panels.iter().any(|panel| !panel.shades.is_empty())
    }

    /// Draws title, set-up and what is shaded; gives the lower edge.
    fn header(&self, canvas: &mut Canvas<'_>) -> f64 {
        let width = WIDTH - 2.0 * EDGE;
        let mut baseline = 12.0;
        for line in Face::TITLE.wrap(&self.title, width, 2) {
            baseline += Face::TITLE.line_height();
            canvas.text(&line, (EDGE, baseline), Face::TITLE, INK, Anchor::Start);
        }
        baseline += 5.0;
        for line in self
            .subtitle
            .iter()
            .flat_map(|text| Face::SMALL.wrap(text, width, 2))
        {
            baseline += Face::SMALL.line_height() + 2.0;
            canvas.text(&line, (EDGE, baseline), Face::SMALL, QUIET, Anchor::Start);
        }
        let indent = if self.shaded() { 32.0 } else { 0.0 };
        for text in &self.incidents {
            for (index, line) in Face::SMALL.wrap(text, width - indent, 2).iter().enumerate() {
                baseline += Face::SMALL.line_height() + 2.0;
                if index == 0 && self.shaded() {
                    let box_top = baseline - 14.0;
                    canvas.rect((EDGE, box_top), (EDGE + 22.0, box_top + 16.0), SHADE, 1.0);
                }
                canvas.text(
                    line,
                    (EDGE + indent, baseline),
                    Face::SMALL,
                    QUIET,
                    Anchor::Start,
                );
            }
        }
        baseline + 10.0
    }

    /// Draws the panels in a grid of `rows`, and the names of the lines beside them.
    fn panels(&self, canvas: &mut Canvas<'_>, panels: &[Panel], room: Frame, rows: usize) {
        let names: Vec<Name> = self.keys.iter().map(Name::of).collect();
        let column = names.iter().map(Name::width).fold(0.0, f64::max) + GAP;
        let across = Frame {
            left: room.right - column + GAP,
            ..room
        };
        let columns = panels.len().div_ceil(rows).max(1);
        let gaps = GAP * (columns as f64 - 1.0);
        let width = (room.width() - column - gaps) / columns as f64;
        let height = room.height() / rows as f64;
        let place = |(index, panel): (usize, &Panel)| {
            let left = room.left + (index % columns) as f64 * (width + GAP);
            let top = room.top + (index / columns) as f64 * height;
            let frame = Frame {
                left,
                top,
                right: left + width,
                bottom: top + height,
            };
            panel::draw(canvas, panel, frame, &self.keys)
        };
        let areas: Vec<Frame> = panels.iter().enumerate().map(place).collect();
        let Some(first) = areas.first() else { return };
        let wanted: Vec<f64> = match (panels, &areas[..]) {
            ([panel], [area]) => panel
                .series
                .iter()
                .map(|s| end_of(s, panel, area))
                .collect(),
            _ => names.iter().map(|_| first.top).collect(),
        };
        self.names(
            canvas,
            &names,
            &wanted,
            Frame {
                top: first.top - 16.0,
                ..across
            },
        );
    }

    /// Writes the names of the lines as near to `wanted` as they fit, each with a sample.
    fn names(&self, canvas: &mut Canvas<'_>, names: &[Name], wanted: &[f64], room: Frame) {
        let heights: Vec<f64> = names.iter().map(Name::height).collect();
        let edges = spread(wanted, &heights, room.top, room.bottom);
        for ((name, edge), key) in names.iter().zip(edges).zip(&self.keys) {
            name.draw(canvas, (room.left, edge), key);
        }
    }
}

/// Where the name of a series belongs, in pixels from above: at the end of its line or, for a line
/// that ends on the ground, where it was highest.
fn end_of(series: &Series, panel: &Panel, area: &Frame) -> f64 {
    let last = series
        .paths
        .last()
        .and_then(|line| line.last())
        .map(|(_, y)| panel.y.place(*y));
    let all = series
        .paths
        .iter()
        .flatten()
        .map(|(_, y)| panel.y.place(*y));
    let place = last
        .filter(|place| *place > 0.0)
        .unwrap_or_else(|| all.fold(0.0, f64::max));
    area.bottom - place * area.height()
}

/// A contender's name, broken into lines.
struct Name {
    label: Vec<String>,
    remark: Vec<String>,
}

impl Name {
    fn of(key: &Key) -> Self {
        let width = COLUMN_MOST - SAMPLE;
        Self {
            label: Face::LABEL.wrap(&key.label, width, 3),
            remark: Face::SMALL.wrap(&key.remark, width, 3),
        }
    }

    fn width(&self) -> f64 {
        let label = self.label.iter().map(|line| Face::LABEL.width(line));
        let remark = self.remark.iter().map(|line| Face::SMALL.width(line));
        SAMPLE + label.chain(remark).fold(0.0, f64::max)
    }

    fn height(&self) -> f64 {
        self.label.len() as f64 * Face::LABEL.line_height()
            + self.remark.len() as f64 * Face::SMALL.line_height()
            + 8.0
    }

    fn draw(&self, canvas: &mut Canvas<'_>, (left, top): Spot, key: &Key) {
        let mut baseline = top + 0.78 * Face::LABEL.size + 4.0;
        let middle = baseline - 7.0;
        let sample = [(left, middle), (left + SAMPLE - 10.0, middle)];
        canvas.line(&sample, key.look.stroke());
        let center = (left + (SAMPLE - 10.0) / 2.0, middle);
        canvas.marker(center, key.look.marker, 12.0, key.look.color);
        for line in &self.label {
            let at = (left + SAMPLE, baseline);
            canvas.text(line, at, Face::LABEL, key.look.text, Anchor::Start);
            baseline += Face::LABEL.line_height();
        }
        for line in &self.remark {
            canvas.text(
                line,
                (left + SAMPLE, baseline - 3.0),
                Face::SMALL,
                QUIET,
                Anchor::Start,
            );
            baseline += Face::SMALL.line_height();
        }
    }
}

/// A thin line of the axes.
pub(crate) fn hairline(color: plotters::style::RGBColor, width: f64) -> Stroke {
    Stroke {
        color,
        width,
        dash: crate::look::Dash::Solid,
    }
}
