//! Tables for readers: the same rows as aligned text and as HTML.

use netduel_metrics::interval::{Estimate, Verdict};

use crate::{
    number::Scale,
    page::escape,
    results::{Difference, Results},
    words::{Better, better, metric_words, sentence_case, shown_unit},
};

/// A table with a caption.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    pub(crate) caption: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many columns at the left name the row.
    names: usize,
}

impl Grid {
    /// As text, columns aligned.
    pub(crate) fn text(&self) -> String {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let length = |column: usize| {
            lines()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.header.len()).map(length).collect();
        let mut out = format!("{}\n", self.caption);
        for line in lines() {
            let padded = line
                .iter()
                .zip(&widths)
                .map(|(field, width)| format!("{field:width$}"));
            let joined = padded.collect::<Vec<_>>().join("  ");
            put!(out, "  {}\n", joined.trim_end());
        }
        out
    }

    /// As HTML.
    pub(crate) fn html(&self) -> String {
        let mut out = format!(
            "<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>",
            escape(&self.caption)
        );
        for name in &self.header {
            put!(out, "<th scope=\"col\">{}</th>", escape(name));
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            out.push_str("<tr>");
            for (column, field) in row.iter().enumerate() {
                let (open, close) = if column < self.names {
                    ("<th scope=\"row\">", "</th>")
                } else {
                    ("<td>", "</td>")
                };
                put!(out, "{open}{}{close}", escape(field));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
        out
    }
}

/// Means of one metric: a row per point, a column per contender.
pub(crate) fn means(results: &Results, metric: &str) -> Option<Grid> {
    let mut rows = Vec::new();
    for point in &results.points {
        let estimate = |contender| results.estimate(point.index, contender, metric);
        let found: Vec<_> = results.contenders().map(estimate).collect();
        if found.iter().all(Option::is_none) {
            continue;
        }
        let mut row = point_name(results, point.index);
        row.extend(found.iter().map(|found| {
            found.as_ref().map_or_else(
                || format!("none, n = 0 of {}", results.replications()),
                |e| results.estimate_words(point.index, metric, e),
            )
        }));
        rows.push(row);
    }
    let mut header = point_header(results);
    header.extend(
        results
            .contenders()
            .map(|contender| results.label(contender).to_owned()),
    );
    let caption = format!(
        "{}: mean of {} ({})",
        sentence_case(&metric_words(results.manifest.demand, metric)),
        match results.replications() {
            1 => "1 run".to_owned(),
            runs => format!("{runs} runs"),
        },
        interval_words(results)
    );
    let names = header.len() - results.contenders().len();
    (!rows.is_empty()).then_some(Grid {
        caption,
        header,
        rows,
        names,
    })
}

fn interval_words(results: &Results) -> String {
    let single = results
        .summary
        .iter()
        .filter_map(|row| row.estimate)
        .all(|e| e.interval.is_none());
    if single {
        "no interval".to_owned()
    } else {
        format!("interval: {}", results.method())
    }
}

/// Differences of one metric: a row per point and pair.
pub(crate) fn differences(results: &Results, metric: &str) -> Option<Grid> {
    let here = results
        .differences
        .iter()
        .filter(|row| row.metric == metric);
    let rows: Vec<Vec<String>> = here.map(|row| difference_row(results, row)).collect();
    let header = [
        "difference",
        "mean (interval)",
        "n",
        "p, corrected",
        "verdict",
    ];
    let caption = format!(
        "{}: paired differences over the same replications",
        sentence_case(&metric_words(results.manifest.demand, metric))
    );
    let mut all = point_header(results);
    let names = all.len() + 1;
    all.extend(header.map(str::to_owned));
    (!rows.is_empty()).then_some(Grid {
        caption,
        header: all,
        rows,
        names,
    })
}

fn difference_row(results: &Results, row: &Difference) -> Vec<String> {
    let (a, b) = (results.label(row.a), results.label(row.b));
    let shown = row.estimate.map_or_else(
        || "none".to_owned(),
        |estimate| difference_scale(results, row, &estimate).estimate(&estimate),
    );
    let verdict = match (row.verdict, better(&row.metric)) {
        (Verdict::ALower, Better::Low) => format!("{a} better (lower)"),
        (Verdict::BLower, Better::Low) => format!("{b} better (lower)"),
        (Verdict::ALower, Better::High) => format!("{b} better (higher)"),
        (Verdict::BLower, Better::High) => format!("{a} better (higher)"),
        (Verdict::ALower, Better::Neither) => format!("{a} lower"),
        (Verdict::BLower, Better::Neither) => format!("{b} lower"),
        (other, _) => other.to_string(),
    };
    let p = match row.p_adjusted {
        None => String::new(),
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) => crate::number::rounded(p),
    };
    let n = row.estimate.map_or_else(
        || "0".to_owned(),
        |estimate| match results.replications() {
            all if estimate.n < all => format!("{} of {all}", estimate.n),
            _ => estimate.n.to_string(),
        },
    );
    let mut line = point_name(results, row.point);
    line.extend([format!("{b} minus {a}"), shown, n, p, verdict]);
    line
}

/// The unit that suits a difference and the ends of its interval.
fn difference_scale(results: &Results, row: &Difference, estimate: &Estimate) -> Scale {
    let ends = estimate
        .interval
        .map_or([0.0, 0.0], |interval| [interval.low, interval.high]);
    let largest = ends
        .into_iter()
        .fold(estimate.mean.abs(), |most, end| most.max(end.abs()));
    let unit = shown_unit(&row.metric, &row.unit);
    let mut scale = match unit {
        "s" => results.time_scale(row.point, largest),
        unit => Scale::of(unit, largest),
    };
    if unit == "share" {
        // A difference of shares is not a share of anything.
        "percentage points".clone_into(&mut scale.unit);
    }
    scale
}

/// The column that names the point; none without a sweep.
fn point_header(results: &Results) -> Vec<String> {
    if results.manifest.axes.is_empty() {
        Vec::new()
    } else {
        vec!["at".to_owned()]
    }
}

fn point_name(results: &Results, index: usize) -> Vec<String> {
    if results.manifest.axes.is_empty() {
        return Vec::new();
    }
    let point = results.points.iter().find(|point| point.index == index);
    vec![point.map_or_else(String::new, |point| results.point_words(point))]
}

/// Every metric that occurs, the headlines first, the others in the order of the tables.
pub(crate) fn metrics(results: &Results) -> Vec<&str> {
    let occurs = |metric: &str| results.summary.iter().any(|row| row.metric == metric);
    let headlines = results.manifest.demand.headlines();
    let mut metrics: Vec<&str> = headlines
        .into_iter()
        .filter(|metric| occurs(metric))
        .collect();
    for row in &results.summary {
        if !metrics.contains(&row.metric.as_str()) {
            metrics.push(&row.metric);
        }
    }
    metrics
}

/// The causes of failure that no run of any contender had, in words.
pub(crate) fn unknown_failures(results: &Results) -> Vec<&str> {
    let metrics = metrics(results).into_iter();
    let causes = metrics.filter(|metric| metric.starts_with("failed."));
    causes.filter(|metric| is_zero(results, metric)).collect()
}

/// Whether a metric is 0 in every run of every contender.
fn is_zero(results: &Results, metric: &str) -> bool {
    let rows = results.summary.iter().filter(|row| row.metric == metric);
    let mut found = rows.filter_map(|row| row.estimate);
    // Counts are not negative, so a mean of 0 leaves no room for any other.
    found.all(|estimate| estimate.mean <= 0.0)
}
