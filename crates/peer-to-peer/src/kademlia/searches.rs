//! Look-ups under way: what each has heard of, and whom it waits for.
//!
//! A look-up ends within a second and there are as many as users, so each has a slot in a table and
//! slots are used again. A question carries the slot along, so that its answer finds the look-up
//! without a search. Only the k closest nodes that are not silent are kept in order, since only they
//! are asked; all others wait aside until somebody is silent.

use netduel_world::{Key, NodeId, RequestId, SimDuration, SimTime};
use prefetch_index::prefetch_index;

use crate::identifier::Identifiers;

use super::message::{Token, Wanted};

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

    fn wanted(self) -> Wanted {
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
struct Slot {
    purpose: Purpose,
    target: u64,
    node: NodeId,
    /// What this node calls it; [`FREE`] while it is over.
    ticket: u32,
    /// How many places of `near` are in use.
    near: u32,
    /// How many places of `questions` are in use.
    open: u32,
    /// How many places of `heard` are in use.
    heard: u32,
    /// Nodes that were silent.
    silent: u32,
}

/// What few answers look at.
#[derive(Debug, Default)]
struct Aside {
    /// Those that were asked and are not near.
    asked: Vec<Entry>,
    /// Those who announced what is looked for.
    providers: Vec<NodeId>,
}

/// No ticket is as high.
const FREE: u32 = u32::MAX;

/// A node heard of in a look-up.
#[derive(Clone, Copy, Debug)]
struct Entry {
    distance: u64,
    node: NodeId,
    state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Heard,
    Asked,
    Answered,
    Silent,
}

/// A question under way.
#[derive(Clone, Copy, Debug)]
struct Question {
    due: SimTime,
    to: NodeId,
}

/// A look-up remembers so many times k nodes: enough to go on when many do not answer.
const REMEMBERED: usize = 4;

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

impl Entry {
    const NONE: Self = Self {
        distance: u64::MAX,
        node: NodeId(0),
        state: State::Heard,
    };
}

impl Question {
    const NONE: Self = Self {
        due: SimTime::NEVER,
        to: NodeId(0),
    };
}

/// One look-up under way.
pub(super) struct Search<'a> {
    ids: &'a Identifiers,
    index: u32,
    slot: &'a mut Slot,
    aside: &'a mut Aside,
    heard: &'a mut [NodeId],
    near: &'a mut [Entry],
    questions: &'a mut [Question],
}

