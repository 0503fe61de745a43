//! What nodes say to each other.

use netduel_world::{Bytes, Key, NodeId, SimDuration, TransferId};

/// What a question is after, besides the closest contacts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Nothing: `FIND_NODE`.
    Nodes,
    /// The value of a key: `FIND_VALUE`.
    Value(Key),
    /// Nodes that announced something.
    Providers,
}

/// What a holder answers when a value is to be read or set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Here it is, when it has no size; or it is set.
    Done,
    /// It is on its way.
    Coming(TransferId),
    /// Send it; the holder knows it by this ticket.
    Send(u32),
    /// It is not here.
    NotFound,
    /// The processor has no room.
    Refused,
    /// What arrived was damaged.
    Damaged,
}

/// What whoever looks something up knows that by: stands for the random number that answers echo.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token {
    /// Its ticket.
    pub(super) ticket: u32,
    /// Where the look-up is in memory.
    pub(super) slot: u32,
}

/// What nodes say to each other. Tickets and tokens are those of whoever asked.
#[derive(Debug)]
pub enum Message {
    /// Whom do you know that is closest to this?
    Find {
        target: u64,
        token: Token,
        wanted: Wanted,
    },
    /// These.
    Nodes { token: Token, contacts: Vec<NodeId> },
    /// I have the value. One that has no size and takes no work comes along.
    Have { token: Token },
    /// These announced it, and those are closest.
    Providers { token: Token, told: Box<Told> },
    /// Send me the value of this key, which takes you this work.
    Fetch {
        key: Key,
        ticket: u32,
        work: SimDuration,
    },
    /// Keep this value, which takes you this work. A `fresh` one replaces what you have.
    Store {
        key: Key,
        ticket: u32,
        work: SimDuration,
        fresh: bool,
    },
    /// The value that was asked for is on its way.
    Coming { ticket: u32 },
    /// What became of that.
    Answer { ticket: u32, answer: Answer },
    /// I have what this stands for.
    Announce { target: u64 },
}

/// Who announced something, and who is closest to it.
#[derive(Debug)]
pub struct Told {
    pub(super) providers: Vec<NodeId>,
    pub(super) contacts: Vec<NodeId>,
}

/// IP and UDP headers (RFC 791, RFC 768), the kind of message, the sender's identifier, and the
/// random number of 160 bits that answers echo.
const HEADER: u64 = 28 + 1 + 20 + 20;
/// An identifier: SHA-1, as published.
const IDENTIFIER: u64 = 20;
/// An IPv4 address and a port.
const ADDRESS: u64 = 6;
/// A node: its identifier and its address.
const CONTACT: u64 = IDENTIFIER + ADDRESS;

/// Size of a question for the closest contacts.
pub const QUESTION: Bytes = Bytes(HEADER + IDENTIFIER);

impl Message {
    /// Its size: the sum of its fields. Values that have a size of their own are not in it.
    pub(super) fn size(&self) -> Bytes {
        let each = |count: usize, size: u64| count as u64 * size;
        Bytes(
            HEADER
                + match self {
                    Self::Find { .. } | Self::Fetch { .. } | Self::Announce { .. } => IDENTIFIER,
                    Self::Nodes { contacts, .. } => each(contacts.len(), CONTACT),
                    Self::Have { .. } | Self::Coming { .. } => 1,
                    Self::Providers { told, .. } => {
                        each(told.contacts.len(), CONTACT) + each(told.providers.len(), ADDRESS)
                    }
                    Self::Store { .. } => IDENTIFIER + 1,
                    Self::Answer { .. } => 5,
                },
        )
    }

    /// The nodes that it tells of.
    pub(super) fn mentions(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Nodes { contacts, .. } => contacts.iter().copied().for_each(visit),
            Self::Providers { told, .. } => {
                let all = told.contacts.iter().chain(&told.providers);
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
        assert!(size_of::<Message>() <= 32);
    }
}
