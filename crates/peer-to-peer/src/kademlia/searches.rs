//! Look-ups under way: what each has heard of, and whom it waits for.
//!
//! A look-up ends within a second and there are as many as users, so each has a slot in a table and
//! slots are used again. A question carries the slot along, so that its answer finds the look-up
//! without a search. Only the k closest nodes that are not silent are kept in order, since only they
//! are asked; all others wait aside until somebody is silent.

use netduel_world::{Key, NodeId, RequestId, SimDuration};
use prefetch_index::prefetch_index;

use crate::identifier::Identifiers;

use super::{
    message::{Token, Wanted},
    search::{Entry, Question, REMEMBERED, Search, State},
};

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

impl Purpose {
    pub(super) fn request(self) -> Option<RequestId> {
        match self {
            Self::Read(request, ..) | Self::Write(request, ..) => Some(request),
            _ => None,
        }
    }

    pub(super) fn wanted(self) -> Wanted {
        match self {
            Self::Read(_, key, _) => Wanted::Value(key),
            Self::Providers | Self::Report => Wanted::Providers,
            _ => Wanted::Nodes,
        }
    }
}

/// Look-ups under way.
#[derive(Debug)]
pub(super) struct Searches {
    slots: Vec<Slot>,
    asides: Vec<Aside>,
    /// The closest nodes of each look-up in order, `k` places for each.
    near: Vec<Entry>,
    /// Questions under way in the order in which they run out, `alpha` places for each look-up.
    questions: Vec<Question>,
    /// Nodes that others named and that were not asked, in no order, and some more than once; twice
    /// [`REMEMBERED`] places for each look-up.
    heard: Vec<NodeId>,
    free: Vec<u32>,
    ids: Identifiers,
    k: usize,
    alpha: usize,
}

/// What every answer looks at: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) purpose: Purpose,
    pub(super) target: u64,
    node: NodeId,
    /// What this node calls it; [`FREE`] while it is over.
    pub(super) ticket: u32,
    /// How many places of `near` are in use.
    pub(super) near: u32,
    /// How many places of `questions` are in use.
    pub(super) open: u32,
    /// How many places of `heard` are in use.
    pub(super) heard: u32,
    /// Nodes that were silent.
    pub(super) silent: u32,
}

/// What few answers look at.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Those that were asked and are not near.
    pub(super) asked: Vec<Entry>,
    /// Those who announced what is looked for.
    pub(super) providers: Vec<NodeId>,
}

/// No ticket is as high.
const FREE: u32 = u32::MAX;

/// What a look-up came to.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) purpose: Purpose,
    pub(super) target: u64,
    /// The closest nodes that answered, at most k, with their distances, the closest first.
    pub(super) closest: Vec<(u64, NodeId)>,
    /// Those who announced what was looked for.
    pub(super) providers: Vec<NodeId>,
}

impl Searches {
    pub(super) fn new(ids: Identifiers, k: usize, alpha: usize) -> Self {
        Self {
            slots: Vec::new(),
            asides: Vec::new(),
            near: Vec::new(),
            questions: Vec::new(),
            heard: Vec::new(),
            free: Vec::new(),
            ids,
            k,
            alpha,
        }
    }