impl Search<'_> {
    /// What questions of this look-up carry.
    pub(super) fn token(&self) -> Token {
        Token {
            ticket: self.slot.ticket,
            slot: self.index,
        }
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.slot.purpose
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.slot.purpose.wanted()
    }

    pub(super) fn target(&self) -> u64 {
        self.slot.target
    }

    pub(super) fn providers(&mut self) -> &mut Vec<NodeId> {
        &mut self.aside.providers
    }

    /// Questions under way.
    pub(super) fn open(&self) -> usize {
        self.slot.open as usize
    }

    fn near(&self) -> &[Entry] {
        &self.near[..self.slot.near as usize]
    }

    /// Somebody named `node`.
    #[inline]
    pub(super) fn hear(&mut self, node: NodeId) {
        let distance = self.ids.of_node(node) ^ self.slot.target;
        let entry = Entry {
            distance,
            node,
            state: State::Heard,
        };
        let known = |other: &Entry| other.distance == distance;
        let near = self.near();
        let full = near.len() == self.near.len();
        if full && near[near.len() - 1].distance < distance {
            self.note_heard(node);
            return;
        }
        // No branch for each place: nothing could predict it.
        let closer = |other: &Entry| usize::from(other.distance < distance);
        let at: usize = near.iter().map(closer).sum();
        if near.get(at).is_some_and(known) {
            return;
        }
        if self.slot.silent > 0 && self.aside.asked.iter().any(known) {
            return;
        }
        let count = near.len();
        if full {
            let last = self.near[count - 1];
            match last.state {
                State::Heard => self.note_heard(last.node),
                _ => self.aside.asked.push(last),
            }
        } else {
            self.slot.near += 1;
        }
        // As many moves as there are closer ones to come, too few to call somebody for.
        let mut moved = entry;
        for place in &mut self.near[at..self.slot.near as usize] {
            std::mem::swap(place, &mut moved);
        }
    }

    #[inline]
    fn note_heard(&mut self, node: NodeId) {
        if self.slot.heard as usize == self.heard.len() {
            self.settle();
        }
        self.heard[self.slot.heard as usize] = node;
        self.slot.heard += 1;
    }

    /// Puts everybody in order, forgets those furthest away, and has as many as can be near.
    #[cold]
    fn settle(&mut self) {
        let k = self.near.len();
        let mut all = std::mem::take(&mut self.aside.asked);
        all.extend_from_slice(self.near());
        let heard = self.heard[..self.slot.heard as usize].iter();
        all.extend(heard.map(|node| Entry {
            distance: self.ids.of_node(*node) ^ self.slot.target,
            node: *node,
            state: State::Heard,
        }));
        // Who was named several times has been asked once.
        all.sort_unstable_by_key(|entry| (entry.distance, entry.state == State::Heard));
        all.dedup_by_key(|entry| entry.distance);
        all.truncate(REMEMBERED * k);
        let (mut near, mut heard, mut silent) = (0, 0, 0);
        all.retain(|entry| {
            match entry.state {
                State::Silent => silent += 1,
                _ if near < k => {
                    self.near[near] = *entry;
                    near += 1;
                    return false;
                }
                State::Heard => {
                    self.heard[heard] = entry.node;
                    heard += 1;
                    return false;
                }
                State::Asked | State::Answered => {}
            }
            true
        });
        let count = |count: usize| u32::try_from(count).expect("a list is short");
        self.slot.near = count(near);
        self.slot.heard = count(heard);
        self.slot.silent = silent;
        self.aside.asked = all;
    }

    /// Takes note of an answer, if it is one to a question under way.
    #[inline]
    pub(super) fn answered(&mut self, from: NodeId) {
        let open = self.open();
        let mut asked = self.questions[..open].iter();
        let Some(at) = asked.position(|question| question.to == from) else {
            return;
        };
        self.questions.copy_within(at + 1..open, at);
        self.slot.open -= 1;
        self.mark(from, State::Answered);
    }

    /// What became of the question to a node.
    fn mark(&mut self, node: NodeId, state: State) {
        let near = &mut self.near[..self.slot.near as usize];
        let mut all = near.iter_mut().chain(&mut self.aside.asked);
        // It may have been forgotten, far as it is.
        if let Some(entry) = all.find(|e| e.node == node && e.state == State::Asked) {
            entry.state = state;
        }
    }

    /// The closest node that is not asked yet, among the `k` closest that are not silent. It is
    /// asked now and has until `due` to answer.
    #[inline]
    pub(super) fn ask(&mut self, due: SimTime) -> Option<NodeId> {
        let open = self.open();
        if open == self.questions.len() {
            return None;
        }
        let near = &mut self.near[..self.slot.near as usize];
        // Nobody is closer than the very one that is looked for.
        let most = match near.first() {
            Some(first) if first.distance == 0 => 1,
            _ => near.len(),
        };
        let mut near = near[..most].iter_mut();
        let next = near.find(|entry| entry.state == State::Heard)?;
        next.state = State::Asked;
        self.questions[open] = Question { due, to: next.node };
        self.slot.open += 1;
        Some(next.node)
    }

    /// Takes note of questions that ran out; those that were asked are put into `silent`.
    pub(super) fn run_out(&mut self, now: SimTime, silent: &mut Vec<NodeId>) {
        silent.clear();
        let over = self.questions[..self.open()].iter();
        let over = over.take_while(|question| question.due <= now);
        silent.extend(over.map(|question| question.to));
        self.questions
            .copy_within(silent.len()..self.slot.open as usize, 0);
        self.slot.open -= u32::try_from(silent.len()).expect("few are asked at once");
        for node in &*silent {
            self.mark(*node, State::Silent);
        }
        if !silent.is_empty() {
            self.settle();
        }
    }

    /// When the first question under way runs out.
    pub(super) fn next_due(&self) -> SimTime {
        let first = self.questions[..self.open()].first();
        first.map_or(SimTime::NEVER, |question| question.due)
    }
}
