//! A result folder in memory, checked, and the questions that charts ask of it.

mod rows;

use std::collections::BTreeMap;

use netduel_metrics::interval::{Estimate, Verdict};
use sha2::{Digest as _, Sha256};

use crate::{
    error::ReportError,
    manifest::Manifest,
    number::{self, Scale},
    table::Table,
    words::shown_unit,
};
use rows::{Reader, read_bound, read_difference, read_hit, read_moment, read_share, read_summary};

/// Everything that charts, tables and sentences are made from.
#[derive(Clone, Debug)]
pub struct Results {
    /// What was asked.
    pub manifest: Manifest,
    pub(crate) points: Vec<Point>,
    pub(crate) summary: Vec<Summary>,
    pub(crate) differences: Vec<Difference>,
    pub(crate) timeline: Vec<Moment>,
    pub(crate) distributions: Vec<ShareServed>,
    pub(crate) incidents: Vec<Hit>,
    pub(crate) theory: Vec<Bound>,
}

/// One choice of the swept values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Point {
    pub(crate) index: usize,
    /// One value per axis of the manifest, as text.
    pub(crate) values: Vec<String>,
}

/// A metric of one contender at one point.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) point: usize,
    pub(crate) contender: usize,
    pub(crate) metric: String,
    pub(crate) unit: String,
    /// Absent when no replication has a value.
    pub(crate) estimate: Option<Estimate>,
    pub(crate) method: String,
}

/// A paired difference, B minus A.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) point: usize,
    pub(crate) metric: String,
    pub(crate) unit: String,
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) estimate: Option<Estimate>,
    pub(crate) p_adjusted: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// A metric of one contender at one point and instant.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) point: usize,
    pub(crate) contender: usize,
    pub(crate) time: f64,
    pub(crate) metric: String,
    pub(crate) unit: String,
    pub(crate) estimate: Estimate,
}

/// When a share of the users of one contender was served at one point.
#[derive(Clone, Debug)]
pub(crate) struct ShareServed {
    pub(crate) point: usize,
    pub(crate) contender: usize,
    pub(crate) share: f64,
    pub(crate) time: Estimate,
}

/// A node that an incident hit in one run.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) point: usize,
    pub(crate) contender: usize,
    pub(crate) replication: usize,
    pub(crate) failure: String,
    pub(crate) what: String,
    pub(crate) at: f64,
    pub(crate) until: Option<f64>,
    pub(crate) node: String,
    pub(crate) role: String,
    pub(crate) load_share: Option<f64>,
}

/// A value that theory gives for a metric at one point.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) point: usize,
    pub(crate) name: String,
    pub(crate) contender: Option<usize>,
    pub(crate) metric: String,
    pub(crate) value: f64,
    pub(crate) source: String,
}

/// SHA-256 of a text in hexadecimal digits, as manifests have it.
fn sha256(text: &str) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        put!(digits, "{byte:02x}");
    }
    digits
}

