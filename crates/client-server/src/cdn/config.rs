//! Settings of a content delivery network, and which machine does what.

use std::collections::BTreeMap;

use netduel_world::{Bytes, Cast, ConfigError, NodeId, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cache::Policy;

/// Settings of a content delivery network.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the machine under `[infrastructure]` that has everything; the only one when left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Names of the machines with caches that users ask; all but origin and shield when empty.
    /// Where there are none, users ask the origin.
    pub edges: Vec<String>,
    /// Name of a machine with a cache that edges ask in place of the origin; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shield: Option<String>,
    /// Size of the cache of each edge: at least one object or value, at most the disk. 10 GB is the
    /// `max_size` in the example of the nginx administration guide, "Content caching".
    pub cache: Bytes,
    /// Size of the shield's cache; that of an edge when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shield_cache: Option<Bytes>,
    /// What a full cache drops: "lru", "lfu", or nothing, "static".
    pub policy: Policy,
    /// Whether users who ask an edge for the same thing wait for one copy together (nginx,
    /// `proxy_cache_lock`) rather than for a copy each.
    pub coalescing: bool,
    /// Requests served at once by each machine; at least 1.
    pub connections: u32,
    /// Clients that may wait for a connection of each machine.
    pub queue: u32,
    /// Silence after which a client takes a machine for dead and asks the next nearest.
    pub response_timeout: Seconds,
    /// Whether a broken download goes on where it stopped (HTTP range requests, RFC 9110 §14)
    /// rather than from the start.
    pub resume: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            origin: None,
            edges: Vec::new(),
            shield: None,
            cache: Bytes(10_000_000_000),
            shield_cache: None,
            policy: Policy::default(),
            coalescing: true,
            connections: 10_000,
            queue: 511,
            response_timeout: Seconds::new(30.0).expect("half a minute is in range"),
            resume: true,
        }
    }
}

/// Which machines do what.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    pub(super) origin: NodeId,
    pub(super) shield: Option<NodeId>,
    pub(super) edges: Vec<NodeId>,
}

fn error(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        key,
        problem: problem.into(),
    }
}

fn one(key: &'static str, name: Option<&str>, cast: Cast<'_>) -> Result<NodeId, ConfigError> {
    let machines = cast.machines(key, name)?;
    match machines.len() {
        1 => Ok(NodeId(machines.start)),
        count => Err(error(
            key,
            format!("names {count} machines; expected a group of 1"),
        )),
    }
}

impl Config {
    pub(super) fn roles(&self, cast: Cast<'_>) -> Result<Roles, ConfigError> {
        let origin = one("origin", self.origin.as_deref(), cast)?;
        let shield = match &self.shield {
            Some(name) => Some(one("shield", Some(name), cast)?),
            None => None,
        };
        if shield == Some(origin) {
            return Err(error("shield", "names the origin"));
        }
        let mut edges = Vec::new();
        for name in &self.edges {
            edges.extend(cast.machines("edges", Some(name))?.map(NodeId));
        }
        edges.sort_unstable();
        if edges.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(error("edges", "names machines twice"));
        }
        if edges
            .iter()
            .any(|edge| *edge == origin || Some(*edge) == shield)
        {
            return Err(error("edges", "names the origin or the shield"));
        }
        if self.edges.is_empty() {
            let all = (0..cast.machine_count()).map(NodeId);
            edges = all
                .filter(|edge| *edge != origin && Some(*edge) != shield)
                .collect();
        }
        if edges.is_empty() && shield.is_some() {
            return Err(error(
                "shield",
                "shields the origin from edges; there are none",
            ));
        }
        Ok(Roles {
            origin,
            shield,
            edges,
        })
    }

    /// How many things the cache of `size` of a machine has room for.
    pub(super) fn room(
        key: &'static str,
        size: Bytes,
        machine: NodeId,
        cast: Cast<'_>,
    ) -> Result<u32, ConfigError> {
        if let Some(disk) = cast.storage(machine)
            && size > disk
        {
            return Err(error(
                key,
                format!("is {size}, more than the disk; expected at most {disk}"),
            ));
        }
        let thing = cast.object_size();
        if size < thing {
            return Err(error(
                key,
                format!("is {size}, too small for anything; expected at least {thing}"),
            ));
        }
        Ok(u32::try_from(size.0.checked_div(thing.0).unwrap_or(u64::MAX)).unwrap_or(u32::MAX))
    }
}

/// Where each user asks: the edges, the nearest first.
pub(super) struct Nearest {
    first_user: u32,
    /// Which of the orders is each user's.
    order_of: Box<[u32]>,
    orders: Vec<Vec<NodeId>>,
}

impl Nearest {
    pub(super) fn new(roles: &Roles, cast: Cast<'_>) -> Self {
        let (first_user, users) = (cast.machine_count(), cast.user_count());
        let places = match &*roles.edges {
            [] => vec![roles.origin],
            edges => edges.to_vec(),
        };
        let count = places.len();
        let mut orders = Vec::new();
        let mut known: BTreeMap<(Vec<u64>, usize), u32> = BTreeMap::new();
        let order_of = (0..users).map(|user| {
            let from = NodeId(first_user + user);
            let far: Vec<u64> = places.iter().map(|to| cast.latency(from, *to).0).collect();
            // Users of edges that are equally near are spread over them.
            let turn = user as usize % count;
            *known.entry((far, turn)).or_insert_with_key(|(far, turn)| {
                let mut order: Vec<usize> = (0..count).collect();
                order.sort_by_key(|place| (far[*place], (place + count - turn) % count));
                orders.push(order.into_iter().map(|place| places[place]).collect());
                u32::try_from(orders.len() - 1).expect("no more orders than users")
            })
        });
        Self {
            first_user,
            order_of: order_of.collect(),
            orders,
        }
    }

    pub(super) fn to(&self, user: NodeId) -> &[NodeId] {
        let order = self.order_of[(user.0 - self.first_user) as usize];
        &self.orders[order as usize]
    }

    pub(super) fn state_bytes(&self) -> usize {
        let orders = self.orders.iter().map(|order| size_of_val(&**order));
        size_of_val(&*self.order_of) + orders.sum::<usize>()
    }
}
