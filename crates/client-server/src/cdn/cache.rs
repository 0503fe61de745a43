//! Which things a cache keeps.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a full cache drops.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// What was not asked for longest: least recently used.
    #[default]
    Lru,
    /// What was asked for least often since it came: least frequently used; of equals the one that
    /// was not asked for longest.
    Lfu,
    /// Nothing: it keeps the most popular things, which the operator knows, and no others.
    Static,
}

/// A cache with room for so many things of equal size.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    policy: Policy,
    room: u32,
    /// What is there, with its rank.
    ranks: BTreeMap<u32, Rank>,
    /// The other way round: the first is dropped first.
    order: BTreeSet<(Rank, u32)>,
    uses: u64,
}

/// How often, then when a thing was asked for.
type Rank = (u64, u64);

impl Cache {
    /// An empty cache, or one with the most popular of `things`, numbered by popularity.
    pub(super) fn new(policy: Policy, room: u32, things: u32) -> Self {
        let mut cache = Self {
            policy,
            room,
            ranks: BTreeMap::new(),
            order: BTreeSet::new(),
            uses: 0,
        };
        if policy == Policy::Static {
            (0..room.min(things)).for_each(|thing| cache.add(thing));
        }
        cache
    }

    /// Whether it has what is asked for.
    pub(super) fn has(&mut self, thing: u32) -> bool {
        let Some(rank) = self.ranks.get(&thing).copied() else {
            return false;
        };
        if self.policy != Policy::Static {
            self.order.remove(&(rank, thing));
            self.rank(thing, rank.0 + 1);
        }
        true
    }

    /// A thing came that was asked for.
    pub(super) fn add(&mut self, thing: u32) {
        let unwanted = self.policy == Policy::Static && thing >= self.room;
        if unwanted || self.room == 0 || self.ranks.contains_key(&thing) {
            return;
        }
        if self.ranks.len() >= self.room as usize
            && let Some((_, dropped)) = self.order.pop_first()
        {
            self.ranks.remove(&dropped);
        }
        self.rank(thing, 1);
    }

    fn rank(&mut self, thing: u32, times: u64) {
        self.uses += 1;
        let rank = match self.policy {
            Policy::Lfu => (times, self.uses),
            Policy::Lru | Policy::Static => (0, self.uses),
        };
        self.ranks.insert(thing, rank);
        self.order.insert((rank, thing));
    }

    /// The disk is gone.
    pub(super) fn clear(&mut self) {
        self.ranks.clear();
        self.order.clear();
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.ranks.len() * 2 * size_of::<(Rank, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left after asking for these things one after the other.
    fn left(policy: Policy, asked: &[u32]) -> Vec<u32> {
        let mut cache = Cache::new(policy, 3, 10);
        for thing in asked {
            if !cache.has(*thing) {
                cache.add(*thing);
            }
        }
        cache.ranks.into_keys().collect()
    }

    #[test]
    fn a_full_cache_drops_what_its_policy_says() {
        let asked = [5, 5, 5, 6, 6, 7, 8, 9, 6];
        assert_eq!(left(Policy::Lru, &asked), [6, 8, 9]);
        assert_eq!(left(Policy::Lfu, &asked), [5, 6, 9]);
        assert_eq!(left(Policy::Static, &asked), [0, 1, 2]);
    }
}
