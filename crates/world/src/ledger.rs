//! The ledger of requests: each ends exactly once, served or failed with one cause.

use netduel_engine::{SimDuration, SimTime};
use netduel_network::NodeId;
use netduel_units::Bytes;

use crate::demand::Issue;

/// A request, by its place in the demand.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u32);

/// An object that users download or search for, by its popularity: 0 is the most wanted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId(pub u32);

/// A key that has a value, by its popularity: 0 is the most wanted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key(pub u32);

/// What there is to ask for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RequestKind {
    /// All bytes of an object.
    Download,
    /// The value of a key.
    Lookup,
    /// To set the value of a key.
    Store,
    /// To find somebody who has an object.
    Search,
    /// To reach all users.
    Broadcast,
}

impl RequestKind {
    /// Its name in scenario files and listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Lookup => "lookup",
            Self::Store => "store",
            Self::Search => "search",
            Self::Broadcast => "broadcast",
        }
    }
}

/// What a user wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Want {
    /// All bytes of this object.
    Download(ObjectId),
    /// The value of this key.
    Lookup(Key),
    /// To set the value of this key.
    Store(Key),
    /// To find somebody who has this object.
    Search(ObjectId),
    /// To tell all users something.
    Broadcast,
}

/// Something a user wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Request {
    /// Which request it is.
    pub id: RequestId,
    /// The device that asks.
    pub user: NodeId,
    /// What is wanted.
    pub want: Want,
    /// Bytes of the object, of the value or of what is told.
    pub size: Bytes,
    /// Work that answering it takes, on one core of speed 1. Whoever answers spends it.
    pub work: SimDuration,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// Whoever was asked had no room.
    Refused,
    /// Whoever was asked did not answer.
    NoAnswer,
    /// The connection broke.
    ConnectionLost,
    /// What arrived was damaged.
    Damaged,
    /// Whoever was asked does not have it and knows nobody else to ask.
    NotFound,
    /// The user's deadline passed.
    DeadlinePassed,
    /// The run ended first.
    Unfinished,
}

impl Cause {
    /// Every cause, in the order of result tables.
    pub const ALL: [Self; 7] = [
        Self::Refused,
        Self::NoAnswer,
        Self::ConnectionLost,
        Self::Damaged,
        Self::NotFound,
        Self::DeadlinePassed,
        Self::Unfinished,
    ];

    /// Its name in result tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoAnswer => "no_answer",
            Self::ConnectionLost => "connection_lost",
            Self::Damaged => "damaged",
            Self::NotFound => "not_found",
            Self::DeadlinePassed => "deadline_passed",
            Self::Unfinished => "unfinished",
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The user has what was wanted.
    Served,
    /// The user does not.
    Failed(Cause),
}

/// A request that is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestRecord {
    /// The device that asked.
    pub user: NodeId,
    /// When it was issued.
    pub issued: SimTime,
    /// When it ended.
    pub ended: SimTime,
    /// How it ended.
    pub outcome: Outcome,
    /// How many attempts were made.
    pub attempts: u32,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// Its time has not come.
    Ahead,
    /// The architecture is at it.
    Asked,
    /// The user waits before the next attempt.
    BackingOff,
    /// The user's device is down.
    DeviceDown,
    /// It is over.
    Over,
}

/// A record, and where its request stands, in 32 bytes: there may be millions.
#[derive(Debug)]
struct Entry {
    user: NodeId,
    issued: SimTime,
    ended: SimTime,
    outcome: Outcome,
    standing: Standing,
    attempts: u32,
    /// How often the architecture was asked: once for each attempt, and again after each time that
    /// the user's device was down meanwhile.
    asked: u32,
}

impl Entry {
    fn record(&self) -> RequestRecord {
        RequestRecord {
            user: self.user,
            issued: self.issued,
            ended: self.ended,
            outcome: self.outcome,
            attempts: self.attempts,
        }
    }
}

/// All requests of a run and where they stand.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    open: usize,
}

impl Ledger {
    pub(crate) fn new(issues: &[Issue]) -> Self {
        let entries: Vec<Entry> = issues
            .iter()
            .map(|issue| Entry {
                user: issue.user,
                issued: issue.at,
                ended: issue.at,
                outcome: Outcome::Failed(Cause::Unfinished),
                standing: Standing::Ahead,
                attempts: 0,
                asked: 0,
            })
            .collect();
        Self {
            open: entries.len(),
            entries,
        }
    }

    /// How many requests are not over.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn standing(&self, id: RequestId) -> Standing {
        self.entries[id.0 as usize].standing
    }

    pub(crate) fn stand(&mut self, id: RequestId, standing: Standing) {
        self.entries[id.0 as usize].standing = standing;
    }

    pub(crate) fn user(&self, id: RequestId) -> NodeId {
        self.entries[id.0 as usize].user
    }

    /// Counts an attempt; says how many there are now.
    pub(crate) fn count_attempt(&mut self, id: RequestId) -> u32 {
        let attempts = &mut self.entries[id.0 as usize].attempts;
        *attempts += 1;
        *attempts
    }

    pub(crate) fn attempts(&self, id: RequestId) -> u32 {
        self.entries[id.0 as usize].attempts
    }

    /// Counts that the architecture is asked; says how often it was by now.
    pub(crate) fn count_asked(&mut self, id: RequestId) -> u32 {
        let entry = &mut self.entries[id.0 as usize];
        entry.asked += 1;
        entry.asked
    }

    pub(crate) fn asked(&self, id: RequestId) -> u32 {
        self.entries[id.0 as usize].asked
    }

    /// Notes when a request of a closed loop is issued.
    pub(crate) fn issue(&mut self, id: RequestId, at: SimTime) {
        self.entries[id.0 as usize].issued = at;
    }

    /// Ends a request for good.
    pub(crate) fn end(&mut self, id: RequestId, now: SimTime, outcome: Outcome) {
        let entry = &mut self.entries[id.0 as usize];
        assert_ne!(entry.standing, Standing::Over, "a request ends once");
        entry.standing = Standing::Over;
        entry.ended = now;
        entry.outcome = outcome;
        self.open -= 1;
    }

    /// Fails whatever is open and returns every record.
    pub(crate) fn close(mut self, now: SimTime) -> Vec<RequestRecord> {
        for index in 0..self.entries.len() {
            if self.entries[index].standing != Standing::Over {
                let id = RequestId(u32::try_from(index).expect("requests are counted in 32 bits"));
                let at = now.max(self.entries[index].issued);
                self.end(id, at, Outcome::Failed(Cause::Unfinished));
            }
        }
        assert_eq!(self.open, 0, "every request has ended");
        self.entries.iter().map(Entry::record).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_no_larger_than_half_a_cache_line() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
