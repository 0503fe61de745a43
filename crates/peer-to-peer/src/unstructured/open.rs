//! The searches that users wait for.

use netduel_world::{NodeId, ObjectId, Request, RequestId, SimDuration, SimTime};

use super::QueryId;

/// A search that a user waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Open {
    pub(crate) request: RequestId,
    pub(crate) object: ObjectId,
    /// Work that the answer takes.
    pub(crate) work: SimDuration,
    /// When this attempt began: what was asked before is over.
    pub(crate) since: SimTime,
    /// When something was asked or heard last.
    pub(crate) last: SimTime,
    /// How often it was asked, or how many are out asking.
    pub(crate) count: u32,
    /// Somebody has it and had no time.
    pub(crate) refused: bool,
    /// Somebody looked in vain.
    pub(crate) in_vain: bool,
}

impl Open {
    pub(crate) fn new(request: &Request, object: ObjectId, now: SimTime) -> Self {
        Self {
            request: request.id,
            object,
            work: request.work,
            since: now,
            last: now,
            count: 0,
            refused: false,
            in_vain: false,
        }
    }

    /// The question that this attempt asks first.
    pub(crate) fn id(&self) -> QueryId {
        QueryId {
            at: self.since,
            request: self.request,
        }
    }
}

/// The open searches of all users, by node.
pub(crate) struct OpenSearches(Box<[Vec<Open>]>);

impl OpenSearches {
    pub(crate) fn new(node_count: usize) -> Self {
        Self(vec![Vec::new(); node_count].into())
    }

    pub(crate) fn add(&mut self, node: NodeId, open: Open) {
        self.0[node.index()].push(open);
    }

    /// The open search to which an answer to `id` belongs.
    pub(crate) fn find(&mut self, node: NodeId, id: QueryId) -> Option<&mut Open> {
        let open = self.0[node.index()].iter_mut();
        let mut mine = open.filter(|open| open.request == id.request && open.since <= id.at);
        mine.next()
    }

    /// Ends the search to which an answer to `id` belongs.
    pub(crate) fn end(&mut self, node: NodeId, id: QueryId) -> Option<Open> {
        let open = &mut self.0[node.index()];
        let belongs = |open: &Open| open.request == id.request && open.since <= id.at;
        let index = open.iter().position(belongs)?;
        Some(open.swap_remove(index))
    }

    pub(crate) fn forget(&mut self, node: NodeId, request: RequestId) {
        self.0[node.index()].retain(|open| open.request != request);
    }

    pub(crate) fn forget_all(&mut self, node: NodeId) {
        self.0[node.index()].clear();
    }

    pub(crate) fn state_bytes(&self) -> usize {
        let of_all: usize = self.0.iter().map(Vec::capacity).sum();
        size_of_val(&*self.0) + of_all * size_of::<Open>()
    }
}
