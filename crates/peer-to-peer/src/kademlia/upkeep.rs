//! How nodes join, keep their buckets full and values where they belong.

use netduel_world::{Cause, Context, Key, NodeId, SimDuration, uniform, uniform_below};

use super::{
    Kademlia, Phase, Storing, Timer, Wait,
    buckets::Met,
    message::Message,
    say,
    searches::{Finding, Purpose},
};

impl Kademlia {
    /// Makes this node take part: it looks itself up through those that it knows. A host calls this
    /// for nodes that are to join at a time of their own.
    pub fn join(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.nodes[node.index()].phase != Phase::Out {
            return;
        }
        self.nodes[node.index()].phase = Phase::Joining;
        let own = self.buckets.ids.of_node(node);
        self.search(Purpose::Join, own, cx);
    }

    /// The look-up of this node's own identifier is over.
    pub(super) fn on_joined(&mut self, found: &Finding, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let alone = found.closest.is_empty();
        if alone && !self.bootstrap.contains(&node.0) {
            // Nobody answered. Whoever comes later may.
            let wait = self.config.answer_timeout.get() * (0.5 + uniform(cx.rng()));
            cx.after(SimDuration::from_seconds(wait), Timer::Join);
            self.stop(node);
            return;
        }
        self.nodes[node.index()].phase = Phase::In;
        self.begin_upkeep(cx);
        // All buckets but those around its closest neighbour.
        let nearest = found.closest.first();
        let nearest = nearest.map_or(0, |(distance, _)| distance.leading_zeros() as usize);
        for bucket in 0..nearest.min(self.buckets.depth(node)) {
            self.refresh_bucket(bucket, cx);
        }
        let mut held = Vec::new();
        self.waits.each_with_ticket(node, &mut |ticket, wait| {
            if let Wait::Held(request, aim) = wait {
                held.push((ticket, *request, *aim));
            }
        });
        for (ticket, request, aim) in held.into_iter().rev() {
            self.waits.take(node, ticket);
            self.take_up(request, aim, cx);
        }
    }

    /// Starts what a node does from time to time, each at a random moment of its period.
    pub(super) fn begin_upkeep(&mut self, cx: &mut Context<'_, Self>) {
        let wait = self.config.refresh.get() * uniform(cx.rng());
        cx.after(SimDuration::from_seconds(wait), Timer::Refresh);
        if !self.values[cx.node().index()].is_empty() {
            self.start_republishing(cx);
        }
    }

    pub(super) fn refresh(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let period = SimDuration::from(self.config.refresh);
        cx.after(period, Timer::Refresh);
        let touched = std::mem::take(&mut self.touched[node.index()]);
        for bucket in 0..self.buckets.depth(node) {
            if touched & (1 << bucket) == 0 {
                self.refresh_bucket(bucket, cx);
            }
        }
        // What it looked up just now was to refresh, not for a user.
        self.touched[node.index()] = 0;
    }

    /// Looks up a random identifier that belongs into a bucket.
    fn refresh_bucket(&mut self, bucket: usize, cx: &mut Context<'_, Self>) {
        let own = self.buckets.ids.of_node(cx.node());
        let half = |cx: &mut Context<'_, Self>| u64::from(uniform_below(cx.rng(), u32::MAX));
        let random = half(cx) << 32 | half(cx);
        let bit = 1_u64 << (63 - bucket);
        // The same bits before, another one here, anything behind.
        let target = (own & !(bit - 1)) ^ bit | random & (bit - 1);
        self.search(Purpose::Refresh, target, cx);
    }

    pub(super) fn start_republishing(&mut self, cx: &mut Context<'_, Self>) {
        let this = &mut self.nodes[cx.node().index()];
        if !std::mem::replace(&mut this.republishes, true) {
            let wait = self.config.republish.get() * uniform(cx.rng());
            cx.after(SimDuration::from_seconds(wait), Timer::Republish);
        }
    }

