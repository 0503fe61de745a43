//! When which share of the users was served: the distribution, not just its mean.

use netduel_metrics::interval::Estimate;

use super::{Chart, Numbers, chosen, ends, fields, keys, log_scale, subtitle};
use crate::{
    axis::Axis,
    demand::Demand,
    figure::{Content, Figure, Panel, Series},
    number::{Scale, quantity},
    results::{Point, Results, ShareServed},
    words::sentence_case,
};

/// The cumulative distribution at up to four points, evenly chosen; none without data.
pub(crate) fn chart(results: &Results) -> Option<Chart> {
    let has_data = |point: &Point| results.distributions.iter().any(|r| r.point == point.index);
    let points = chosen(results, 4, has_data);
    let demand = results.manifest.demand;
    if points.is_empty() {
        return None;
    }
    let panels = points
        .iter()
        .map(|point| panel(results, point, points.len() > 1))
        .collect();
    let shown: Vec<&ShareServed> = points
        .iter()
        .flat_map(|point| results.contenders().map(move |c| (point, c)))
        .flat_map(|(point, contender)| rows(results, point, contender))
        .collect();
    let times = shown.iter().map(|row| &row.time);
    let mut subtitle = subtitle(results, times, ("line", "band"));
    let complete = points.iter().all(|point| {
        let mut all = results
            .contenders()
            .map(|contender| rows(results, point, contender));
        all.all(|rows| rows.last().is_some_and(|row| row.share >= 1.0))
    });
    if !complete {
        let counted = demand.counted();
        subtitle.push(format!(
            "A line ends at the share of {counted} that every run reached."
        ));
    }
    let mut keys = keys(results);
    for (contender, key) in keys.iter_mut().enumerate() {
        let served: Vec<Vec<&ShareServed>> = points
            .iter()
            .map(|point| rows(results, point, contender))
            .collect();
        if served.iter().all(Vec::is_empty) {
            nobody(results, &points, contender).clone_into(&mut key.remark);
        } else if let [rows] = &served[..] {
            key.remark = reached(demand, rows).unwrap_or_default();
        }
    }
    let title = format!("{}, by {}", demand.share_words(), demand.time_words());
    let title = sentence_case(&title);
    let content = Content::Panels(panels);
    let figure = Figure {
        title,
        subtitle,
        incidents: Vec::new(),
        content,
        keys,
    };
    let name = "distribution-of-completion".to_owned();
    let description = describe(results, &points);
    Some(Chart::new(
        name,
        &figure,
        description,
        &numbers(results, &points),
    ))
}

/// Why a contender has no line.
fn nobody(results: &Results, points: &[&Point], contender: usize) -> &'static str {
    let served = |point: &&Point| {
        let time = results.estimate(point.index, contender, results.manifest.demand.time());
        time.is_some()
    };
    match (points.iter().any(served), results.manifest.demand) {
        (true, Demand::Download) => "nobody served in some runs",
        (true, Demand::Broadcast) => "nobody reached in some runs",
        (true, _) => "nothing served in some runs",
        (false, demand) => demand.none_done(),
    }
}

/// The rows of one contender at one point that all its runs reached, the smallest share first: with
/// fewer runs the mean would be that of the lucky ones, and could fall from one share to the next.
fn rows<'a>(results: &'a Results, point: &Point, contender: usize) -> Vec<&'a ShareServed> {
    let here = |row: &&ShareServed| row.point == point.index && row.contender == contender;
    let mut rows: Vec<&ShareServed> = results.distributions.iter().filter(here).collect();
    rows.sort_by(|a, b| a.share.total_cmp(&b.share));
    let most = rows.iter().map(|row| row.time.n).max().unwrap_or(0);
    rows.retain(|row| row.time.n == most);
    rows
}

fn panel(results: &Results, point: &Point, several: bool) -> Panel {
    let all = results
        .contenders()
        .map(|contender| rows(results, point, contender));
    let all: Vec<Vec<&ShareServed>> = all.collect();
    let times: Vec<f64> = all.iter().flatten().map(|row| row.time.mean).collect();
    let logarithmic = Axis::suits_logarithm(&times);
    let (low, high) = times
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(l, h), t| (l.min(*t), h.max(*t)));
    let scale = Scale::of(
        "s",
        if logarithmic {
            (low * high).sqrt()
        } else {
            high
        },
    );
    let title = format!(
        "{} ({})",
        sentence_case(results.manifest.demand.time_words()),
        scale.word
    );
    let mut shown: Vec<f64> = times.iter().map(|time| time * scale.factor).collect();
    shown.extend(
        all.iter()
            .flatten()
            .map(|row| ends(&row.time).1 * scale.factor),
    );
    let title = if logarithmic {
        log_scale(&title)
    } else {
        title
    };
    let x = Axis::fitting(&title, &shown);
    let series = all
        .iter()
        .map(|rows| series(rows, scale.factor, x.high()))
        .collect();
    let heading = if several {
        sentence_case(&results.point_words(point))
    } else {
        String::new()
    };
    let demand = results.manifest.demand;
    let title = format!("{} {} (% of all)", demand.counted(), demand.done());
    let y = Axis::from_zero(&sentence_case(&title), 100.0);
    Panel {
        heading,
        x,
        y,
        series,
        theory: Vec::new(),
        shades: Vec::new(),
    }
}

