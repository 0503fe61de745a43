//! The names of theory's curves and of shaded times, placed where they cover least.

use plotters::style::{RGBColor, WHITE};

use crate::{
    canvas::{Anchor, Canvas, Spot},
    figure::{Curve, Shade},
    font::Face,
    layout::{Frame, Obstacles},
    look::{SHADE, THEORY},
    panel::Plot,
};

/// A name with its place.
pub(crate) struct Caption<'a> {
    text: &'a str,
    frame: Frame,
    /// What lies under it.
    ground: RGBColor,
}

impl Caption<'_> {
    /// Clears the grid away under the name.
    pub(crate) fn clear(&self, canvas: &mut Canvas<'_>) {
        let Frame {
            left,
            top,
            right,
            bottom,
        } = self.frame;
        canvas.rect((left - 2.0, top), (right + 2.0, bottom), self.ground, 1.0);
    }

    /// Writes the name.
    pub(crate) fn write(&self, canvas: &mut Canvas<'_>) {
        let at = (self.frame.left, self.frame.bottom - 6.0);
        canvas.text(self.text, at, Face::THEORY, THEORY, Anchor::Start);
    }
}

/// Finds a place for every name that there is room for.
pub(crate) fn captions<'a>(plot: &Plot<'a>) -> Vec<Caption<'a>> {
    let mut obstacles = obstacles(plot);
    let mut captions: Vec<Caption<'a>> = Vec::new();
    let mut add = |text: &'a str, candidates: &[Frame], ground| {
        let found = obstacles.best(candidates, &plot.area);
        if let Some(frame) = found {
            obstacles.labels.push(frame);
            captions.push(Caption {
                text,
                frame,
                ground,
            });
        }
        found.is_some()
    };
    for curve in &plot.panel.theory {
        add(&curve.name, &beside(plot, curve), WHITE);
    }
    for shade in &plot.panel.shades {
        // The long name where there is room, or else the short one, or that one beside it.
        let _ = add(&shade.name, &inside(plot, shade, &shade.name), SHADE)
            || add(&shade.short, &inside(plot, shade, &shade.short), SHADE)
            || add(&shade.short, &outside(plot, shade), ground(plot, shade));
    }
    captions
}

fn obstacles(plot: &Plot<'_>) -> Obstacles {
    let mut obstacles = Obstacles::default();
    for series in &plot.panel.series {
        for path in &series.paths {
            obstacles.add_line(&plot.path(path), 10.0);
        }
        for (x, low, high) in &series.bars {
            obstacles.add_line(&plot.path(&[(*x, *low), (*x, *high)]), 10.0);
        }
        for mark in &series.marks {
            let (x, y) = plot.at(*mark);
            obstacles.add_line(&[(x - 8.0, y), (x + 8.0, y)], 10.0);
        }
    }
    for curve in &plot.panel.theory {
        obstacles.add_line(&plot.path(&curve.points), 4.0);
    }
    obstacles
}

/// Places for the name of a curve: over and under many points of it, the later points first.
fn beside(plot: &Plot<'_>, curve: &Curve) -> Vec<Frame> {
    let (width, height) = (Face::THEORY.width(&curve.name), Face::THEORY.line_height());
    let mut candidates = Vec::new();
    for away in [8.0, 16.0, 28.0] {
        for (x, y) in along(&plot.path(&curve.points)) {
            for left in [x - width / 2.0, x - width - away, x + away] {
                for top in [y - height - away, y + away] {
                    candidates.push(frame((left, top), width, height));
                }
            }
        }
    }
    candidates
}

/// Many points of a line, from its end to its begin.
fn along(path: &[Spot]) -> Vec<Spot> {
    const STEPS: u32 = 12;
    let mut spots = Vec::new();
    for pair in path.windows(2).rev() {
        for step in (0..=STEPS).rev() {
            let share = f64::from(step) / f64::from(STEPS);
            let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            spots.push((pair[0].0 + dx * share, pair[0].1 + dy * share));
        }
    }
    spots
}

/// Places for the name of a shaded time: centred in it, from above downwards.
fn inside(plot: &Plot<'_>, shade: &Shade, name: &str) -> Vec<Frame> {
    let (from, to) = plot.span(shade);
    let width = Face::THEORY.width(name);
    if to - from < width + 8.0 {
        return Vec::new();
    }
    let left = f64::midpoint(from, to) - width / 2.0;
    downwards(plot, width, &[left])
}

/// Places for the short name of a shaded time: right or left of it, from above downwards.
fn outside(plot: &Plot<'_>, shade: &Shade) -> Vec<Frame> {
    let (from, to) = plot.span(shade);
    let width = Face::THEORY.width(&shade.short);
    downwards(plot, width, &[to + 6.0, from - width - 6.0])
}

/// What lies beside a shaded time: nothing, or another one.
fn ground(plot: &Plot<'_>, shade: &Shade) -> RGBColor {
    let covers = |other: &Shade| other.from < shade.from && other.to > shade.to;
    if plot.panel.shades.iter().any(covers) {
        SHADE
    } else {
        WHITE
    }
}

fn downwards(plot: &Plot<'_>, width: f64, lefts: &[f64]) -> Vec<Frame> {
    let height = Face::THEORY.line_height();
    let top = |step: i32| plot.area.top + 6.0 + f64::from(step) * height / 2.0;
    let row = |step: i32| {
        lefts
            .iter()
            .map(move |left| frame((*left, top(step)), width, height))
    };
    (0..24).flat_map(row).collect()
}

fn frame((left, top): Spot, width: f64, height: f64) -> Frame {
    Frame {
        left,
        top,
        right: left + width,
        bottom: top + height,
    }
}