impl Results {
    /// Reads a result folder through `file`, which gives the text of a file by its name.
    ///
    /// `manifest.json` and `summary.csv` must be there; other tables may be missing, unless the
    /// manifest has a digest of them.
    ///
    /// # Errors
    /// [`ReportError`] when a file is missing, is not what the run wrote, or does not hold what it
    /// should.
    pub fn read(file: &dyn Fn(&str) -> Option<String>) -> Result<Self, ReportError> {
        let missing = |name: &'static str| ReportError::Missing { file: name };
        let manifest = file("manifest.json").ok_or_else(|| missing("manifest.json"))?;
        let manifest = Manifest::parse(&manifest)?;
        let known = |name: &'static str| match (manifest.files.get(name), file(name)) {
            (Some(digest), Some(text)) if *digest != sha256(&text) => {
                Err(ReportError::Altered { file: name })
            }
            (Some(_), None) => Err(missing(name)),
            (_, text) => Ok(text),
        };
        let needed = |name| known(name)?.ok_or_else(|| missing(name));
        let mut reader = Reader {
            manifest: &manifest,
            points: BTreeMap::new(),
        };
        let columns = [
            "contender",
            "metric",
            "unit",
            "n",
            "mean",
            "ci_low",
            "ci_high",
        ];
        let summary = Table::parse("summary.csv", &needed("summary.csv")?)?;
        summary.require(&columns)?;
        let summary = reader.rows(&summary, read_summary)?;
        let optional = |name| {
            let text = known(name)?;
            text.map(|text| Table::parse(name, &text)).transpose()
        };
        let differences = reader.maybe(optional("differences.csv")?, read_difference)?;
        let timeline = reader.maybe(optional("timeline.csv")?, read_moment)?;
        let distributions = reader.maybe(optional("distributions.csv")?, read_share)?;
        let incidents = reader.maybe(optional("incidents.csv")?, read_hit)?;
        let theory = reader.maybe(optional("theory.csv")?, read_bound)?;
        let points = reader.points.into_iter();
        let points = points
            .map(|(index, values)| Point { index, values })
            .collect();
        Ok(Self {
            points,
            summary,
            differences,
            timeline: timeline.into_iter().flatten().collect(),
            distributions: distributions.into_iter().flatten().collect(),
            incidents,
            theory,
            manifest,
        })
    }

    /// The label of a contender.
    pub(crate) fn label(&self, contender: usize) -> &str {
        &self.manifest.contenders[contender].label
    }

    /// The indices of all contenders.
    pub(crate) fn contenders(&self) -> std::ops::Range<usize> {
        0..self.manifest.contenders.len()
    }

    /// A metric's mean of one contender at one point.
    pub(crate) fn estimate(
        &self,
        point: usize,
        contender: usize,
        metric: &str,
    ) -> Option<Estimate> {
        let wanted = |row: &&Summary| {
            row.point == point && row.contender == contender && row.metric == metric
        };
        self.summary
            .iter()
            .find(wanted)
            .and_then(|row| row.estimate)
    }

    /// The unit of a metric as the tables have it, empty when it does not occur.
    pub(crate) fn unit(&self, metric: &str) -> &str {
        self.summary
            .iter()
            .find(|row| row.metric == metric)
            .map_or("", |row| &row.unit)
    }

    /// How a value of a metric is shown wherever a reader meets it: completion times of one point
    /// in one unit, as readers compare them, unless they are too far apart.
    pub(crate) fn scale(&self, point: usize, metric: &str, value: f64) -> Scale {
        match shown_unit(metric, self.unit(metric)) {
            "s" => self.time_scale(point, value),
            unit => Scale::of(unit, value),
        }
    }

    /// How a time at a point is shown, in seconds as given.
    pub(crate) fn time_scale(&self, point: usize, value: f64) -> Scale {
        let times = ["completion_time", "makespan"];
        let here = |row: &&Summary| row.point == point && times.contains(&row.metric.as_str());
        let means = self.summary.iter().filter(here);
        let mut means: Vec<f64> = means
            .filter_map(|row| row.estimate)
            .map(|estimate| estimate.mean)
            .collect();
        if value == 0.0 {
            return Scale::of("s", 0.0);
        }
        means.push(value);
        Scale::beside("s", value, &means)
    }

    /// How many replications there were.
    pub(crate) fn replications(&self) -> usize {
        let declared = usize::try_from(self.manifest.replications).unwrap_or(0);
        let counted = self.summary.iter().filter_map(|row| row.estimate);
        counted
            .map(|estimate| estimate.n)
            .fold(declared, usize::max)
    }

    /// "n = 18 of 20" when a mean does not rest on every replication.
    pub(crate) fn few(&self, estimate: &Estimate) -> Option<String> {
        let all = self.replications();
        (estimate.n < all).then(|| format!("n = {} of {all}", estimate.n))
    }

    /// A metric's mean at a point with its unit, its interval, and its count where that is not that
    /// of all replications.
    pub(crate) fn estimate_words(&self, point: usize, metric: &str, estimate: &Estimate) -> String {
        let shown = self.scale(point, metric, estimate.mean).estimate(estimate);
        match self.few(estimate) {
            Some(few) => format!("{shown}, {few}"),
            None => shown,
        }
    }

    /// Whether some request of some contender was not served.
    pub(crate) fn fails(&self) -> bool {
        let shares = self
            .summary
            .iter()
            .filter(|row| row.metric == "success_ratio");
        let mut shares = shares.filter_map(|row| row.estimate);
        shares.any(|share| share.mean < 1.0)
    }

    /// The metrics drawn against a sweep or as bars, with the first word of their file name.
    pub(crate) fn charted(&self) -> &'static [(&'static str, &'static str)] {
        let bytes = |row: &Summary| row.metric == "bytes_per_useful_byte" && row.estimate.is_some();
        self.manifest.demand.charted(self.summary.iter().any(bytes))
    }

    /// The words for how the intervals were made.
    pub(crate) fn method(&self) -> &str {
        let named = self.summary.iter().map(|row| row.method.as_str());
        let mut named = named.filter(|method| !method.is_empty());
        named.next().unwrap_or(netduel_metrics::interval::METHOD)
    }

    /// The difference `b` minus `a` of a metric at one point, whichever way round the table has it.
    pub(crate) fn difference(
        &self,
        point: usize,
        (a, b): (usize, usize),
        metric: &str,
    ) -> Option<Difference> {
        let here = |row: &&Difference| row.point == point && row.metric == metric;
        let mut rows = self.differences.iter().filter(here);
        rows.find_map(|row| match (row.a, row.b) {
            pair if pair == (a, b) => Some(row.clone()),
            pair if pair == (b, a) => Some(row.reversed()),
            _ => None,
        })
    }

    /// What a reader calls a point, such as "100 peers"; empty without a sweep.
    pub(crate) fn point_words(&self, point: &Point) -> String {
        let axes = self.manifest.axes.iter().zip(&point.values);
        let words: Vec<String> = axes
            .map(|(axis, value)| value_words(&axis.label, value))
            .collect();
        words.join(", ")
    }
}

