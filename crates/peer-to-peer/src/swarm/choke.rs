//! Whom a peer serves: tit for tat, and one neighbour at random.

use netduel_world::{Context, NodeId, SimDuration, uniform_below};

use super::{
    Swarm, Timer,
    links::{LinkSet, Moment, Slot},
    message::{Connection, HAVE, Message, Status},
};

/// An uplink that carries this share of its rate is full: the rest is the gap between a piece and
/// the request for the next.
const UPLINK_FULL: f64 = 0.8;

impl Swarm {
    /// Keeps reviewing while there are neighbours.
    pub(super) fn keep_reviewing(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        if !peer.reviewing && !peer.links.is_empty() {
            peer.reviewing = true;
            peer.sent = (cx.bytes_sent(), cx.now());
            cx.after(SimDuration::from(self.config.choke_interval), Timer::Review);
        }
    }

    /// Reviews whom to serve, and with whom to stay in touch.
    pub(super) fn review(&mut self, cx: &mut Context<'_, Self>) {
        self.peers[cx.node().index()].reviewing = false;
        self.keep_alive(cx);
        self.listen(cx);
        self.open_slots(cx);
        self.rechoke(cx);
        let peer = &mut self.peers[cx.node().index()];
        peer.reviews += 1;
        for link in peer.links.iter_mut() {
            link.received = [0, link.received[0]];
        }
        self.ask_everybody(cx);
        self.tell_interest(self.peers[cx.node().index()].links.established, cx);
        self.keep_reviewing(cx);
    }

    /// Whoever has everything serves more neighbours while those it serves cannot take all that its
    /// uplink gives: else an origin with a fast link would feed a few slow ones and idle (the
    /// rate-based choker of libtorrent).
    fn open_slots(&mut self, cx: &mut Context<'_, Self>) {
        let sent = cx.bytes_sent();
        let now = cx.now();
        let peer = &mut self.peers[cx.node().index()];
        let (before, since) = peer.sent;
        let possible = peer.uplink.get() / 8.0 * now.since(since).as_seconds();
        let idles = ((sent.0 - before.0) as f64) < UPLINK_FULL * possible;
        let served = peer.links.served.len();
        if peer.has_all() && idles && served > peer.slots {
            peer.slots *= 2;
        }
    }

    /// Serves the neighbours that gave most in the last two intervals, and one at random. Who has
    /// everything is given nothing: it serves neighbours at random.
    fn rechoke(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        if peer.free_rider {
            return;
        }
        let wanted = peer.links.established & peer.links.interested;
        let mut wanted: Vec<usize> = wanted.iter().collect();
        shuffle(&mut wanted, cx);
        if !peer.has_all() {
            // Sorting is stable: equals stay in random order.
            wanted.sort_by_key(|index| std::cmp::Reverse(peer.links.get(*index).gave()));
        }
        let regular = wanted.len().min(peer.slots as usize);
        let moves_on = (peer.reviews + 1).is_multiple_of(self.config.optimistic_rounds);
        let rest = &wanted[regular..];
        let has_slot = |index: &&usize| peer.links.optimistic.contains(**index);
        let optimistic = match rest.iter().find(has_slot) {
            Some(index) if !moves_on => Some(*index),
            // The rest of equal givers is in random order; of unequal ones a draw is needed.
            _ => draw(rest.iter().copied().collect(), cx),
        };
        let optimistic: LinkSet = optimistic.into_iter().collect();
        let regular: LinkSet = wanted[..regular].iter().copied().collect();
        let links = &mut self.peers[cx.node().index()].links;
        links.optimistic = optimistic;
        let served = regular | optimistic;
        for index in (links.served ^ served).iter() {
            self.set_choking(index, !served.contains(index), cx);
        }
        self.fill_slots(cx);
    }

    /// Gives free slots to neighbours that wait for one: regular ones to those that gave most, the
    /// optimistic one to any.
    pub(super) fn fill_slots(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.peers[node.index()].free_rider {
            return;
        }
        loop {
            let peer = &self.peers[node.index()];
            let links = &peer.links;
            let Some(slot) = links.free_slot(peer.slots) else {
                return;
            };
            let mut waiting = links.waiting();
            if slot == Slot::Regular && !peer.has_all() {
                let gave = |index: &usize| links.get(*index).gave();
                let most = waiting.iter().map(|index| gave(&index)).max();
                waiting = waiting.iter().filter(|i| Some(gave(i)) == most).collect();
            }
            let Some(next) = draw(waiting, cx) else {
                self.wake_idle(cx);
                return;
            };
            let links = &mut self.peers[node.index()].links;
            links.optimistic.set(next, slot == Slot::Optimistic);
            self.set_choking(next, false, cx);
        }
    }

