//! The charts of a result folder, drawn from its tables alone.

mod against;
mod compared;
mod distribution;
pub(crate) mod incidents;
mod over_time;
mod sweep;

use netduel_metrics::interval::Estimate;

use crate::{
    demand::Demand,
    figure::{Figure, Key},
    look::Look,
    results::{Point, Results},
    words::{metric_words, sentence_case},
};

/// One chart: a picture, the numbers in it, and what it shows in words.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its file name without ending, such as `completion-against-population-peers`.
    pub name: String,
    /// What it asks.
    pub title: String,
    /// What it shows, in words: for those who cannot see it, and for captions.
    pub description: String,
    /// The picture.
    pub svg: String,
    /// The exact numbers drawn, as CSV with a header.
    pub csv: String,
}

/// Draws every chart for which the folder has data, in the order in which a reader wants them.
pub fn charts(results: &Results) -> Vec<Chart> {
    let mut charts = against::charts(results);
    charts.extend(compared::charts(results));
    // A design that fails users is not fast: who was served comes first.
    let first = ["success-", "reach-"];
    charts.sort_by_key(|chart| !first.iter().any(|word| chart.name.starts_with(word)));
    charts.extend(distribution::chart(results));
    charts.extend(over_time::charts(results));
    charts
}

impl Chart {
    fn new(name: String, figure: &Figure, description: String, numbers: &Numbers) -> Self {
        let svg = figure.svg(&name, &description);
        Self {
            name,
            title: figure.title.clone(),
            description,
            svg,
            csv: numbers.csv(),
        }
    }
}

/// The numbers drawn, row by row.
struct Numbers {
    rows: Vec<Vec<String>>,
}

impl Numbers {
    fn new(header: &[&str]) -> Self {
        Self {
            rows: vec![header.iter().map(|&name| name.to_owned()).collect()],
        }
    }

    fn add(&mut self, fields: Vec<String>) {
        self.rows.push(fields);
    }

    fn csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            writer
                .write_record(row)
                .expect("every row has as many fields as the header");
        }
        let bytes = writer
            .into_inner()
            .expect("writing into memory cannot fail");
        String::from_utf8(bytes).expect("text that was put in comes out as text")
    }
}

/// Count, mean and interval as fields of a table; empty where there is no interval.
fn fields(estimate: &Estimate) -> [String; 4] {
    let interval = estimate.interval;
    let end = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    [
        estimate.n.to_string(),
        estimate.mean.to_string(),
        end(interval.map(|interval| interval.low)),
        end(interval.map(|interval| interval.high)),
    ]
}

/// The ends of an estimate's interval, or the mean twice when it has none.
pub(crate) fn ends(estimate: &Estimate) -> (f64, f64) {
    let interval = estimate.interval;
    interval.map_or((estimate.mean, estimate.mean), |interval| {
        (interval.low, interval.high)
    })
}

/// The lines under the title: the set-up, then how many replications and what shows the mean and its
/// interval.
fn subtitle<'a>(
    results: &Results,
    estimates: impl Iterator<Item = &'a Estimate>,
    (mean, marks): (&str, &str),
) -> Vec<String> {
    let (mut least, mut most, mut intervals) = (usize::MAX, 0, false);
    for estimate in estimates {
        least = least.min(estimate.n);
        most = most.max(estimate.n);
        intervals |= estimate.interval.is_some();
    }
    let all = results.replications();
    let count = match (least.min(most), most) {
        (1, 1) if all == 1 => "n = 1 replication".to_owned(),
        (least, most) if least == most && most == all => format!("n = {most} replications"),
        (least, most) if least == most => format!("n = {most} of {all} replications"),
        (least, most) => format!("n = {least} to {most} of {all} replications"),
    };
    let meaning = if intervals {
        format!(
            "{count}; {mean}: mean; {marks}: its interval ({})",
            results.method()
        )
    } else {
        format!("{count}; no interval, since one run says nothing about its own scatter")
    };
    let setup = results.manifest.setup.clone();
    [setup, meaning]
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect()
}

/// One key per contender.
fn keys(results: &Results) -> Vec<Key> {
    let key = |contender| Key {
        look: Look::of(contender),
        label: results.label(contender).to_owned(),
        remark: String::new(),
    };
    results.contenders().map(key).collect()
}

/// Up to `most` of the points for which there is data, evenly chosen, the last one among them.
fn chosen(results: &Results, most: usize, has_data: impl Fn(&Point) -> bool) -> Vec<&Point> {
    let points: Vec<&Point> = results
        .points
        .iter()
        .filter(|point| has_data(point))
        .collect();
    if points.len() <= most {
        return points;
    }
    let last = points.len() - 1;
    let pick = |index: usize| points[(index * last + (most - 1) / 2) / (most - 1)];
    (0..most).map(pick).collect()
}

/// What a chart of a metric asks; of times, whose they are where not everybody was served.
fn heading(results: &Results, metric: &str) -> String {
    let words = sentence_case(&metric_words(results.manifest.demand, metric));
    let times = ["completion_time", "makespan"];
    let of_users = results.manifest.demand == Demand::Download;
    if times.contains(&metric) && results.fails() && of_users {
        format!("{words}, of the users who were served")
    } else if metric.starts_with("completion_time") && results.fails() && !of_users {
        format!("{words}, of the requests that were served")
    } else {
        words
    }
}

/// The title of an axis, which may end in its unit in brackets, of a logarithmic scale.
fn log_scale(title: &str) -> String {
    match title.strip_suffix(')') {
        Some(open) => format!("{open}, log scale)"),
        None => format!("{title} (log scale)"),
    }
}

/// `key` as a part of a file name.
fn slug(key: &str) -> String {
    let kept = key.chars().map(|c| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    });
    let parts: String = kept.collect();
    parts
        .split('-')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}
