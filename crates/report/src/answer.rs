//! The answer to a scenario's question, in one or a few sentences of plain words.

mod outcome;

use netduel_metrics::interval::Verdict;

use crate::{
    number::{Scale, rounded},
    results::{Difference, Point, Results},
    words::listed,
};
use outcome::{Outcome, stretches};

const TIME: &str = "completion_time";
const SUCCESS: &str = "success_ratio";

/// Who served the users better, by how much, and where that flips; without a line break.
///
/// Users that were not served come first: a design that fails users is not fast. Every comparison
/// rests on the paired differences of the results, with their corrected verdicts.
pub fn answer(results: &Results) -> String {
    if results.points.is_empty() {
        return "There are no results yet.".to_owned();
    }
    let sentences = match results.contenders().len() {
        0 => vec!["Nobody was compared.".to_owned()],
        1 => alone(results),
        _ => compared(results),
    };
    sentences.join(" ")
}

/// A contender without anybody to compare it with.
fn alone(results: &Results) -> Vec<String> {
    let label = results.label(0);
    let mut sentences = vec![format!(
        "Only {label} ran, so there is nothing to compare it with."
    )];
    for point in ends(results) {
        let at = place(results, point);
        let served = results.estimate(point.index, 0, SUCCESS);
        let time = results.estimate(point.index, 0, TIME);
        sentences.push(match (served, time) {
            (Some(served), _) if served.mean <= 0.0 => format!("{label} served nobody{at}."),
            (_, None) => format!("No completion time is known{at}."),
            (Some(served), Some(time)) => format!(
                "{label} served {} of the requests{at}, after {} on average.",
                percent(served.mean),
                Scale::of("s", time.mean).estimate(&time)
            ),
            (None, Some(time)) => format!(
                "{label} served its users after {} on average{at}.",
                Scale::of("s", time.mean).estimate(&time)
            ),
        });
    }
    sentences
}

/// The first and the last point, or the only one.
fn ends(results: &Results) -> Vec<&Point> {
    let points = &results.points;
    match &points[..] {
        [first, .., last] => vec![first, last],
        _ => points.iter().collect(),
    }
}

fn compared(results: &Results) -> Vec<String> {
    let mut sentences = success(results);
    let outcomes: Vec<(&Point, Outcome)> = results
        .points
        .iter()
        .map(|point| (point, Outcome::of(results, point)))
        .collect();
    match &outcomes[..] {
        [(point, outcome)] => sentences.extend(single(results, point, outcome)),
        _ if results.manifest.axes.len() > 1 => sentences.extend(counted(results, &outcomes)),
        _ => sentences.extend(along(results, &outcomes)),
    }
    sentences
}

/// Who failed users, and where most; nothing when everybody was always served.
fn success(results: &Results) -> Vec<String> {
    let served = |point: &Point, c| results.estimate(point.index, c, SUCCESS).map(|e| e.mean);
    let shares = |point: &Point| -> Vec<(usize, f64)> {
        results
            .contenders()
            .filter_map(|c| Some((c, served(point, c)?)))
            .collect()
    };
    // The point where the contenders are furthest apart tells most; then the one with most failures.
    let worst = results.points.iter().filter_map(|point| {
        let shares = shares(point);
        let low = shares
            .iter()
            .map(|(_, share)| *share)
            .fold(f64::INFINITY, f64::min);
        let high = shares
            .iter()
            .map(|(_, share)| *share)
            .fold(f64::NEG_INFINITY, f64::max);
        (low < 1.0).then_some((high - low, 1.0 - low, point))
    });
    let worst = worst.reduce(|best, next| {
        if (next.0, next.1) > (best.0, best.1) {
            next
        } else {
            best
        }
    });
    let Some((_, _, point)) = worst else {
        return Vec::new();
    };
    let mut shares = shares(point);
    shares.sort_by(|a, b| a.1.total_cmp(&b.1));
    vec![success_sentence(results, point, &shares)]
}

