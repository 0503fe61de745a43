//! Iterative look-ups.

use netduel_world::{Cause, Context, Key, NodeId, RequestId, SimDuration, SimTime};

use super::{
    Aim, Kademlia, Phase, Wait,
    message::{Message, Wanted},
    say,
};

/// A look-up of a node's own.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) purpose: Purpose,
    pub(super) target: u64,
    /// Nodes heard of, the closest to the target first.
    shortlist: Vec<Entry>,
    /// Questions under way.
    open: u32,
    /// Those who announced what is looked for.
    pub(super) providers: Vec<NodeId>,
}

/// What a look-up is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Purpose {
    /// To read a value, which takes its holder this work.
    Read(RequestId, Key, SimDuration),
    /// To find those who are to keep a value, which takes each this work.
    Write(RequestId, Key, SimDuration),
    /// To store a value that this node holds once more.
    Republish(Key),
    /// To meet one's neighbours.
    Join,
    /// To fill a bucket.
    Refresh,
    /// To announce something.
    Announce,
    /// To find those who announced something.
    Providers,
    /// To find those who announced something, and to announce it oneself.
    Report,
}

/// A node heard of in a look-up.
#[derive(Clone, Copy, Debug)]
struct Entry {
    distance: u64,
    node: NodeId,
    state: State,
    /// When a question to it runs out.
    due: SimTime,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Heard,
    Asked,
    Answered,
    Silent,
}

/// A look-up remembers so many times k nodes: enough to go on when many do not answer.
const REMEMBERED: usize = 4;

impl Search {
    pub(super) fn request(&self) -> Option<RequestId> {
        match self.purpose {
            Purpose::Read(request, ..) | Purpose::Write(request, ..) => Some(request),
            _ => None,
        }
    }

    fn wanted(&self) -> Wanted {
        match self.purpose {
            Purpose::Read(_, key, _) => Wanted::Value(key),
            Purpose::Providers | Purpose::Report => Wanted::Providers,
            _ => Wanted::Nodes,
        }
    }

    /// Anything that the shortlist says.
    pub(super) fn look(&self) -> u32 {
        self.shortlist.first().map_or(0, |entry| entry.node.0)
    }

    fn hear(&mut self, node: NodeId, distance: u64, most: usize) {
        let at = self
            .shortlist
            .partition_point(|entry| entry.distance < distance);
        let known = self.shortlist.get(at);
        if at >= most || known.is_some_and(|entry| entry.distance == distance) {
            return;
        }
        if self.shortlist.len() >= most {
            // Never one that is being asked: its answer is on its way.
            if self.shortlist.last().map(|e| e.state) == Some(State::Asked) {
                self.open -= 1;
            }
            self.shortlist.pop();
        }
        let entry = Entry {
            distance,
            node,
            state: State::Heard,
            due: SimTime::NEVER,
        };
        self.shortlist.insert(at, entry);
    }

    /// The closest node that is not asked yet, among the `k` closest that are not silent.
    fn next(&self, k: usize) -> Option<usize> {
        let live = self.shortlist.iter().enumerate();
        let mut live = live.filter(|(_, entry)| entry.state != State::Silent);
        let first = live.next()?;
        // Nobody is closer than the very one that is looked for.
        if first.1.distance == 0 {
            return (first.1.state == State::Heard).then_some(first.0);
        }
        let mut near = std::iter::once(first).chain(live).take(k);
        let next = near.find(|(_, entry)| entry.state == State::Heard);
        next.map(|(at, _)| at)
    }

    /// Notes an answer; whether one was expected.
    pub(super) fn answered(&mut self, from: NodeId, distance: u64) -> bool {
        let at = self
            .shortlist
            .partition_point(|entry| entry.distance < distance);
        match self.shortlist.get_mut(at) {
            Some(entry) if entry.node == from && entry.state == State::Asked => {
                entry.state = State::Answered;
                self.open -= 1;
                true
            }
            _ => false,
        }
    }

    /// Takes note of questions that ran out; those that were asked are put into `silent`.
    fn run_out(&mut self, now: SimTime, silent: &mut Vec<NodeId>) {
        for entry in &mut self.shortlist {
            if entry.state == State::Asked && entry.due <= now {
                entry.state = State::Silent;
                self.open -= 1;
                silent.push(entry.node);
            }
        }
    }

    fn next_due(&self) -> SimTime {
        let asked = self.shortlist.iter().filter(|e| e.state == State::Asked);
        asked.map(|e| e.due).min().unwrap_or(SimTime::NEVER)
    }

