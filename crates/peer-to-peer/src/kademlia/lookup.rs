//! Iterative look-ups.

use netduel_world::{Cause, Context, NodeId, RequestId, SimDuration, SimTime};

use super::{
    Aim, Kademlia, Phase, Wait,
    buckets::Met,
    message::{Message, Token, Wanted},
    say,
    searches::Purpose,
};

impl Kademlia {
    /// Begins what a user asks for.
    pub(super) fn take_up(&mut self, request: RequestId, aim: Aim, cx: &mut Context<'_, Self>) {
        match aim {
            Aim::Read(key, work) if self.holds(cx.node(), key) => {
                self.read_own(request, key, work, cx);
            }
            Aim::Read(key, work) => {
                let target = self.buckets.ids.of_key(key);
                self.search(Purpose::Read(request, key, work), target, cx);
            }
            Aim::Write(key, work) => {
                let target = self.buckets.ids.of_key(key);
                self.search(Purpose::Write(request, key, work), target, cx);
            }
        }
    }

    /// Starts a look-up and returns its ticket.
    pub(super) fn search(
        &mut self,
        purpose: Purpose,
        target: u64,
        cx: &mut Context<'_, Self>,
    ) -> u32 {
        let node = cx.node();
        let slot = self.searches.begin(node, purpose, target);
        let what = Wait::Search(slot);
        let ticket = self.waits.add(node, SimTime::NEVER, what);
        self.searches.name(slot, ticket);
        let mut contacts = self.take_list();
        self.buckets.closest(node, target, self.k, &mut contacts);
        if purpose == Purpose::Join {
            let entries = self.bootstrap.clone().map(NodeId);
            contacts.extend(entries.filter(|entry| *entry != node));
        }
        let mut search = self.searches.get(slot);
        for contact in &contacts {
            search.hear(*contact);
        }
        self.lists.push(contacts);
        let bucket = self.buckets.bucket_of(node, target);
        self.touched[node.index()] |= 1 << bucket;
        self.go_on(slot, cx);
        ticket
    }

    /// Asks on, as far as questions may be under way, or ends.
    pub(super) fn go_on(&mut self, slot: u32, cx: &mut Context<'_, Self>) {
        let mut search = self.searches.get(slot);
        let before = search.open();
        if self.config.rounds && before > 0 {
            return;
        }
        let due = cx.now() + SimDuration::from(self.config.contact_timeout);
        let (target, token, wanted) = (search.target(), search.token(), search.wanted());
        while let Some(next) = search.ask(due) {
            let message = Message::Find {
                target,
                token,
                wanted,
            };
            say(next, message, cx);
        }
        if search.open() == 0 {
            self.waits.take(cx.node(), token.ticket);
            self.on_search_over(slot, token.ticket, cx);
        } else if before == 0 {
            // A later question runs out later; what is due first is seen again then.
            self.waits.put_off(cx.node(), token.ticket, due);
            self.arm(due, cx);
        }
    }

    pub(super) fn on_find(
        &mut self,
        from: NodeId,
        target: u64,
        token: Token,
        wanted: Wanted,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if let Wanted::Value(key) = wanted
            && self.holds(node, key)
        {
            say(from, Message::Have { token }, cx);
            return;
        }
        let mut contacts = self.take_list();
        self.buckets.closest(node, target, self.k, &mut contacts);
        contacts.retain(|contact| *contact != from);
        let message = if wanted == Wanted::Providers {
            self.providers(target, token, contacts, cx)
        } else {
            Message::Nodes { token, contacts }
        };
        say(from, message, cx);
    }

    pub(super) fn on_nodes(
        &mut self,
        from: NodeId,
        token: Token,
        contacts: Vec<NodeId>,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if let Some(mut search) = self.searches.find(node, token) {
            search.answered(from);
            for contact in contacts.iter().filter(|contact| **contact != node) {
                search.hear(*contact);
            }
            self.go_on(token.slot, cx);
        }
        self.lists.push(contacts);
    }

    /// A question of a look-up ran out, or has been answered meanwhile.
    pub(super) fn on_search_due(&mut self, slot: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let mut silent = self.take_list();
        let mut search = self.searches.get(slot);
        search.run_out(cx.now(), &mut silent);
        self.waits
            .put_off(node, search.token().ticket, search.next_due());
        for other in &silent {
            self.buckets.failed(node, *other);
        }
        self.lists.push(silent);
        self.go_on(slot, cx);
        let next = self.waits.next_due(node);
        self.arm(next, cx);
    }

    /// Everybody close has answered, or will not.
    fn on_search_over(&mut self, slot: u32, ticket: u32, cx: &mut Context<'_, Self>) {
        let found = self.searches.close(slot);
        match found.purpose {
            Purpose::Read(request, ..) => {
                let cause = match found.closest.first() {
                    Some(_) => Cause::NotFound,
                    None => Cause::NoAnswer,
                };
                cx.fail(request, cause);
            }
            Purpose::Write(request, key, work) => {
                self.store(Some(request), key, work, &found, cx);
            }
            Purpose::Republish(key) => {
                self.store(None, key, SimDuration::ZERO, &found, cx);
            }
            Purpose::Join => self.on_joined(&found, cx),
            Purpose::Refresh => {}
            Purpose::Announce => self.tell_closest(&found, cx),
            Purpose::Providers => self.hand_over(ticket, found, cx),
            Purpose::Report => {
                self.tell_closest(&found, cx);
                self.hand_over(ticket, found, cx);
            }
        }
    }

    /// An empty list of nodes. Lists come back with answers, so that none is made for each.
    pub(super) fn take_list(&mut self) -> Vec<NodeId> {
        let spare = self.lists.pop();
        let mut list = spare.unwrap_or_else(|| Vec::with_capacity(self.k));
        list.clear();
        list
    }

    /// `from` sent a message: it is there.
    pub(super) fn see(&mut self, from: NodeId, cx: &mut Context<'_, Self>) {
        let met = self.buckets.seen(cx.node(), from);
        if met != Met::Known {
            self.on_met(from, met, cx);
        }
    }

    pub(super) fn takes_part(&self, node: NodeId) -> bool {
        self.nodes[node.index()].phase != Phase::Out
    }
}
