//! What nodes say to each other, and how many bytes that takes.

use netduel_world::{Bytes, NodeId, ObjectId, RequestId, SimDuration};

/// A question or a transfer of a user: which request it is for, and the how-manieth that this node
/// asks, by which an answer to an earlier one is told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// The request.
    pub request: RequestId,
    /// Rises with every question of the node.
    pub serial: u32,
}

impl Ticket {
    /// As the label of a transfer.
    pub(super) fn label(self) -> u64 {
        u64::from(self.request.0) << 32 | u64::from(self.serial)
    }

    pub(super) fn from_label(label: u64) -> Self {
        let low = |word: u64| u32::try_from(word & u64::from(u32::MAX)).expect("32 bits");
        Self {
            request: RequestId(low(label >> 32)),
            serial: low(label),
        }
    }
}

/// What nodes say to each other.
#[derive(Debug)]
pub enum Message {
    /// To the index: I have these, all of them or besides those that I told of.
    Register(Box<[ObjectId]>),
    /// To the index: I am still there.
    Alive,
    /// From the index: who are you?
    Unknown,
    /// To the index: I am going.
    Leave,
    /// To the index: who has this?
    Ask {
        /// The question.
        ticket: Ticket,
        /// What is wanted.
        object: ObjectId,
        /// Work that the answer takes.
        work: SimDuration,
    },
    /// From the index: these have it.
    Sources(Ticket, Box<[NodeId]>),
    /// From the index or a source: no time.
    Busy(Ticket),
    /// To a source: send the object from this byte on.
    Get {
        /// The question.
        ticket: Ticket,
        /// What is wanted.
        object: ObjectId,
        /// Bytes that the asker has.
        offset: u64,
        /// Size of the object.
        size: Bytes,
        /// Work that sending it takes.
        work: SimDuration,
    },
    /// From a source: here it comes.
    Coming(Ticket),
    /// From a source: I do not have it.
    Gone(Ticket),
    /// To a source: no longer wanted.
    HangUp(Ticket),
}

/// Headers of IP and TCP (RFC 791, RFC 9293).
const TCP: u64 = 40;
/// Length and type of a Napster message (drscholl, "Napster protocol specification", 2001).
const HEADER: u64 = 4;
/// What tells of one object, and of one result: B. Yang, H. Garcia-Molina, "Designing a super-peer
/// network", ICDE 2003.
const METADATA: u64 = 72;
const RESULT: u64 = 76;
/// `FILENAME CONTAINS "" MAX_RESULTS 100` (the same specification) and a text of 12 bytes (Yang and
/// Garcia-Molina).
const SEARCH: u64 = 36 + 12;
/// A GET with its Host and Range lines, or the head of an answer (RFC 9110).
const HTTP: u64 = 80;

impl Message {
    pub(super) fn size(&self) -> Bytes {
        Bytes(match self {
            Self::Register(objects) => TCP + HEADER + METADATA * objects.len() as u64,
            Self::Alive | Self::Unknown | Self::Leave => TCP + HEADER,
            Self::Ask { .. } => TCP + HEADER + SEARCH,
            Self::Sources(_, sources) => TCP + HEADER + RESULT * sources.len() as u64,
            Self::Get { .. } | Self::Coming(_) | Self::Gone(_) | Self::Busy(_) => TCP + HTTP,
            // The end of a connection.
            Self::HangUp(_) => TCP,
        })
    }
}
