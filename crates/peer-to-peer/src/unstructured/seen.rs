//! Questions that a peer remembers, to know them again.

use std::collections::VecDeque;

use netduel_world::NodeId;

use super::QueryId;

/// Questions that a peer has seen and whom they came from, from the oldest to the newest.
#[derive(Clone, Default)]
pub(crate) struct Seen(VecDeque<(QueryId, NodeId)>);

impl Seen {
    /// Notes a question; says whether it is new.
    pub(crate) fn note(&mut self, id: QueryId, from: NodeId, most: usize) -> bool {
        let Err(place) = self.0.binary_search_by_key(&id, |(id, _)| *id) else {
            return false;
        };
        self.0.insert(place, (id, from));
        if self.0.len() > most {
            self.0.pop_front();
        }
        true
    }

    pub(crate) fn came_from(&self, id: QueryId) -> Option<NodeId> {
        let place = self.0.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.0[place].1)
    }

    pub(crate) fn state_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(QueryId, NodeId)>()
    }
}
