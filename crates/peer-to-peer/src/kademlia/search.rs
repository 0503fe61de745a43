//! One look-up under way.

use netduel_world::{NodeId, SimTime};

use crate::identifier::Identifiers;

use super::{
    message::{Token, Wanted},
    searches::{Aside, Purpose, Slot},
};

/// One look-up under way.
pub(super) struct Search<'a> {
    pub(super) ids: &'a Identifiers,
    pub(super) index: u32,
    pub(super) slot: &'a mut Slot,
    pub(super) aside: &'a mut Aside,
    pub(super) heard: &'a mut [NodeId],
    pub(super) near: &'a mut [Entry],
    pub(super) questions: &'a mut [Question],
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

    pub(super) fn near(&self) -> &[Entry] {
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

/// A node heard of in a look-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) distance: u64,
    pub(super) node: NodeId,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Heard,
    Asked,
    Answered,
    Silent,
}

/// A question under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) due: SimTime,
    pub(super) to: NodeId,
}

/// A look-up remembers so many times k nodes: enough to go on when many do not answer.
pub(super) const REMEMBERED: usize = 4;

impl Entry {
    pub(super) const NONE: Self = Self {
        distance: u64::MAX,
        node: NodeId(0),
        state: State::Heard,
    };
}

impl Question {
    pub(super) const NONE: Self = Self {
        due: SimTime::NEVER,
        to: NodeId(0),
    };
}
