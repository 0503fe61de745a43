//! Values: where they are, how they are read and set, and how copies are kept.

use netduel_world::{
    Bytes, Cause, Context, Ending, Key, NodeId, SimDuration, SimTime, TransferEnded, TransferId,
    uniform_below,
};

use crate::cargo::Cargo;

use super::{
    Chord, Purpose, Sought, Start, Task, Timer, Wait,
    message::{Aim, Answer, Find, Message},
    say,
};

impl Chord {
    /// Gives every key a value where it is to be: with its owner and the next successors. Of a
    /// ring that is still to be joined, with those through whom others join.
    pub(super) fn place_values(&mut self, keys: u32, sorted: &[(u64, NodeId)]) {
        let copies = self.replicas;
        for key in (0..keys).map(Key) {
            if self.config.start == Start::Join {
                self.values[self.bootstrap.start as usize].push(key);
                continue;
            }
            let place = self.table.ids.of_key(key);
            let owner = sorted.partition_point(|(id, _)| *id < place);
            for at in owner..owner + copies {
                let (_, holder) = sorted[at % sorted.len()];
                self.values[holder.index()].push(key);
            }
        }
        for values in &mut self.values {
            values.shrink_to_fit();
        }
    }

    fn has(&self, node: NodeId, key: Key) -> bool {
        self.values[node.index()].binary_search(&key).is_ok()
    }

    fn keep(&mut self, node: NodeId, key: Key) {
        let values = &mut self.values[node.index()];
        if let Err(at) = values.binary_search(&key) {
            values.insert(at, key);
        }
    }

    /// A look-up has come to the owner.
    pub(super) fn arrive(&mut self, find: &Find, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let task = |key, work, write| Task {
            asker: find.asker,
            ticket: find.ticket,
            key,
            work,
            write,
        };
        match find.aim() {
            Aim::Read(key, _) if !self.has(node, key) => {
                self.answer(find.asker, find.ticket, Answer::NotFound, cx);
            }
            Aim::Read(key, work) => self.work_on(task(key, work, false), cx),
            Aim::Write(key, work) if self.value == Bytes(0) || find.asker == node => {
                self.work_on(task(key, work, true), cx);
            }
            Aim::Write(key, work) => {
                let patience = SimDuration::from(self.config.answer_timeout);
                let task = Wait::Receiving(task(key, work, true));
                let place = self.wait(task, patience, cx);
                self.answer(find.asker, find.ticket, Answer::Send(place), cx);
            }
            Aim::Place(_) => unreachable!("places are told without asking their owner"),
        }
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
        let node = cx.node();
        if task.write {
            self.keep(node, task.key);
            for holder in self.table.copy_holders(node) {
                offer(holder, Box::new([task.key]), true, cx);
            }
        }
        if task.write || self.value == Bytes(0) || task.asker == node {
            self.answer(task.asker, task.ticket, Answer::Done, cx);
        } else {
            let label = Cargo::Read(task.ticket).label();
            let transfer = cx.transfer(task.asker, self.value, label);
            self.answer(task.asker, task.ticket, Answer::Coming(transfer), cx);
        }
    }

    /// Sends the value that is to be set to its owner, who knows it by `place`.
    pub(super) fn send_value(
        &mut self,
        owner: NodeId,
        ticket: u32,
        place: u32,
        cx: &mut Context<'_, Self>,
    ) -> TransferId {
        let label = Cargo::Write(ticket, place).label();
        let transfer = cx.transfer(owner, self.value, label);
        say(owner, Message::Coming { ticket: place }, cx);
        transfer
    }

    /// What this node waits for is on its way. How long the bytes take is not known; if the
    /// connection breaks, that is seen.
    pub(super) fn on_coming(&mut self, ticket: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if let Some(Wait::Receiving(_) | Wait::Copying { .. }) = self.waits.look(node, ticket) {
            self.waits.put_off(node, ticket, SimTime::NEVER);
        }
    }

