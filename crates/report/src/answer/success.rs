//! Who failed users.

use netduel_metrics::interval::Verdict;

use super::{percent, place};
use crate::{
    demand::Demand,
    number::Scale,
    results::{Difference, Moment, Point, Results},
    words::sentence_case,
};

/// Who failed users, and where most, or that nobody did; nothing where that is not known.
pub(super) fn success(results: &Results) -> Vec<String> {
    let served = |point: &Point, c| {
        results
            .estimate(point.index, c, results.manifest.demand.success())
            .map(|e| e.mean)
    };
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
        return everybody(results).into_iter().collect();
    };
    let mut shares = shares(point);
    shares.sort_by(|a, b| a.1.total_cmp(&b.1));
    vec![success_sentence(results, point, &shares)]
}

/// That all were served, when every contender has a share at every point.
fn everybody(results: &Results) -> Option<String> {
    let known = |point: &Point| {
        let share = |c| results.estimate(point.index, c, results.manifest.demand.success());
        results.contenders().all(|c| share(c).is_some())
    };
    results.points.iter().all(known).then_some(())?;
    // Requests are those that were issued: where a run is cut off, not every user has asked.
    let asked = |moment: &&Moment| moment.metric == "served" && moment.unit == "share";
    let last = |point: &Point, contender| {
        let mine = results.timeline.iter().filter(asked);
        let mine = mine.filter(|m| m.point == point.index && m.contender == contender);
        mine.max_by(|a, b| a.time.total_cmp(&b.time))
    };
    let cut_off = |point: &Point| {
        let short = |c| last(point, c).is_some_and(|moment| moment.estimate.mean < 1.0 - 1e-9);
        results.contenders().any(short)
    };
    let demand = results.manifest.demand;
    let who = match (results.points.iter().any(cut_off), demand) {
        (true, Demand::Download) => "All users who asked",
        (true, Demand::Lookup | Demand::Search) => "All requests that came",
        (false, Demand::Lookup | Demand::Search) => "All requests",
        _ => "All users",
    };
    let done = demand.done();
    let at = if results.points.len() > 1 {
        " at every point"
    } else {
        ""
    };
    Some(format!("{who} were {done} by every contender{at}."))
}

fn success_sentence(results: &Results, point: &Point, shares: &[(usize, f64)]) -> String {
    let at = place(results, point);
    let demand = results.manifest.demand;
    let (done, whole) = (demand.done(), demand.whole());
    let (Some(&(low, low_share)), Some(&(high, high_share))) = (shares.first(), shares.last())
    else {
        return String::new();
    };
    if high_share <= 0.0 {
        let nobody = sentence_case(demand.nobody_did());
        return format!("{nobody}{}{at}.", demand.by_any());
    }
    let of = |(contender, share): &(usize, f64)| {
        let amount = if *share <= 0.0 {
            "none".to_owned()
        } else {
            percent(*share)
        };
        format!("{} {amount}", results.label(*contender))
    };
    let difference =
        results.difference(point.index, (low, high), results.manifest.demand.success());
    let verdict = difference.as_ref().map(|difference| difference.verdict);
    if matches!(
        verdict,
        Some(Verdict::NotDistinguishable | Verdict::Identical)
    ) {
        let all: Vec<String> = shares.iter().map(of).collect();
        let all = all.join(", ");
        return format!("Not all {whole} were {done}{at} ({all}); that does not tell them apart.");
    }
    let low_label = results.label(low);
    let low_words = match low_share {
        share if share <= 0.0 => format!("{low_label} {}{at}", demand.did_nothing()),
        share => format!(
            "{low_label} {done} only {} of the {whole}{at}",
            percent(share)
        ),
    };
    match &shares[1..] {
        [other] => {
            let by = difference
                .filter(|_| low_share > 0.0)
                .and_then(|d| points_words(&d));
            format!("{low_words}, {}{}.", of(other), by.unwrap_or_default())
        }
        [next, .., best] => format!(
            "{low_words}; the others between {} ({}) and {} ({}).",
            percent(next.1),
            results.label(next.0),
            percent(best.1),
            results.label(best.0)
        ),
        [] => format!("{low_words}."),
    }
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
    Some(format!(" ({} more{interval})", scale.mean(&estimate)))
}
