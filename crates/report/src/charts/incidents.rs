//! Incidents in words and as shaded times.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::{
    figure::Shade,
    number::{Scale, quantity, rounded},
    results::{Hit, Results},
    words::listed,
};

/// More episodes than this are told, not shaded.
const MOST_SHADED: usize = 6;

/// One incident as it befell all runs of a point.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    /// What it is called.
    pub(crate) name: String,
    /// What happens, in a word.
    what: String,
    /// The earliest begin of all runs, in seconds.
    pub(crate) at: f64,
    /// The latest end; `None` when it never ends.
    pub(crate) until: Option<f64>,
    /// Whether begin or end differ between runs.
    varies: bool,
    /// Per contender, who was hit.
    victims: Vec<(usize, String)>,
}

/// The episodes of a point, the earliest first.
pub(crate) fn episodes(results: &Results, point: usize) -> Vec<Episode> {
    let hits: Vec<&Hit> = results
        .incidents
        .iter()
        .filter(|hit| hit.point == point)
        .collect();
    let begins = begins(&hits);
    let mut groups: BTreeMap<(&str, usize), Vec<&Hit>> = BTreeMap::new();
    for hit in &hits {
        let earlier = begins[&run_of(hit)].partition_point(|at| *at < hit.at);
        groups.entry((&hit.failure, earlier)).or_default().push(hit);
    }
    let mut episodes: Vec<Episode> = groups
        .values()
        .map(|hits| Episode::of(results, hits))
        .collect();
    episodes.sort_by(|a, b| a.at.total_cmp(&b.at));
    episodes
}

/// One failure in one run: its name, contender and replication.
type Run<'a> = (&'a str, usize, usize);

fn run_of(hit: &Hit) -> Run<'_> {
    (&hit.failure, hit.contender, hit.replication)
}

/// When each failure struck in each run, in order: the k-th strike of one run is the same episode
/// as the k-th of another.
fn begins<'a>(hits: &[&'a Hit]) -> BTreeMap<Run<'a>, Vec<f64>> {
    let mut begins: BTreeMap<Run<'a>, Vec<f64>> = BTreeMap::new();
    for hit in hits {
        begins.entry(run_of(hit)).or_default().push(hit.at);
    }
    for times in begins.values_mut() {
        times.sort_by(f64::total_cmp);
        times.dedup();
    }
    begins
}

impl Episode {
    fn of(results: &Results, hits: &[&Hit]) -> Self {
        let begins = hits.iter().map(|hit| hit.at);
        let at = begins.clone().fold(f64::INFINITY, f64::min);
        let ends = hits.iter().map(|hit| hit.until.unwrap_or(f64::INFINITY));
        let until = ends.clone().fold(0.0, f64::max);
        let varies = begins.fold(at, f64::max) > at || ends.fold(until, f64::min) < until;
        let victims = results.contenders().filter_map(|contender| {
            let mine: Vec<&Hit> = hits
                .iter()
                .copied()
                .filter(|hit| hit.contender == contender)
                .collect();
            (!mine.is_empty()).then(|| (contender, victims(&mine, results.replications())))
        });
        Self {
            name: name(hits[0]),
            what: hits[0].what.clone(),
            at,
            until: until.is_finite().then_some(until),
            varies,
            victims: victims.collect(),
        }
    }

    /// "crash from 60 s to 360 s".
    fn span(&self, scale: &Scale) -> String {
        let from = rounded(self.at * scale.factor);
        let unit = &scale.unit;
        let span = match self.until {
            Some(until) => format!("{from} {unit} to {}", scale.words(until)),
            None => format!("from {from} {unit} on"),
        };
        let varies = if self.varies {
            " (times differ between runs)"
        } else {
            ""
        };
        format!("{}, {span}{varies}", self.name)
    }

    /// The whole episode in a sentence without its full stop.
    pub(crate) fn words(&self, results: &Results, scale: &Scale) -> String {
        let hit = |(contender, victims): &(usize, String)| {
            format!("in {}: {victims}", results.label(*contender))
        };
        let hit: Vec<String> = self.victims.iter().map(hit).collect();
        format!("{}; hit {}", self.span(scale), hit.join("; "))
    }
}

/// What a failure is called: its own name, or what it does where it has only a number.
fn name(hit: &Hit) -> String {
    let nameless = hit.failure.is_empty() || hit.failure.parse::<usize>().is_ok();
    match &hit.what {
        what if nameless || hit.failure.contains(what.as_str()) && what.is_empty() => what.clone(),
        what if hit.failure.contains(what.as_str()) => hit.failure.clone(),
        what => format!("{} ({what})", hit.failure),
    }
}

/// "server (20 of 20 runs, carrying 95 % of the load)".
fn victims(hits: &[&Hit], runs: usize) -> String {
    let mut roles: Vec<&str> = hits.iter().map(|hit| hit.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles.sort_by_key(|role| Reverse(hits.iter().filter(|hit| hit.role == **role).count()));
    let words = roles.iter().map(|role| {
        let mine: Vec<&&Hit> = hits.iter().filter(|hit| hit.role == **role).collect();
        let mut struck: Vec<usize> = mine.iter().map(|hit| hit.replication).collect();
        struck.sort_unstable();
        struck.dedup();
        let each = mine.len() as f64 / struck.len() as f64;
        let same = mine.iter().all(|hit| hit.node == mine[0].node);
        let count = if same {
            mine[0].node.clone()
        } else if mine.len() == struck.len() {
            (*role).to_owned()
        } else {
            format!("{} × {role}", rounded(each))
        };
        let loads: Vec<f64> = mine.iter().filter_map(|hit| hit.load_share).collect();
        let load = if loads.len() == mine.len() {
            let share = loads.iter().sum::<f64>() / struck.len() as f64;
            format!(", carrying {} of the load", quantity(share, "share"))
        } else {
            String::new()
        };
        format!("{count} ({} of {runs} runs{load})", struck.len())
    });
    listed(&words.collect::<Vec<_>>())
}

/// The shaded times of a point up to `end` seconds, and the lines that say what they are; the
/// lines are about shaded times only when there are any.
pub(crate) fn shades(
    results: &Results,
    point: usize,
    end: f64,
    scale: &Scale,
) -> (Vec<Shade>, Vec<String>) {
    let mut episodes = episodes(results, point);
    episodes.retain(|episode| episode.at <= end);
    if episodes.len() > MOST_SHADED {
        return (Vec::new(), vec![summary(&episodes, scale)]);
    }
    let shade = |episode: &Episode| Shade {
        from: episode.at * scale.factor,
        to: episode.until.unwrap_or(end).min(end) * scale.factor,
        name: episode.name.clone(),
        short: episode.what.clone(),
    };
    let words = episodes
        .iter()
        .map(|episode| format!("Shaded: {}", episode.words(results, scale)));
    (episodes.iter().map(shade).collect(), words.collect())
}

/// Many episodes in one sentence.
pub(crate) fn summary(episodes: &[Episode], scale: &Scale) -> String {
    let mut names: Vec<String> = episodes
        .iter()
        .map(|episode| episode.what.clone())
        .collect();
    names.sort();
    names.dedup();
    let first = episodes.first().map_or(0.0, |episode| episode.at);
    let last = episodes.last().map_or(0.0, |episode| episode.at);
    format!(
        "{} incidents ({}) between {} and {}, too many to shade one by one",
        episodes.len(),
        listed(&names),
        scale.words(first),
        scale.words(last)
    )
}
