//! Tables for readers: the same rows as aligned text and as HTML.

use netduel_metrics::interval::{Estimate, Verdict};

use crate::{
    number::Scale,
    page::escape,
    results::{Difference, Results},
    words::{HEADLINES, metric_words, sentence_case},
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
    let unit = results.unit(metric);
    let mut rows = Vec::new();
    for point in &results.points {
        let estimate = |contender| results.estimate(point.index, contender, metric);
        let found: Vec<_> = results.contenders().map(estimate).collect();
        if found.iter().all(Option::is_none) {
            continue;
        }
        let means: Vec<f64> = found.iter().flatten().map(|e| e.mean).collect();
        let mut row = point_name(results, point.index);
        row.extend(found.iter().map(|found| {
            found.as_ref().map_or_else(
                || "none".to_owned(),
                |e| Scale::beside(unit, e.mean, &means).estimate(e),
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
        "{}: mean ({})",
        sentence_case(&metric_words(metric)),
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
        "no interval, n = 1".to_owned()
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
        sentence_case(&metric_words(metric))
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
        |estimate| difference_scale(row, &estimate).estimate(&estimate),
    );
    let verdict = match row.verdict {
        Verdict::ALower => format!("{a} lower"),
        Verdict::BLower => format!("{b} lower"),
        other => other.to_string(),
    };
    let p = match row.p_adjusted {
        None => String::new(),
        Some(p) if p < 0.0001 => "< 0.0001".to_owned(),
        Some(p) => crate::number::rounded(p),
    };
    let n = row.estimate.map_or(0, |estimate| estimate.n);
    let mut line = point_name(results, row.point);
    line.extend([format!("{b} minus {a}"), shown, n.to_string(), p, verdict]);
    line
}

/// The unit that suits a difference and the ends of its interval.
fn difference_scale(row: &Difference, estimate: &Estimate) -> Scale {
    let ends = estimate
        .interval
        .map_or([0.0, 0.0], |interval| [interval.low, interval.high]);
    let largest = ends
        .into_iter()
        .fold(estimate.mean.abs(), |most, end| most.max(end.abs()));
    let mut scale = Scale::of(&row.unit, largest);
    if row.unit == "share" {
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
    let mut metrics: Vec<&str> = HEADLINES
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
