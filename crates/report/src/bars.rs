//! Bars from zero, one per contender, in groups.

use netduel_metrics::interval::Estimate;

use crate::{
    axis::Axis,
    canvas::{Anchor, Canvas},
    charts::ends,
    figure::{Key, hairline},
    font::Face,
    layout::Frame,
    look::{GRID, INK, QUIET},
    number::Scale,
};

/// Groups of bars.
#[derive(Clone, Debug)]
pub(crate) struct Bars {
    /// What is shown, with its unit in words.
    pub(crate) title: String,
    pub(crate) scale: Scale,
    /// What stands in for a bar that is absent.
    pub(crate) absent: &'static str,
    /// Name of the group (may be empty) and one value per key, absent where there is none.
    pub(crate) rows: Vec<(String, Vec<Option<Bar>>)>,
}

/// One bar with what is written beside it.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    pub(crate) estimate: Estimate,
    /// The mean and its interval in words.
    pub(crate) words: String,
    /// How few replications the mean rests on; empty when all have a value.
    pub(crate) few: String,
}

const NAME_MOST: f64 = 260.0;
const VALUE_SPACE: f64 = 290.0;
const HEADING: f64 = 34.0;
const SLOT_MOST: f64 = 190.0;
const BAR_MOST: f64 = 84.0;

impl Bars {
    /// How high a figure of these bars should be, in pixels.
    pub(crate) fn height(&self) -> u32 {
        let count: usize = self.rows.iter().map(|(_, values)| values.len()).sum();
        if count > 3 { 700 } else { 560 }
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas<'_>, keys: &[Key], room: Frame) {
        let names: Vec<Vec<String>> = keys
            .iter()
            .map(|key| Face::LABEL.wrap(&key.label, NAME_MOST, 2))
            .collect();
        let width = names
            .iter()
            .flatten()
            .map(|line| Face::LABEL.width(line))
            .fold(0.0, f64::max);
        let area = Frame {
            left: room.left + width + 16.0,
            top: room.top + 16.0,
            right: room.right - VALUE_SPACE,
            bottom: room.bottom - 62.0,
        };
        let axis = self.axis();
        self.frame(canvas, &axis, &area);
        let headings = self
            .rows
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .count();
        let count = self
            .rows
            .iter()
            .map(|(_, values)| values.len())
            .sum::<usize>()
            .max(1);
        let slot = ((area.height() - headings as f64 * HEADING) / count as f64).min(SLOT_MOST);
        // Few bars stand in the middle of the sheet.
        let used = slot * count as f64 + headings as f64 * HEADING;
        let mut top = area.top + (area.height() - used) / 2.0;
        for (heading, values) in &self.rows {
            if !heading.is_empty() {
                let at = (area.left + 8.0, top + 24.0);
                canvas.text(heading, at, Face::AXIS, QUIET, Anchor::Start);
                top += HEADING;
            }
            for ((value, key), name) in values.iter().zip(keys).zip(&names) {
                let half = (slot * 0.36).min(BAR_MOST / 2.0);
                let middle = top + slot / 2.0;
                let bar = Frame {
                    top: middle - half,
                    bottom: middle + half,
                    ..area
                };
                write_name(canvas, name, key, &bar);
                self.bar(canvas, value.as_ref(), key, &axis, &bar);
                top += slot;
            }
        }
    }

    fn axis(&self) -> Axis {
        let values = self
            .rows
            .iter()
            .flat_map(|(_, values)| values.iter().flatten());
        let highest = values
            .map(|bar| ends(&bar.estimate).1 * self.scale.factor)
            .fold(0.0, f64::max);
        Axis::from_zero(&self.title, highest)
    }

    fn frame(&self, canvas: &mut Canvas<'_>, axis: &Axis, area: &Frame) {
        for (value, label) in &axis.ticks {
            let x = area.left + axis.place(*value) * area.width();
            canvas.line(
                &[(x, area.top), (x, area.bottom + 6.0)],
                hairline(GRID, 1.2),
            );
            canvas.text(
                label,
                (x, area.bottom + 26.0),
                Face::TICK,
                INK,
                Anchor::Middle,
            );
        }
        let foot = [
            (area.left, area.top),
            (area.left, area.bottom),
            (area.right, area.bottom),
        ];
        canvas.line(&foot, hairline(INK, 1.5));
        let at = (f64::midpoint(area.left, area.right), area.bottom + 54.0);
        canvas.text(&self.title, at, Face::AXIS, QUIET, Anchor::Middle);
    }

    fn bar(
        &self,
        canvas: &mut Canvas<'_>,
        value: Option<&Bar>,
        key: &Key,
        axis: &Axis,
        bar: &Frame,
    ) {
        let at = |value: f64| bar.left + axis.place(value * self.scale.factor) * bar.width();
        let middle = f64::midpoint(bar.top, bar.bottom);
        let Some(Bar {
            estimate: value,
            words,
            few,
        }) = value
        else {
            let spot = (bar.left + 8.0, middle + 7.0);
            canvas.text(self.absent, spot, Face::SMALL, QUIET, Anchor::Start);
            return;
        };
        canvas.rect(
            (bar.left, bar.top),
            (at(value.mean), bar.bottom),
            key.look.color,
            1.0,
        );
        let (low, high) = (at(ends(value).0), at(ends(value).1));
        if value.interval.is_some() {
            canvas.line(&[(low, middle), (high, middle)], hairline(INK, 2.0));
            for x in [low, high] {
                canvas.line(&[(x, middle - 8.0), (x, middle + 8.0)], hairline(INK, 2.0));
            }
        }
        let lines: Vec<&str> = [words.as_str(), few]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect();
        let step = Face::SMALL.line_height();
        let first = middle + 7.0 - (lines.len() as f64 - 1.0) * step / 2.0;
        for (index, line) in lines.iter().enumerate() {
            let baseline = first + index as f64 * step;
            let spot = (high.max(at(value.mean)) + 12.0, baseline);
            // A grid line through figures makes them hard to read.
            let ground = (spot.0 + Face::SMALL.width(line) + 2.0, spot.1 + 5.0);
            canvas.rect(
                (spot.0 - 2.0, spot.1 - 16.0),
                ground,
                plotters::style::WHITE,
                1.0,
            );
            canvas.text(line, spot, Face::SMALL, INK, Anchor::Start);
        }
    }
}

fn write_name(canvas: &mut Canvas<'_>, name: &[String], key: &Key, bar: &Frame) {
    let line = Face::LABEL.line_height();
    let first = f64::midpoint(bar.top, bar.bottom) + 7.5 - (name.len() as f64 - 1.0) * line / 2.0;
    for (index, text) in name.iter().enumerate() {
        let at = (bar.left - 12.0, first + index as f64 * line);
        canvas.text(text, at, Face::LABEL, key.look.text, Anchor::End);
    }
}