    /// Stores the values again that nobody has stored for a while.
    pub(super) fn republish(&mut self, cx: &mut Context<'_, Self>) {
        let (node, now) = (cx.node(), cx.now());
        let period = SimDuration::from(self.config.republish);
        let values = &self.values[node.index()];
        if values.is_empty() {
            self.nodes[node.index()].republishes = false;
            return;
        }
        cx.after(period, Timer::Republish);
        let old = values.iter().filter(|held| held.stored + period <= now);
        let keys: Vec<Key> = old.map(|held| held.key).collect();
        for key in keys {
            let target = self.buckets.ids.of_key(key);
            self.search(Purpose::Republish(key), target, cx);
        }
    }

    /// This node got to know another. It passes on the values that the other is to keep, as section
    /// 2.5 of the paper has it: at once.
    pub(super) fn on_met(&mut self, other: NodeId, met: Met, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        // It has a place in no bucket: closer to a key than those who have are none of its bucket,
        // so only where few are closer to this node is it to keep anything.
        let apart = met == Met::Waiting;
        if apart && self.buckets.is_outnumbered(node, other, self.replicas - 1) {
            return;
        }
        let mut coming = Vec::new();
        self.waits.each_with_ticket(node, &mut |ticket, wait| {
            if let Wait::Receiving(_) = wait {
                coming.push(ticket);
            }
        });
        for ticket in coming {
            if let Some(Wait::Receiving(receiving)) = self.waits.get(node, ticket) {
                receiving.met.push(other);
            }
        }
        if self.values[node.index()].is_empty() {
            return;
        }
        let gifts = self.gifts(node);
        let held = self.values[node.index()].iter();
        let keys: Vec<Key> = held.map(|held| held.key).collect();
        for key in keys {
            self.share(key, other, &gifts, cx);
        }
    }

    /// This node has a value now that others may be to keep, whom it met while the bytes came.
    pub(super) fn share_late(&mut self, key: Key, met: &[NodeId], cx: &mut Context<'_, Self>) {
        if met.is_empty() || !self.holds(cx.node(), key) {
            return;
        }
        let gifts = self.gifts(cx.node());
        for other in met {
            self.share(key, *other, &gifts, cx);
        }
    }

    /// What this node is giving to whom.
    fn gifts(&self, node: NodeId) -> Vec<(Key, NodeId)> {
        let mut gifts = Vec::new();
        self.waits.each_with_ticket(node, &mut |_, wait| {
            if let Wait::Storing(storing) = wait {
                gifts.extend(storing.to.map(|to| (storing.key, to)));
            }
        });
        gifts
    }

    /// Gives a value to a node that it got to know, if that is among those to keep it. Of all that
    /// have it the closest sees to that; those who are only just given it do not have it yet.
    fn share(
        &mut self,
        key: Key,
        other: NodeId,
        gifts: &[(Key, NodeId)],
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let target = self.buckets.ids.of_key(key);
        let distance = |node: NodeId| self.buckets.ids.of_node(node) ^ target;
        let (own, its) = (distance(node), distance(other));
        let given = |to: NodeId| gifts.contains(&(key, to));
        let under_way = gifts.iter().filter(|(gift, _)| *gift == key).count();
        let mut near = Vec::new();
        let most = self.replicas + under_way;
        self.buckets.closest(node, target, most, &mut near);
        near.retain(|contact| *contact != other);
        let closer = near.iter().filter(|contact| distance(**contact) < its);
        let rank = closer.count() + usize::from(own < its);
        let mut holders = near.iter().filter(|contact| !given(**contact));
        let first = holders.all(|contact| own < distance(*contact));
        if first && rank < self.replicas && !given(other) {
            self.give(other, key, cx);
        }
    }

    fn give(&mut self, other: NodeId, key: Key, cx: &mut Context<'_, Self>) {
        let storing = Storing {
            request: None,
            key,
            to: Some(other),
            open: 1,
            done: 0,
            moving: Vec::new(),
            cause: Cause::NoAnswer,
            leaves: false,
        };
        let patience = SimDuration::from(self.config.answer_timeout);
        let ticket = self.wait(Wait::Storing(storing), patience, cx);
        let message = Message::Store {
            key,
            ticket,
            work: SimDuration::ZERO,
            fresh: false,
        };
        say(other, message, cx);
    }
}