fn success_sentence(results: &Results, point: &Point, shares: &[(usize, f64)]) -> String {
    let at = place(results, point);
    let (Some(&(low, low_share)), Some(&(high, high_share))) = (shares.first(), shares.last())
    else {
        return String::new();
    };
    if high_share <= 0.0 {
        return format!("Nobody was served by any contender{at}.");
    }
    let of = |(contender, share): &(usize, f64)| {
        let amount = if *share <= 0.0 {
            "none".to_owned()
        } else {
            percent(*share)
        };
        format!("{} {amount}", results.label(*contender))
    };
    let rest: Vec<String> = shares[1..].iter().map(of).collect();
    let difference = results.difference(point.index, (low, high), SUCCESS);
    let verdict = difference.as_ref().map(|difference| difference.verdict);
    if matches!(
        verdict,
        Some(Verdict::NotDistinguishable | Verdict::Identical)
    ) {
        let all: Vec<String> = shares.iter().map(of).collect();
        let all = all.join(", ");
        return format!("Not all requests were served{at} ({all}); that does not tell them apart.");
    }
    let low_label = results.label(low);
    let low_words = match low_share {
        share if share <= 0.0 => format!("{low_label} served nobody{at}"),
        share => format!(
            "{low_label} served only {} of the requests{at}",
            percent(share)
        ),
    };
    let by = difference
        .and_then(|d| points_words(&d))
        .unwrap_or_default();
    format!("{low_words}, {}{by}.", listed(&rest))
}

/// " (35 percentage points more, 95 % interval 30 to 40)".
fn points_words(difference: &Difference) -> Option<String> {
    let estimate = difference.estimate?;
    let mut scale = Scale::of("share", 1.0);
    "percentage points".clone_into(&mut scale.unit);
    let interval = scale.interval(&estimate);
    let interval = interval.map_or(String::new(), |interval| {
        format!(", 95 % interval {interval}")
    });
    Some(format!(" ({} more{interval})", scale.words(estimate.mean)))
}

/// One point: the whole comparison.
fn single(results: &Results, point: &Point, outcome: &Outcome) -> Vec<String> {
    let caveat = if outcome.unequal_service {
        "Counting only users who were served, "
    } else {
        ""
    };
    let at = place(results, point);
    let sentence = match outcome.ranked.as_slice() {
        [] => return Vec::new(),
        [only] => {
            let (label, mean) = (
                results.label(*only),
                outcome::time_words(results, point, *only),
            );
            return vec![format!("{caveat}{label} took {mean} on average{at}.")];
        }
        [best, rest @ ..] => {
            let clauses: Vec<String> = rest
                .iter()
                .map(|other| clause(results, point, (*best, *other)))
                .collect();
            format!("{caveat}{}{at}.", clauses.join("; "))
        }
    };
    vec![crate::words::sentence_case_unless_label(&sentence, results)]
}

/// One comparison of the best with another, in words.
fn clause(results: &Results, point: &Point, (best, other): (usize, usize)) -> String {
    let mean = |c| {
        results
            .estimate(point.index, c, TIME)
            .map_or(0.0, |e| e.mean)
    };
    let (fast, slow) = (mean(best), mean(other));
    let (best_label, other_label) = (results.label(best), results.label(other));
    let scale = Scale::of("s", slow);
    let (fast_words, slow_words) = (scale.words(fast), scale.words(slow));
    let difference = results.difference(point.index, (best, other), TIME);
    let more = difference
        .as_ref()
        .and_then(|d| interval_words(d, &scale))
        .unwrap_or_default();
    match difference.map(|difference| difference.verdict) {
        Some(Verdict::Identical) => {
            format!(
                "{best_label} and {other_label} took exactly the same time ({fast_words} on average)"
            )
        }
        Some(Verdict::NotDistinguishable) => format!(
            "{best_label} and {other_label} cannot be told apart: {fast_words} and {slow_words} on average{more}"
        ),
        _ => format!(
            "{best_label} was {} {other_label}: its users waited {fast_words} on average instead of {slow_words}{more}",
            faster(slow, fast)
        ),
    }
}

/// " (difference 765 s, 95 % interval 760 to 770, n = 20)".
fn interval_words(difference: &Difference, scale: &Scale) -> Option<String> {
    let estimate = difference.estimate?;
    let interval = match scale.interval(&estimate) {
        Some(interval) => format!("95 % interval {interval}, "),
        None => String::new(),
    };
    Some(format!(
        " (difference {}, {interval}n = {})",
        scale.words(estimate.mean),
        estimate.n
    ))
}

/// "9.1 times as fast as" or, for little, "4.2 % faster than".
fn faster(slow: f64, fast: f64) -> String {
    if fast <= 0.0 {
        return "faster than".to_owned();
    }
    match slow / fast {
        ratio if ratio >= 1.1 => format!("{} times as fast as", rounded(ratio)),
        ratio => format!("{} % faster than", rounded((ratio - 1.0) * 100.0)),
    }
}