    /// A transfer to this node is over.
    pub(super) fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let intact = ended.ending == Ending::Whole { intact: true };
        let damaged = ended.ending == Ending::Whole { intact: false };
        match Cargo::of(ended.label) {
            Cargo::Read(ticket) if intact => {
                let sought = self.waits.take(node, ticket);
                if let Some(Wait::Sought(Sought {
                    purpose: Purpose::Request(request),
                    ..
                })) = sought
                {
                    cx.serve(request);
                }
            }
            Cargo::Read(ticket) if damaged => self.give_up(ticket, Cause::Damaged, cx),
            Cargo::Read(ticket) => self.give_up(ticket, Cause::ConnectionLost, cx),
            Cargo::Write(_, place) => {
                let Some(Wait::Receiving(task)) = self.waits.take(node, place) else {
                    return;
                };
                if intact {
                    self.work_on(task, cx);
                } else if damaged {
                    self.answer(task.asker, task.ticket, Answer::Damaged, cx);
                }
            }
            Cargo::Copies(ticket) => {
                let Some(Wait::Copying { keys }) = self.waits.take(node, ticket) else {
                    return;
                };
                if intact {
                    self.take_over(&keys, ended.from, cx);
                } else if damaged {
                    self.ask_for(ended.from, keys, cx);
                }
            }
        }
    }

    /// A transfer from this node is over.
    pub(super) fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let Cargo::Write(ticket, _) = Cargo::of(ended.label) else {
            return;
        };
        match ended.ending {
            Ending::Whole { .. } => {
                let patience = SimDuration::from(self.config.answer_timeout);
                self.put_off(ticket, patience, cx);
            }
            Ending::Broken { .. } => self.give_up(ticket, Cause::ConnectionLost, cx),
        }
    }
}

/// Copies.
impl Chord {
    /// The keys of this node's values that lie behind `after` and not behind `until`.
    fn keys_between(&self, node: NodeId, after: NodeId, until: NodeId) -> Box<[Key]> {
        let within = |key: &&Key| {
            let place = self.table.ids.of_key(**key);
            self.table.between(after, place, until)
        };
        let values = self.values[node.index()].iter();
        values.filter(within).copied().collect()
    }

    pub(super) fn on_offer(
        &mut self,
        from: NodeId,
        keys: Box<[Key]>,
        fresh: bool,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if self.value == Bytes(0) {
            self.take_over(&keys, from, cx);
            return;
        }
        let lacks = |key: &Key| fresh || !self.has(node, *key);
        let keys: Box<[Key]> = keys.into_iter().filter(lacks).collect();
        if !keys.is_empty() {
            self.ask_for(from, keys, cx);
        }
    }

    /// Keeps values that came from another node, and has its own copied.
    fn take_over(&mut self, keys: &[Key], from: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let new = keys.iter().filter(|key| !self.has(node, **key)).copied();
        let new: Vec<Key> = new.collect();
        for key in &new {
            self.keep(node, *key);
        }
        let Some(predecessor) = self.table.predecessor(node) else {
            return;
        };
        let ids = self.table.ids;
        let owned = |key: &Key| self.table.between(predecessor, ids.of_key(*key), node);
        let own: Box<[Key]> = new.into_iter().filter(owned).collect();
        for holder in self.table.copy_holders(node) {
            if holder != from {
                offer(holder, own.clone(), false, cx);
            }
        }
    }

    /// Looks up who owns one of the values that this node has and does not own. Neighbours give each
    /// other what they should have when they meet; this is for what went wrong in between, as the
    /// upkeep of `DHash` does it.
    pub(super) fn bring_home(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(predecessor) = self.table.predecessor(node) else {
            return;
        };
        let ids = self.table.ids;
        let foreign = |key: &&Key| !self.table.between(predecessor, ids.of_key(**key), node);
        let foreign: Vec<Key> = self.values[node.index()]
            .iter()
            .filter(foreign)
            .copied()
            .collect();
        let Ok(count @ 1..) = u32::try_from(foreign.len()) else {
            return;
        };
        let key = foreign[uniform_below(cx.rng(), count) as usize];
        self.seek(Purpose::Home(key), Aim::Place(ids.of_key(key)), cx);
    }

