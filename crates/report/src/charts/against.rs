//! A metric against a swept number, with what theory says of it.

use netduel_metrics::interval::Estimate;

use super::{Chart, Numbers, ends, fields, heading, keys, log_scale, slug, subtitle, sweep::Sweep};
use crate::{
    axis::Axis,
    figure::{Content, Curve, Figure, Panel, Series},
    number::Scale,
    results::{Point, Results},
    words::{absent_words, metric_words, sentence_case, shown_unit},
};

/// One chart per metric and combination of the other axes' values, along the first axis whose
/// values are numbers; none without such an axis.
pub(crate) fn charts(results: &Results) -> Vec<Chart> {
    let Some(sweep) = Sweep::find(results) else {
        return Vec::new();
    };
    let combinations = sweep.combinations(results);
    let several = combinations.len() > 1;
    let mut charts = Vec::new();
    for &(metric, word) in results.charted() {
        for (index, (others, points)) in combinations.iter().enumerate() {
            let suffix = if several {
                format!("-{}", index + 1)
            } else {
                String::new()
            };
            let name = format!("{word}-against-{}{suffix}", slug(sweep.key));
            let view = View {
                results,
                sweep: &sweep,
                metric,
                points,
                others,
            };
            charts.extend(view.chart(name));
        }
    }
    charts
}

/// One metric over the points of one combination.
struct View<'a> {
    results: &'a Results,
    sweep: &'a Sweep<'a>,
    metric: &'a str,
    points: &'a [(f64, &'a Point)],
    others: &'a str,
}

