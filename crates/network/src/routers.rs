//! Routers between the devices, and the trunks that transfers share on their way.

use std::{fmt, ops::Add};

use netduel_engine::SimDuration;
use netduel_units::BitsPerSecond;
use petgraph::{
    algo::dijkstra,
    graph::{DiGraph, NodeIndex},
};

use crate::latency::RegionId;

/// A link from one router to another. Routers count from 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trunk {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What it carries.
    pub rate: BitsPerSecond,
    /// How long a bit takes over it.
    pub latency: SimDuration,
}

/// Routers joined by trunks, with the way from each region to each other.
///
/// Every region hangs off one router. Bytes take the way of least latency; of several such the one
/// with fewest trunks, and of those the one whose last trunk was listed first, and so on backwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Routers {
    trunks: Vec<Trunk>,
    region_count: usize,
    /// Row by sender, column by receiver.
    ways: Vec<Way>,
}

/// The way between two regions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Way {
    trunks: Vec<usize>,
    latency: SimDuration,
}

/// Why routers do not make a network.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteError {
    /// No trunks lead from one router to another.
    NoWay {
        /// The one.
        from: usize,
        /// The other.
        to: usize,
    },
    /// The way between two routers has more than [`Routers::TRUNKS_MAX`] trunks.
    TooLong {
        /// The one.
        from: usize,
        /// The other.
        to: usize,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWay { from, to } => write!(f, "no trunks lead from router {from} to {to}"),
            Self::TooLong { from, to } => {
                let most = Routers::TRUNKS_MAX;
                write!(
                    f,
                    "the way from router {from} to {to} has over {most} trunks"
                )
            }
        }
    }
}

impl std::error::Error for RouteError {}

impl Routers {
    /// The most trunks on a way.
    pub const TRUNKS_MAX: usize = 30;

    /// `router_count` routers joined by `trunks`; `at` says at which router each region is.
    ///
    /// # Errors
    /// [`RouteError`] when two of the routers are not joined, or by too many trunks.
    ///
    /// # Panics
    /// When a trunk or a region is at a router that is not there.
    pub fn new(router_count: usize, trunks: Vec<Trunk>, at: &[usize]) -> Result<Self, RouteError> {
        let mut graph = DiGraph::new();
        let routers: Vec<NodeIndex> = (0..router_count).map(|_| graph.add_node(())).collect();
        for trunk in &trunks {
            graph.add_edge(routers[trunk.from], routers[trunk.to], Cost::of(trunk));
        }
        let mut from_each = Vec::new();
        for from in 0..router_count {
            let costs = dijkstra(&graph, routers[from], None, |edge| *edge.weight());
            let mut ways = Vec::new();
            for (to, end) in routers.iter().enumerate() {
                let cost = costs.get(end).ok_or(RouteError::NoWay { from, to })?;
                if cost.trunks > Self::TRUNKS_MAX {
                    return Err(RouteError::TooLong { from, to });
                }
                let cost_to = |router: usize| costs.get(&routers[router]).copied();
                ways.push(Way {
                    trunks: way(&trunks, from, to, cost_to),
                    latency: SimDuration(cost.latency),
                });
            }
            from_each.push(ways);
        }
        let pairs = at
            .iter()
            .flat_map(|from| at.iter().map(move |to| (*from, *to)));
        let ways = pairs.map(|(from, to)| from_each[from][to].clone());
        Ok(Self {
            ways: ways.collect(),
            region_count: at.len(),
            trunks,
        })
    }

    /// Every trunk, as listed.
    pub fn trunks(&self) -> &[Trunk] {
        &self.trunks
    }

    /// The trunks on the way from one region to another, by their place in the list.
    pub fn way(&self, from: RegionId, to: RegionId) -> &[usize] {
        &self.ways[self.pair(from, to)].trunks
    }

    /// How long a bit takes over the trunks from one region to another.
    pub fn latency(&self, from: RegionId, to: RegionId) -> SimDuration {
        self.ways[self.pair(from, to)].latency
    }

    /// How many regions there are.
    pub fn region_count(&self) -> usize {
        self.region_count
    }

    fn pair(&self, from: RegionId, to: RegionId) -> usize {
        usize::from(from.0) * self.region_count + usize::from(to.0)
    }
}

/// Follows a way of least cost back from its end.
fn way(
    trunks: &[Trunk],
    from: usize,
    to: usize,
    cost_to: impl Fn(usize) -> Option<Cost>,
) -> Vec<usize> {
    let (mut way, mut end) = (Vec::new(), to);
    while end != from {
        let cost = cost_to(end);
        let last = trunks.iter().position(|trunk| {
            trunk.to == end && cost_to(trunk.from).map(|before| before + Cost::of(trunk)) == cost
        });
        let last = last.expect("a way of least cost has a last trunk");
        way.push(last);
        end = trunks[last].from;
    }
    way.reverse();
    way
}

/// What a way costs: latency above all.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Cost {
    latency: u64,
    trunks: usize,
}

impl Cost {
    fn of(trunk: &Trunk) -> Self {
        Self {
            latency: trunk.latency.0,
            trunks: 1,
        }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            latency: self.latency.saturating_add(other.latency),
            trunks: self.trunks + other.trunks,
        }
    }
}