    /// The slot of a look-up that begins; it has no ticket yet.
    pub(super) fn begin(&mut self, node: NodeId, purpose: Purpose, target: u64) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| self.add());
        self.slots[slot as usize] = Slot {
            purpose,
            target,
            node,
            ..Slot::FREE
        };
        slot
    }

    fn add(&mut self) -> u32 {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 look-ups");
        self.slots.push(Slot::FREE);
        self.asides.push(Aside::default());
        let count = self.slots.len();
        self.near.resize(count * self.k, Entry::NONE);
        self.questions.resize(count * self.alpha, Question::NONE);
        self.heard.resize(count * self.most_heard(), NodeId(0));
        slot
    }

    fn most_heard(&self) -> usize {
        2 * REMEMBERED * self.k
    }

    pub(super) fn name(&mut self, slot: u32, ticket: u32) {
        self.slots[slot as usize].ticket = ticket;
    }

    /// The look-up that a node calls so, unless it is over.
    #[inline]
    pub(super) fn find(&mut self, node: NodeId, token: Token) -> Option<Search<'_>> {
        let slot = self.slots.get(token.slot as usize)?;
        (slot.ticket == token.ticket && slot.node == node).then(|| self.get(token.slot))
    }

    #[inline]
    pub(super) fn get(&mut self, slot: u32) -> Search<'_> {
        let at = slot as usize;
        let heard = self.most_heard();
        Search {
            ids: &self.ids,
            index: slot,
            slot: &mut self.slots[at],
            aside: &mut self.asides[at],
            heard: &mut self.heard[at * heard..(at + 1) * heard],
            near: &mut self.near[at * self.k..(at + 1) * self.k],
            questions: &mut self.questions[at * self.alpha..(at + 1) * self.alpha],
        }
    }

    pub(super) fn purpose(&self, slot: u32) -> Purpose {
        self.slots[slot as usize].purpose
    }

    /// Brings what an answer will change into the cache.
    #[inline]
    pub(super) fn look_at(&self, token: Token) {
        let at = token.slot as usize;
        prefetch_index(&self.slots, at);
        prefetch_index(&self.near, at * self.k);
        prefetch_index(&self.near, at * self.k + self.k / 2);
        prefetch_index(&self.questions, at * self.alpha);
    }

    /// Gives a slot back.
    pub(super) fn end(&mut self, slot: u32) {
        self.slots[slot as usize].ticket = FREE;
        let aside = &mut self.asides[slot as usize];
        aside.asked.clear();
        aside.providers = Vec::new();
        self.free.push(slot);
    }

    /// Gives a slot back and returns what it came to.
    pub(super) fn close(&mut self, slot: u32) -> Finding {
        let k = self.k;
        let search = self.get(slot);
        let answered = |entry: &&Entry| entry.state == State::Answered;
        let named = |entry: &Entry| (entry.distance, entry.node);
        let near = search.near().iter().filter(answered);
        let mut closest: Vec<_> = near.map(named).collect();
        if closest.len() < k {
            closest.extend(search.aside.asked.iter().filter(answered).map(named));
            closest.sort_unstable();
            closest.truncate(k);
        }
        let finding = Finding {
            purpose: search.slot.purpose,
            target: search.slot.target,
            closest,
            providers: std::mem::take(&mut search.aside.providers),
        };
        self.end(slot);
        finding
    }

    pub(super) fn state_bytes(&self) -> usize {
        let lists = |aside: &Aside| {
            aside.asked.capacity() * size_of::<Entry>()
                + aside.providers.capacity() * size_of::<NodeId>()
        };
        self.asides.iter().map(lists).sum::<usize>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.asides.capacity() * size_of::<Aside>()
            + self.heard.capacity() * size_of::<NodeId>()
            + self.near.capacity() * size_of::<Entry>()
            + self.questions.capacity() * size_of::<Question>()
            + self.free.capacity() * size_of::<u32>()
    }
}

impl Slot {
    const FREE: Self = Self {
        purpose: Purpose::Refresh,
        target: 0,
        node: NodeId(0),
        ticket: FREE,
        near: 0,
        open: 0,
        heard: 0,
        silent: 0,
    };
}

#[cfg(test)]
mod tests {
    use netduel_world::{SimTime, Streams, uniform_below};

    use crate::identifier::Placing;

    use super::*;

    /// What a look-up is to do, from all that it ever heard of.
    #[derive(Default)]
    struct Plain(Vec<(u64, NodeId, State)>);

    impl Plain {
        fn hear(&mut self, node: NodeId, distance: u64) {
            if self.0.iter().all(|(_, known, _)| *known != node) {
                self.0.push((distance, node, State::Heard));
                self.0.sort_unstable_by_key(|(distance, ..)| *distance);
            }
        }

