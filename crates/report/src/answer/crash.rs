//! What a crash, a slowdown or a cut did to the delivery of each contender.

use super::place;
use crate::{
    number::quantity,
    results::{Hit, Point, Results},
    words::sentence_case,
};

const DIP: &str = "dip_depth";
const BACK: &str = "recovery_90";
/// What can befall a node, as it stands in the tables, with a noun and a verb for it.
const NAMES: [(&str, (&str, &str)); 3] = [
    ("crash", ("crash", "crashed")),
    ("slow", ("slowdown", "slowed down")),
    ("cut", ("cut", "lost the network")),
];
/// Of more contenders than this, the one that lost most and the one that lost least are told.
const MOST_TOLD: usize = 4;

/// Who lost how much of its delivery rate and when it was back, at the last point with a crash;
/// nothing without one.
pub(super) fn crash(results: &Results) -> Vec<String> {
    let crashed = |point: &&Point| first_crash(results, point).is_some();
    let Some(point) = results.points.iter().rfind(crashed) else {
        return Vec::new();
    };
    let mut told: Vec<(String, String)> = Vec::new();
    for contender in told_of(results, point) {
        let (noun, verb) = first_crash(results, point).map_or(NAMES[0].1, named);
        let when = match victim(results, point, contender) {
            Some(victim) => format!("when {victim} {verb}"),
            None => format!("after the {noun}"),
        };
        let fate = |first| fate(results, point, contender, noun, first);
        // Contenders that lost the same machine share a sentence.
        match told.last_mut() {
            Some((known, fates)) if *known == when => *fates = format!("{fates}; {}", fate(false)),
            _ => told.push((when, fate(true))),
        }
    }
    let at = place(results, point);
    let sentence = |(index, (when, fates)): (usize, &(String, String))| {
        let opening = match at.trim() {
            at if index == 0 && !at.is_empty() => format!("{at}, {when}"),
            _ => when.clone(),
        };
        format!("{}, {fates}.", sentence_case(&opening))
    };
    told.iter().enumerate().map(sentence).collect()
}

/// The contenders to tell of: all, or those with the deepest and the shallowest dip.
fn told_of(results: &Results, point: &Point) -> Vec<usize> {
    let all: Vec<usize> = results.contenders().collect();
    if all.len() <= MOST_TOLD {
        return all;
    }
    let dip = |contender: &usize| {
        let dip = results.estimate(point.index, *contender, DIP)?;
        Some((*contender, dip.mean))
    };
    let mut dips: Vec<(usize, f64)> = all.iter().filter_map(dip).collect();
    dips.sort_by(|a, b| b.1.total_cmp(&a.1));
    match &dips[..] {
        [] => Vec::new(),
        [only] => vec![only.0],
        [first, .., last] => vec![first.0, last.0],
    }
}

fn named(hit: &Hit) -> (&'static str, &'static str) {
    let known = NAMES.iter().find(|(what, _)| *what == hit.what);
    known.map_or(NAMES[0].1, |(_, words)| *words)
}

/// The failure that crashed, slowed down or cut off somebody first at a point.
fn first_crash<'a>(results: &'a Results, point: &Point) -> Option<&'a Hit> {
    let here = results.incidents.iter();
    let here = here.filter(|hit| hit.point == point.index);
    let here = here.filter(|hit| NAMES.iter().any(|(what, _)| *what == hit.what));
    here.min_by(|a, b| a.at.total_cmp(&b.at))
}

/// Whom the first crash hit in the runs of a contender; nothing when it hit nobody there.
fn victim(results: &Results, point: &Point, contender: usize) -> Option<String> {
    let first = first_crash(results, point)?;
    let mine = results.incidents.iter().filter(|hit| {
        let same = hit.failure == first.failure && hit.what == first.what;
        same && hit.point == point.index && hit.contender == contender
    });
    let mine: Vec<&Hit> = mine.collect();
    let one = mine.first()?;
    let alone = |hit: &&Hit| {
        let same_run = mine.iter().filter(|h| h.replication == hit.replication);
        same_run.count() == 1
    };
    let same_role = mine.iter().all(|hit| hit.role == one.role);
    let of_operator = one.role == "infrastructure";
    Some(match mine.iter().all(alone) {
        true if mine.iter().all(|hit| hit.node == one.node) && of_operator => {
            format!("the {}", one.node)
        }
        true if mine.iter().all(|hit| hit.node == one.node) => one.node.clone(),
        true if same_role && of_operator => "a machine".to_owned(),
        true if same_role => "a user's device".to_owned(),
        true => "a node".to_owned(),
        false if same_role && of_operator => "machines".to_owned(),
        false if same_role => "users' devices".to_owned(),
        false => "nodes".to_owned(),
    })
}

/// "client-server lost up to 100 % of its delivery rate and was back at 90 % 305 s after the crash",
/// or, where such a clause stands before, "swarm lost up to 40 % and was back after 12 s".
fn fate(results: &Results, point: &Point, contender: usize, noun: &str, first: bool) -> String {
    let label = results.label(contender);
    let all = results.replications();
    let Some(dip) = results.estimate(point.index, contender, DIP) else {
        let demand = results.manifest.demand;
        let served = results.estimate(point.index, contender, demand.success());
        return match served {
            Some(served) if served.mean <= 0.0 => {
                format!("{label} {} before or after", demand.did_nothing())
            }
            _ => format!("{label} delivered nothing that it could have lost"),
        };
    };
    // Runs that were over before the crash have no dip and say nothing.
    let of_those = if dip.n < all {
        format!("{label} (in the {} of {all} runs that it hit)", dip.n)
    } else {
        label.to_owned()
    };
    let lost = match dip.mean {
        none if none <= 0.0 => "lost nothing of its delivery rate".to_owned(),
        share if !first => format!("lost up to {}", quantity(share, "share")),
        share => format!(
            "lost up to {} of its delivery rate",
            quantity(share, "share")
        ),
    };
    let back = results.estimate(point.index, contender, BACK);
    let back = match back {
        None if dip.n == 1 => "did not come back to 90 %".to_owned(),
        None => "did not come back to 90 % in any run".to_owned(),
        Some(back) if back.mean <= 0.0 && back.n == dip.n => "stayed above 90 %".to_owned(),
        Some(back) => {
            let after = results.time_scale(point.index, back.mean).words(back.mean);
            let times = match dip.n - back.n.min(dip.n) {
                0 => String::new(),
                never => format!(" in {} of {} runs (never in {never})", back.n, dip.n),
            };
            match back.mean {
                none if none <= 0.0 => format!("stayed above 90 %{times}"),
                _ if !first => format!("was back after {after}{times}"),
                _ => format!("was back at 90 % {after} after the {noun}{times}"),
            }
        }
    };
    format!("{of_those} {lost} and {back}")
}
