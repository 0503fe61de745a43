//! One pair of axes with what is drawn between them.

use crate::{
    canvas::{Anchor, Canvas, Spot},
    captions::captions,
    figure::{Key, Panel, Series, Shade, hairline},
    font::Face,
    layout::Frame,
    look::{GRID, INK, QUIET, SHADE, SHADE_EDGE, THEORY_RIM, THEORY_STROKE},
};

/// Draws a panel inside `room`; gives the area between its axes.
pub(crate) fn draw(canvas: &mut Canvas<'_>, panel: &Panel, room: Frame, keys: &[Key]) -> Frame {
    let area = headings(canvas, panel, room);
    let plot = Plot { panel, area };
    let captions = captions(&plot);
    for shade in &panel.shades {
        let (from, to) = plot.span(shade);
        canvas.rect((from, area.top), (to, area.bottom), SHADE, 1.0);
    }
    plot.grid(canvas);
    for x in panel
        .shades
        .iter()
        .map(|shade| plot.span(shade))
        .flat_map(|(from, to)| [from, to])
    {
        canvas.line(
            &[(x, area.top), (x, area.bottom)],
            hairline(SHADE_EDGE, 1.0),
        );
    }
    for caption in &captions {
        caption.clear(canvas);
    }
    plot.ticks(canvas);
    for (series, key) in panel.series.iter().zip(keys) {
        for band in &series.bands {
            canvas.polygon(&plot.path(band), key.look.color, 0.2);
        }
    }
    for (series, key) in panel.series.iter().zip(keys) {
        plot.lines(canvas, series, key);
    }
    // Over the lines, so that it shows where a simulation does what theory says.
    for curve in &panel.theory {
        let path = plot.path(&curve.points);
        canvas.line(&path, THEORY_RIM);
        canvas.line(&path, THEORY_STROKE);
    }
    for (series, key) in panel.series.iter().zip(keys) {
        plot.marks(canvas, series, key);
    }
    for caption in &captions {
        caption.write(canvas);
    }
    area
}

/// Writes the panel's heading and the axes' titles; gives what is left for the plot.
fn headings(canvas: &mut Canvas<'_>, panel: &Panel, room: Frame) -> Frame {
    let mut top = room.top;
    if !panel.heading.is_empty() {
        top += 22.0;
        for line in Face::AXIS.wrap(&panel.heading, room.width(), 1) {
            canvas.text(&line, (room.left, top), Face::AXIS, INK, Anchor::Start);
        }
    }
    let face = if panel.heading.is_empty() {
        Face::AXIS
    } else {
        Face::SMALL
    };
    for line in face.wrap(&panel.y.title, room.width(), 1) {
        canvas.text(&line, (room.left, top + 25.0), face, QUIET, Anchor::Start);
    }
    let widths = panel
        .y
        .ticks
        .iter()
        .map(|(_, label)| Face::TICK.width(label));
    let left = room.left + widths.fold(0.0, f64::max) + 12.0;
    let area = Frame {
        left,
        top: top + 45.0,
        right: room.right - 10.0,
        bottom: room.bottom - 62.0,
    };
    for line in face.wrap(&panel.x.title, area.width(), 1) {
        let middle = f64::midpoint(area.left, area.right);
        canvas.text(
            &line,
            (middle, area.bottom + 54.0),
            face,
            QUIET,
            Anchor::Middle,
        );
    }
    area
}

/// A panel with the place of its plot.
pub(crate) struct Plot<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) area: Frame,
}

impl Plot<'_> {
    /// Where a point of the axes lies, in pixels.
    pub(crate) fn at(&self, (x, y): (f64, f64)) -> Spot {
        let left = self.area.left + self.panel.x.place(x) * self.area.width();
        (
            left,
            self.area.bottom - self.panel.y.place(y) * self.area.height(),
        )
    }

    /// Where a line of the axes lies, in pixels.
    pub(crate) fn path(&self, points: &[(f64, f64)]) -> Vec<Spot> {
        points.iter().map(|point| self.at(*point)).collect()
    }

    /// Begin and end of a shaded time, in pixels; however short, an incident must be seen.
    pub(crate) fn span(&self, shade: &Shade) -> (f64, f64) {
        let (from, to) = (self.at((shade.from, 0.0)).0, self.at((shade.to, 0.0)).0);
        (from, to.max(from + 2.0))
    }

    fn grid(&self, canvas: &mut Canvas<'_>) {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.area;
        for (value, _) in &self.panel.y.ticks {
            let y = self.at((0.0, *value)).1;
            canvas.line(&[(left, y), (right, y)], hairline(GRID, 1.2));
        }
        for (value, _) in &self.panel.x.ticks {
            let x = self.at((*value, 0.0)).0;
            canvas.line(&[(x, top), (x, bottom)], hairline(GRID, 0.8));
        }
        canvas.line(
            &[(left, top), (left, bottom), (right, bottom)],
            hairline(INK, 1.5),
        );
    }

    fn ticks(&self, canvas: &mut Canvas<'_>) {
        let Frame { left, bottom, .. } = self.area;
        for value in &self.panel.x.minor {
            let x = self.at((*value, 0.0)).0;
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], hairline(INK, 1.0));
        }
        for value in &self.panel.y.minor {
            let y = self.at((0.0, *value)).1;
            canvas.line(&[(left - 4.0, y), (left, y)], hairline(INK, 1.0));
        }
        for (value, label) in &self.panel.y.ticks {
            let y = self.at((0.0, *value)).1;
            canvas.line(&[(left - 6.0, y), (left, y)], hairline(INK, 1.5));
            canvas.text(label, (left - 9.0, y + 7.0), Face::TICK, INK, Anchor::End);
        }
        let every = self.readable_every();
        for (index, (value, label)) in self.panel.x.ticks.iter().enumerate() {
            let x = self.at((*value, 0.0)).0;
            canvas.line(&[(x, bottom), (x, bottom + 6.0)], hairline(INK, 1.5));
            if index % every == 0 {
                canvas.text(label, (x, bottom + 26.0), Face::TICK, INK, Anchor::Middle);
            }
        }
    }

    /// How many ticks of the x axis share one number, so that the numbers do not touch.
    fn readable_every(&self) -> usize {
        let ticks = &self.panel.x.ticks;
        let extent = |(value, label): &(f64, String)| {
            let (middle, half) = (self.at((*value, 0.0)).0, Face::TICK.width(label) / 2.0);
            (middle - half, middle + half)
        };
        let extents: Vec<(f64, f64)> = ticks.iter().map(extent).collect();
        let fits = |every: &usize| {
            let shown: Vec<&(f64, f64)> = extents.iter().step_by(*every).collect();
            shown.windows(2).all(|pair| pair[0].1 + 10.0 < pair[1].0)
        };
        (1..=ticks.len()).find(fits).unwrap_or(1)
    }

    fn lines(&self, canvas: &mut Canvas<'_>, series: &Series, key: &Key) {
        for path in &series.paths {
            canvas.line(&self.path(path), key.look.stroke());
        }
    }

    fn marks(&self, canvas: &mut Canvas<'_>, series: &Series, key: &Key) {
        for (x, low, high) in &series.bars {
            let (bottom, top) = (self.at((*x, *low)), self.at((*x, *high)));
            canvas.line(&[bottom, top], hairline(key.look.color, 2.0));
            for (x, y) in [bottom, top] {
                canvas.line(&[(x - 7.0, y), (x + 7.0, y)], hairline(key.look.color, 2.0));
            }
        }
        for mark in &series.marks {
            canvas.marker(self.at(*mark), key.look.marker, 12.0, key.look.color);
        }
    }
}
