//! Settings of Kademlia.

use std::ops::Range;

use netduel_world::{Cast, ConfigError, NodeId, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::buckets::{FAILURES_MAX, NODES_MAX};
use crate::{chord::Start, identifier::Placing};

/// Contacts in a bucket, as published.
const K: usize = 20;

/// Settings of Kademlia.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "KademliaSettings")]
pub struct Config {
    /// Whether all tables are full at the start or nodes join one by one.
    pub start: Start,
    /// Time from the start over which nodes join, each at a random instant, when `start` is `join`.
    pub join_within: Seconds,
    /// Machines under `[infrastructure]` that take part and through which others join; when left
    /// out, the first user's device is the one that others join through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// Contacts in a bucket, and in an answer; from 1 to the number of nodes. When left out, 20
    /// (Maymounkov and Mazières 2002), or all nodes where there are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k: Option<u32>,
    /// Questions under way at once in a look-up; at least 1. Maymounkov and Mazières 2002: 3.
    pub alpha: u32,
    /// Nodes that keep a value, those closest to its key; from 1 to `k`. As many as `k` when left
    /// out (Maymounkov and Mazières 2002).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Whether a look-up waits for all answers to its questions under way, or their timeouts,
    /// before it asks on. The paper leaves it open; implementations do not wait.
    pub rounds: bool,
    /// Nodes seen of late that wait for a place in a full bucket. libtorrent: as many as a bucket
    /// of BEP 5 has, 8.
    pub replacements: u32,
    /// Questions in a row that a contact leaves unanswered before another takes its place; 1 to 7.
    /// Maymounkov and Mazières 2002: 5.
    pub failures: u32,
    /// Silence after which a question counts as unanswered. 1 s as in BEP 5 implementations'
    /// short timeout (libtorrent).
    pub contact_timeout: Seconds,
    /// Time that a holder has for a value that it said it has.
    pub answer_timeout: Seconds,
    /// Time after which a bucket in which nothing was looked up is refreshed. Maymounkov and
    /// Mazières 2002: 1 h.
    pub refresh: Seconds,
    /// Time after which a holder that heard nothing of a value stores it again. Maymounkov and
    /// Mazières 2002: 1 h.
    pub republish: Seconds,
    /// Machines that take part though nobody joins through them; a host says which.
    #[serde(skip)]
    pub machines: Range<u32>,
    /// How identifiers are given; scenarios cannot change it.
    #[serde(skip)]
    pub placing: Placing,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("an hour is in range");
        Self {
            start: Start::Converged,
            join_within: seconds(60.0),
            bootstrap: None,
            k: None,
            alpha: 3,
            replicas: None,
            rounds: false,
            replacements: 8,
            failures: 5,
            contact_timeout: seconds(1.0),
            answer_timeout: seconds(10.0),
            refresh: seconds(3600.0),
            republish: seconds(3600.0),
            machines: 0..0,
            placing: Placing::Hashed,
        }
    }
}

impl Config {
    /// # Errors
    /// [`ConfigError`] when a setting is out of range for `members` nodes.
    pub(super) fn check(&self, members: usize) -> Result<(), ConfigError> {
        let fail = |key, problem| Err(ConfigError { key, problem });
        if members > NODES_MAX {
            let problem = format!("has {members} nodes to hold; expected at most {NODES_MAX}");
            return fail("k", problem);
        }
        let k = self.k(members);
        if k == 0 || k > members {
            let problem = format!("is {k}; expected 1 to {members}, the number of nodes");
            return fail("k", problem);
        }
        if self.alpha == 0 {
            return fail("alpha", "is 0; expected at least 1".into());
        }
        let replicas = self.replicas(members);
        if !(1..=k).contains(&replicas) {
            let problem = format!("is {replicas}; expected 1 to {k}, which is `k`");
            return fail("replicas", problem);
        }
        if !(1..=FAILURES_MAX).contains(&self.failures) {
            let problem = format!("is {}; expected 1 to {FAILURES_MAX}", self.failures);
            return fail("failures", problem);
        }
        let times = [
            ("contact-timeout", self.contact_timeout),
            ("answer-timeout", self.answer_timeout),
            ("refresh", self.refresh),
            ("republish", self.republish),
        ];
        match times.into_iter().find(|(_, time)| time.get() == 0.0) {
            Some((key, _)) => fail(key, "is 0 s; expected a time above 0".into()),
            None => Ok(()),
        }
    }

    /// The machines through which others join, as node numbers.
    pub(super) fn bootstrap(&self, cast: Cast<'_>) -> Result<Range<u32>, ConfigError> {
        match &self.bootstrap {
            Some(name) => cast.machines("bootstrap", Some(name)),
            None => Ok(cast.machine_count()..cast.machine_count() + 1),
        }
    }

    /// Contacts in a bucket and in an answer, where so many nodes take part.
    pub(super) fn k(&self, members: usize) -> usize {
        self.k.map_or(members.min(K), |k| k as usize)
    }

    /// How many nodes keep a value, where so many take part.
    pub(super) fn replicas(&self, members: usize) -> usize {
        let all = self.k(members);
        self.replicas.map_or(all, |replicas| replicas as usize)
    }

    /// The nodes that take part, in order: machines first.
    pub(super) fn members(&self, cast: Cast<'_>) -> Result<Vec<NodeId>, ConfigError> {
        let first = cast.machine_count();
        let bootstrap = self.bootstrap(cast)?;
        let machines = bootstrap.start.min(first)..bootstrap.end.min(first);
        let hosts = self.machines.clone();
        let hosts = hosts.filter(|machine| !machines.contains(machine));
        let users = first..first + cast.user_count();
        let all = machines.clone().chain(hosts).chain(users);
        Ok(all.map(NodeId).collect())
    }
}
