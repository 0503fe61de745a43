//! What clients, balancers and servers say to each other.

use std::sync::Arc;

use netduel_world::{NodeId, RequestId};

use super::balancer::Phase;
use crate::{
    content::Content,
    message::{self, Ask},
};

/// What a balancer tells servers about each other.
#[derive(Debug)]
pub struct View {
    /// The server that stores go to.
    pub(super) primary: Option<NodeId>,
    /// Those in service.
    pub(super) members: Box<[NodeId]>,
}

/// What nodes say to each other.
#[derive(Debug)]
pub enum Message {
    /// About requests.
    Service(message::Message),
    /// Balancer to server: answer this client.
    Forward {
        /// The client.
        client: NodeId,
        /// What it wants.
        ask: Ask,
    },
    /// Server to balancer: a connection that you made is over.
    Over,
    /// Balancer to server: are you well?
    Check(Arc<View>),
    /// Server to balancer: this is how I am.
    Health {
        /// Whether it can serve.
        ready: bool,
        /// Share of its processor or uplink that was busy since it said so last.
        load: f64,
    },
    /// Primary to backup: this was stored; the value is too small to be counted.
    Store(RequestId),
    /// Backup to primary: I have it.
    Stored(RequestId),
    /// Backup to primary: what arrived was damaged.
    Damaged(RequestId),
    /// Server to primary: send me what I miss.
    Miss(Known),
    /// Primary to server: here it comes.
    Copy(Box<Copied>),
    /// Balancer to balancer: what has become of the machines.
    Pool(Box<[Phase]>),
}

/// What a server knows of what there is.
#[derive(Clone, Copy, Debug)]
pub enum Known {
    /// Nothing: its disk is gone.
    Nothing,
    /// What was there at the start, and so many stores.
    Stores(u64),
}

/// What one server copies to another.
#[derive(Clone, Debug)]
pub struct Copied {
    pub(super) stores: u64,
    pub(super) content: Content,
}

impl From<message::Message> for Message {
    fn from(message: message::Message) -> Self {
        Self::Service(message)
    }
}

/// What nodes remind themselves of.
#[derive(Debug)]
pub enum Timer {
    /// Something about a request.
    Service(message::Timer),
    /// Balancer: time to check the servers.
    CheckDue,
    /// Operator: time to look at the load.
    LookDue,
    /// Operator: a machine answers from now on.
    Booted(usize),
    /// Server: what it misses should be coming.
    CopyDue,
}

impl From<message::Timer> for Timer {
    fn from(timer: message::Timer) -> Self {
        Self::Service(timer)
    }
}
