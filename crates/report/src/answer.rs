//! The answer to a scenario's question, in one or a few sentences of plain words.

mod crash;
mod outcome;
mod stalled;
mod success;

use netduel_metrics::interval::Verdict;

use crate::{
    number::{Scale, rounded},
    results::{Difference, Point, Results},
    words::{listed, sentence_case},
};
use outcome::{Outcome, stretches};

/// More stretches of a sweep than this are counted, not listed.
const MOST_STRETCHES: usize = 4;

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
    let demand = results.manifest.demand;
    let success = |point: &Point| results.estimate(point.index, 0, demand.success());
    let in_vain = |point: &Point| success(point).is_some_and(|served| served.mean <= 0.0);
    if results.points.iter().all(in_vain) {
        return vec![format!(
            "{label} {}, and there is nothing to compare it with.",
            demand.did_nothing()
        )];
    }
    let mut sentences = vec![format!(
        "Only {label} ran, so there is nothing to compare it with."
    )];
    for point in ends(results) {
        let at = place(results, point);
        let served = results.estimate(point.index, 0, results.manifest.demand.success());
        let time = results.estimate(point.index, 0, results.manifest.demand.time());
        sentences.push(match (served, time) {
            (Some(served), _) if served.mean <= 0.0 => {
                format!("{label} {}{at}.", demand.did_nothing())
            }
            (Some(served), None) => format!(
                "{label} {} {} of the {}{at}.",
                demand.done(),
                percent(served.mean),
                demand.whole()
            ),
            (None, None) => format!("No completion time is known{at}."),
            (Some(served), Some(time)) => format!(
                "{label} {} {} of the {}{at}, {}after {} on average.",
                demand.done(),
                percent(served.mean),
                demand.whole(),
                demand.of_whom(),
                results.time_scale(point.index, time.mean).estimate(&time)
            ),
            (None, Some(time)) => format!(
                "{label} {} its users after {} on average{at}.",
                demand.done(),
                results.time_scale(point.index, time.mean).estimate(&time)
            ),
        });
    }
    sentences.extend(crash::crash(results));
    sentences.extend(stalled::stalled(results));
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
    let mut sentences = success::success(results);
    sentences.extend(crash::crash(results));
    sentences.extend(stalled::stalled(results));
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
    let single_run = |c| {
        results
            .estimate(results.points[0].index, c, results.manifest.demand.time())
            .is_some_and(|e| e.n == 1)
    };
    if results.contenders().any(single_run) {
        sentences.push(
            "With one replication nothing can be told apart for certain: run more.".to_owned(),
        );
    }
    sentences
}

/// One point: the whole comparison.
fn single(results: &Results, point: &Point, outcome: &Outcome) -> Vec<String> {
    let text = match outcome.ranked.as_slice() {
        [] => return Vec::new(),
        [only] => {
            let (label, mean) = (
                results.label(*only),
                outcome::time_words(results, point, *only),
            );
            format!(
                "{label} took {mean} on average{}",
                results.manifest.demand.task()
            )
        }
        [best, rest @ ..] => {
            // With many contenders the runner-up and the slowest say enough; tables have the rest.
            let told = match rest {
                [next, _, .., last] => vec![*next, *last],
                few => few.to_vec(),
            };
            let clause = |other: &usize| clause(results, point, (*best, *other));
            told.iter().map(clause).collect::<Vec<_>>().join("; ")
        }
    };
    let mut opening = Vec::new();
    opening.extend(Some(place(results, point).trim().to_owned()).filter(|at| !at.is_empty()));
    if outcome.unequal_service {
        let counting = results.manifest.demand.counting();
        opening.push(format!("counting only {counting}"));
    }
    if opening.is_empty() {
        return vec![format!("{text}.")];
    }
    vec![format!("{}, {text}.", sentence_case(&opening.join(", ")))]
}

