//! Values: where they are, how they are read and set.

use netduel_world::{
    Bytes, Cause, Context, Ending, Key, NodeId, RequestId, SimDuration, SimTime, TransferEnded,
};

use crate::{cargo::Cargo, chord::Start};

use super::{
    Held, Kademlia, Receiving, Storing, Task, Timer, Wait,
    message::{Answer, Message, Token},
    say,
    searches::{Finding, Purpose},
};

impl Kademlia {
    /// Gives every key a value where it is to be: with the nodes closest to it. While nobody takes
    /// part yet, with the first through whom others join.
    pub(super) fn place_values(&mut self, keys: u32, sorted: &[(u64, NodeId)]) {
        let copies = self.replicas;
        let mut near = Vec::new();
        for key in (0..keys).map(Key) {
            let held = Held {
                key,
                stored: SimTime::ZERO,
            };
            if self.config.start == Start::Join {
                self.put(NodeId(self.bootstrap.start), held);
                continue;
            }
            let target = self.buckets.ids.of_key(key);
            closest_of_all(sorted, target, copies, &mut near);
            near.sort_unstable_by_key(|(id, _)| id ^ target);
            for (_, holder) in near.iter().take(copies) {
                self.put(*holder, held);
            }
        }
        for values in &mut self.values {
            values.shrink_to_fit();
        }
    }

    #[inline]
    pub(super) fn holds(&self, node: NodeId, key: Key) -> bool {
        // Most who are asked do not have it, and need not look at what they have.
        if self.nodes[node.index()].held & bit(key) == 0 {
            return false;
        }
        let values = &self.values[node.index()];
        values.binary_search_by_key(&key, |held| held.key).is_ok()
    }

    /// Puts a value to the others that a node has, or in the place of an older one.
    fn put(&mut self, node: NodeId, held: Held) {
        self.nodes[node.index()].held |= bit(held.key);
        let values = &mut self.values[node.index()];
        match values.binary_search_by_key(&held.key, |held| held.key) {
            Ok(at) => values[at] = held,
            Err(at) => values.insert(at, held),
        }
    }

    /// Keeps a value; it was stored now.
    fn keep(&mut self, key: Key, cx: &mut Context<'_, Self>) {
        let stored = cx.now();
        self.put(cx.node(), Held { key, stored });
        self.start_republishing(cx);
    }

    /// The user's own device has the value.
    pub(super) fn read_own(
        &mut self,
        request: RequestId,
        key: Key,
        work: SimDuration,
        cx: &mut Context<'_, Self>,
    ) {
        let ticket = self.waits.add(cx.node(), SimTime::NEVER, fetching(request));
        let task = Task {
            asker: cx.node(),
            ticket,
            key,
            work,
            write: false,
        };
        self.work_on(task, cx);
    }

    /// A holder answers a question with the value, or says that it has it.
    pub(super) fn on_have(&mut self, from: NodeId, token: Token, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(search) = self.searches.find(node, token) else {
            return;
        };
        let Purpose::Read(request, key, work) = search.purpose() else {
            return;
        };
        self.waits.take(node, token.ticket);
        self.searches.end(token.slot);
        if self.value == Bytes(0) && work == SimDuration::ZERO {
            cx.serve(request);
            return;
        }
        let patience = SimDuration::from(self.config.answer_timeout);
        let ticket = self.wait(fetching(request), patience, cx);
        say(from, Message::Fetch { key, ticket, work }, cx);
    }

    pub(super) fn on_fetch(
        &mut self,
        from: NodeId,
        key: Key,
        ticket: u32,
        work: SimDuration,
        cx: &mut Context<'_, Self>,
    ) {
        if !self.holds(cx.node(), key) {
            return self.answer(from, ticket, Answer::NotFound, cx);
        }
        let task = Task {
            asker: from,
            ticket,
            key,
            work,
            write: false,
        };
        self.work_on(task, cx);
    }

    pub(super) fn on_store(&mut self, task: Task, fresh: bool, cx: &mut Context<'_, Self>) {
        let has = !fresh && self.holds(cx.node(), task.key);
        if self.value == Bytes(0) || has || task.asker == cx.node() {
            self.work_on(task, cx);
            return;
        }
        let patience = SimDuration::from(self.config.answer_timeout);
        let met = Vec::new();
        let place = self.wait(Wait::Receiving(Receiving { task, met }), patience, cx);
        self.answer(task.asker, task.ticket, Answer::Send(place), cx);
    }

