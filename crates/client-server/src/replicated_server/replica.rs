//! What one of several servers has, and what it knows of the others.

use std::{collections::BTreeMap, sync::Arc};

use netduel_world::{Bytes, Cast, Key, NodeId, RequestId, SimDuration, SimTime};

use super::{Copied, Known, View};
use crate::{
    content::Content,
    message::Guest,
    reception::{Limits, Reception},
};

/// One server's view.
pub(super) struct Replica {
    node: NodeId,
    pub(super) reception: Reception,
    pub(super) content: Content,
    /// Whether its disk is as it was left.
    intact: bool,
    /// Stores that it knows of.
    pub(super) stores: u64,
    /// Whether it misses nothing that another one has, as far as it knows.
    pub(super) ready: bool,
    /// Whom it asked for what it misses.
    asked: Option<NodeId>,
    /// What it is to have once the bytes are here.
    coming: Option<Copied>,
    /// What each balancer said last.
    views: [Option<Arc<View>>; 2],
    /// Which of them said something last.
    latest: usize,
    /// Stores that backups have not confirmed, and who they are.
    unconfirmed: BTreeMap<RequestId, (Guest, Vec<NodeId>)>,
    /// Cores and bytes a second of its uplink, and what was used of them when it was checked last.
    cores: f64,
    uplink: f64,
    read: (SimTime, SimDuration, Bytes),
}

impl Replica {
    pub(super) fn new(node: NodeId, cast: Cast<'_>, limits: Limits, content: Content) -> Self {
        Self {
            node,
            reception: Reception::new(limits, cast.object_size()),
            content,
            intact: true,
            stores: 0,
            ready: true,
            asked: None,
            coming: None,
            views: [None, None],
            latest: 0,
            unconfirmed: BTreeMap::new(),
            cores: f64::from(cast.processor(node).cores),
            uplink: cast.upload(node).get() / 8.0,
            read: (SimTime::ZERO, SimDuration::ZERO, Bytes(0)),
        }
    }

    /// Share of its cores or its uplink that was busy since the last call, whichever is larger.
    pub(super) fn load(&mut self, now: SimTime, busy: SimDuration, sent: Bytes) -> f64 {
        let (at, busy_before, sent_before) = std::mem::replace(&mut self.read, (now, busy, sent));
        let time = (now - at).as_seconds();
        if time <= 0.0 {
            return 0.0;
        }
        let worked = SimDuration(busy.0.saturating_sub(busy_before.0)).as_seconds();
        let sent = sent.0.saturating_sub(sent_before.0) as f64;
        (worked / (self.cores * time)).max(sent / (self.uplink * time))
    }

    /// Learns from a balancer who is in service. Returns the guests whose stores wait for nobody any longer.
    pub(super) fn take_view(&mut self, balancer: usize, view: &Arc<View>) -> Vec<Guest> {
        // Who is no longer in service, or never was, may miss something.
        let listed = view.members.contains(&self.node);
        let was_listed = self.views[balancer].as_ref();
        let was_listed = was_listed.is_none_or(|view| view.members.contains(&self.node));
        self.ready &= listed || !was_listed;
        self.views[balancer] = Some(Arc::clone(view));
        self.latest = balancer;
        let mut confirmed = Vec::new();
        self.unconfirmed.retain(|_, (guest, backups)| {
            backups.retain(|backup| view.members.contains(backup));
            if backups.is_empty() {
                confirmed.push(*guest);
            }
            !backups.is_empty()
        });
        confirmed
    }

    /// Stores a value; says who is to have it too.
    pub(super) fn store(&mut self, key: Key) -> Box<[NodeId]> {
        self.content.store(key);
        self.stores += 1;
        let members = self.views[self.latest]
            .iter()
            .flat_map(|view| view.members.iter());
        members
            .copied()
            .filter(|member| *member != self.node)
            .collect()
    }

    pub(super) fn wait_for(&mut self, guest: Guest, backups: &[NodeId]) {
        self.unconfirmed.insert(guest.1, (guest, backups.to_vec()));
    }

    /// A backup has a store; says whose it was when that was the last one.
    pub(super) fn confirm(&mut self, request: RequestId, backup: NodeId) -> Option<Guest> {
        let (guest, backups) = self.unconfirmed.get_mut(&request)?;
        let guest = *guest;
        backups.retain(|other| *other != backup);
        if !backups.is_empty() {
            return None;
        }
        self.unconfirmed.remove(&request);
        Some(guest)
    }

    pub(super) fn forget(&mut self, guest: Guest) {
        self.unconfirmed.remove(&guest.1);
    }

    /// What to ask the primary for, if anything is missing and was not asked for.
    pub(super) fn misses(&mut self, primary: NodeId) -> Option<Known> {
        if self.ready || self.asked == Some(primary) {
            return None;
        }
        self.asked = Some(primary);
        Some(self.known())
    }

    fn known(&self) -> Known {
        if self.intact {
            Known::Stores(self.stores)
        } else {
            Known::Nothing
        }
    }

    /// Bytes that another server misses.
    pub(super) fn missed(&self, known: Known, size: Bytes) -> Bytes {
        let all = self.content.size(size);
        match known {
            Known::Stores(known) => {
                let values = Bytes(self.stores.saturating_sub(known).saturating_mul(size.0));
                values.min(all)
            }
            Known::Nothing => all,
        }
    }

    /// What it asked for is coming.
    pub(super) fn expect(&mut self, copied: Copied, size: Bytes) {
        if self.ready {
            return;
        }
        let nothing = match self.known() {
            Known::Stores(known) => copied.stores <= known || size == Bytes(0),
            Known::Nothing => copied.content.size(size) == Bytes(0),
        };
        self.coming = Some(copied);
        if nothing {
            self.finish_copy(true);
        }
    }

    /// What was coming is here, or broke off.
    pub(super) fn finish_copy(&mut self, whole: bool) {
        let coming = self.coming.take();
        self.asked = None;
        if let (true, Some(copied)) = (whole, coming) {
            self.stores = self.stores.max(copied.stores);
            self.content = copied.content;
            self.be_ready();
        }
    }

    /// Nobody said that anything is coming: it may be asked for again.
    pub(super) fn copy_due(&mut self) {
        if self.coming.is_none() {
            self.asked = None;
        }
    }

    /// It has all that there is, unless it has nothing.
    pub(super) fn be_ready(&mut self) {
        if self.intact || self.content.size(Bytes(1)) > Bytes(0) {
            self.intact = true;
            self.ready = true;
        }
    }

    pub(super) fn on_down(&mut self, lost: bool) {
        self.reception.clear();
        self.unconfirmed.clear();
        self.views = [None, None];
        self.asked = None;
        self.coming = None;
        self.ready = false;
        if lost {
            self.content.lose();
            self.intact = false;
            self.stores = 0;
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        size_of::<Self>()
            + self.reception.state_bytes()
            + self.content.state_bytes()
            + self.unconfirmed.len() * size_of::<(RequestId, (Guest, Vec<NodeId>))>()
    }
}
