//! Settings of Chord.

use netduel_world::{Cast, ConfigError, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::Placing;

/// Settings of Chord.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether the ring is complete at the start or nodes join it one by one.
    pub start: Start,
    /// Time from the start over which nodes join, each at a random instant, when `start` is `join`.
    pub join_within: Seconds,
    /// Machines under `[infrastructure]` that take part in the ring and through which others join;
    /// when left out, the first user's device is the one that others join through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// Successors that a node knows (r); from 1 to the number of nodes. When left out, 8, or all
    /// others where there are fewer. Stoica et al. 2003: some multiple of log2 N; 20 in their
    /// experiments with 1,000 nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successors: Option<u32>,
    /// Nodes that keep a value: its owner and the owner's next successors; from 1 to `successors`
    /// and 1 more. When left out, 3, or as many as that allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// How a look-up travels.
    pub routing: Routing,
    /// Whether whoever forwards a recursive look-up waits for a sign that it arrived, and tries
    /// the next best contact when none comes. Without it only the user's patience helps.
    pub acknowledge: bool,
    /// Silence after which a contact is taken for dead. Stoica et al. 2003 take 500 ms.
    pub contact_timeout: Seconds,
    /// Time after which an asker takes its look-up for lost. 10 s is what the standard library of
    /// the DNS resolver (RFC 1035 §7.2 and its implementations) grants two rounds of questions.
    pub answer_timeout: Seconds,
    /// Mean time between two checks of the successor; each wait is within a half of it. Stoica et
    /// al. 2003: 30 s.
    pub stabilise: Seconds,
    /// Mean time between two repairs of a finger, one finger at a time. Stoica et al. 2003: 30 s.
    pub fix_fingers: Seconds,
    /// Mean time between two checks of the predecessor. As the other two.
    pub check_predecessor: Seconds,
    /// How identifiers are given; scenarios cannot change it.
    #[serde(skip)]
    pub placing: Placing,
}

/// How an overlay begins.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// All nodes take part, and know whom they would know once nothing changes any more.
    #[default]
    Converged,
    /// Nodes join one by one through a node that they know.
    Join,
}

/// How a look-up travels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// Each node passes it on to the next.
    #[default]
    Recursive,
    /// The asker asks each node for the next.
    Iterative,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half a minute is in range");
        Self {
            start: Start::Converged,
            join_within: seconds(60.0),
            bootstrap: None,
            successors: None,
            replicas: None,
            routing: Routing::Recursive,
            acknowledge: true,
            contact_timeout: seconds(0.5),
            answer_timeout: seconds(10.0),
            stabilise: seconds(30.0),
            fix_fingers: seconds(30.0),
            check_predecessor: seconds(30.0),
            placing: Placing::Hashed,
        }
    }
}

impl Config {
    /// How many successors a node knows in a ring of `members` nodes.
    pub(super) fn successors(&self, members: usize) -> usize {
        let all = (members - 1).max(1);
        self.successors.map_or(all.min(8), |count| count as usize)
    }

    /// How many nodes keep a value in a ring of `members` nodes.
    pub(super) fn replicas(&self, members: usize) -> usize {
        let most = self.replicas_most(members);
        self.replicas.map_or(most.min(3), |count| count as usize)
    }

    fn replicas_most(&self, members: usize) -> usize {
        (self.successors(members) + 1).min(members)
    }

    /// # Errors
    /// [`ConfigError`] when a setting is out of range for a ring of `members` nodes.
    pub(super) fn check(&self, members: usize) -> Result<(), ConfigError> {
        let fail = |key, problem| Err(ConfigError { key, problem });
        let successors = self.successors(members);
        if !(1..=members).contains(&successors) {
            let problem = format!("is {successors}; expected 1 to {members}, the number of nodes");
            return fail("successors", problem);
        }
        let (replicas, most) = (self.replicas(members), self.replicas_most(members));
        if !(1..=most).contains(&replicas) {
            let problem = format!(
                "is {replicas}; expected 1 to {most}, with {successors} successors and {members} \
                 nodes"
            );
            return fail("replicas", problem);
        }
        let times = [
            ("contact-timeout", self.contact_timeout),
            ("answer-timeout", self.answer_timeout),
            ("stabilise", self.stabilise),
            ("fix-fingers", self.fix_fingers),
            ("check-predecessor", self.check_predecessor),
        ];
        match times.into_iter().find(|(_, time)| time.get() == 0.0) {
            Some((key, _)) => fail(key, "is 0 s; expected a time above 0".into()),
            None => Ok(()),
        }
    }

    /// The machines through which others join, as node numbers.
    pub(super) fn bootstrap(&self, cast: Cast<'_>) -> Result<std::ops::Range<u32>, ConfigError> {
        match &self.bootstrap {
            Some(name) => cast.machines("bootstrap", Some(name)),
            None => Ok(cast.machine_count()..cast.machine_count() + 1),
        }
    }
}