    fn work_on(&mut self, task: Task, cx: &mut Context<'_, Self>) {
        if task.work == SimDuration::ZERO {
            return self.finish(task, cx);
        }
        let ticket = self
            .waits
            .add(cx.node(), SimTime::NEVER, Wait::Working(task));
        if cx.work(task.work, Timer::Worked(ticket)).is_err() {
            self.waits.take(cx.node(), ticket);
            self.answer(task.asker, task.ticket, Answer::Refused, cx);
        }
    }

    /// The work for an asker is done.
    pub(super) fn finish(&mut self, task: Task, cx: &mut Context<'_, Self>) {
        if task.write {
            self.keep(task.key, cx);
        }
        if task.write || self.value == Bytes(0) || task.asker == cx.node() {
            self.answer(task.asker, task.ticket, Answer::Done, cx);
        } else {
            let label = Cargo::Read(task.ticket).label();
            let transfer = cx.transfer(task.asker, self.value, label);
            let coming = Answer::Coming(transfer);
            self.answer(task.asker, task.ticket, coming, cx);
        }
    }

    fn answer(&mut self, asker: NodeId, ticket: u32, answer: Answer, cx: &mut Context<'_, Self>) {
        if asker == cx.node() {
            self.on_answer(asker, ticket, answer, cx);
        } else {
            say(asker, Message::Answer { ticket, answer }, cx);
        }
    }

    pub(super) fn on_answer(
        &mut self,
        from: NodeId,
        ticket: u32,
        answer: Answer,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        match (self.waits.get(node, ticket), answer) {
            // How long the bytes take is not known; if the connection breaks, that is seen.
            (Some(Wait::Fetching { transfer, .. }), Answer::Coming(id)) => {
                *transfer = Some(id);
                self.waits.put_off(node, ticket, SimTime::NEVER);
            }
            // Its user gave up meanwhile.
            (_, Answer::Coming(id)) => cx.cancel(id),
            (Some(Wait::Fetching { request, .. }), answer) => {
                let request = *request;
                self.waits.take(node, ticket);
                match cause_of(answer) {
                    None => cx.serve(request),
                    Some(cause) => cx.fail(request, cause),
                }
            }
            (Some(Wait::Storing(storing)), Answer::Send(place)) => {
                let label = Cargo::Write(ticket, place).label();
                storing.moving.push(cx.transfer(from, self.value, label));
                self.waits.put_off(node, ticket, SimTime::NEVER);
                say(from, Message::Coming { ticket: place }, cx);
            }
            (Some(Wait::Storing(_)), answer) => self.count(ticket, cause_of(answer), cx),
            _ => {}
        }
    }

    /// A value that this node is to keep is on its way. How long the bytes take is not known; if
    /// the connection breaks, that is seen.
    pub(super) fn on_coming(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if let Some(Wait::Receiving(_)) = self.waits.look(node, ticket) {
            self.waits.put_off(node, ticket, SimTime::NEVER);
        }
    }

    /// A transfer to this node is over.
    pub(super) fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        match Cargo::of(ended.label) {
            Cargo::Read(ticket) => {
                let Some(Wait::Fetching { request, .. }) = self.waits.take(node, ticket) else {
                    return;
                };
                match ended.ending {
                    Ending::Whole { intact: true } => cx.serve(request),
                    Ending::Whole { intact: false } => cx.fail(request, Cause::Damaged),
                    Ending::Broken { .. } => cx.fail(request, Cause::ConnectionLost),
                }
            }
            Cargo::Write(_, place) => {
                let Some(Wait::Receiving(receiving)) = self.waits.take(node, place) else {
                    return;
                };
                let Receiving { task, met } = receiving;
                match ended.ending {
                    Ending::Whole { intact: true } => {
                        self.work_on(task, cx);
                        self.share_late(task.key, &met, cx);
                    }
                    Ending::Whole { intact: false } => {
                        self.answer(task.asker, task.ticket, Answer::Damaged, cx);
                    }
                    Ending::Broken { .. } => {}
                }
            }
            Cargo::Copies(_) => unreachable!("only rings send copies"),
        }
    }

    /// A transfer from this node is over.
    pub(super) fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let Cargo::Write(ticket, _) = Cargo::of(ended.label) else {
            return;
        };
        let node = cx.node();
        let Some(Wait::Storing(storing)) = self.waits.get(node, ticket) else {
            return;
        };
        storing.moving.retain(|id| *id != ended.id);
        if storing.moving.is_empty() {
            let patience = SimDuration::from(self.config.answer_timeout);
            self.put_off(ticket, patience, cx);
        }
        if let Ending::Broken { .. } = ended.ending {
            self.count(ticket, Some(Cause::ConnectionLost), cx);
        }
    }
}