/// Whether a label is a plural of things to count, such as "peers".
pub(crate) fn countable(label: &str) -> bool {
    label.ends_with('s') && !label.ends_with("ss") && !label.contains(['(', ' '])
}

/// A value of an axis in words: "100 peers" for a plain number of things, "upload 10 Mbps" else.
pub(crate) fn value_words(label: &str, value: &str) -> String {
    match number::with_unit(value) {
        Some((number, "")) if countable(label) => {
            // One of the things has no plural.
            let noun = if value.trim() == "1" {
                &label[..label.len() - 1]
            } else {
                label
            };
            format!("{} {noun}", number::plain_exact(number))
        }
        _ => format!("{label} {}", shown(value)),
    }
}

/// Two values of an axis in words: "from 10 to 1,000 peers", "from upload 1 to 10 Mbps".
pub(crate) fn range_words(label: &str, first: &str, last: &str) -> String {
    if countable(label) && number::with_unit(first).is_some() {
        return format!("from {} to {}", shown(first), value_words(label, last));
    }
    format!("from {label} {} to {}", shown(first), shown(last))
}

/// A value as a reader wants to see it: a number with commas between thousands.
fn shown(value: &str) -> String {
    match number::with_unit(value) {
        Some((number, "")) => number::plain_exact(number),
        Some((number, unit)) => format!("{} {unit}", number::plain_exact(number)),
        None => value.to_owned(),
    }
}

impl Difference {
    fn reversed(&self) -> Self {
        let verdict = match self.verdict {
            Verdict::ALower => Verdict::BLower,
            Verdict::BLower => Verdict::ALower,
            same => same,
        };
        let estimate = self.estimate.map(|estimate| Estimate {
            mean: 0.0 - estimate.mean,
            interval: estimate
                .interval
                .map(|interval| netduel_metrics::interval::Interval {
                    low: 0.0 - interval.high,
                    high: 0.0 - interval.low,
                }),
            ..estimate
        });
        Self {
            a: self.b,
            b: self.a,
            estimate,
            verdict,
            ..self.clone()
        }
    }
}
