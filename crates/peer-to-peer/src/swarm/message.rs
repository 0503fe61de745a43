//! What the members of a swarm say to each other, and how many bytes it takes.
//!
//! Sizes follow the BitTorrent protocol specification (BEP 3), each with 40 bytes of IP and TCP
//! headers (RFC 791, RFC 9293).

use netduel_world::{Architecture, Bytes, NodeId, ObjectId};

use crate::Kademlia;

/// A connection between two peers of a torrent: who opened it, and its count among those.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Connection {
    /// What the torrent is for. The handshake tells it, by its hash; all else follows from that.
    pub object: ObjectId,
    /// Who opened it.
    pub opener: NodeId,
    /// The opener's count of connections.
    pub serial: u32,
}

/// What the sender of a handshake has: the first `known` entries of what it announced in one of
/// its lives. On the wire this is the bitfield.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holdings {
    /// Which life.
    pub life: u32,
    /// How many entries.
    pub known: u32,
}

/// What members say.
#[derive(Debug)]
pub enum Message {
    /// To the tracker: I take part in this torrent; who else does?
    Join(ObjectId),
    /// To the tracker: I no longer take part.
    Part(ObjectId),
    /// From the tracker: these take part.
    Members(ObjectId, Box<[NodeId]>),
    /// Let us be neighbours.
    Connect(Connection, Holdings),
    /// Yes.
    Accept(Connection, Holdings),
    /// No, or no longer.
    Bye(Connection),
    /// How things stand between us (interested, choke, keep-alive in one).
    Status(Connection, Status),
    /// I have announced something that you may want.
    News(Connection),
    /// Please send this piece.
    Request(Connection, u32),
    /// I will not send this piece (BEP 6).
    Reject(Connection, u32),
    /// You might ask for this piece next (BEP 6).
    Suggest(Connection, u32),
    /// This piece is no longer needed.
    Cancel(Connection, u32),
    /// These are my neighbours (BEP 11).
    Contacts(Connection, Box<Contacts>),
    /// What nodes of a distributed directory say.
    Directory(Box<<Kademlia as Architecture>::Message>),
}

/// Who became a neighbour of the sender, and who is none any more.
#[derive(Debug)]
pub struct Contacts {
    /// Who became one.
    pub added: Box<[Contact]>,
    /// Who is none any more.
    pub dropped: Box<[NodeId]>,
}

/// A neighbour of somebody.
#[derive(Clone, Copy, Debug)]
pub struct Contact {
    /// Which node.
    pub node: NodeId,
    /// Whether it has everything, as far as its neighbour knows.
    pub has_all: bool,
}

/// How its sender stands to its receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Status {
    /// Rises with every status and goes round, so that an overtaken one is told apart.
    pub serial: u8,
    /// Whether the sender wants something that the receiver has.
    pub interested: bool,
    /// Whether the sender refuses to serve the receiver.
    pub choking: bool,
    /// How many of the receiver's announcements the sender has heard.
    pub heard: u32,
}

const HEADERS: u64 = 40;

/// An announcement of one piece.
pub(super) const HAVE: Bytes = Bytes(HEADERS + 9);

impl Message {
    /// What the torrent is for in which it is said.
    pub(super) fn object(&self) -> Option<ObjectId> {
        match self {
            Self::Join(object) | Self::Part(object) | Self::Members(object, _) => Some(*object),
            Self::Connect(connection, _)
            | Self::Accept(connection, _)
            | Self::Bye(connection)
            | Self::Status(connection, _)
            | Self::News(connection)
            | Self::Request(connection, _)
            | Self::Reject(connection, _)
            | Self::Suggest(connection, _)
            | Self::Cancel(connection, _)
            | Self::Contacts(connection, _) => Some(connection.object),
            Self::Directory(_) => None,
        }
    }

    /// Bytes on the wire for an object of `piece_count` pieces. A distributed directory sends for
    /// itself.
    pub(super) fn size(&self, piece_count: u32) -> Bytes {
        Bytes(
            HEADERS
                + match self {
                    // An HTTP request with its query (BEP 3) and the compact answer (BEP 23).
                    Self::Join(_) | Self::Part(_) => 300,
                    Self::Members(_, members) => 100 + 6 * members.len() as u64,
                    Self::Connect(..) | Self::Accept(..) => {
                        68 + 5 + u64::from(piece_count).div_ceil(8)
                    }
                    Self::Bye(_) => 0,
                    Self::Status(..) => 5,
                    Self::Request(..) | Self::Reject(..) | Self::Cancel(..) => 17,
                    Self::News(_) | Self::Suggest(..) => 9,
                    // The header of an extension (BEP 10), and a dictionary of three strings whose
                    // keys and lengths take 38 bytes: 6 for each address, 1 for its flags.
                    Self::Contacts(_, contacts) => {
                        let (added, dropped) = (contacts.added.len(), contacts.dropped.len());
                        6 + 38 + 7 * added as u64 + 6 * dropped as u64
                    }
                    Self::Directory(_) => unreachable!("a directory sends for itself"),
                },
        )
    }
}