/// Storing.
impl Kademlia {
    /// Has the closest nodes that a look-up found keep a value.
    pub(super) fn store(
        &mut self,
        request: Option<RequestId>,
        key: Key,
        work: SimDuration,
        found: &Finding,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let own = self.buckets.ids.of_node(node) ^ found.target;
        let mut holders = found.closest.clone();
        let at = holders.partition_point(|(distance, _)| *distance < own);
        holders.insert(at, (own, node));
        holders.truncate(self.replicas);
        let mine = holders.iter().any(|(_, holder)| *holder == node);
        // A copy that is stored again is there already.
        holders.retain(|(_, holder)| request.is_some() || *holder != node);
        let storing = Storing {
            request,
            key,
            to: None,
            open: u16::try_from(holders.len()).unwrap_or(u16::MAX),
            done: 0,
            moving: Vec::new(),
            cause: Cause::NoAnswer,
            leaves: !mine && holders.len() == self.replicas,
        };
        if holders.is_empty() {
            return;
        }
        let patience = SimDuration::from(self.config.answer_timeout);
        let ticket = self.wait(Wait::Storing(storing), patience, cx);
        let fresh = request.is_some();
        for (_, holder) in holders {
            let task = Task {
                asker: node,
                ticket,
                key,
                work,
                write: true,
            };
            if holder == node {
                self.on_store(task, fresh, cx);
            } else {
                let message = Message::Store {
                    key,
                    ticket,
                    work,
                    fresh,
                };
                say(holder, message, cx);
            }
        }
    }

    /// A holder has the value now, or will not have it.
    fn count(&mut self, ticket: u32, cause: Option<Cause>, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(Wait::Storing(storing)) = self.waits.get(node, ticket) else {
            return;
        };
        storing.open -= 1;
        match cause {
            None => storing.done += 1,
            Some(cause) => storing.cause = cause,
        }
        if storing.open == 0
            && let Some(Wait::Storing(storing)) = self.waits.take(node, ticket)
        {
            self.stored(&storing, cx);
        }
    }

    /// All who were to keep a value have answered, or will not.
    pub(super) fn stored(&mut self, storing: &Storing, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        match storing.request {
            Some(request) if storing.done > 0 => cx.serve(request),
            Some(request) => cx.fail(request, storing.cause),
            // One more has it; that does not stand for storing it again.
            None if storing.to.is_some() => {}
            None => {
                let all = usize::from(storing.done) == self.replicas;
                let values = &mut self.values[node.index()];
                let Ok(at) = values.binary_search_by_key(&storing.key, |held| held.key) else {
                    return;
                };
                if storing.leaves && all {
                    values.remove(at);
                } else {
                    values[at].stored = cx.now();
                }
            }
        }
    }
}

fn fetching(request: RequestId) -> Wait {
    Wait::Fetching {
        request,
        transfer: None,
    }
}

/// What stands for a key in a set of 64 bits.
#[inline]
fn bit(key: Key) -> u64 {
    1 << (key.0 % 64)
}

/// Why an answer is none; nothing when it is one.
fn cause_of(answer: Answer) -> Option<Cause> {
    match answer {
        Answer::Done | Answer::Coming(_) | Answer::Send(_) => None,
        Answer::NotFound => Some(Cause::NotFound),
        Answer::Refused => Some(Cause::Refused),
        Answer::Damaged => Some(Cause::Damaged),
    }
}

/// At least `count` nodes, those closest to `target` among them: all that share so many first bits
/// with it.
pub(super) fn closest_of_all(
    sorted: &[(u64, NodeId)],
    target: u64,
    count: usize,
    near: &mut Vec<(u64, NodeId)>,
) {
    let mut range = sorted;
    for bit in (0..64).rev() {
        let middle = range.partition_point(|(id, _)| id >> bit & 1 == 0);
        let (low, high) = range.split_at(middle);
        let same = if target >> bit & 1 == 0 { low } else { high };
        if same.len() < count {
            break;
        }
        range = same;
    }
    near.clear();
    near.extend_from_slice(range);
}
