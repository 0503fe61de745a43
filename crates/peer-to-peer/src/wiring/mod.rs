//! Who is linked with whom at the start, in overlays without structure.

mod generate;

use netduel_world::{ConfigError, Share, Stream, UserGraph};
use petgraph::unionfind::UnionFind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule by which peers are linked with each other.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum Wiring {
    /// Everybody has the same number of neighbours; who they are is left to chance.
    RandomRegular {
        /// Neighbours of each; 2 or more, fewer than there are peers.
        degree: u32,
    },
    /// A number of links between pairs chosen at random (P. Erdős, A. Rényi, 1959). Whoever is left
    /// apart is linked with somebody.
    ErdosRenyi {
        /// Neighbours of each, on average; above 0.
        mean_degree: f64,
    },
    /// A ring in which a share of links leads somewhere else (D. Watts, S. Strogatz, Nature 393,
    /// 1998). Whoever is left apart is linked with somebody.
    WattsStrogatz {
        /// Neighbours of each in the ring, half of them on either side; even.
        degree: u32,
        /// Share of links that lead to anybody instead.
        rewired: Share,
    },
    /// Peers come one by one and link with those who have many links already (A.-L. Barabási,
    /// R. Albert, Science 286, 1999).
    BarabasiAlbert {
        /// Links that each brings; at least 1.
        links: u32,
    },
    /// A ring: everybody is linked with those next in order.
    Ring {
        /// Neighbours of each, half of them on either side; even.
        degree: u32,
    },
    /// As a file says: GraphML, or a CSV table with the columns from, to. Users count from 0.
    File(UserGraph),
}

/// Neighbours of every peer, in ascending order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Graph {
    starts: Vec<usize>,
    ends: Vec<u32>,
}

impl Graph {
    fn new(peers: u32, links: &[(u32, u32)]) -> Self {
        let mut starts = vec![0; peers as usize + 1];
        for (a, b) in links {
            starts[*a as usize + 1] += 1;
            starts[*b as usize + 1] += 1;
        }
        for peer in 1..starts.len() {
            starts[peer] += starts[peer - 1];
        }
        let mut next = starts.clone();
        let mut ends = vec![0; 2 * links.len()];
        for (a, b) in links {
            for (a, b) in [(*a, *b), (*b, *a)] {
                ends[next[a as usize]] = b;
                next[a as usize] += 1;
            }
        }
        let mut graph = Self { starts, ends };
        for peer in 0..peers as usize {
            graph.ends[graph.starts[peer]..graph.starts[peer + 1]].sort_unstable();
        }
        graph
    }

    /// The neighbours of a peer, counted from 0.
    pub fn neighbours(&self, peer: u32) -> &[u32] {
        &self.ends[self.starts[peer as usize]..self.starts[peer as usize + 1]]
    }

    /// How many links there are.
    pub fn link_count(&self) -> usize {
        self.ends.len() / 2
    }
}

/// Random graphs of mean degree 4 are what Q. Lv, P. Cao, E. Cohen, K. Li, S. Shenker, "Search and
/// replication in unstructured peer-to-peer networks", ICS 2002, compare searches on.
const DEGREE: u32 = 4;

impl Wiring {
    /// How so many peers are linked where nothing is said.
    pub(crate) fn usual(peers: u32) -> Self {
        Self::regular(DEGREE, peers)
    }

    /// A random graph of so many peers with `degree` neighbours each, or as many as there can be.
    pub(crate) fn regular(degree: u32, peers: u32) -> Self {
        if peers < 3 {
            return Self::BarabasiAlbert { links: 1 };
        }
        let degree = degree.min(peers - 1);
        // The number of ends of links is even.
        Self::RandomRegular {
            degree: degree - degree % 2 * (peers % 2),
        }
    }