    /// The closest nodes that answered, and how close they are.
    pub(super) fn closest(&self) -> impl Iterator<Item = (u64, NodeId)> + '_ {
        let answered = self.shortlist.iter();
        let answered = answered.filter(|entry| entry.state == State::Answered);
        answered.map(|entry| (entry.distance, entry.node))
    }
}

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
        let most = REMEMBERED * self.config.k as usize;
        let mut search = Search {
            purpose,
            target,
            shortlist: Vec::with_capacity(most.min(2 * self.config.k as usize)),
            open: 0,
            providers: Vec::new(),
        };
        let mut contacts = std::mem::take(&mut self.contacts);
        let k = self.config.k as usize;
        self.buckets.closest(node, target, k, &mut contacts);
        if purpose == Purpose::Join {
            let entries = self.bootstrap.clone().map(NodeId);
            contacts.extend(entries.filter(|entry| *entry != node));
        }
        for contact in &contacts {
            search.hear(*contact, self.buckets.ids.of_node(*contact) ^ target, most);
        }
        self.contacts = contacts;
        let bucket = self.buckets.bucket_of(node, target);
        self.nodes[node.index()].touched |= 1 << bucket;
        let ticket = self
            .waits
            .add(node, SimTime::NEVER, Wait::Search(Box::new(search)));
        self.go_on(ticket, cx);
        ticket
    }

    /// Asks on, as far as questions may be under way, or ends.
    pub(super) fn go_on(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        let (node, now) = (cx.node(), cx.now());
        let Some(Wait::Search(search)) = self.waits.get(node, ticket) else {
            return;
        };
        let (k, alpha) = (self.config.k as usize, self.config.alpha);
        if self.config.rounds && search.open > 0 {
            return;
        }
        let due = now + SimDuration::from(self.config.contact_timeout);
        let before = search.open;
        while search.open < alpha
            && let Some(at) = search.next(k)
        {
            let entry = &mut search.shortlist[at];
            entry.state = State::Asked;
            entry.due = due;
            search.open += 1;
            let message = Message::Find {
                target: search.target,
                ticket,
                wanted: search.wanted(),
            };
            say(search.shortlist[at].node, message, cx);
        }
        if search.open == 0 {
            if let Some(Wait::Search(search)) = self.waits.take(node, ticket) {
                self.on_search_over(ticket, *search, cx);
            }
        } else if before == 0 {
            // A later question runs out later; what is due first is seen again then.
            self.waits.put_off(node, ticket, due);
            self.arm(due, cx);
        }
    }

    pub(super) fn on_find(
        &mut self,
        from: NodeId,
        target: u64,
        ticket: u32,
        wanted: Wanted,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if let Wanted::Value(key) = wanted
            && self.holds(node, key)
        {
            say(from, Message::Have { ticket }, cx);
            return;
        }
        let mut contacts = std::mem::take(&mut self.contacts);
        let k = self.config.k as usize;
        self.buckets.closest(node, target, k, &mut contacts);
        contacts.retain(|contact| *contact != from);
        let told = contacts.as_slice().into();
        self.contacts = contacts;
        let message = if wanted == Wanted::Providers {
            self.providers(target, ticket, told, cx)
        } else {
            Message::Nodes {
                ticket,
                contacts: told,
            }
        };
        say(from, message, cx);
    }

    pub(super) fn on_nodes(
        &mut self,
        from: NodeId,
        ticket: u32,
        contacts: &[NodeId],
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let ids = self.buckets.ids;
        let most = REMEMBERED * self.config.k as usize;
        let Some(Wait::Search(search)) = self.waits.get(node, ticket) else {
            return;
        };
        let target = search.target;
        search.answered(from, ids.of_node(from) ^ target);
        for contact in contacts.iter().filter(|contact| **contact != node) {
            search.hear(*contact, ids.of_node(*contact) ^ target, most);
        }
        self.go_on(ticket, cx);
    }

    /// A question of a look-up ran out, or has been answered meanwhile.
    pub(super) fn on_search_due(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(Wait::Search(search)) = self.waits.get(node, ticket) else {
            return;
        };
        let mut silent = Vec::new();
        search.run_out(cx.now(), &mut silent);
        let next = search.next_due();
        self.waits.put_off(node, ticket, next);
        for other in silent {
            self.buckets.failed(node, other);
        }
        self.go_on(ticket, cx);
        let next = self.waits.next_due(node);
        self.arm(next, cx);
    }

    /// Everybody close has answered, or will not.
    fn on_search_over(&mut self, ticket: u32, search: Search, cx: &mut Context<'_, Self>) {
        match search.purpose {
            Purpose::Read(request, ..) => {
                let cause = match search.closest().next() {
                    Some(_) => Cause::NotFound,
                    None => Cause::NoAnswer,
                };
                cx.fail(request, cause);
            }
            Purpose::Write(request, key, work) => {
                self.store(Some(request), key, work, &search, cx);
            }
            Purpose::Republish(key) => {
                self.store(None, key, SimDuration::ZERO, &search, cx);
            }
            Purpose::Join => self.on_joined(&search, cx),
            Purpose::Refresh => {}
            Purpose::Announce => self.tell_closest(&search, cx),
            Purpose::Providers => self.hand_over(ticket, search, cx),
            Purpose::Report => {
                self.tell_closest(&search, cx);
                self.hand_over(ticket, search, cx);
            }
        }
    }

    /// `from` sent a message: it is there.
    pub(super) fn see(&mut self, from: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.buckets.seen(node, from) && !self.nodes[node.index()].values.is_empty() {
            self.share_with(from, cx);
        }
    }

    pub(super) fn takes_part(&self, node: NodeId) -> bool {
        self.nodes[node.index()].phase != Phase::Out
    }
}
