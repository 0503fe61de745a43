//! What users say to each other.

use std::cmp::Reverse;

use netduel_world::{Bytes, RequestId, SimDuration, SimTime};

use super::cyclon;

/// Something that was told, by its name: who told it, its number there, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rumour {
    /// The broadcast.
    pub id: RequestId,
    /// When it was first told, in whole seconds: of two of one name the later one counts.
    pub created: u32,
}

impl Rumour {
    /// A rumour that starts now.
    pub(super) fn new(id: RequestId, now: SimTime) -> Self {
        // Rounded up: nothing is forgotten early.
        let seconds = now.0.div_ceil(NANOSECONDS);
        let created = u32::try_from(seconds).expect("no run lasts a hundred years");
        Self { id, created }
    }

    /// When what was created in this second is to be forgotten.
    pub(super) fn expiry(created: u32, remember: SimDuration) -> SimTime {
        SimTime(u64::from(created) * NANOSECONDS) + remember
    }

    /// As the label of a transfer.
    pub(super) fn label(self) -> u64 {
        u64::from(self.id.0) << 32 | u64::from(self.created)
    }

    pub(super) fn of_label(label: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits).expect("half of a label");
        Self {
            id: RequestId(half(label >> 32)),
            created: half(label & u64::from(u32::MAX)),
        }
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

/// What is said of a rumour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// The sender has it, or is about to.
    Known,
    /// The sender has it and gives it to whoever wants it.
    Offered,
    /// Here it is; something of a size above 0 comes as a transfer.
    Told,
    /// The sender wants it.
    Wanted,
    /// The sender was told and did not have it.
    New,
}

/// A line of a message.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Of what.
    pub rumour: Rumour,
    /// What is said of it.
    pub mark: Mark,
}

/// The lines of a message, by the number of the broadcast. One line needs no memory of its own.
#[derive(Debug)]
pub enum Entries {
    /// No line.
    None,
    /// One line.
    One(Entry),
    /// Several lines, in order and each rumour once.
    Many(Box<[Entry]>),
}

impl Entries {
    /// Takes the lines out of `list`. Of several about one rumour the first counts.
    pub(super) fn of(list: &mut Vec<Entry>) -> Self {
        if list.len() > 1 {
            list.sort_by_key(|entry| (entry.rumour.id, Reverse(entry.rumour.created)));
            list.dedup_by_key(|entry| entry.rumour.id);
        }
        let entries = match list.as_slice() {
            [] => Self::None,
            [entry] => Self::One(*entry),
            several => Self::Many(several.into()),
        };
        list.clear();
        entries
    }

    pub(super) fn as_slice(&self) -> &[Entry] {
        match self {
            Self::None => &[],
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Many(entries) => entries,
        }
    }

    /// Whether the sender has this rumour, or a later one of its name.
    pub(super) fn cover(&self, rumour: Rumour) -> bool {
        let entries = self.as_slice();
        entries
            .binary_search_by_key(&rumour.id, |entry| entry.rumour.id)
            .is_ok_and(|index| entries[index].rumour.created >= rumour.created)
    }

    /// Bytes of a message with these lines.
    pub(super) fn size(&self) -> Bytes {
        Bytes(HEADER + ENTRY * self.as_slice().len() as u64)
    }
}

/// 28 bytes of IP and UDP headers (RFC 791, RFC 768), a byte that says what it is and asks, and a
/// count of lines in two bytes.
pub(super) const HEADER: u64 = 28 + 1 + 2;

/// The IPv4 address of who told it, a number there and the time, four bytes each, and a mark.
const ENTRY: u64 = 4 + 4 + 4 + 1;

/// What users say to each other.
#[derive(Debug)]
pub enum Message {
    /// The caller tells rumours, and may ask for others.
    Rumours {
        /// Whether the caller asks for rumours that it does not list.
        asks: bool,
        /// Rumours told and offered, and, where it asks, all that the caller has.
        entries: Entries,
    },
    /// The caller compares all that it has with all that the other has.
    Digest {
        /// Whether the caller asks for what it does not list.
        asks: bool,
        /// All that the caller has.
        entries: Entries,
    },
    /// What follows from a call.
    Answer(Entries),
    /// About whom they know.
    View(cyclon::Message),
}

impl Message {
    pub(super) fn entries(&self) -> &Entries {
        match self {
            Self::Rumours { entries, .. }
            | Self::Digest { entries, .. }
            | Self::Answer(entries) => entries,
            Self::View(_) => &Entries::None,
        }
    }
}
