//! The reader's words for every metric.

use std::borrow::Cow;

use crate::demand::Demand;

/// A metric in a reader's words.
struct Word {
    id: &'static str,
    words: &'static str,
    better: Better,
}

/// Which values of a metric a reader wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Better {
    /// Low ones.
    Low,
    /// High ones.
    High,
    /// That depends on whom one asks.
    Neither,
}

const fn word(id: &'static str, words: &'static str, better: Better) -> Word {
    Word { id, words, better }
}

/// What each metric is called, and which way it is better.
const METRICS: &[Word] = &[
    word(
        "completion_time",
        "mean time until a user is served",
        Better::Low,
    ),
    word(
        "completion_time_p50",
        "time until half of those served are served",
        Better::Low,
    ),
    word(
        "completion_time_p95",
        "time until 95 % of those served are served",
        Better::Low,
    ),
    word(
        "completion_time_p99",
        "time until 99 % of those served are served",
        Better::Low,
    ),
    word(
        "makespan",
        "time until the last user is served",
        Better::Low,
    ),
    word("success_ratio", "share of requests served", Better::High),
    word("served", "requests served", Better::High),
    word("issued", "requests issued", Better::Neither),
    word("attempts_mean", "attempts per request", Better::Low),
    word("throughput", "requests served per second", Better::High),
    word(
        "reach",
        "share of users that a broadcast reached",
        Better::High,
    ),
    word(
        "reach_time_50",
        "time until half of all users are reached",
        Better::Low,
    ),
    word(
        "reach_time_90",
        "time until 90 % of all users are reached",
        Better::Low,
    ),
    word(
        "reach_time_100",
        "time until all users are reached",
        Better::Low,
    ),
    word("availability", "share of the time in service", Better::High),
    word(
        "goodput",
        "useful data rate until the last user is served",
        Better::High,
    ),
    word(
        "load_gini",
        "inequality of load (Gini coefficient: 0 even, 1 all on one node)",
        Better::Neither,
    ),
    word(
        "load_top_share",
        "load share of the busiest node",
        Better::Neither,
    ),
    word(
        "load_herfindahl",
        "concentration of load (Herfindahl index: 1 all on one node)",
        Better::Neither,
    ),
    word(
        "infrastructure_bytes",
        "bytes sent by the operator's machines",
        Better::Neither,
    ),
    word(
        "infrastructure_share",
        "share of all bytes that the operator's machines sent",
        Better::Neither,
    ),
    word(
        "bytes_per_useful_byte",
        "bytes sent per useful byte",
        Better::Low,
    ),
    word("messages", "messages sent", Better::Neither),
    word(
        "messages_per_request",
        "messages per request served",
        Better::Low,
    ),
    word(
        "work_wait_mean",
        "mean time that work waits for a processor",
        Better::Low,
    ),
    word(
        "work_refused",
        "pieces of work refused by full processors",
        Better::Low,
    ),
    word(
        "utilisation_infrastructure",
        "use of the operator's processors",
        Better::Neither,
    ),
    word(
        "utilisation_users",
        "use of the users' processors",
        Better::Neither,
    ),
    word(
        "infrastructure_cost",
        "what the operator pays for machines",
        Better::Low,
    ),
    word(
        "dip_depth",
        "share of the delivery rate lost at the worst moment",
        Better::Low,
    ),
    word(
        "recovery_90",
        "time from the incident until 90 % of the delivery rate is back",
        Better::Low,
    ),
    word(
        "stalled_transfers",
        "transfers that could not move when the run ended",
        Better::Low,
    ),
    word("area_lost", "delivery lost to the incident", Better::Low),
    word("delivered", "bytes delivered", Better::High),
    word("delivery_rate", "delivery rate", Better::High),
];

/// What a metric is called: from the table of words, or its id read aloud.
pub(crate) fn metric_words(demand: Demand, id: &str) -> Cow<'static, str> {
    if let Some(words) = demand.words(id) {
        return Cow::Borrowed(words);
    }
    if let Some(word) = METRICS.iter().find(|word| word.id == id) {
        return Cow::Borrowed(word.words);
    }
    let aloud = |text: &str| text.replace(['_', '-'], " ");
    Cow::Owned(match id.split_once('.') {
        Some(("failed", cause)) => format!("requests failed: {}", aloud(cause)),
        Some((group, rest)) => format!("{}: {}", aloud(group), aloud(rest)),
        None => aloud(id),
    })
}

/// What a metric of `timeline.csv` is called, where `served` counts in shares.
pub(crate) fn moment_words(demand: Demand, id: &str, unit: &str) -> Cow<'static, str> {
    match (id, unit) {
        ("served", "share") => Cow::Borrowed(demand.share_words()),
        _ => metric_words(demand, id),
    }
}

/// Which values of a metric a reader wants.
pub(crate) fn better(id: &str) -> Better {
    let known = METRICS.iter().find(|word| word.id == id);
    match known {
        Some(word) => word.better,
        None if id.starts_with("failed.") => Better::Low,
        None => Better::Neither,
    }
}

/// The unit in which a metric is shown: an index between 0 and 1 is no share of anything.
pub(crate) fn shown_unit<'a>(id: &str, unit: &'a str) -> &'a str {
    match (id, unit) {
        ("load_gini" | "load_herfindahl", _) | (_, "1" | "B/B") => "",
        _ => unit,
    }
}

/// Why a metric has no value: a time is missing where nobody was served.
pub(crate) fn absent_words(demand: Demand, id: &str) -> &'static str {
    if id.starts_with("reach_time") {
        "not reached"
    } else if id.starts_with("completion_time") || id == "makespan" {
        demand.none_done()
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
            metric_words(Demand::Download, "failed.timed_out"),
            "requests failed: timed out"
        );
        assert_eq!(metric_words(Demand::Lookup, "hops_mean"), "hops mean");
        assert_eq!(
            metric_words(Demand::Download, "makespan"),
            "time until the last user is served"
        );
    }

    #[test]
    fn every_word_is_about_a_metric_of_its_own() {
        for (index, word) in METRICS.iter().enumerate() {
            let same = |other: &Word| other.id == word.id || other.words == word.words;
            assert!(!METRICS[index + 1..].iter().any(same), "{}", word.id);
        }
        assert_eq!(metric_words(Demand::Download, "served"), "requests served");
        assert_eq!(
            moment_words(Demand::Download, "served", "share"),
            "share of users served"
        );
    }

    #[test]
    fn lists_read_like_sentences() {
        let items = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(listed(&items), "A, B and C");
        assert_eq!(listed(&items[..2]), "A and B");
    }
}