    /// A peer with a free slot wakes neighbours that want nothing as far as they said, once for all
    /// that it announced since they heard of it last, unless they are known to have that.
    fn wake_idle(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let links = &self.peers[node.index()].links;
        let life = self.announced[node.index()].present();
        let announced = life.len();
        let unaware = |index: &usize| links.get(*index).woken < announced;
        let unaware: LinkSet = links.idle().iter().filter(unaware).collect();
        if unaware.is_empty() {
            return;
        }
        // Beginning anywhere, or the neighbours met first would always be the first to answer.
        let count = u32::try_from(links.len()).expect("neighbours are counted in 32 bits");
        let first = uniform_below(cx.rng(), count) as usize;
        for index in unaware.iter_from(first) {
            let peer = &mut self.peers[node.index()];
            let woken = std::mem::replace(&mut peer.links.get_mut(index).woken, announced);
            let known = peer.known(index, &self.announced);
            let mut has_news = false;
            self.announced[node.index()]
                .present()
                .read(woken, announced, |piece| has_news |= !known.contains(piece));
            if has_news {
                let (neighbour, connection) = peer.links.end(index, node);
                cx.wake(neighbour, Message::News(connection), HAVE);
            }
        }
    }

    /// Whoever has everything lets another neighbour in after some pieces: with a fast link the
    /// wait for the next review would leave all it gives with a few.
    pub(super) fn take_turns(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        if !peer.has_all() || u32::from(peer.links.get(index).turn) < self.config.turn {
            return;
        }
        if let Some(next) = draw(peer.links.waiting(), cx) {
            let links = &mut self.peers[cx.node().index()].links;
            links.optimistic.set(next, links.optimistic.contains(index));
            links.optimistic.set(index, false);
            self.set_choking(index, true, cx);
            self.set_choking(next, false, cx);
        }
    }

    fn set_choking(&mut self, index: usize, choking: bool, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        if peer.links.served.contains(index) != choking {
            return;
        }
        peer.links.served.set(index, !choking);
        peer.links.get_mut(index).turn = 0;
        if !choking {
            self.suggest(index, cx);
        }
        self.send_status(index, cx);
        if choking {
            self.drop_queue(index, cx);
        }
    }

    /// Tells neighbours that have something to give, and whoever serves this peer in vain. The
    /// others hear at the next review that they have nothing to give any more.
    pub(super) fn update_interest(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        let at_once = if peer.has_all() {
            peer.links.established
        } else {
            peer.links.serving
        };
        self.tell_interest(at_once, cx);
    }

    /// Tells neighbours that have something to give, and those of `withdraw` that have not. Before a
    /// peer loses interest it reads what has arrived meanwhile.
    fn tell_interest(&mut self, withdraw: LinkSet, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let end_game = self.config.end_game;
        let links = &self.peers[node.index()].links;
        let withdraw = withdraw & links.interesting;
        let mut wanted = self.peers[node.index()].wanted(end_game, &self.announced);
        let doubtful = withdraw & !wanted;
        if !doubtful.is_empty() {
            doubtful.iter().for_each(|index| self.listen_to(index, cx));
            wanted = self.peers[node.index()].wanted(end_game, &self.announced);
        }
        let links = &mut self.peers[node.index()].links;
        let interesting = links.interesting & !withdraw | wanted;
        let changed = links.interesting ^ interesting;
        links.interesting = interesting;
        changed.iter().for_each(|index| self.send_status(index, cx));
    }

    pub(super) fn send_status(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let links = &mut self.peers[cx.node().index()].links;
        let status = links.status(index);
        links.get_mut(index).told_at = Moment::at(cx.now());
        let (neighbour, connection) = links.end(index, cx.node());
        self.say(neighbour, Message::Status(connection, status), cx);
    }

    pub(super) fn on_status(
        &mut self,
        from: NodeId,
        connection: Connection,
        status: Status,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(index) = self.peers[node.index()].links.on(from, connection) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let links = &mut self.peers[node.index()].links;
        let link = links.get_mut(index);
        link.heard_at = Moment::at(cx.now());
        if !link.take_status(status.serial) {
            return;
        }
        link.woken = link.woken.max(status.heard);
        let lost_interest = links.interested.contains(index) && !status.interested;
        links.interested.set(index, status.interested);
        links.serving.set(index, !status.choking);
        if lost_interest {
            links.optimistic.set(index, false);
            self.set_choking(index, true, cx);
        }
        self.fill_slots(cx);
        self.ask(index, cx);
        self.update_interest(cx);
    }
}

fn shuffle(items: &mut [usize], cx: &mut Context<'_, Swarm>) {
    for left in (1..items.len()).rev() {
        let bound = u32::try_from(left + 1).expect("neighbours are counted in 32 bits");
        items.swap(left, uniform_below(cx.rng(), bound) as usize);
    }
}

fn draw(items: LinkSet, cx: &mut Context<'_, Swarm>) -> Option<usize> {
    if items.is_empty() {
        return None;
    }
    items
        .iter()
        .nth(uniform_below(cx.rng(), items.len()) as usize)
}
