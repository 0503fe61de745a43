//! One bar per contender, where there is no number to draw a line against.

use netduel_metrics::interval::Estimate;

use super::{Chart, Numbers, chosen, ends, fields, heading, keys, subtitle, sweep::Sweep};
use crate::{
    bars::{Bar, Bars},
    figure::{Content, Figure},
    number::Scale,
    results::{Point, Results},
    words::{absent_words, metric_words, sentence_case, shown_unit},
};

/// More bars than this in one figure are too thin to read.
const MOST_BARS: usize = 12;

/// Bars for each headline metric when no swept axis is a number, at as many points as fit.
pub(crate) fn charts(results: &Results) -> Vec<Chart> {
    if Sweep::find(results).is_some() {
        return Vec::new();
    }
    let charted = results.charted();
    let charts = charted
        .iter()
        .filter_map(|(metric, word)| chart(results, metric, word));
    charts.collect()
}

fn chart(results: &Results, metric: &str, word: &str) -> Option<Chart> {
    let estimates = |point: &Point| -> Vec<Option<Estimate>> {
        results
            .contenders()
            .map(|c| results.estimate(point.index, c, metric))
            .collect()
    };
    let most = (MOST_BARS / results.contenders().len().max(1)).max(2);
    let points = chosen(results, most, |point| {
        estimates(point).iter().any(Option::is_some)
    });
    let all: Vec<Estimate> = points
        .iter()
        .flat_map(|point| estimates(point))
        .flatten()
        .collect();
    let dull = ["success_ratio", "reach"].contains(&metric)
        && all.iter().all(|estimate| estimate.mean >= 1.0);
    if all.is_empty() || dull {
        return None;
    }
    let highest = all
        .iter()
        .map(|estimate| ends(estimate).1)
        .fold(0.0, f64::max);
    let words = sentence_case(&metric_words(results.manifest.demand, metric));
    let scale = match points[..] {
        [point] => results.scale(point.index, metric, highest),
        _ => Scale::of(shown_unit(metric, results.unit(metric)), highest),
    };
    let bar = |point: &Point, estimate: Option<Estimate>| {
        let estimate = estimate?;
        let words = results.scale(point.index, metric, estimate.mean);
        Some(Bar {
            estimate,
            words: words.estimate(&estimate),
            few: results.few(&estimate).unwrap_or_default(),
        })
    };
    let row = |point: &&Point| {
        let bars = estimates(point).into_iter();
        let bars = bars.map(|estimate| bar(point, estimate)).collect();
        (results.point_words(point), bars)
    };
    let rows: Vec<(String, Vec<Option<Bar>>)> = points.iter().map(row).collect();
    let title = heading(results, metric);
    let mut description = format!("{title}. ");
    for (point, row) in &rows {
        for (contender, bar) in row.iter().enumerate() {
            let at = if point.is_empty() {
                String::new()
            } else {
                format!(" at {point}")
            };
            let value = match bar {
                None => absent_words(results.manifest.demand, metric).to_owned(),
                Some(bar) if bar.few.is_empty() => bar.words.clone(),
                Some(bar) => format!("{}, {}", bar.words, bar.few),
            };
            put!(description, "{}{at}: {value}. ", results.label(contender));
        }
    }
    let figure = Figure {
        title,
        subtitle: subtitle(results, all.iter(), ("bar", "whisker")),
        incidents: Vec::new(),
        content: Content::Bars(Bars {
            title: if scale.word.is_empty() {
                words
            } else {
                format!("{words} ({})", scale.word)
            },
            absent: absent_words(results.manifest.demand, metric),
            scale,
            rows,
        }),
        keys: keys(results),
    };
    let numbers = numbers(results, metric, &points);
    let name = format!("{word}-compared");
    Some(Chart::new(
        name,
        &figure,
        description.trim_end().to_owned(),
        &numbers,
    ))
}

fn numbers(results: &Results, metric: &str, points: &[&Point]) -> Numbers {
    let mut header = vec!["point"];
    header.extend(results.manifest.axes.iter().map(|axis| axis.key.as_str()));
    header.extend([
        "contender",
        "metric",
        "unit",
        "n",
        "mean",
        "ci_low",
        "ci_high",
    ]);
    let mut numbers = Numbers::new(&header);
    for point in points {
        for contender in results.contenders() {
            let Some(estimate) = results.estimate(point.index, contender, metric) else {
                continue;
            };
            let mut line = vec![point.index.to_string()];
            line.extend(point.values.iter().cloned());
            line.extend(
                [results.label(contender), metric, results.unit(metric)].map(str::to_owned),
            );
            line.extend(fields(&estimate));
            numbers.add(line);
        }
    }
    numbers
}
