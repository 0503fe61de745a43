//! Who has what: the table as a directory for another architecture.
//!
//! What is announced stands under an identifier of 64 bits that the host chooses, for instance a
//! hash of an object. A node announces itself with the nodes closest to that identifier, which tell
//! whoever asks, as the trackers of BEP 5 do.

use netduel_world::{Context, Key, NodeId, SimDuration, SimTime, uniform_below};

use crate::chord::Start;

use super::{
    Announced, Kademlia,
    message::{Message, Token, Told},
    say,
    searches::{Finding, Purpose},
    values::closest_of_all,
};

/// An announcement is kept for so long unless it is made again: 30 min in libtorrent.
pub(crate) const KEPT: SimDuration = SimDuration(1_800_000_000_000);
/// Nodes that an answer tells of at most: 50 in libtorrent's answers to `get_peers`.
const TOLD_MOST: usize = 50;

/// What a node found for its host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Found {
    /// The node that looked.
    pub node: NodeId,
    /// The ticket of its look-up.
    pub ticket: u32,
    /// What it looked for.
    pub target: u64,
    /// Whether anybody was there to ask.
    pub answered: bool,
    /// Those who announced it.
    pub providers: Vec<NodeId>,
}

impl Kademlia {
    /// Announces that this node has what `target` stands for. To be done again before half an hour
    /// is over.
    pub fn announce(&mut self, target: u64, cx: &mut Context<'_, Self>) {
        self.search(Purpose::Announce, target, cx);
    }

    /// Looks for those who announced `target`, and returns the ticket of that look-up. What it
    /// comes to stands in [`Self::take_found`] after one of the handlers of this node.
    pub fn find_providers(&mut self, target: u64, cx: &mut Context<'_, Self>) -> u32 {
        self.search(Purpose::Providers, target, cx)
    }

    /// Does both at once: the nodes that were asked who announced `target` are told that this one
    /// does.
    pub fn report(&mut self, target: u64, cx: &mut Context<'_, Self>) -> u32 {
        self.search(Purpose::Report, target, cx)
    }

    /// How it starts.
    pub fn starts(&self) -> Start {
        self.config.start
    }

    /// What stands for the thing with this number.
    pub fn target(&self, number: u32) -> u64 {
        self.buckets.ids.of_key(Key(number))
    }

    /// Has everybody know at the start that these nodes announced these targets just before, where
    /// tables are full at the start.
    pub fn place_announcements(&mut self, announcements: impl Iterator<Item = (NodeId, u64)>) {
        let ids = self.buckets.ids;
        let takes_part = |node: &NodeId| self.is_part(*node);
        let members = (0..).map(NodeId).take(self.nodes.len()).filter(takes_part);
        let mut sorted: Vec<(u64, NodeId)> = members.map(|n| (ids.of_node(n), n)).collect();
        sorted.sort_unstable();
        let copies = self.replicas;
        let mut near = Vec::new();
        for (by, target) in announcements {
            closest_of_all(&sorted, target, copies, &mut near);
            near.sort_unstable_by_key(|(id, _)| id ^ target);
            for (_, keeper) in near.iter().take(copies) {
                let until = SimTime::ZERO + KEPT;
                let list = self.announced.entry((*keeper, target)).or_default();
                list.push(Announced { by, until });
            }
        }
    }

    /// What was found since this was called last. To be called after each handler.
    pub fn take_found(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.found)
    }

    /// Whether this node takes part, or is about to.
    pub fn is_part(&self, node: NodeId) -> bool {
        self.takes_part(node)
    }

    pub(super) fn tell_closest(&mut self, found: &Finding, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let target = found.target;
        let own = self.buckets.ids.of_node(node) ^ target;
        let mut keepers = found.closest.clone();
        let at = keepers.partition_point(|(distance, _)| *distance < own);
        keepers.insert(at, (own, node));
        keepers.truncate(self.replicas);
        for (_, keeper) in keepers {
            if keeper == node {
                self.on_announce(node, target, cx);
            } else {
                say(keeper, Message::Announce { target }, cx);
            }
        }
    }

    pub(super) fn on_announce(&mut self, by: NodeId, target: u64, cx: &mut Context<'_, Self>) {
        let now = cx.now();
        let list = self.announced.entry((cx.node(), target)).or_default();
        list.retain(|announced| announced.by != by && announced.until > now);
        let until = now + KEPT;
        list.push(Announced { by, until });
    }

    /// Those who announced `target` with this node; when they are many, some of them at random.
    fn announced(&mut self, target: u64, cx: &mut Context<'_, Self>) -> Vec<NodeId> {
        let now = cx.now();
        let Some(list) = self.announced.get_mut(&(cx.node(), target)) else {
            return Vec::new();
        };
        list.retain(|announced| announced.until > now);
        let mut providers: Vec<NodeId> = list.iter().map(|announced| announced.by).collect();
        let told = providers.len().min(TOLD_MOST);
        for at in 0..told {
            let rest = u32::try_from(providers.len() - at).expect("nodes are counted in 32 bits");
            providers.swap(at, at + uniform_below(cx.rng(), rest) as usize);
        }
        providers.truncate(told);
        providers
    }

    pub(super) fn providers(
        &mut self,
        target: u64,
        token: Token,
        contacts: Vec<NodeId>,
        cx: &mut Context<'_, Self>,
    ) -> Message {
        let providers = self.announced(target, cx);
        let told = Box::new(Told {
            providers,
            contacts,
        });
        Message::Providers { token, told }
    }

    pub(super) fn on_providers(
        &mut self,
        from: NodeId,
        token: Token,
        told: Told,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(mut search) = self.searches.find(cx.node(), token) {
            search.providers().extend_from_slice(&told.providers);
        }
        self.on_nodes(from, token, told.contacts, cx);
    }

    /// Hands what a look-up came to over to the host.
    pub(super) fn hand_over(&mut self, ticket: u32, found: Finding, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let answered = !found.closest.is_empty();
        let mut providers = found.providers;
        providers.extend(self.announced(found.target, cx));
        providers.retain(|provider| *provider != node);
        providers.sort_unstable();
        providers.dedup();
        self.found.push(Found {
            node,
            ticket,
            target: found.target,
            answered,
            providers,
        });
    }

    /// A node crashed: announcements are not on its disk.
    pub(super) fn forget_announced(&mut self, node: NodeId) {
        let kept = self.announced.range((node, 0)..=(node, u64::MAX));
        let keys: Vec<(NodeId, u64)> = kept.map(|(key, _)| *key).collect();
        for key in keys {
            self.announced.remove(&key);
        }
    }
}
