//! How nodes join, and keep the ring in order.

use netduel_world::{Context, NodeId, Seconds, SimDuration, uniform};

use super::{
    Chord, Node, Phase, Purpose, Stage, Timer, Wait, again,
    message::{Aim, Around, Message},
    say,
};

/// Joining.
impl Chord {
    /// The `nth` node through which this one may join: its successors of old, then those that
    /// everybody knows.
    fn entry(&self, node: NodeId, nth: u8) -> Option<NodeId> {
        let known = self.table.successors(node);
        let entries = known.chain(self.bootstrap.clone().map(NodeId));
        entries.filter(|entry| *entry != node).nth(usize::from(nth))
    }

    pub(super) fn begin_joining(&mut self, cx: &mut Context<'_, Self>) {
        let this = &mut self.nodes[cx.node().index()];
        *this = Node {
            phase: Phase::Joining,
            upkeep: this.upkeep,
            ..Node::default()
        };
        self.join(cx);
    }

    fn join(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let nth = self.nodes[node.index()].entries;
        match self.entry(node, nth) {
            Some(entry) => self.seek_through(entry, self.table.ids.of_node(node), cx),
            // Whom others join through begins a ring of its own when it finds nobody.
            None if self.bootstrap.contains(&node.0) => self.on_joined(node, cx),
            None => {
                self.nodes[node.index()].phase = Phase::Out;
                again(self.config.stabilise, Timer::Join, cx);
            }
        }
    }

    /// An entry point did not answer, or could not help.
    pub(super) fn on_entry_silent(&mut self, cx: &mut Context<'_, Self>) {
        let this = &mut self.nodes[cx.node().index()];
        if this.phase == Phase::Joining {
            this.entries = this.entries.saturating_add(1);
            self.join(cx);
        }
    }

    /// This node knows its successor, which may be itself.
    pub(super) fn on_joined(&mut self, successor: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.table.set_successors(node, &[successor]);
        self.table
            .set_predecessor(node, (successor == node).then_some(node));
        self.table.set_replicas(node, &[]);
        let this = &mut self.nodes[node.index()];
        let upkeep = std::mem::replace(&mut this.upkeep, true);
        this.phase = Phase::OnRing;
        this.filling = true;
        if !upkeep {
            self.begin_upkeep(cx);
        }
        self.stabilise(cx);
        self.fix_finger(cx);
        let mut held = Vec::new();
        // Those that went out before this node lost the ring are still with others.
        self.waits.each_with_ticket(node, &mut |ticket, wait| {
            if let Wait::Sought(sought) = wait
                && let Stage::Held = sought.stage
            {
                held.push((ticket, sought.aim));
            }
        });
        for (ticket, aim) in held.into_iter().rev() {
            self.release(ticket, aim, cx);
        }
    }
}

/// Upkeep.
impl Chord {
    /// Starts what a node does from time to time, each at a random moment of its period.
    pub(super) fn begin_upkeep(&mut self, cx: &mut Context<'_, Self>) {
        let mut start = |period: Seconds, timer| {
            let wait = period.get() * uniform(cx.rng());
            cx.after(SimDuration::from_seconds(wait), timer);
        };
        start(self.config.stabilise, Timer::Stabilise);
        start(self.config.fix_fingers, Timer::FixFinger);
        start(self.config.check_predecessor, Timer::CheckPredecessor);
    }

    pub(super) fn stabilise(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let successor = match self.table.successor(node) {
            Some(successor) if successor != node => successor,
            _ => match self.table.predecessor(node) {
                Some(predecessor) if predecessor != node => {
                    self.table.set_successors(node, &[predecessor]);
                    predecessor
                }
                _ => return,
            },
        };
        let timeout = SimDuration::from(self.config.contact_timeout);
        let ticket = self.wait(Wait::Stabilising { successor }, timeout, cx);
        say(successor, Message::Neighbours { ticket }, cx);
    }

