//! The reader's words for every metric.

use std::borrow::Cow;

/// Each metric's id and what it is called.
const METRICS: &[(&str, &str)] = &[
    ("completion_time", "mean time until a user is served"),
    (
        "completion_time_p50",
        "time until half of those served are served",
    ),
    (
        "completion_time_p95",
        "time until 95 % of those served are served",
    ),
    (
        "completion_time_p99",
        "time until 99 % of those served are served",
    ),
    ("makespan", "time until the last user is served"),
    ("success_ratio", "share of requests served"),
    ("availability", "share of the time in service"),
    ("goodput", "rate of useful bytes"),
    ("load_gini", "inequality of load (Gini coefficient)"),
    ("load_top_share", "load share of the busiest node"),
    (
        "load_herfindahl",
        "concentration of load (Herfindahl index)",
    ),
    (
        "infrastructure_bytes",
        "bytes sent by the operator's machines",
    ),
    ("bytes_per_useful_byte", "bytes sent per useful byte"),
    (
        "dip_depth",
        "share of the delivery rate lost at the worst moment",
    ),
    (
        "recovery_90",
        "time until 90 % of the delivery rate is back",
    ),
    ("area_lost", "delivery lost to the incident"),
    ("delivered", "bytes delivered"),
    ("delivery_rate", "delivery rate"),
    ("served", "share of users served"),
];

/// The metrics that a reader sees first, in this order.
pub(crate) const HEADLINES: [&str; 3] = ["completion_time", "makespan", "success_ratio"];

/// What a metric is called: from the table of words, or its id read aloud.
pub(crate) fn metric_words(id: &str) -> Cow<'static, str> {
    if let Some((_, words)) = METRICS.iter().find(|(known, _)| *known == id) {
        return Cow::Borrowed(words);
    }
    let aloud = |text: &str| text.replace(['_', '-'], " ");
    Cow::Owned(match id.split_once('.') {
        Some(("failed", cause)) => format!("requests failed: {}", aloud(cause)),
        Some((group, rest)) => format!("{}: {}", aloud(group), aloud(rest)),
        None => aloud(id),
    })
}

/// Why a metric has no value: a completion time is missing where nobody was served.
pub(crate) fn absent_words(id: &str) -> &'static str {
    if id.starts_with("completion_time") {
        "nobody served"
    } else {
        "no value"
    }
}

/// `text` with its first letter in upper case.
pub(crate) fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// "A", "A and B", "A, B and C".
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_metric_is_read_aloud() {
        assert_eq!(
            metric_words("failed.timed_out"),
            "requests failed: timed out"
        );
        assert_eq!(metric_words("hops_mean"), "hops mean");
        assert_eq!(
            metric_words("makespan"),
            "time until the last user is served"
        );
    }

    #[test]
    fn lists_read_like_sentences() {
        let items = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(listed(&items), "A, B and C");
        assert_eq!(listed(&items[..2]), "A and B");
    }
}