    /// Offers an owner the values that lie between a key of its and itself.
    pub(super) fn on_home(&mut self, key: Key, owner: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if owner == node {
            return;
        }
        let ids = self.table.ids;
        let back = |key: &Key| ids.of_node(owner).wrapping_sub(ids.of_key(*key));
        let reach = back(&key);
        let values = self.values[node.index()].iter();
        let keys: Box<[Key]> = values.filter(|key| back(key) <= reach).copied().collect();
        offer(owner, keys, false, cx);
    }

    fn ask_for(&mut self, from: NodeId, keys: Box<[Key]>, cx: &mut Context<'_, Self>) {
        let copying = Wait::Copying { keys: keys.clone() };
        let patience = SimDuration::from(self.config.answer_timeout);
        let ticket = self.wait(copying, patience, cx);
        say(from, Message::Lack { ticket, keys }, cx);
    }

    pub(super) fn on_lack(
        &mut self,
        from: NodeId,
        ticket: u32,
        keys: &[Key],
        cx: &mut Context<'_, Self>,
    ) {
        let size = Bytes(self.value.0 * keys.len() as u64);
        cx.transfer(from, size, Cargo::Copies(ticket).label());
        say(from, Message::Coming { ticket }, cx);
    }

    /// Gives copies to those who are to have them now, and tells those who no longer are.
    pub(super) fn refresh_copies(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(predecessor) = self.table.predecessor(node) else {
            return;
        };
        let holders = self.table.copy_holders(node);
        let before: Vec<NodeId> = self.table.replicas(node).collect();
        if before == holders {
            return;
        }
        self.table.set_replicas(node, &holders);
        let keys = self.keys_between(node, predecessor, node);
        for holder in holders.iter().filter(|holder| !before.contains(holder)) {
            offer(*holder, keys.clone(), false, cx);
        }
        for former in before.iter().filter(|former| !holders.contains(former)) {
            release(*former, keys.clone(), cx);
        }
    }

    /// A new predecessor takes a part of what this node owned, or leaves it more than before.
    pub(super) fn on_predecessor(
        &mut self,
        before: Option<NodeId>,
        predecessor: NodeId,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(before) = before else {
            let keys = self.keys_between(node, predecessor, node);
            for holder in self.table.copy_holders(node) {
                offer(holder, keys.clone(), false, cx);
            }
            return;
        };
        let keys = self.keys_between(node, before, predecessor);
        offer(predecessor, keys.clone(), false, cx);
        // With the new node one more has copies: the last one has too many.
        let holders = self.table.copy_holders(node);
        let all = holders.len() + 1 == self.replicas;
        if let Some(last) = holders.last().filter(|last| all && **last != predecessor) {
            release(*last, keys, cx);
        }
    }

    pub(super) fn on_release(&mut self, keys: &[Key], cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let table = &self.table;
        let predecessor = table.predecessor(node);
        let owned = |key: &Key| {
            let place = table.ids.of_key(*key);
            predecessor.is_none_or(|before| table.between(before, place, node))
        };
        self.values[node.index()].retain(|key| owned(key) || keys.binary_search(key).is_err());
    }
}

fn offer(to: NodeId, keys: Box<[Key]>, fresh: bool, cx: &mut Context<'_, Chord>) {
    if !keys.is_empty() {
        say(to, Message::Offer { keys, fresh }, cx);
    }
}

fn release(to: NodeId, keys: Box<[Key]>, cx: &mut Context<'_, Chord>) {
    if !keys.is_empty() {
        say(to, Message::Release { keys }, cx);
    }
}