    pub(super) fn on_neighbours(&mut self, from: NodeId, ticket: u32, cx: &mut Context<'_, Self>) {
        let told = Box::new(Around {
            predecessor: self.table.predecessor(cx.node()),
            successors: self.table.successors(cx.node()).collect(),
        });
        say(from, Message::Around { ticket, told }, cx);
    }

    pub(super) fn on_around(
        &mut self,
        from: NodeId,
        ticket: u32,
        told: &Around,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if self.waits.take(node, ticket).is_none() || self.table.successor(node) != Some(from) {
            return;
        }
        let place = |other| self.table.ids.of_node(other);
        let closer = told
            .predecessor
            .filter(|p| *p != node && *p != from && self.table.between(node, place(*p), from));
        let behind = told
            .successors
            .iter()
            .copied()
            .take_while(|other| *other != node);
        let mut list: Vec<NodeId> = closer.into_iter().chain([from]).chain(behind).collect();
        list.truncate(self.table.successor_count());
        self.table.set_successors(node, &list);
        say(list[0], Message::Notify, cx);
        self.refresh_copies(cx);
    }

    /// The next in the list takes the place of a successor that does not answer, unless another has
    /// taken it since that was asked.
    pub(super) fn on_successor_silent(&mut self, silent: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.table.successor(node) != Some(silent) {
            return;
        }
        let mut list: Vec<NodeId> = self.table.successors(node).skip(1).collect();
        if list.is_empty() {
            list.extend(self.table.fingers(node).next_back());
        }
        if list.is_empty() {
            self.table.set_successors(node, &[]);
            self.begin_joining(cx);
            return;
        }
        self.table.set_successors(node, &list);
        self.stabilise(cx);
    }

    pub(super) fn on_notify(&mut self, from: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let before = self.table.predecessor(node);
        let place = self.table.ids.of_node(from);
        let closer = |before| before != from && self.table.between(before, place, node);
        if before.is_none_or(closer) {
            self.table.set_predecessor(node, Some(from));
            self.on_predecessor(before, from, cx);
        }
        if self.table.successor(node) == Some(node) {
            self.stabilise(cx);
        }
    }

    pub(super) fn check_predecessor(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let other = self.table.predecessor(node).filter(|other| *other != node);
        let Some(predecessor) = other else {
            return;
        };
        let timeout = SimDuration::from(self.config.contact_timeout);
        let ticket = self.wait(Wait::Checking { predecessor }, timeout, cx);
        say(predecessor, Message::Ping { ticket }, cx);
    }

    /// Repairs the next finger that aims further than the successor.
    pub(super) fn fix_finger(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(successor) = self.table.successor(node) else {
            return;
        };
        let id = self.table.ids.of_node(node);
        let reach = self.table.ahead(node, self.table.ids.of_node(successor));
        let levels = self.table.levels();
        let needed = |level: usize| level < levels && (1 << (63 - level)) > reach && reach > 0;
        let this = &mut self.nodes[node.index()];
        let mut level = usize::from(this.level);
        if !needed(level) {
            this.filling = false;
            for rest in level..levels {
                self.table.set_finger(node, rest, None);
            }
            level = 0;
        }
        let this = &mut self.nodes[node.index()];
        if needed(level) {
            let number = u8::try_from(level).expect("at most 64 levels");
            this.level = number + 1;
            let aim = Aim::Place(id.wrapping_add(1 << (63 - level)));
            self.seek(Purpose::Finger(number), aim, cx);
        } else {
            this.level = 0;
        }
    }

    /// The look-up of a finger is over.
    pub(super) fn on_finger(
        &mut self,
        level: u8,
        found: Option<NodeId>,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if let Some(found) = found {
            let needed = found != node && Some(found) != self.table.successor(node);
            self.table
                .set_finger(node, usize::from(level), needed.then_some(found));
        }
        if self.nodes[node.index()].filling {
            self.fix_finger(cx);
        }
    }
}