/// The steps of one contender: nobody until the first is served, and nobody lost after the last;
/// what comes after a share that not all runs reached is not known.
fn series(rows: &[&ShareServed], factor: f64, end: f64) -> Series {
    let spot = |row: &&ShareServed| (row.time.mean * factor, row.share * 100.0);
    let mut path = Vec::new();
    if let Some(first) = rows.first() {
        path.extend([(0.0, 0.0), (first.time.mean * factor, 0.0)]);
    }
    path.extend(rows.iter().map(spot));
    if rows.last().is_some_and(|row| row.share >= 1.0) {
        path.push((end, 100.0));
    }
    let edge = |row: &&ShareServed, time: f64| (time * factor, row.share * 100.0);
    let mut band: Vec<(f64, f64)> = rows
        .iter()
        .map(|row| edge(row, ends(&row.time).0.max(0.0)))
        .collect();
    band.extend(rows.iter().rev().map(|row| edge(row, ends(&row.time).1)));
    let marks = [0.25, 0.5, 0.75, 1.0];
    let marked = |share: &f64| {
        let at = rows.iter().find(|row| row.share >= share - 1e-9)?;
        Some(spot(at))
    };
    Series {
        marks: marks.iter().filter_map(marked).collect(),
        paths: vec![path],
        bands: vec![band],
        bars: Vec::new(),
    }
}

fn numbers(results: &Results, points: &[&Point]) -> Numbers {
    let mut header = vec!["point"];
    header.extend(results.manifest.axes.iter().map(|axis| axis.key.as_str()));
    header.extend([
        "contender",
        "metric",
        "unit",
        "share",
        "n",
        "mean",
        "ci_low",
        "ci_high",
    ]);
    let mut numbers = Numbers::new(&header);
    for point in points {
        for contender in results.contenders() {
            for row in rows(results, point, contender) {
                let mut line = vec![point.index.to_string()];
                line.extend(point.values.iter().cloned());
                let text = [results.label(contender), "completion_time", "s"];
                line.extend(text.map(str::to_owned));
                line.push(row.share.to_string());
                line.extend(fields(&row.time));
                numbers.add(line);
            }
        }
    }
    numbers
}

fn describe(results: &Results, points: &[&Point]) -> String {
    let demand = results.manifest.demand;
    let mut text = format!(
        "Cumulative {} against {} {}. ",
        demand.share_words(),
        match demand {
            Demand::Download => "their",
            _ => "the",
        },
        demand.time_words()
    );
    for point in points {
        let words = results.point_words(point);
        if !words.is_empty() {
            put!(text, "{}: ", sentence_case(&words));
        }
        for contender in results.contenders() {
            text.push_str(&sentence(
                results,
                point,
                contender,
                &rows(results, point, contender),
            ));
        }
    }
    text.trim_end().to_owned()
}

/// How far a contender got, in words, unless all its runs served everybody.
fn reached(demand: Demand, rows: &[&ShareServed]) -> Option<String> {
    let last = rows.last()?;
    let share = quantity(last.share, "share");
    (last.share < 1.0).then(|| format!("{share} {} in every run", demand.done()))
}

fn sentence(results: &Results, point: &Point, contender: usize, rows: &[&ShareServed]) -> String {
    let label = results.label(contender);
    let demand = results.manifest.demand;
    let counted = demand.counted();
    let time = |share: f64| -> Option<&Estimate> {
        rows.iter()
            .find(|row| row.share >= share - 1e-9)
            .map(|row| &row.time)
    };
    let Some(last) = rows.last() else {
        return format!("{label}: {}. ", nobody(results, &[point], contender));
    };
    let words = |time: &Estimate| {
        let scale = results.time_scale(point.index, time.mean);
        scale.words(time.mean)
    };
    let end = reached(demand, rows).unwrap_or_else(|| format!("all by {}", words(&last.time)));
    match (time(0.5), time(0.9)) {
        (Some(half), Some(most)) => {
            format!(
                "{label}: half of all {counted} by {}, 90 % by {}, {end}. ",
                words(half),
                words(most)
            )
        }
        (Some(half), None) => format!("{label}: half of all {counted} by {}, {end}. ", words(half)),
        _ => format!("{label}: {end}. "),
    }
}