impl View<'_> {
    fn chart(&self, name: String) -> Option<Chart> {
        let curves: Vec<Vec<(f64, Estimate)>> = self
            .results
            .contenders()
            .map(|contender| self.curve(contender))
            .collect();
        let all: Vec<Estimate> = curves
            .iter()
            .flatten()
            .map(|(_, estimate)| *estimate)
            .collect();
        let dull = ["success_ratio", "reach"].contains(&self.metric)
            && all.iter().all(|estimate| estimate.mean >= 1.0);
        if all.is_empty() || dull {
            return None;
        }
        let bounds = self.bounds();
        let means = all
            .iter()
            .map(|estimate| estimate.mean)
            .filter(|mean| *mean > 0.0);
        let values: Vec<f64> = means
            .chain(bounds.iter().flat_map(|b| b.1.iter().map(|p| p.1)))
            .collect();
        let scale = self.scale(&values);
        let panel = self.panel(&curves, &bounds, &values, &all, &scale);
        let mut keys = keys(self.results);
        for (key, curve) in keys.iter_mut().zip(&curves) {
            if curve.is_empty() {
                absent_words(self.results.manifest.demand, self.metric).clone_into(&mut key.remark);
            }
        }
        let words = heading(self.results, self.metric);
        let with = if self.others.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.others)
        };
        let figure = Figure {
            title: format!("{words}, against {}{with}", self.sweep.noun()),
            subtitle: subtitle(
                self.results,
                all.iter(),
                ("line", "bars (where larger than the markers)"),
            ),
            incidents: Vec::new(),
            content: Content::Panels(vec![panel]),
            keys,
        };
        let description = self.describe(&figure.title, &curves, &bounds);
        Some(Chart::new(
            name,
            &figure,
            description,
            &self.numbers(&curves, &bounds),
        ))
    }

    fn curve(&self, contender: usize) -> Vec<(f64, Estimate)> {
        let estimate = |(x, point): &(f64, &Point)| {
            Some((
                *x,
                self.results.estimate(point.index, contender, self.metric)?,
            ))
        };
        self.points.iter().filter_map(estimate).collect()
    }

    /// Theory's curves for the metric: name and points.
    fn bounds(&self) -> Vec<(String, Vec<(f64, f64)>)> {
        let mut curves: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
        for (x, point) in self.points {
            let here = |bound: &&crate::results::Bound| {
                bound.point == point.index && bound.metric == self.metric
            };
            for bound in self.results.theory.iter().filter(here) {
                let of = bound
                    .contender
                    .map(|contender| self.results.label(contender));
                let name = match of {
                    Some(label) if !bound.name.contains(label) => {
                        format!("{} ({label})", bound.name)
                    }
                    _ => bound.name.clone(),
                };
                match curves.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, points)) => points.push((*x, bound.value)),
                    None => curves.push((name, vec![(*x, bound.value)])),
                }
            }
        }
        curves
    }

    /// One unit for the whole axis: that of the middle, in the sense of the axis.
    fn scale(&self, values: &[f64]) -> Scale {
        let high = values.iter().copied().fold(0.0, f64::max);
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let typical = if Axis::suits_logarithm(values) {
            (low * high).sqrt()
        } else {
            high
        };
        Scale::of(
            shown_unit(self.metric, self.results.unit(self.metric)),
            typical,
        )
    }

    fn panel(
        &self,
        curves: &[Vec<(f64, Estimate)>],
        bounds: &[(String, Vec<(f64, f64)>)],
        values: &[f64],
        all: &[Estimate],
        scale: &Scale,
    ) -> Panel {
        let xs: Vec<f64> = self.points.iter().map(|(x, _)| *x).collect();
        let x_logarithmic = Axis::suits_logarithm(&xs);
        let x_title = self.sweep.title(x_logarithmic);
        let (first, last) = (xs[0], xs[xs.len() - 1]);
        let x = if x_logarithmic {
            Axis::logarithmic(&x_title, first, last)
        } else {
            linear_x(&x_title, first, last)
        };
        let series = curves
            .iter()
            .map(|curve| series(curve, &xs, scale.factor))
            .collect();
        let shown = |(name, points): &(String, Vec<(f64, f64)>)| Curve {
            name: name.clone(),
            points: points.iter().map(|(x, y)| (*x, y * scale.factor)).collect(),
        };
        let theory = bounds.iter().map(shown).collect();
        let y = self.y_axis(values, all, scale);
        Panel {
            heading: String::new(),
            x,
            y,
            series,
            theory,
            shades: Vec::new(),
        }
    }

    fn y_axis(&self, values: &[f64], all: &[Estimate], scale: &Scale) -> Axis {
        let mut words = sentence_case(&metric_words(self.results.manifest.demand, self.metric));
        if !scale.word.is_empty() {
            words = format!("{words} ({})", scale.word);
        }
        if self.results.unit(self.metric) == "share" {
            return Axis::from_zero(&words, 100.0);
        }
        let mut shown: Vec<f64> = values.iter().map(|value| value * scale.factor).collect();
        shown.extend(all.iter().map(|estimate| ends(estimate).1 * scale.factor));
        let lows = all.iter().map(|estimate| ends(estimate).0 * scale.factor);
        if Axis::suits_logarithm(&shown) {
            words = log_scale(&words);
            // An interval that reaches below 0 has no place on this axis.
            shown.extend(lows.filter(|low| *low > 0.0));
        }
        Axis::fitting(&words, &shown)
    }

    fn numbers(
        &self,
        curves: &[Vec<(f64, Estimate)>],
        bounds: &[(String, Vec<(f64, f64)>)],
    ) -> Numbers {
        let unit = self.results.unit(self.metric).to_owned();
        let mut numbers = Numbers::new(&[
            "line",
            "kind",
            self.sweep.key,
            "axis_unit",
            "metric",
            "unit",
            "n",
            "mean",
            "ci_low",
            "ci_high",
        ]);
        let start = |line: &str, kind: &str, x: f64| {
            let text = [
                line,
                kind,
                &x.to_string(),
                &self.sweep.unit,
                self.metric,
                &unit,
            ];
            text.map(str::to_owned).to_vec()
        };
        for (contender, curve) in curves.iter().enumerate() {
            for (x, estimate) in curve {
                let mut row = start(self.results.label(contender), "simulated", *x);
                row.extend(fields(estimate));
                numbers.add(row);
            }
        }
        for (name, points) in bounds {
            for (x, value) in points {
                let mut row = start(name, "theory", *x);
                row.extend([
                    String::new(),
                    value.to_string(),
                    String::new(),
                    String::new(),
                ]);
                numbers.add(row);
            }
        }
        numbers
    }

    fn describe(
        &self,
        title: &str,
        curves: &[Vec<(f64, Estimate)>],
        bounds: &[(String, Vec<(f64, f64)>)],
    ) -> String {
        let words = |point: usize, value: f64| {
            let scale = self.results.scale(point, self.metric, value);
            scale.words(value)
        };
        let mean = |x: f64, estimate: &Estimate| {
            let here = self.points.iter().find(|(at, _)| at.total_cmp(&x).is_eq());
            let shown = words(here.map_or(0, |(_, point)| point.index), estimate.mean);
            match self.results.few(estimate) {
                Some(few) => format!("{shown} ({few})"),
                None => shown,
            }
        };
        let (Some((_, first)), Some((_, last))) = (self.points.first(), self.points.last()) else {
            return String::new();
        };
        let (from, to) = (self.sweep.value(first), self.sweep.value(last));
        let mut text = format!("{title}, from {from} to {to}. ");
        for (contender, curve) in curves.iter().enumerate() {
            let label = self.results.label(contender);
            let sentence = match (curve.first(), curve.last()) {
                (Some((x, a)), Some((y, b))) if curve.len() == self.points.len() => {
                    format!(
                        "{label}: {} at {from}, {} at {to}. ",
                        mean(*x, a),
                        mean(*y, b)
                    )
                }
                (Some(_), Some((y, b))) => format!(
                    "{label}: values at {} of {} points, the last one {}. ",
                    curve.len(),
                    self.points.len(),
                    mean(*y, b)
                ),
                _ => format!(
                    "{label}: {} at any point. ",
                    absent_words(self.results.manifest.demand, self.metric)
                ),
            };
            text.push_str(&sentence);
        }
        for (name, points) in bounds {
            if let (Some(low), Some(high)) = (points.first(), points.last()) {
                let (a, b) = (words(first.index, low.1), words(last.index, high.1));
                put!(text, "Theory, {name}: {a} to {b}. ");
            }
        }
        text.trim_end().to_owned()
    }
}

/// A linear axis for values from `first` to `last`: from 0 unless that would squeeze them.
fn linear_x(title: &str, first: f64, last: f64) -> Axis {
    let span = last - first;
    let low = if first > 2.0 * span {
        first - span * 0.1
    } else {
        first.min(0.0)
    };
    Axis::linear(title, low, last + span * 0.03)
}

/// The line of a contender, broken where it has no value at one of `xs`.
fn series(curve: &[(f64, Estimate)], xs: &[f64], factor: f64) -> Series {
    let bar = |(x, estimate): &(f64, Estimate)| {
        let interval = estimate.interval?;
        Some((*x, interval.low * factor, interval.high * factor))
    };
    let mut series = Series {
        bars: curve.iter().filter_map(bar).collect(),
        ..Series::default()
    };
    let mut path = Vec::new();
    for x in xs {
        match curve.iter().find(|(known, _)| known.total_cmp(x).is_eq()) {
            Some((x, estimate)) => path.push((*x, estimate.mean * factor)),
            None => series.paths.push(std::mem::take(&mut path)),
        }
    }
    series.paths.push(path);
    series.paths.retain(|path| !path.is_empty());
    series.marks = series.paths.iter().flatten().copied().collect();
    series
}