        fn ask(&mut self, k: usize) -> Option<NodeId> {
            let live = self.0.iter_mut().filter(|entry| entry.2 != State::Silent);
            let next = live.take(k).find(|entry| entry.2 == State::Heard)?;
            next.2 = State::Asked;
            Some(next.1)
        }

        fn mark(&mut self, node: NodeId, state: State) {
            let entry = self.0.iter_mut().find(|entry| entry.1 == node).unwrap();
            entry.2 = state;
        }

        fn closest(&self, k: usize) -> Vec<(u64, NodeId)> {
            let answered = self.0.iter().filter(|entry| entry.2 == State::Answered);
            answered.take(k).map(|entry| (entry.0, entry.1)).collect()
        }
    }

    #[test]
    fn a_look_up_asks_whom_it_would_ask_if_it_kept_everybody_in_order() {
        for seed in 0..300 {
            let mut rng = Streams::new(seed, 0).open("test", 0);
            let ids = Identifiers::draw(Placing::Hashed, 0, &mut rng);
            let mut below = |bound: usize| {
                let bound = u32::try_from(bound).unwrap();
                uniform_below(&mut rng, bound) as usize
            };
            let (k, alpha) = (1 + below(9), 1 + below(4));
            let mut searches = Searches::new(ids, k, alpha);
            // The second look-up takes the slot of the first.
            for round in 0..2 {
                let target = below(1 << 30) as u64;
                let slot = searches.begin(NodeId(0), Purpose::Refresh, target);
                let mut search = searches.get(slot);
                let mut plain = Plain::default();
                let mut asked: Vec<(SimTime, NodeId)> = Vec::new();
                for step in 0..200 {
                    let now = SimTime::ZERO + SimDuration(step);
                    for _ in 0..below(8) {
                        // As many as are surely remembered.
                        let node = NodeId(u32::try_from(below(REMEMBERED * k)).unwrap());
                        search.hear(node);
                        plain.hear(node, ids.of_node(node) ^ target);
                    }
                    if asked.len() < alpha {
                        let due = now + SimDuration(20);
                        let next = search.ask(due);
                        assert_eq!(next, plain.ask(k), "seed {seed}, {round}, {step}");
                        asked.extend(next.map(|node| (due, node)));
                    }
                    if !asked.is_empty() && below(3) == 0 {
                        let (_, node) = asked.remove(below(asked.len()));
                        search.answered(node);
                        plain.mark(node, State::Answered);
                    }
                    let mut silent = Vec::new();
                    search.run_out(now, &mut silent);
                    let over = asked.iter().filter(|(due, _)| *due <= now);
                    assert_eq!(silent, over.map(|(_, node)| *node).collect::<Vec<_>>());
                    asked.retain(|(due, _)| *due > now);
                    for node in silent {
                        plain.mark(node, State::Silent);
                    }
                    assert_eq!(search.open(), asked.len());
                }
                assert_eq!(
                    searches.close(slot).closest,
                    plain.closest(k),
                    "seed {seed}"
                );
            }
            assert_eq!(searches.slots.len(), 1);
        }
    }

    #[test]
    fn an_answer_to_a_look_up_that_is_over_finds_no_other_in_its_slot() {
        let mut rng = Streams::new(1, 0).open("test", 0);
        let ids = Identifiers::draw(Placing::Hashed, 0, &mut rng);
        let mut searches = Searches::new(ids, 8, 3);
        let node = NodeId(5);
        let slot = searches.begin(node, Purpose::Refresh, 1);
        searches.name(slot, 70);
        let token = searches.get(slot).token();
        assert!(searches.find(node, token).is_some());
        assert!(searches.find(NodeId(6), token).is_none());
        searches.end(slot);
        assert!(searches.find(node, token).is_none());
        assert_eq!(searches.begin(node, Purpose::Refresh, 1), slot);
        searches.name(slot, 71);
        assert!(searches.find(node, token).is_none());
    }
}
