//! How delivery goes on over time, with the incidents that befell it.

use netduel_metrics::interval::Estimate;

use super::{Chart, Numbers, chosen, ends, fields, incidents, keys, subtitle};
use crate::{
    axis::Axis,
    figure::{Content, Figure, Panel, Series},
    number::{Scale, quantity},
    results::{Moment, Point, Results},
    words::{moment_words, sentence_case},
};

/// Markers on a line of many points.
const MARKS: usize = 8;
/// From this ratio between how long contenders took on, time is drawn on a logarithmic axis.
const APART: f64 = 5.0;
/// How far before the end of the fastest contender a logarithmic axis begins.
const BEFORE: f64 = 50.0;

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
            .any(|r| r.point == point.index && r.metric == metric && r.estimate.mean > 0.0)
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
    /// Where time begins on a logarithmic axis, in seconds; nothing when the axis is linear.
    log_from: Option<f64>,
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
        let log_from = log_from(results, point).filter(|from| *from < end);
        Self {
            results,
            point,
            metric,
            lines,
            unit,
            end,
            log_from,
        }
    }

    fn chart(&self, name: String) -> Chart {
        // A logarithmic axis is in seconds, and names its ticks in the unit of their size.
        let scale = Scale::of("s", self.log_from.map_or(self.end, |_| 1.0));
        let (shades, notes) = incidents::shades(self.results, self.point.index, self.end, &scale);
        let estimates = self.lines.iter().flatten().map(|row| &row.estimate);
        let words = sentence_case(&moment_words(
            self.results.manifest.demand,
            self.metric,
            self.unit,
        ));
        let at = self.results.point_words(self.point);
        let at = if at.is_empty() {
            at
        } else {
            format!(" ({at})")
        };
        let mut keys = keys(self.results);
        for (key, line) in keys.iter_mut().zip(&self.lines) {
            if self.metric == "served" && line.last().is_none_or(|row| row.estimate.mean <= 0.0) {
                self.results
                    .manifest
                    .demand
                    .none_done()
                    .clone_into(&mut key.remark);
            }
        }
        if self.metric == "delivery_rate" {
            for (contender, key) in keys.iter_mut().enumerate() {
                key.remark = self.dip(contender).unwrap_or_default();
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

    /// What the first crash did to a contender: "dip 100 %, back after 305 s"; back at 90 %, that is.
    fn dip(&self, contender: usize) -> Option<String> {
        let estimate = |metric| self.results.estimate(self.point.index, contender, metric);
        let dip = estimate("dip_depth")?;
        let depth = self
            .results
            .scale(self.point.index, "dip_depth", dip.mean)
            .words(dip.mean);
        let back = match estimate("recovery_90") {
            None => "never back".to_owned(),
            Some(back) if back.mean <= 0.0 => "never below 90 %".to_owned(),
            Some(back) => {
                let scale = self.results.time_scale(self.point.index, back.mean);
                let few = self.results.few(&back);
                let few = few.map_or(String::new(), |few| format!(" ({few})"));
                format!("back after {}{few}", scale.words(back.mean))
            }
        };
        Some(format!("dip {depth}, {back}"))
    }

    fn panel(&self, time: &Scale, shades: Vec<crate::figure::Shade>) -> Panel {
        let highest = self.lines.iter().flatten().map(|row| ends(&row.estimate).1);
        let highest = highest.fold(0.0, f64::max);
        let scale = Scale::of(self.unit, highest);
        let words = sentence_case(&moment_words(
            self.results.manifest.demand,
            self.metric,
            self.unit,
        ));
        let title = format!("{words} ({})", scale.word);
        let y = match self.unit {
            "share" => Axis::from_zero(&title, 100.0),
            _ => Axis::from_zero(&title, highest * scale.factor * 1.02),
        };
        let x = if let Some(from) = self.log_from {
            Axis::logarithmic_time("Time since the start (log scale)", from, self.end)
        } else {
            let title = format!("Time since the start ({})", time.word);
            Axis::time(&title, self.end * time.factor, &time.unit)
        };
        let begin = self.log_from.unwrap_or(0.0);
        let series = self.lines.iter().enumerate().map(|(contender, line)| {
            let shown = line
                .iter()
                .filter(|row| row.time >= begin && row.time <= self.end + 1e-9);
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

    fn time_words(&self, time: f64) -> String {
        let scale = self.results.time_scale(self.point.index, time);
        scale.words(time)
    }

    fn describe(&self, title: &str, shaded: &[String]) -> String {
        let mut text = format!("{title}, up to {}. ", self.time_words(self.end));
        for (contender, line) in self.lines.iter().enumerate() {
            let label = self.results.label(contender);
            let sentence = match (self.metric, highest(line), line.last()) {
                (_, None, _) | (_, _, None) => format!("{label}: no data. "),
                ("delivery_rate", Some(peak), _) => format!(
                    "{label}: at most {}, at {}{}. ",
                    quantity(peak.estimate.mean, self.unit),
                    self.time_words(peak.time),
                    self.dip(contender)
                        .map_or(String::new(), |dip| format!("; {dip}"))
                ),
                (_, Some(peak), Some(_)) => {
                    // A mean is highest once the slowest of its runs is.
                    let slowest = if peak.estimate.n > 1 {
                        " in the slowest run"
                    } else {
                        ""
                    };
                    format!(
                        "{label}: reaches {} by {}{slowest}. ",
                        quantity(peak.estimate.mean, self.unit),
                        self.time_words(peak.time)
                    )
                }
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

/// Where a logarithmic axis of time begins, when contenders were busy for so different times that a
/// linear one would squeeze the shortest.
fn log_from(results: &Results, point: &Point) -> Option<f64> {
    let (mut lasts, mut first) = (vec![0.0_f64; results.contenders().len()], f64::INFINITY);
    // Per contender and metric, the reading before.
    let mut before: Vec<(usize, &str, f64)> = Vec::new();
    for row in results.timeline.iter().filter(|r| r.point == point.index) {
        if row.time > 0.0 {
            first = first.min(row.time);
        }
        let mean = row.estimate.mean;
        let known = before
            .iter_mut()
            .find(|(contender, metric, _)| *contender == row.contender && *metric == row.metric);
        let last = known.map(|(_, _, last)| std::mem::replace(last, mean));
        if last.is_none() {
            before.push((row.contender, &row.metric, mean));
        }
        let changed = (last.unwrap_or(0.0) - mean).abs() > 0.0;
        if changed {
            let last = &mut lasts[row.contender];
            *last = last.max(row.time);
        }
    }
    let busy = lasts.into_iter().filter(|last| *last > 0.0);
    let (short, long) = busy.fold((f64::INFINITY, 0.0_f64), |(short, long), last| {
        (short.min(last), long.max(last))
    });
    (long > APART * short).then(|| first.max(short / BEFORE))
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