/// A sweep along one axis: who was ahead where, where that flips, and the last point in full.
fn along(results: &Results, outcomes: &[(&Point, Outcome)]) -> Vec<String> {
    let groups = stretches(outcomes);
    if groups.len() > 4 {
        return counted(results, outcomes);
    }
    let mut sentences = Vec::new();
    if let [group] = groups[..] {
        sentences.extend(throughout(results, group));
    } else {
        let clauses: Vec<String> = groups
            .iter()
            .map(|group| stretch_words(results, group))
            .collect();
        let text = format!("{}.", clauses.join("; "));
        sentences.push(crate::words::sentence_case_unless_label(&text, results));
        sentences.extend(flips(results, outcomes));
    }
    let tied =
        |(_, outcome): &&(&Point, Outcome)| outcome.leaders.len() == 1 && outcome.ranked.len() > 1;
    if let Some((point, outcome)) = outcomes.iter().rev().find(tied) {
        sentences.extend(single(results, point, outcome));
    }
    sentences
}

/// The same outcome at every point.
fn throughout(results: &Results, group: &[(&Point, Outcome)]) -> Option<String> {
    let outcome = &group[0].1;
    let labels: Vec<String> = outcome
        .leaders
        .iter()
        .map(|c| results.label(*c).to_owned())
        .collect();
    let text = match &labels[..] {
        [] => return None,
        [only] => format!("{only} was the faster one at every point."),
        _ if outcome.identical => format!(
            "{} took exactly the same time at every point.",
            listed(&labels)
        ),
        _ => format!(
            "{} cannot be told apart by completion time at any point.",
            listed(&labels)
        ),
    };
    Some(text)
}

/// "from 1 to 10 peers, client-server was faster".
fn stretch_words(results: &Results, group: &[(&Point, Outcome)]) -> String {
    let outcome = &group[0].1;
    let range = outcome::range(results, group);
    let labels: Vec<String> = outcome
        .leaders
        .iter()
        .map(|c| results.label(*c).to_owned())
        .collect();
    match &labels[..] {
        [] => format!("{range}, nobody was served"),
        [only] => format!("{range}, {only} was faster"),
        _ if outcome.identical => {
            format!("{range}, {} took exactly the same time", listed(&labels))
        }
        _ => format!("{range}, {} could not be told apart", listed(&labels)),
    }
}

/// Where one lone leader takes over from another.
fn flips(results: &Results, outcomes: &[(&Point, Outcome)]) -> Vec<String> {
    let lone = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.leaders.len() == 1);
    let lone: Vec<&(&Point, Outcome)> = lone.collect();
    let changed = lone
        .windows(2)
        .filter(|pair| pair[0].1.leaders != pair[1].1.leaders);
    let words = changed.map(|pair| {
        let (from, to) = (
            results.point_words(pair[0].0),
            results.point_words(pair[1].0),
        );
        format!("The answer flips between {from} and {to}.")
    });
    words.collect()
}

/// Too many outcomes to list: how often each occurred.
fn counted(results: &Results, outcomes: &[(&Point, Outcome)]) -> Vec<String> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for (_, outcome) in outcomes {
        let labels: Vec<String> = outcome
            .leaders
            .iter()
            .map(|c| results.label(*c).to_owned())
            .collect();
        let words = match &labels[..] {
            [] => "nobody was served".to_owned(),
            [only] => format!("{only} was faster"),
            _ => format!("{} could not be told apart", listed(&labels)),
        };
        match counts.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => counts.push((words, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let clauses: Vec<String> = counts
        .iter()
        .map(|(words, count)| format!("at {count} {words}"))
        .collect();
    vec![format!(
        "Of {} points, {}.",
        outcomes.len(),
        clauses.join(", ")
    )]
}

/// " at 100 peers", or nothing without a sweep.
fn place(results: &Results, point: &Point) -> String {
    match results.point_words(point) {
        words if words.is_empty() => String::new(),
        words => format!(" at {words}"),
    }
}

fn percent(share: f64) -> String {
    // 99.97 % is not all.
    let shown = if share < 1.0 {
        (share * 1000.0).floor() / 10.0
    } else {
        100.0
    };
    let shown = if share > 0.0 && shown <= 0.0 {
        share * 100.0
    } else {
        shown
    };
    format!("{} %", rounded(shown))
}
