//! How delivery goes on over time, with the incidents that befell it.

use netduel_metrics::interval::Estimate;

use super::{Chart, Numbers, chosen, ends, fields, incidents, keys, subtitle};
use crate::{
    axis::Axis,
    figure::{Content, Figure, Panel, Series},
    number::{Scale, quantity},
    results::{Moment, Point, Results},
    words::{metric_words, sentence_case},
};

/// Markers on a line of many points.
const MARKS: usize = 8;

/// Delivery and users served over time, at up to four points each.
pub(crate) fn charts(results: &Results) -> Vec<Chart> {
    let figures = [
        ("delivered", "delivered-over-time"),
        ("delivery_rate", "delivery-over-time"),
        ("served", "served-over-time"),
    ];
    figures
        .iter()
        .flat_map(|(metric, name)| metric_charts(results, metric, name))
        .collect()
}

fn metric_charts(results: &Results, metric: &str, name: &str) -> Vec<Chart> {
    let has_data = |point: &Point| {
        results
            .timeline
            .iter()
            .any(|r| r.point == point.index && r.metric == metric)
    };
    let points = chosen(results, 4, has_data);
    let several = results.points.len() > 1;
    let chart = |point: &&Point| {
        let name = if several {
            format!("{name}-point-{}", point.index)
        } else {
            name.to_owned()
        };
        View::new(results, point, metric).chart(name)
    };
    points.iter().map(chart).collect()
}

/// One metric at one point.
struct View<'a> {
    results: &'a Results,
    point: &'a Point,
    metric: &'a str,
    /// Per contender, in order of time.
    lines: Vec<Vec<&'a Moment>>,
    unit: &'a str,
    /// The last time worth showing, in seconds.
    end: f64,
}

impl<'a> View<'a> {
    fn new(results: &'a Results, point: &'a Point, metric: &'a str) -> Self {
        let line = |contender| {
            let here = |row: &&Moment| {
                row.point == point.index && row.contender == contender && row.metric == metric
            };
            let mut line: Vec<&Moment> = results.timeline.iter().filter(here).collect();
            line.sort_by(|a, b| a.time.total_cmp(&b.time));
            line
        };
        let lines: Vec<Vec<&Moment>> = results.contenders().map(line).collect();
        let unit = lines
            .iter()
            .flatten()
            .next()
            .map_or("", |row| row.unit.as_str());
        let end = end(results, point, &lines);
        Self {
            results,
            point,
            metric,
            lines,
            unit,
            end,
        }
    }

    fn chart(&self, name: String) -> Chart {
        let scale = Scale::of("s", self.end);
        let (shades, notes) = incidents::shades(self.results, self.point.index, self.end, &scale);
        let estimates = self.lines.iter().flatten().map(|row| &row.estimate);
        let words = sentence_case(&metric_words(self.metric));
        let at = self.results.point_words(self.point);
        let at = if at.is_empty() {
            at
        } else {
            format!(" ({at})")
        };
        let mut keys = keys(self.results);
        for (key, line) in keys.iter_mut().zip(&self.lines) {
            if self.metric == "served" && line.last().is_none_or(|row| row.estimate.mean <= 0.0) {
                "nobody served".clone_into(&mut key.remark);
            }
        }
        let figure = Figure {
            title: format!("{words} over time{at}"),
            subtitle: subtitle(self.results, estimates, ("line", "band")),
            incidents: notes.clone(),
            content: Content::Panels(vec![self.panel(&scale, shades)]),
            keys,
        };
        let description = self.describe(&figure.title, &notes);
        Chart::new(name, &figure, description, &self.numbers())
    }

    fn panel(&self, time: &Scale, shades: Vec<crate::figure::Shade>) -> Panel {
        let highest = self.lines.iter().flatten().map(|row| ends(&row.estimate).1);
        let highest = highest.fold(0.0, f64::max);
        let scale = Scale::of(self.unit, highest);
        let words = sentence_case(&metric_words(self.metric));
        let title = format!("{words} ({})", scale.word);
        let y = match self.unit {
            "share" => Axis::from_zero(&title, 100.0),
            _ => Axis::from_zero(&title, highest * scale.factor * 1.02),
        };
        let x_title = format!("Time since the start ({})", time.word);
        let x = Axis::linear(&x_title, 0.0, self.end * time.factor);
        let series = self.lines.iter().enumerate().map(|(contender, line)| {
            let shown = line.iter().filter(|row| row.time <= self.end + 1e-9);
            let points = shown.map(|row| (row.time * time.factor, row.estimate));
            series(
                contender,
                &points.collect::<Vec<_>>(),
                (scale.factor, y.high()),
            )
        });
        let series = series.collect();
        Panel {
            heading: String::new(),
            x,
            y,
            series,
            theory: Vec::new(),
            shades,
        }
    }