/// One comparison of the best with another, in words.
fn clause(results: &Results, point: &Point, (best, other): (usize, usize)) -> String {
    let mean = |c| {
        results
            .estimate(point.index, c, results.manifest.demand.time())
            .map_or(0.0, |e| e.mean)
    };
    let (fast, slow) = (mean(best), mean(other));
    let (best_label, other_label) = (results.label(best), results.label(other));
    let scale = results.time_scale(point.index, slow);
    let fast_words = results.time_scale(point.index, fast).words(fast);
    let slow_words = scale.words(slow);
    let difference = results.difference(point.index, (best, other), results.manifest.demand.time());
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
        None => format!(
            "{best_label} took {fast_words} on average, {other_label} {slow_words} (no difference was tested)"
        ),
        Some(_) => format!(
            "{best_label} was {} {other_label}: {} {fast_words} on average instead of {slow_words}{more}",
            faster(slow, fast),
            results.manifest.demand.waited()
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
        scale.mean(&estimate),
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

/// A sweep along one axis: the last clear point in full, who was ahead where, where that flips.
fn along(results: &Results, outcomes: &[(&Point, Outcome)]) -> Vec<String> {
    let mut sentences = Vec::new();
    let clear = |(_, outcome): &&(&Point, Outcome)| outcome.leaders.len() == 1 && !outcome.alone();
    if let Some((point, outcome)) = outcomes.iter().rev().find(clear) {
        sentences.extend(single(results, point, outcome));
    }
    let groups = stretches(outcomes);
    if let [group] = groups[..] {
        let words = leaders(results, &group[0].1);
        sentences.push(opening(
            results,
            &format!("{words} at {} point.", each(&group[0].1)),
        ));
    } else if groups.len() <= MOST_STRETCHES {
        let words = |group: &&[(&Point, Outcome)]| {
            format!(
                "{}, {}",
                outcome::range(results, group),
                leaders(results, &group[0].1)
            )
        };
        let clauses: Vec<String> = groups.iter().map(words).collect();
        sentences.push(sentence_case(&format!("{}.", clauses.join("; "))));
        sentences.extend(flips(results, outcomes));
    } else {
        sentences.extend(counted(results, outcomes));
    }
    sentences
}

/// Who was ahead, in words: "peer-to-peer was faster".
fn leaders(results: &Results, outcome: &Outcome) -> String {
    let labels: Vec<String> = outcome
        .leaders
        .iter()
        .map(|contender| results.label(*contender).to_owned())
        .collect();
    match &labels[..] {
        [] => results.manifest.demand.nobody_did().to_owned(),
        [only] if outcome.alone() => format!("only {only} {}", results.manifest.demand.did()),
        [only] => format!("{only} was faster"),
        _ if outcome.identical => format!("{} took exactly the same time", listed(&labels)),
        _ => format!("{} could not be told apart", listed(&labels)),
    }
}

/// "every", or "any" after a negation.
fn each(outcome: &Outcome) -> &'static str {
    if outcome.leaders.len() > 1 && !outcome.identical {
        "any"
    } else {
        "every"
    }
}

/// The begin of a sentence in upper case, unless it is a contender's label, which is a name.
fn opening(results: &Results, text: &str) -> String {
    let named = results
        .contenders()
        .any(|contender| text.starts_with(results.label(contender)));
    if named {
        text.to_owned()
    } else {
        sentence_case(text)
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
        let words = leaders(results, outcome);
        match counts.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => counts.push((words, 1)),
        }
    }
    if let ([(words, count)], Some((_, outcome))) = (&counts[..], outcomes.first()) {
        let text = format!("{words} at {} of the {count} points.", each(outcome));
        return vec![opening(results, &text)];
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let clauses: Vec<String> = counts
        .iter()
        .map(|(words, count)| format!("{words} at {count}"))
        .collect();
    vec![format!(
        "Of {} points: {}.",
        outcomes.len(),
        clauses.join("; ")
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
    match rounded(share * 100.0) {
        // 99.97 % is not all.
        shown if shown == "100" && share < 1.0 => "almost 100 %".to_owned(),
        shown => format!("{shown} %"),
    }
}