    /// Links so many peers with each other. Whatever chance does, everybody can be reached.
    ///
    /// # Errors
    /// [`ConfigError`] when the rule does not fit the number of peers.
    pub fn link(&self, peers: u32, rng: &mut Stream) -> Result<Graph, ConfigError> {
        self.check(peers)?;
        let links = match self {
            _ if peers < 2 => Vec::new(),
            Self::RandomRegular { degree: 2 } => generate::circle(peers, rng),
            Self::RandomRegular { degree } => generate::random_regular(peers, *degree, rng),
            Self::ErdosRenyi { mean_degree } => {
                let links = generate::erdos_renyi(peers, *mean_degree, rng);
                generate::joined(peers, links, rng)
            }
            Self::WattsStrogatz { degree, rewired } => {
                let links = generate::watts_strogatz(peers, *degree, *rewired, rng);
                generate::joined(peers, links, rng)
            }
            Self::BarabasiAlbert { links } => generate::barabasi_albert(peers, *links, rng),
            Self::Ring { degree } => generate::ring(peers, *degree),
            Self::File(graph) => graph.links.clone(),
        };
        Ok(Graph::new(peers, &links))
    }

    /// How many neighbours a peer has on average, when there are so many.
    pub fn mean_degree(&self, peers: u32) -> f64 {
        match self {
            Self::RandomRegular { degree }
            | Self::WattsStrogatz { degree, .. }
            | Self::Ring { degree } => f64::from(*degree),
            Self::ErdosRenyi { mean_degree } => *mean_degree,
            Self::BarabasiAlbert { links } => 2.0 * f64::from(*links),
            Self::File(graph) => 2.0 * graph.links.len() as f64 / f64::from(peers.max(1)),
        }
    }

    fn check(&self, peers: u32) -> Result<(), ConfigError> {
        // A lone peer has nobody to be linked with, whatever the rule.
        let most = peers.saturating_sub(1);
        let fits = |degree: u32| peers < 2 || degree <= most;
        match self {
            Self::RandomRegular { degree } if *degree < 2 => {
                refuse(format!("has a degree of {degree}; expected at least 2"))
            }
            Self::WattsStrogatz { degree, .. } | Self::Ring { degree }
                if *degree < 2 || degree % 2 == 1 =>
            {
                refuse(format!(
                    "has a degree of {degree}; expected an even number from 2 up"
                ))
            }
            Self::RandomRegular { degree }
            | Self::WattsStrogatz { degree, .. }
            | Self::Ring { degree }
                if !fits(*degree) =>
            {
                refuse(format!(
                    "has a degree of {degree} for {peers} peers; expected at most {most}"
                ))
            }
            Self::RandomRegular { degree } if peers > 1 && degree % 2 == 1 && peers % 2 == 1 => {
                refuse(format!(
                    "has a degree of {degree} for {peers} peers; expected one of the two to be even"
                ))
            }
            Self::ErdosRenyi { mean_degree }
                if !(*mean_degree > 0.0 && (peers < 2 || *mean_degree <= f64::from(most))) =>
            {
                refuse(format!(
                    "has a mean degree of {mean_degree} for {peers} peers; expected above 0, at \
                     most {most}"
                ))
            }
            Self::BarabasiAlbert { links } if *links == 0 || !fits(*links) => refuse(format!(
                "brings {links} links for {peers} peers; expected 1 to {}",
                most.max(1)
            )),
            Self::File(graph) => check_file(graph, peers),
            _ => Ok(()),
        }
    }
}

fn check_file(graph: &UserGraph, peers: u32) -> Result<(), ConfigError> {
    let file = &graph.file;
    let mut parts = UnionFind::new(peers as usize);
    let mut left = peers.max(1);
    let mut seen: Vec<(u32, u32)> = Vec::with_capacity(graph.links.len());
    for (a, b) in graph.links.iter().copied() {
        if a.max(b) >= peers {
            return refuse(format!(
                "links user {} in {file}; expected users from 0 to {}",
                a.max(b),
                peers.saturating_sub(1)
            ));
        }
        if a == b {
            return refuse(format!(
                "links user {a} with itself in {file}; expected another"
            ));
        }
        seen.push((a.min(b), a.max(b)));
        left -= u32::from(parts.union(a, b));
    }
    seen.sort_unstable();
    if let Some([(a, b), ..]) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
        return refuse(format!(
            "links users {a} and {b} twice in {file}; expected once"
        ));
    }
    if left > 1 {
        return refuse(format!("falls into {left} parts in {file}; expected one"));
    }
    Ok(())
}

fn refuse(problem: String) -> Result<(), ConfigError> {
    Err(ConfigError {
        key: "wiring",
        problem,
    })
}
