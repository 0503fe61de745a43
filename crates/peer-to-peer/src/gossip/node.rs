//! What a user's device knows.

use netduel_world::{NodeId, SimDuration, SimTime};

use super::message::Rumour;

/// What a user's device knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Everything it has and has not forgotten, by the number of the broadcast. On its disk.
    pub(super) known: Vec<Known>,
    /// Rumours that it tells.
    pub(super) hot: Vec<Hot>,
    /// What it has asked for, and what is on its way to it.
    pub(super) fetching: Vec<Fetch>,
    /// Transfers that came to nothing before a message announced them, which may still come.
    in_vain: Vec<(Rumour, NodeId)>,
    /// Nothing that it keeps is older, in seconds.
    oldest: u32,
    /// Whether it has a timer for its next call.
    pub(super) calls: bool,
    /// Whether it has a timer for its next repair.
    pub(super) repairs: bool,
}

/// Something that a device has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) rumour: Rumour,
    pub(super) learnt: SimTime,
}

/// A rumour that a device tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    pub(super) rumour: Rumour,
    /// Calls that count against it.
    pub(super) count: u32,
    /// What those who asked since its last own call made of it.
    pub(super) asked: Asked,
}

/// Whether those who asked needed a rumour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Asked {
    /// Nobody asked.
    #[default]
    No,
    /// All of them had it.
    InVain,
    /// Somebody did not have it.
    Needed,
}

/// Something that a device waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetch {
    pub(super) rumour: Rumour,
    pub(super) from: NodeId,
    pub(super) since: SimTime,
    /// Whether it is on its way.
    pub(super) coming: bool,
}

impl Node {
    /// One that has just come up, with what is on its disk.
    pub(super) fn with(known: Vec<Known>) -> Self {
        let created = known.iter().map(|known| known.rumour.created);
        Self {
            oldest: created.min().unwrap_or_default(),
            known,
            ..Self::default()
        }
    }

    /// Whether it has this rumour, or a later one of its name.
    pub(super) fn knows(&self, rumour: Rumour) -> bool {
        self.place(rumour)
            .is_ok_and(|index| self.known[index].rumour.created >= rumour.created)
    }

    fn place(&self, rumour: Rumour) -> Result<usize, usize> {
        self.known
            .binary_search_by_key(&rumour.id, |known| known.rumour.id)
    }

    /// Notes that it has this rumour now.
    pub(super) fn note(&mut self, rumour: Rumour, now: SimTime) {
        let known = Known {
            rumour,
            learnt: now,
        };
        self.date(rumour);
        match self.place(rumour) {
            Ok(index) => self.known[index] = known,
            Err(index) => self.known.insert(index, known),
        }
        self.fetching.retain(|fetch| fetch.rumour.id != rumour.id);
        self.in_vain.retain(|(past, _)| past.id != rumour.id);
    }

    /// Takes down the age of something that it is about to keep.
    fn date(&mut self, rumour: Rumour) {
        if self.is_blank() || rumour.created < self.oldest {
            self.oldest = rumour.created;
        }
    }

    fn is_blank(&self) -> bool {
        self.known.is_empty() && self.fetching.is_empty() && self.in_vain.is_empty()
    }

    /// Whether it waits for this rumour from somebody who has not been silent for too long.
    pub(super) fn fetches(&self, rumour: Rumour, now: SimTime, patience: SimDuration) -> bool {
        self.fetching
            .iter()
            .any(|fetch| fetch.rumour == rumour && fetch.is_live(now, patience))
    }

    /// Notes that `from` was asked for this rumour.
    pub(super) fn ask(&mut self, rumour: Rumour, from: NodeId, now: SimTime) {
        self.wait_for(rumour, from, now, false);
    }

    /// Notes that this rumour is on its way from `from`, unless that has come to nothing already.
    pub(super) fn announce(&mut self, rumour: Rumour, from: NodeId, now: SimTime) {
        let past = self.in_vain.iter().position(|past| *past == (rumour, from));
        if let Some(index) = past {
            self.in_vain.swap_remove(index);
            return;
        }
        let mut coming = self.fetching.iter().filter(|fetch| fetch.coming);
        let is_noted = coming.any(|fetch| (fetch.rumour, fetch.from) == (rumour, from));
        if !is_noted && !self.knows(rumour) {
            self.wait_for(rumour, from, now, true);
        }
    }

    fn wait_for(&mut self, rumour: Rumour, from: NodeId, since: SimTime, coming: bool) {
        // What was asked for and did not come is asked for no longer.
        self.fetching
            .retain(|fetch| fetch.coming || fetch.rumour.id != rumour.id);
        self.date(rumour);
        self.fetching.push(Fetch {
            rumour,
            from,
            since,
            coming,
        });
    }

    /// A transfer of this rumour from `from` is over.
    pub(super) fn fetched(&mut self, rumour: Rumour, from: NodeId, intact: bool) {
        let is_this = |fetch: &Fetch| (fetch.rumour, fetch.from) == (rumour, from);
        let announced = self.fetching.iter().any(|f| f.coming && is_this(f));
        self.fetching.retain(|fetch| !is_this(fetch));
        if !intact && !announced && !self.in_vain.contains(&(rumour, from)) {
            self.date(rumour);
            self.in_vain.push((rumour, from));
        }
    }

    /// Makes it tell this rumour.
    pub(super) fn heat(&mut self, rumour: Rumour) {
        self.hot.retain(|hot| hot.rumour.id != rumour.id);
        self.hot.push(Hot {
            rumour,
            count: 0,
            asked: Asked::No,
        });
    }

    /// Forgets what is old.
    pub(super) fn forget(&mut self, now: SimTime, remember: SimDuration) {
        let is_fresh = |rumour: Rumour| now < Rumour::expiry(rumour.created, remember);
        if self.is_blank() || now < Rumour::expiry(self.oldest, remember) {
            return;
        }
        self.known.retain(|known| is_fresh(known.rumour));
        self.known.shrink_to(2 * self.known.len());
        self.hot.retain(|hot| is_fresh(hot.rumour));
        self.fetching.retain(|fetch| is_fresh(fetch.rumour));
        self.in_vain.retain(|(past, _)| is_fresh(*past));
        let known = self.known.iter().map(|known| known.rumour);
        let coming = self.fetching.iter().map(|fetch| fetch.rumour);
        let past = self.in_vain.iter().map(|(past, _)| *past);
        let created = known.chain(coming).chain(past).map(|of| of.created);
        self.oldest = created.min().unwrap_or_default();
    }

    /// Bytes that its lists take.
    pub(super) fn heap_bytes(&self) -> usize {
        self.known.capacity() * size_of::<Known>()
            + self.hot.capacity() * size_of::<Hot>()
            + self.fetching.capacity() * size_of::<Fetch>()
            + self.in_vain.capacity() * size_of::<(Rumour, NodeId)>()
    }
}

impl Fetch {
    pub(super) fn is_live(&self, now: SimTime, patience: SimDuration) -> bool {
        self.coming || now < self.since + patience
    }
}
