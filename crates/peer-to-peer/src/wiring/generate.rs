//! Links by rule and chance. The same draws give the same links.

use std::collections::BTreeSet;

use netduel_world::{Share, Stream, uniform, uniform_below};
use petgraph::unionfind::UnionFind;

type Links = Vec<(u32, u32)>;

/// Both orders of a pair are the same link.
fn link(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

fn shuffle(items: &mut [u32], rng: &mut Stream) {
    for left in (1..items.len()).rev() {
        let bound = u32::try_from(left + 1).expect("items are counted in 32 bits");
        items.swap(left, uniform_below(rng, bound) as usize);
    }
}

/// How many parts there are.
fn part_count(peers: u32, links: &[(u32, u32)]) -> u32 {
    let mut parts = UnionFind::new(peers as usize);
    let merged = links.iter().filter(|(a, b)| parts.union(*a, *b)).count();
    peers - u32::try_from(merged).expect("fewer merge than there are")
}

/// Everybody in one circle, in random order: the connected graphs of degree 2.
pub(super) fn circle(peers: u32, rng: &mut Stream) -> Links {
    let mut order: Vec<u32> = (0..peers).collect();
    shuffle(&mut order, rng);
    let next = order.iter().cycle().skip(1);
    let links = order.iter().zip(next).map(|(a, b)| link(*a, *b));
    // Of two peers either is next to the other.
    links.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Drawn again until it is connected, which from degree 3 on almost every graph is.
pub(super) fn random_regular(peers: u32, degree: u32, rng: &mut Stream) -> Links {
    // Where most pairs are linked it is easier to say who is not.
    let rest = peers - 1 - degree;
    loop {
        let links = if degree > rest {
            match_stubs(peers, rest, rng).map(|links| all_but(peers, &links))
        } else {
            match_stubs(peers, degree, rng)
        };
        if let Some(links) = links.filter(|links| part_count(peers, links) == 1) {
            return links;
        }
    }
}

/// All pairs but these, which are in ascending order.
fn all_but(peers: u32, links: &[(u32, u32)]) -> Links {
    let all = (0..peers).flat_map(|a| (a + 1..peers).map(move |b| (a, b)));
    all.filter(|pair| links.binary_search(pair).is_err())
        .collect()
}

/// Pairs the ends of links at random; pairs that cannot be are broken up and their ends paired
/// again. Nothing when that leads nowhere.
///
/// # Source
/// A. Steger, N. Wormald, "Generating random regular graphs quickly", Combinatorics, Probability
/// and Computing 8, 1999.
fn match_stubs(peers: u32, degree: u32, rng: &mut Stream) -> Option<Links> {
    let mut links = BTreeSet::new();
    let mut stubs: Vec<u32> = (0..peers)
        .flat_map(|peer| std::iter::repeat_n(peer, degree as usize))
        .collect();
    while !stubs.is_empty() {
        shuffle(&mut stubs, rng);
        let mut left = Vec::new();
        for pair in stubs.chunks_exact(2) {
            if pair[0] == pair[1] || !links.insert(link(pair[0], pair[1])) {
                left.extend_from_slice(pair);
            }
        }
        if left.len() == stubs.len() && !pairs_remain(&left, &links) {
            return None;
        }
        stubs = left;
    }
    Some(links.into_iter().collect())
}

/// Whether two of these ends can still be linked.
fn pairs_remain(stubs: &[u32], links: &BTreeSet<(u32, u32)>) -> bool {
    let owners: BTreeSet<u32> = stubs.iter().copied().collect();
    let mut pairs = owners
        .iter()
        .flat_map(|a| owners.range(a + 1..).map(|b| (*a, *b)));
    pairs.any(|pair| !links.contains(&pair))
}

/// As many links as the mean degree asks for, between pairs chosen at random.
pub(super) fn erdos_renyi(peers: u32, mean_degree: f64, rng: &mut Stream) -> Links {
    let pairs = u64::from(peers) * u64::from(peers - 1) / 2;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie between 0 and the number of pairs"
    )]
    let count = ((f64::from(peers) * mean_degree / 2.0).round() as u64).min(pairs);
    let mut links = BTreeSet::new();
    while (links.len() as u64) < count {
        let [a, b] = [uniform_below(rng, peers), uniform_below(rng, peers)];
        if a != b {
            links.insert(link(a, b));
        }
    }
    links.into_iter().collect()
}

