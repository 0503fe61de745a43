//! What clients and servers of every kind say to each other.

use netduel_world::{
    Architecture, Bytes, Cause, NodeId, ObjectId, Request, RequestId, SimDuration, Want,
};

/// Size of a request or an answer: a GET with its Host and Range lines (RFC 9110), some 80 bytes,
/// and 40 bytes of IP and TCP headers (RFC 791, RFC 9293). What a browser adds is left out.
pub const MESSAGE: Bytes = Bytes(120);

/// What client and server say to each other.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Client: I want this. Asked again while waiting, to hear that the server is still there.
    Ask(Ask),
    /// Client: no longer wanted.
    HangUp(RequestId),
    /// Server: send me what I am to store or to tell (100 Continue, RFC 9110 §15.2.1).
    Continue(RequestId),
    /// Server: here come the bytes.
    Coming(RequestId),
    /// Server: it will take a while.
    Queued(RequestId),
    /// Server: done; what there is to say is too small to be counted.
    Done(RequestId),
    /// Server: this node has what you search for.
    Found {
        /// The request.
        request: RequestId,
        /// Who has it.
        holder: NodeId,
    },
    /// Server: it cannot be.
    Sorry {
        /// The request.
        request: RequestId,
        /// Which attempt at it.
        attempt: u32,
        /// Why.
        cause: Cause,
    },
}

/// A request as it travels.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// Which one.
    pub request: RequestId,
    /// Which attempt at it.
    pub attempt: u32,
    /// What is wanted.
    pub want: Want,
    /// Of a download, bytes that the client has; of what is to be stored or told, bytes that it
    /// has begun to send.
    pub offset: u64,
    /// Work that answering takes.
    pub work: SimDuration,
}

impl Ask {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            request: request.id,
            attempt: request.attempt,
            want: request.want,
            offset: 0,
            work: request.work,
        }
    }
}

/// What a client or a server reminds itself of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// Client: no answer to this request for a while.
    Silence {
        /// The request.
        request: RequestId,
        /// Which wait for it, so that an older timer is told apart.
        wait: u32,
    },
    /// Server: the work for a guest is done.
    Worked {
        /// The guest.
        guest: Guest,
        /// Which stay of the guest's.
        stay: u32,
    },
    /// Server: a guest has long been about to send something.
    Expected {
        /// The guest.
        guest: Guest,
        /// Which stay of the guest's.
        stay: u32,
    },
}

/// Somebody whom a server serves: who asked, and for which request.
pub type Guest = (NodeId, RequestId);

/// Whether a user has to send something before it can be answered.
pub(crate) fn is_upload(want: Want, size: Bytes) -> bool {
    matches!(want, Want::Store(_) | Want::Broadcast) && size > Bytes(0)
}

/// What a transfer carries, as its label says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Label {
    /// What was asked for: a part of an object from some byte to its end, or a value.
    Content(RequestId, ObjectId),
    /// What is to be stored or told.
    Upload(RequestId),
    /// What a broadcast tells.
    News(RequestId),
    /// What one server copies to another.
    Copy(RequestId),
}

impl Label {
    const KINDS: u32 = 62;

    pub(crate) fn encode(self) -> u64 {
        let (kind, high, low) = match self {
            Self::Content(request, object) => (0, object.0, request),
            Self::Upload(request) => (1, 0, request),
            Self::News(request) => (2, 0, request),
            Self::Copy(request) => (3, 0, request),
        };
        assert!(high < 1 << 30, "objects are counted in 30 bits");
        kind << Self::KINDS | u64::from(high) << 32 | u64::from(low.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each part is cut out of the whole"
    )]
    pub(crate) fn decode(label: u64) -> Self {
        let request = RequestId(label as u32);
        match label >> Self::KINDS {
            0 => Self::Content(request, ObjectId((label >> 32) as u32)),
            1 => Self::Upload(request),
            2 => Self::News(request),
            _ => Self::Copy(request),
        }
    }
}

/// An architecture whose nodes say these things among others.
pub(crate) trait Speaks: Architecture<Message: From<Message>, Timer: From<Timer>> {}

impl<A> Speaks for A
where
    A: Architecture,
    A::Message: From<Message>,
    A::Timer: From<Timer>,
{
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_again_what_it_was_told() {
        let last = RequestId(u32::MAX);
        for label in [
            Label::Content(last, ObjectId((1 << 30) - 1)),
            Label::Upload(last),
            Label::News(RequestId(0)),
            Label::Copy(RequestId(7)),
        ] {
            assert_eq!(Label::decode(label.encode()), label);
        }
    }
}
