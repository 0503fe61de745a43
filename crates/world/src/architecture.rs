//! The contract of an architecture.

use std::{fmt, ops::Range};

use netduel_network::{NodeId, TransferId};
use netduel_units::{BitsPerSecond, Bytes};
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    context::Context,
    demand::Wants,
    draw::World,
    ledger::{ObjectId, Request, RequestKind},
    processor::Processor,
    spec::{AfterDownload, StateLoss, WorldKey},
};
use netduel_engine::{SimDuration, Stream};

/// A way of organising nodes so that requests get served.
///
/// An implementation decides who talks to whom, and nothing else. It does not measure itself,
/// choose its own faults or read any clock but [`Context::now`]. A handler acts for the one node
/// that its context names: it may read and change that node's state only, and learns of others
/// through what arrives. It never blocks; it asks the context for consequences.
pub trait Architecture: Sized {
    /// Its name in scenario files.
    const KIND: &'static str;
    /// The family it belongs to: `"client-server"` or `"peer-to-peer"`.
    const FAMILY: &'static str;
    /// What it is, in one line.
    const ABOUT: &'static str;
    /// What users can ask it for.
    const SERVES: &'static [RequestKind];
    /// The optional parts of a world that it takes notice of.
    const USES: &'static [WorldKey];
    /// Its settings. Doc comments on the fields become the help of `netduel list`.
    type Config: DeserializeOwned + Serialize + JsonSchema + Clone + Send + Sync + 'static;
    /// What nodes say to each other.
    type Message;
    /// What a node reminds itself of.
    type Timer;

    /// Sets the nodes up as they are before the first event.
    ///
    /// # Errors
    /// [`ConfigError`] when the settings do not fit the cast.
    fn assemble(
        config: &Self::Config,
        cast: &Cast<'_>,
        rng: &mut Stream,
    ) -> Result<Self, ConfigError>;

    /// What its nodes know or use from the start that another design may not, a sentence each.
    /// They stand in the fairness ledger.
    fn premises(config: &Self::Config, cast: &Cast<'_>) -> Vec<String>;

    /// The machines that it uses, as ranges of node numbers: all, unless it knows better. They are
    /// rented from the start, and the fairness ledger names those that it leaves idle.
    ///
    /// # Errors
    /// [`ConfigError`] when the settings name machines that are not there.
    fn machines(_config: &Self::Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        Ok(std::iter::once(0..cast.machine_count()).collect())
    }

    /// Whom this node knows, one after the other. Before the first event these are the nodes that it
    /// knows from the start.
    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId));

    /// The nodes that a message tells its receiver about, its sender apart.
    fn mentions(message: &Self::Message, visit: &mut dyn FnMut(NodeId));

    /// Bytes of memory that the state of all its nodes takes, with what its containers hold.
    fn state_bytes(&self) -> usize;

    /// Prefetches what `to` will need when a message arrives. Called some hundred messages ahead, so
    /// that cache misses overlap; nothing may depend on it.
    fn look_ahead(&self, _to: NodeId, _from: NodeId, _message: &Self::Message) {}

    /// Whether [`Self::look_further`] does anything.
    const LOOKS_FURTHER: bool = false;

    /// The same, a little later: prefetches what only that memory tells where it is.
    fn look_further(&self, _to: NodeId, _from: NodeId, _message: &Self::Message) {}

    /// The same as [`Self::look_ahead`] for a request that its user is about to make.
    fn look_ahead_to_request(&self, _request: &Request) {}

    /// The run begins. Every node is up; for what goes on without anybody asking.
    fn on_start(&mut self, _cx: &mut Context<'_, Self>) {}

    /// The user at this node asks for something.
    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>);

    /// The user at this node gave up on a request that had been asked.
    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>);

    /// A message reached this node.
    fn on_message(&mut self, from: NodeId, message: Self::Message, cx: &mut Context<'_, Self>);

    /// A transfer from or to this node is over. When it is whole both ends see it at the same
    /// instant, the receiver first; when it broke, the end that did not break it sees so.
    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>);

    /// A timer of this node ran out. Timers do not outlive a crash.
    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Context<'_, Self>);

    /// This node stops. Its own bookkeeping only: after a crash it can no longer act; when it
    /// leaves it may still send.
    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>);

    /// This node is back. An open request of its user is asked again right after.
    fn on_up(&mut self, cx: &mut Context<'_, Self>);
}