    fn numbers(&self) -> Numbers {
        let header = [
            "contender",
            "time_s",
            "metric",
            "unit",
            "n",
            "mean",
            "ci_low",
            "ci_high",
        ];
        let mut numbers = Numbers::new(&header);
        for row in self
            .lines
            .iter()
            .flatten()
            .filter(|row| row.time <= self.end + 1e-9)
        {
            let label = self.results.label(row.contender);
            let mut line = vec![label.to_owned(), row.time.to_string()];
            line.extend([self.metric.to_owned(), self.unit.to_owned()]);
            line.extend(fields(&row.estimate));
            numbers.add(line);
        }
        numbers
    }

    fn describe(&self, title: &str, shaded: &[String]) -> String {
        let mut text = format!("{title}, up to {}. ", quantity(self.end, "s"));
        for (contender, line) in self.lines.iter().enumerate() {
            let label = self.results.label(contender);
            let sentence = match (self.metric, highest(line), line.last()) {
                (_, None, _) | (_, _, None) => format!("{label}: no data. "),
                ("delivery_rate", Some(peak), _) => format!(
                    "{label}: at most {}, at {}. ",
                    quantity(peak.estimate.mean, self.unit),
                    quantity(peak.time, "s")
                ),
                (_, Some(peak), Some(_)) => format!(
                    "{label}: reaches {} at {}. ",
                    quantity(peak.estimate.mean, self.unit),
                    quantity(peak.time, "s")
                ),
            };
            text.push_str(&sentence);
        }
        for words in shaded {
            put!(text, "{words}. ");
        }
        text.trim_end().to_owned()
    }
}

/// The first moment with the highest mean.
fn highest<'a>(line: &[&'a Moment]) -> Option<&'a Moment> {
    line.iter().copied().reduce(|best, row| {
        if row.estimate.mean > best.estimate.mean {
            row
        } else {
            best
        }
    })
}

/// The last time at which anything still changes, and at least the begin of the last incident.
fn end(results: &Results, point: &Point, lines: &[Vec<&Moment>]) -> f64 {
    let steps = lines
        .iter()
        .flat_map(|line| line.windows(2))
        .filter(|pair| (pair[0].estimate.mean - pair[1].estimate.mean).abs() > 0.0);
    let changed = steps.map(|pair| pair[1].time).fold(0.0, f64::max);
    let begins = results
        .incidents
        .iter()
        .filter(|hit| hit.point == point.index);
    let begun = begins.map(|hit| hit.at).fold(0.0, f64::max);
    let last = lines
        .iter()
        .flatten()
        .map(|row| row.time)
        .fold(0.0, f64::max);
    let end = changed.max(begun * 1.1).min(last);
    if end > 0.0 { end } else { last }
}

/// The line of a contender; `factor` brings it to the unit shown, `high` ends the axis.
fn series(contender: usize, points: &[(f64, Estimate)], (factor, high): (f64, f64)) -> Series {
    let path: Vec<(f64, f64)> = points.iter().map(|(x, e)| (*x, e.mean * factor)).collect();
    let edge = |value: f64| (value * factor).clamp(0.0, high);
    let mut band: Vec<(f64, f64)> = points.iter().map(|(x, e)| (*x, edge(ends(e).0))).collect();
    band.extend(points.iter().rev().map(|(x, e)| (*x, edge(ends(e).1))));
    // Each contender's markers begin elsewhere, so that lines on top of each other show both.
    let every = path.len().div_ceil(MARKS).max(1);
    let marks = path
        .iter()
        .skip(contender * every / 3 % every)
        .step_by(every)
        .copied()
        .collect();
    Series {
        paths: vec![path],
        bands: vec![band],
        marks,
        ..Series::default()
    }
}
