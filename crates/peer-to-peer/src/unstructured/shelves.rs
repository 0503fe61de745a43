//! Which objects users' devices have to share.

use netduel_world::{Cast, NodeId, ObjectId};

/// Which objects each user's device has.
pub(crate) struct Shelves {
    first: u32,
    starts: Box<[u32]>,
    /// Of each device in ascending order.
    objects: Box<[ObjectId]>,
    /// Whose disk is lost.
    lost: Box<[bool]>,
    /// Who answers nobody.
    mute: Box<[bool]>,
}

impl Shelves {
    pub(crate) fn new(cast: Cast<'_>) -> Self {
        let first = cast.machine_count();
        let users = || (first..first + cast.user_count()).map(NodeId);
        let mut starts = vec![0];
        let mut objects = Vec::new();
        for user in users() {
            let begin = objects.len();
            objects.extend_from_slice(cast.objects_of(user));
            objects[begin..].sort_unstable();
            starts.push(u32::try_from(objects.len()).expect("copies are counted in 32 bits"));
        }
        Self {
            first,
            starts: starts.into(),
            objects: objects.into(),
            lost: vec![false; cast.user_count() as usize].into(),
            mute: users().map(|user| cast.is_free_rider(user)).collect(),
        }
    }

    fn user(&self, node: NodeId) -> Option<usize> {
        node.0.checked_sub(self.first).map(|user| user as usize)
    }

    /// What this node has.
    pub(crate) fn of(&self, node: NodeId) -> &[ObjectId] {
        match self.user(node) {
            Some(user) if !self.lost[user] => {
                &self.objects[self.starts[user] as usize..self.starts[user + 1] as usize]
            }
            _ => &[],
        }
    }

    /// What this node lets others have: nothing when it is a free rider's.
    pub(crate) fn shared_by(&self, node: NodeId) -> &[ObjectId] {
        match self.user(node) {
            Some(user) if !self.mute[user] => self.of(node),
            _ => &[],
        }
    }

    /// Whether this node has it.
    pub(crate) fn has(&self, node: NodeId, object: ObjectId) -> bool {
        self.of(node).binary_search(&object).is_ok()
    }

    /// Whether this node has it and lets others have it.
    pub(crate) fn shares(&self, node: NodeId, object: ObjectId) -> bool {
        self.shared_by(node).binary_search(&object).is_ok()
    }

    /// This node's disk is lost.
    pub(crate) fn lose(&mut self, node: NodeId) {
        if let Some(user) = self.user(node) {
            self.lost[user] = true;
        }
    }

    pub(crate) fn state_bytes(&self) -> usize {
        size_of_val(&*self.starts)
            + size_of_val(&*self.objects)
            + size_of_val(&*self.lost)
            + size_of_val(&*self.mute)
    }
}