/// Everybody is linked with the nearest, half of them on either side.
pub(super) fn ring(peers: u32, degree: u32) -> Links {
    let far = 1..=degree / 2;
    let links = far.flat_map(|step| (0..peers).map(move |a| link(a, (a + step) % peers)));
    links.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The ring with some links led elsewhere, round by round as Watts and Strogatz do.
pub(super) fn watts_strogatz(peers: u32, degree: u32, rewired: Share, rng: &mut Stream) -> Links {
    let mut links: BTreeSet<(u32, u32)> = ring(peers, degree).into_iter().collect();
    let mut degrees = vec![0_u32; peers as usize];
    for (a, b) in &links {
        degrees[*a as usize] += 1;
        degrees[*b as usize] += 1;
    }
    for step in 1..=degree / 2 {
        for a in 0..peers {
            let old = link(a, (a + step) % peers);
            // Whoever is linked with everybody has no other to be linked with.
            if uniform(rng) >= rewired.get()
                || degrees[a as usize] == peers - 1
                || !links.contains(&old)
            {
                continue;
            }
            let b = loop {
                let b = uniform_below(rng, peers);
                if b != a && !links.contains(&link(a, b)) {
                    break b;
                }
            };
            let gone = if old.0 == a { old.1 } else { old.0 };
            links.remove(&old);
            links.insert(link(a, b));
            degrees[gone as usize] -= 1;
            degrees[b as usize] += 1;
        }
    }
    links.into_iter().collect()
}

/// The first few are linked with each other; each that follows links with as many, chosen in
/// proportion to the links that they have.
pub(super) fn barabasi_albert(peers: u32, count: u32, rng: &mut Stream) -> Links {
    let mut links = Vec::new();
    // Every peer stands here once for each of its links.
    let mut ends: Vec<u32> = Vec::new();
    for b in 1..=count.min(peers - 1) {
        for a in 0..b {
            links.push((a, b));
            ends.extend([a, b]);
        }
    }
    let mut chosen = BTreeSet::new();
    for b in count + 1..peers {
        chosen.clear();
        while chosen.len() < count as usize {
            let among = u32::try_from(ends.len()).expect("ends are counted in 32 bits");
            chosen.insert(ends[uniform_below(rng, among) as usize]);
        }
        for a in &chosen {
            links.push((*a, b));
            ends.extend([*a, b]);
        }
    }
    links
}

/// Links each part that is left apart with the largest, by a link between two chosen at random.
pub(super) fn joined(peers: u32, mut links: Links, rng: &mut Stream) -> Links {
    let mut parts = UnionFind::new(peers as usize);
    for (a, b) in &links {
        parts.union(*a, *b);
    }
    let part_of: Vec<u32> = parts.into_labeling();
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); peers as usize];
    for (peer, part) in (0..).zip(&part_of) {
        members[*part as usize].push(peer);
    }
    members.retain(|part| !part.is_empty());
    // The largest; of equal ones the first.
    let sizes = members.iter().map(Vec::len).zip((0..members.len()).rev());
    let largest = members.len() - 1 - sizes.max().expect("there are peers").1;
    let main = members.swap_remove(largest);
    let any = |part: &[u32], rng: &mut Stream| {
        let size = u32::try_from(part.len()).expect("peers are counted in 32 bits");
        part[uniform_below(rng, size) as usize]
    };
    for part in &members {
        links.push(link(any(part, rng), any(&main, rng)));
    }
    links
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;
    use crate::wiring::{Graph, Wiring};

    fn rules() -> Vec<Wiring> {
        let rewired = Share::new(0.2).unwrap();
        vec![
            Wiring::RandomRegular { degree: 2 },
            Wiring::RandomRegular { degree: 3 },
            Wiring::RandomRegular { degree: 6 },
            Wiring::RandomRegular { degree: 7 },
            Wiring::RandomRegular { degree: 48 },
            Wiring::ErdosRenyi { mean_degree: 1.5 },
            Wiring::ErdosRenyi { mean_degree: 4.0 },
            Wiring::WattsStrogatz { degree: 4, rewired },
            Wiring::WattsStrogatz {
                degree: 2,
                rewired: Share::new(1.0).unwrap(),
            },
            Wiring::BarabasiAlbert { links: 1 },
            Wiring::BarabasiAlbert { links: 3 },
            Wiring::Ring { degree: 4 },
        ]
    }

    fn links(graph: &Graph, peers: u32) -> Links {
        let ends = |a: u32| graph.neighbours(a).iter().map(move |b| (a, *b));
        (0..peers).flat_map(ends).collect()
    }

    #[test]
    fn every_rule_links_everybody_once_and_reaches_all() {
        for seed in 0..20 {
            for rule in rules() {
                for peers in [1, 2, 7, 8, 50, 500] {
                    let mut rng = Streams::new(seed, 0).open("wiring", 0);
                    let Ok(graph) = rule.link(peers, &mut rng) else {
                        continue;
                    };
                    let links = links(&graph, peers);
                    assert_eq!(
                        part_count(peers, &links),
                        1,
                        "seed {seed}, {peers}: {rule:?}"
                    );
                    assert!(links.iter().all(|(a, b)| a != b), "{rule:?}");
                    let once: BTreeSet<_> = links.iter().collect();
                    assert_eq!(once.len(), links.len(), "{rule:?}");
                    assert!(links.iter().all(|(a, b)| once.contains(&(*b, *a))));
                    let mut again = Streams::new(seed, 0).open("wiring", 0);
                    assert_eq!(rule.link(peers, &mut again).unwrap(), graph);
                }
            }
        }
    }

    #[test]
    fn rules_have_the_degrees_that_they_promise() {
        let peers = 2000;
        for rule in rules() {
            let mut rng = Streams::new(1, 0).open("wiring", 0);
            let graph = rule.link(peers, &mut rng).unwrap();
            let mean = 2.0 * graph.link_count() as f64 / f64::from(peers);
            let expected = rule.mean_degree(peers);
            // A sparse random graph is joined by one link for every part left apart.
            let most = if expected < 2.0 { 1.4 } else { 1.03 };
            let ratio = mean / expected;
            assert!((0.99..most).contains(&ratio), "{rule:?} has {mean}");
            if let Wiring::RandomRegular { degree } | Wiring::Ring { degree } = rule {
                let equal = |peer| graph.neighbours(peer).len() == degree as usize;
                assert!((0..peers).all(equal), "{rule:?}");
            }
        }
    }

    /// A Barabási-Albert graph has hubs of the order of m sqrt(N); a random one has none.
    #[test]
    fn growing_by_preference_makes_hubs() {
        let most = |rule: Wiring| {
            let mut rng = Streams::new(3, 0).open("wiring", 0);
            let graph = rule.link(10_000, &mut rng).unwrap();
            let degrees = (0..10_000).map(|peer| graph.neighbours(peer).len());
            degrees.max().unwrap()
        };
        assert!(most(Wiring::BarabasiAlbert { links: 2 }) > 100);
        assert!(most(Wiring::ErdosRenyi { mean_degree: 4.0 }) < 20);
    }

    #[test]
    fn rules_that_do_not_fit_are_refused() {
        use netduel_world::UserGraph;
        let mut rng = Streams::new(1, 0).open("wiring", 0);
        let file = |links: &[(u32, u32)]| {
            Wiring::File(UserGraph {
                file: "g.csv".into(),
                links: links.to_vec(),
            })
        };
        let half = Share::new(0.5).unwrap();
        for (rule, problem) in [
            (Wiring::RandomRegular { degree: 0 }, "has a degree of 0"),
            (
                Wiring::RandomRegular { degree: 3 },
                "one of the two to be even",
            ),
            (Wiring::RandomRegular { degree: 6 }, "expected at most 4"),
            (Wiring::Ring { degree: 3 }, "an even number"),
            (
                Wiring::WattsStrogatz {
                    degree: 6,
                    rewired: half,
                },
                "at most 4",
            ),
            (Wiring::ErdosRenyi { mean_degree: 0.0 }, "expected above 0"),
            (
                Wiring::ErdosRenyi {
                    mean_degree: f64::NAN,
                },
                "expected above 0",
            ),
            (Wiring::BarabasiAlbert { links: 0 }, "expected 1 to 4"),
            (Wiring::BarabasiAlbert { links: 5 }, "expected 1 to 4"),
            (file(&[(0, 1), (1, 2), (2, 3), (3, 5)]), "from 0 to 4"),
            (file(&[(0, 1), (1, 2), (3, 4)]), "into 2 parts in g.csv"),
            (file(&[(0, 1), (1, 2), (2, 2)]), "user 2 with itself"),
            (file(&[(0, 1), (1, 2), (1, 0)]), "users 0 and 1 twice"),
        ] {
            let error = rule.link(5, &mut rng).unwrap_err();
            assert_eq!(error.key, "wiring");
            assert!(error.problem.contains(problem), "{rule:?}: {error}");
        }
    }
}
