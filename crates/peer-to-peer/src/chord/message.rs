//! What the nodes of a ring say to each other.

use netduel_world::{Bytes, Key, NodeId, SimDuration, TransferId};

/// What a look-up is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aim {
    /// Who owns this place?
    Place(u64),
    /// The value of a key, which takes its owner this work.
    Read(Key, SimDuration),
    /// To set the value of a key, which takes its owner this work.
    Write(Key, SimDuration),
}

/// A look-up on its way. What it is for stands in flat fields, so that it takes half a cache line.
#[derive(Clone, Debug)]
pub struct Find {
    kind: Kind,
    key: Key,
    /// The place, or the work.
    number: u64,
    pub(super) asker: NodeId,
    /// What the asker knows it by.
    pub(super) ticket: u32,
    /// Whether the receiver owns the place, as far as the sender knows.
    pub(super) owner: bool,
    /// Contacts that did not answer on the way.
    pub(super) silent: Silent,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Place,
    Read,
    Write,
}

/// Contacts that did not answer.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::box_collection,
    reason = "there is hardly ever one, and messages are to be small"
)]
pub struct Silent(Option<Box<Vec<NodeId>>>);

impl Silent {
    pub(super) fn add(&mut self, node: NodeId) {
        self.0.get_or_insert_default().push(node);
    }

    pub(super) fn nodes(&self) -> &[NodeId] {
        self.0.as_ref().map_or(&[], |nodes| nodes)
    }
}

impl Find {
    pub(super) fn new(aim: Aim, asker: NodeId, ticket: u32) -> Self {
        let (kind, key, number) = match aim {
            Aim::Place(place) => (Kind::Place, Key(0), place),
            Aim::Read(key, work) => (Kind::Read, key, work.0),
            Aim::Write(key, work) => (Kind::Write, key, work.0),
        };
        Self {
            kind,
            key,
            number,
            asker,
            ticket,
            owner: false,
            silent: Silent::default(),
        }
    }

    pub(super) fn aim(&self) -> Aim {
        let work = SimDuration(self.number);
        match self.kind {
            Kind::Place => Aim::Place(self.number),
            Kind::Read => Aim::Read(self.key, work),
            Kind::Write => Aim::Write(self.key, work),
        }
    }
}

/// What becomes of a look-up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Here is the value, when it has no size; or it is set.
    Done,
    /// The value is on its way, over this connection.
    Coming(TransferId),
    /// Send the value; the owner knows it by this ticket.
    Send(u32),
    /// The owner has no such value.
    NotFound,
    /// The owner's processor has no room.
    Refused,
    /// What arrived was damaged.
    Damaged,
    /// A node on the way found no contact that answers.
    DeadEnd,
}

/// What the nodes of a ring say to each other. Tickets are those of whoever asked.
#[derive(Debug)]
pub enum Message {
    /// A look-up is passed on.
    Find(Find),
    /// The look-up that its asker knows by this ticket has arrived.
    Ack { asker: NodeId, ticket: u32 },
    /// To the asker: what became of its look-up.
    Answer { ticket: u32, answer: Answer },
    /// To the asker: who owns the place.
    Found { ticket: u32, owner: NodeId },
    /// What is your best contact for this place, but for those that did not answer?
    Ask {
        place: u64,
        ticket: u32,
        silent: Silent,
    },
    /// This one, which owns the place or is closer to it.
    Next {
        ticket: u32,
        node: NodeId,
        owner: bool,
    },
    /// Who are your neighbours on the ring?
    Neighbours { ticket: u32 },
    /// These.
    Around { ticket: u32, told: Box<Around> },
    /// I may be your predecessor.
    Notify,
    /// Are you there?
    Ping { ticket: u32 },
    /// Yes.
    Pong { ticket: u32 },
    /// You are to have the values of these keys; of `fresh` ones any that you have are old. Values
    /// that have no size come along.
    Offer { keys: Box<[Key]>, fresh: bool },
    /// I lack these.
    Lack { ticket: u32, keys: Box<[Key]> },
    /// What you wait for under this ticket is on its way.
    Coming { ticket: u32 },
    /// You need no longer keep copies of these, which I have.
    Release { keys: Box<[Key]> },
}

/// Neighbours of a node on the ring.
#[derive(Debug)]
pub struct Around {
    pub(super) predecessor: Option<NodeId>,
    pub(super) successors: Vec<NodeId>,
}

/// IP and UDP headers (RFC 791, RFC 768) and the kind of message.
const HEADER: u64 = 28 + 1;
/// An identifier: SHA-1, as published.
const IDENTIFIER: u64 = 20;
/// An IPv4 address and a port.
const ADDRESS: u64 = 6;
/// A number that tells one exchange from another.
const TICKET: u64 = 4;
/// A node: its identifier and its address.
const CONTACT: u64 = IDENTIFIER + ADDRESS;

impl Message {
    /// Its size: the sum of its fields. Values that have a size of their own are not in it.
    pub(super) fn size(&self) -> Bytes {
        let each = |count: usize, size: u64| count as u64 * size;
        Bytes(
            HEADER
                + match self {
                    Self::Find(find) => {
                        let silent = each(find.silent.nodes().len(), ADDRESS);
                        IDENTIFIER + CONTACT + TICKET + 1 + silent
                    }
                    Self::Ack { .. } => ADDRESS + TICKET,
                    Self::Neighbours { .. }
                    | Self::Ping { .. }
                    | Self::Pong { .. }
                    | Self::Coming { .. } => TICKET,
                    Self::Answer { .. } => 2 * TICKET + 1,
                    Self::Found { .. } => TICKET + CONTACT,
                    Self::Ask { silent, .. } => {
                        IDENTIFIER + TICKET + each(silent.nodes().len(), ADDRESS)
                    }
                    Self::Next { .. } => TICKET + CONTACT + 1,
                    Self::Around { told, .. } => {
                        TICKET + CONTACT + each(told.successors.len(), CONTACT)
                    }
                    Self::Notify => CONTACT,
                    Self::Offer { keys, .. } => 1 + each(keys.len(), IDENTIFIER),
                    Self::Lack { keys, .. } => TICKET + each(keys.len(), IDENTIFIER),
                    Self::Release { keys } => each(keys.len(), IDENTIFIER),
                },
        )
    }

    /// The nodes that it tells of.
    pub(super) fn mentions(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Find(find) => {
                visit(find.asker);
                find.silent.nodes().iter().copied().for_each(visit);
            }
            Self::Ask { silent, .. } => silent.nodes().iter().copied().for_each(visit),
            Self::Found { owner: node, .. } | Self::Next { node, .. } => visit(*node),
            Self::Around { told, .. } => {
                let all = told.predecessor.iter().chain(&told.successors);
                all.copied().for_each(visit);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_no_larger_than_half_a_cache_line() {
        assert_eq!(size_of::<Message>(), 32);
    }
}
