//! Finds what charts can be drawn against.

use std::collections::BTreeMap;

use super::log_scale;
use crate::{
    number::with_unit,
    results::{Point, Results, countable, value_words},
    words::sentence_case,
};

/// More combinations of the other axes than this would bury the reader.
const MOST_COMBINATIONS: usize = 12;

/// The other axes' values in words, and the points with their place on the axis.
pub(crate) type Combination<'a> = (String, Vec<(f64, &'a Point)>);

/// A swept axis whose values are numbers.
pub(crate) struct Sweep<'a> {
    axis: usize,
    /// Its key in the scenario.
    pub(crate) key: &'a str,
    label: &'a str,
    /// The unit of its values, empty for plain numbers.
    pub(crate) unit: String,
}

impl<'a> Sweep<'a> {
    /// The first axis whose values are numbers of one unit, at least two of them.
    pub(crate) fn find(results: &'a Results) -> Option<Self> {
        results
            .manifest
            .axes
            .iter()
            .enumerate()
            .find_map(|(axis, swept)| {
                let mut values: Vec<&str> = results
                    .points
                    .iter()
                    .map(|point| point.values[axis].as_str())
                    .collect();
                values.sort_unstable();
                values.dedup();
                let numbers: Option<Vec<(f64, &str)>> =
                    values.iter().map(|v| with_unit(v)).collect();
                let numbers = numbers?;
                let unit = numbers.first()?.1;
                let alike = numbers.iter().all(|(_, other)| *other == unit);
                (alike && numbers.len() > 1).then(|| Self {
                    axis,
                    key: &swept.key,
                    label: &swept.label,
                    unit: unit.to_owned(),
                })
            })
    }

    /// The points for each combination of the other axes' values, in the words of those values.
    pub(crate) fn combinations<'b>(&self, results: &'b Results) -> Vec<Combination<'b>> {
        let mut groups: BTreeMap<usize, Combination<'_>> = BTreeMap::new();
        for point in &results.points {
            let others = self.others(results, point);
            let known = groups.iter().find(|(_, (words, _))| *words == others);
            let group = known.map_or(point.index, |(group, _)| *group);
            let x = with_unit(&point.values[self.axis]).map_or(0.0, |(x, _)| x);
            groups
                .entry(group)
                .or_insert((others, Vec::new()))
                .1
                .push((x, point));
        }
        let mut groups: Vec<_> = groups.into_values().take(MOST_COMBINATIONS).collect();
        for (_, points) in &mut groups {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        groups
    }

    fn others(&self, results: &Results, point: &Point) -> String {
        let axes = results.manifest.axes.iter().zip(&point.values).enumerate();
        let others = axes.filter(|(axis, _)| *axis != self.axis);
        let words = others.map(|(_, (axis, value))| value_words(&axis.label, value));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The title of the axis.
    pub(crate) fn title(&self, logarithmic: bool) -> String {
        let mut title = sentence_case(&self.noun().replace("the number", "number"));
        if !self.unit.is_empty() && !title.contains(&self.unit) {
            title = format!("{title} ({})", self.unit);
        }
        if logarithmic {
            log_scale(&title)
        } else {
            title
        }
    }

    /// What is swept: "the number of peers" for a plain number of things.
    pub(crate) fn noun(&self) -> String {
        if self.unit.is_empty() && countable(self.label) {
            format!("the number of {}", self.label)
        } else {
            self.label.to_owned()
        }
    }

    /// The value of a point in words.
    pub(crate) fn value(&self, point: &Point) -> String {
        value_words(self.label, &point.values[self.axis])
    }
}