/// A transfer that is over, as one of its ends sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransferEnded {
    /// Its handle.
    pub id: TransferId,
    /// The sending node.
    pub from: NodeId,
    /// The receiving node.
    pub to: NodeId,
    /// What its sender labelled it with.
    pub label: u64,
    /// Bytes it was to carry.
    pub size: Bytes,
    /// How it ended.
    pub ending: Ending,
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// All bytes arrived.
    Whole {
        /// Whether they are the bytes that were sent. A receiver knows it only by checking them
        /// against a hash it trusts; a sender never knows.
        intact: bool,
    },
    /// The connection broke.
    Broken {
        /// Bytes that had arrived.
        delivered: Bytes,
    },
}

/// Why a node stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Down {
    /// It crashes, without notice.
    Crashed(StateLoss),
    /// Its user leaves for good; it may say good-bye.
    Left,
}

/// Settings that do not fit the world.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// The setting.
    pub key: &'static str,
    /// What is wrong with it, as it reads after "`key` ".
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// Who there is, as an operator knows before the start: machines by name, and for each user's
/// device what that device knows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Cast<'a> {
    world: &'a World,
}

impl<'a> Cast<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world }
    }

    /// How many nodes there are: machines first, then users' devices.
    pub fn node_count(&self) -> usize {
        self.world.devices.len()
    }

    /// How many machines an operator runs. They are the first nodes.
    pub fn machine_count(&self) -> u32 {
        self.world.machine_count()
    }

    /// How many users there are.
    pub fn user_count(&self) -> u32 {
        self.world.spec.population.peers
    }

    /// What users will ask for.
    pub fn wants(&self) -> &'a Wants {
        &self.world.spec.demand.wants
    }

    /// Size of each object that users download, of a value that they look up or of what they tell.
    pub fn object_size(&self) -> Bytes {
        self.world.spec.demand.wants.size()
    }

    /// The objects that this device has to share when users search, as its owner knows.
    pub fn objects_of(&self, node: NodeId) -> &'a [ObjectId] {
        self.world.objects_of(node)
    }

    /// The mean latency from one node to another, as an operator's map of the network has it.
    pub fn latency(&self, from: NodeId, to: NodeId) -> SimDuration {
        let spec = &self.world.spec;
        let [from, to] = [from, to].map(|node| self.world.devices[node.index()].access.region);
        let trunks = spec.routers.as_ref();
        let trunks = trunks.map_or(SimDuration::ZERO, |routers| routers.latency(from, to));
        spec.latency.mean(from, to) + trunks
    }

    /// What this node computes with, as its owner knows.
    pub fn processor(&self, node: NodeId) -> Processor {
        self.world.processor(node)
    }

    /// What this machine can keep on its disk; as much as it likes when none is given.
    pub fn storage(&self, node: NodeId) -> Option<Bytes> {
        let group = self.world.devices[node.index()].group?;
        self.world.spec.infrastructure[usize::from(group)].storage
    }

    /// The rate of this node's own link to the network, as its owner knows it.
    pub fn upload(&self, node: NodeId) -> BitsPerSecond {
        self.world.devices[node.index()].access.upload
    }

    /// Whether the owner of this device lets it give nothing back.
    pub fn is_free_rider(&self, node: NodeId) -> bool {
        self.world.devices[node.index()].free_rider
    }

    /// What the user of this device does once the download is complete.
    pub fn after_download(&self, node: NodeId) -> AfterDownload {
        self.world.devices[node.index()].after_download
    }

    /// The machines of the group that the setting `key` names, or of the only group when the
    /// setting is left out.
    pub fn machines(
        &self,
        key: &'static str,
        group: Option<&str>,
    ) -> Result<Range<u32>, ConfigError> {
        let groups = &self.world.spec.infrastructure;
        let names = || {
            let quoted: Vec<String> = groups.iter().map(|g| format!("\"{}\"", g.name)).collect();
            quoted.join(", ")
        };
        let index = match group {
            Some(name) => {
                let found = groups.iter().position(|g| g.name == name);
                found.ok_or_else(|| ConfigError {
                    key,
                    problem: format!(
                        "names machines \"{name}\" that are not under [infrastructure]; \
                         expected one of {}",
                        names()
                    ),
                })?
            }
            None if groups.len() == 1 => 0,
            None if groups.is_empty() => {
                return Err(ConfigError {
                    key,
                    problem: "needs a machine; add one under [infrastructure]".into(),
                });
            }
            None => {
                return Err(ConfigError {
                    key,
                    problem: format!("must say which machines: one of {}", names()),
                });
            }
        };
        let first: u32 = groups[..index].iter().map(|g| g.count).sum();
        Ok(first..first + groups[index].count)
    }
}
