//! The ledger of requests: each ends exactly once, served or failed with one cause.

use netduel_engine::SimTime;
use netduel_network::NodeId;
use netduel_units::Bytes;

/// A request, by its place in the demand.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u32);

/// Something a user wants: the download of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Request {
    /// Which request it is.
    pub id: RequestId,
    /// The device that asks.
    pub user: NodeId,
    /// Size of the object.
    pub size: Bytes,
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
    /// The user's deadline passed.
    DeadlinePassed,
    /// The run ended first.
    Unfinished,
}

impl Cause {
    /// Every cause, in the order of result tables.
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::NoAnswer,
        Self::ConnectionLost,
        Self::Damaged,
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

#[derive(Debug)]
struct Entry {
    record: RequestRecord,
    standing: Standing,
}

/// All requests of a run and where they stand.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Vec<Entry>,
    size: Bytes,
    open: usize,
}

impl Ledger {
    pub(crate) fn new(users: impl Iterator<Item = (NodeId, SimTime)>, size: Bytes) -> Self {
        let entries: Vec<Entry> = users
            .map(|(user, issued)| Entry {
                record: RequestRecord {
                    user,
                    issued,
                    ended: issued,
                    outcome: Outcome::Failed(Cause::Unfinished),
                    attempts: 0,
                },
                standing: Standing::Ahead,
            })
            .collect();
        Self {
            open: entries.len(),
            entries,
            size,
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
        self.entries[id.0 as usize].record.user
    }

    /// Counts an attempt.
    pub(crate) fn count_attempt(&mut self, id: RequestId) {
        self.entries[id.0 as usize].record.attempts += 1;
    }

    /// The request as it was asked last.
    pub(crate) fn request(&self, id: RequestId) -> Request {
        let entry = &self.entries[id.0 as usize];
        Request {
            id,
            user: entry.record.user,
            size: self.size,
            attempt: entry.record.attempts,
        }
    }

    /// Ends a request for good.
    pub(crate) fn end(&mut self, id: RequestId, now: SimTime, outcome: Outcome) {
        let entry = &mut self.entries[id.0 as usize];
        assert_ne!(entry.standing, Standing::Over, "a request ends once");
        entry.standing = Standing::Over;
        entry.record.ended = now;
        entry.record.outcome = outcome;
        self.open -= 1;
    }

    /// Fails whatever is open and returns every record.
    pub(crate) fn close(mut self, now: SimTime) -> Vec<RequestRecord> {
        for index in 0..self.entries.len() {
            if self.entries[index].standing != Standing::Over {
                let id = RequestId(u32::try_from(index).expect("requests are counted in 32 bits"));
                let at = now.max(self.entries[index].record.issued);
                self.end(id, at, Outcome::Failed(Cause::Unfinished));
            }
        }
        assert_eq!(self.open, 0, "every request has ended");
        self.entries.into_iter().map(|entry| entry.record).collect()
    }
}
