//! Whom a device serves: tit for tat, and one neighbour by a draw.
//!
//! A device that takes part in several torrents shares its slots among them, as libtorrent does
//! (`unchoke_slots_limit` is for a session): whoever gives most has one, in whichever torrent.

use netduel_world::{Context, NodeId, SimDuration, uniform, uniform_below};

use super::{
    Swarm, Timer,
    links::{LinkSet, Links, Moment, Slot},
    message::{Connection, HAVE, Message, Status},
    roster::{Member, Roster},
};

/// An uplink that carries this share of its rate is full: the rest is the gap between a piece and
/// the request for the next.
const UPLINK_FULL: f64 = 0.8;

/// Neighbours that a peer with a free slot wakes at a time: twice as many as it has slots by default. The others
/// hear of its pieces when they next read what it announced; their answers would come too late for the slot.
const WOKEN_MOST: usize = 10;

impl Swarm {
    /// The neighbours that a device has in each of its torrents.
    fn active(&self, node: NodeId) -> impl Iterator<Item = (Member, &Links)> {
        let active = self.roster.active(node);
        active.map(|member| (member, &self.peers[member.index()].links))
    }

    /// Keeps reviewing while there are neighbours.
    pub(super) fn keep_reviewing(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let alone = self.active(node).all(|(_, links)| links.is_empty());
        let device = &mut self.devices[node.index()];
        if !device.reviewing && !alone {
            device.reviewing = true;
            device.sent = (cx.bytes_sent(), cx.now());
            let mut wait = self.config.choke_interval.get();
            if device.reviews == 0 {
                // Programs that started together are not in step: else whoever misses one moment at which
                // all draw somebody waits for the next.
                wait *= uniform(cx.rng());
                device.reviews = uniform_below(cx.rng(), self.config.optimistic_rounds);
            }
            cx.after(SimDuration::from_seconds(wait), Timer::Review);
        }
    }

    /// Reviews whom to serve, and with whom to stay in touch.
    pub(super) fn review(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.devices[node.index()].reviewing = false;
        let mut nth = 0;
        while let Some(me) = self.roster.part(node, nth) {
            self.keep_alive(me, cx);
            self.listen(me, cx);
            nth += 1;
        }
        self.open_slots(cx);
        self.rechoke(cx);
        self.devices[node.index()].reviews += 1;
        let mut nth = 0;
        while let Some(me) = self.roster.part(node, nth) {
            let links = &mut self.peers[me.index()].links;
            for link in links.iter_mut() {
                link.received = [0, link.received[0]];
            }
            self.ask_everybody(me, cx);
            self.tell_interest(me, self.peers[me.index()].links.established, cx);
            nth += 1;
        }
        self.keep_reviewing(cx);
    }

    /// Whoever has everything serves more neighbours while those it serves cannot take all that its
    /// uplink gives: else an origin with a fast link would feed a few slow ones and idle (the
    /// rate-based choker of libtorrent).
    fn open_slots(&mut self, cx: &mut Context<'_, Self>) {
        let sent = cx.bytes_sent();
        let now = cx.now();
        let node = cx.node();
        let served: u32 = self.active(node).map(|(_, l)| l.served.len()).sum();
        let mut active = self.roster.active(node);
        let has_all = active.all(|me| self.peers[me.index()].has_all());
        let device = &mut self.devices[node.index()];
        let (before, since) = device.sent;
        let possible = device.uplink.get() / 8.0 * now.since(since).as_seconds();
        let idles = ((sent.0 - before.0) as f64) < UPLINK_FULL * possible;
        if has_all && idles && served > device.slots {
            device.slots *= 2;
        }
    }

    /// What a neighbour is to be served for: what it gave. Who has everything is given nothing.
    fn merit(&self, me: Member, index: usize) -> u32 {
        let peer = &self.peers[me.index()];
        if peer.has_all() {
            0
        } else {
            peer.links.get(index).gave()
        }
    }

    /// Serves the neighbours that gave most in the last two intervals, and one by a draw. Who has
    /// everything is given nothing: it draws all, those it gave least before others.
    fn rechoke(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let device = self.devices[node.index()];
        if device.free_rider {
            return;
        }
        let mut wanted: Vec<(Member, usize)> = Vec::new();
        for (me, links) in self.active(node) {
            let wants = links.established & links.interested;
            wanted.extend(wants.iter().map(|index| (me, index)));
        }
        shuffle(&mut wanted, cx);
        // Sorting is stable: equals stay in random order.
        wanted.sort_by_key(|(me, index)| std::cmp::Reverse(self.merit(*me, *index)));
        let (regular, rest) = wanted.split_at(wanted.len().min(device.slots as usize));
        let moves_on = (device.reviews + 1).is_multiple_of(self.config.optimistic_rounds);
        let has_slot = |(me, index): &&(Member, usize)| {
            let links = &self.peers[me.index()].links;
            links.optimistic.contains(*index)
        };
        let optimistic = match rest.iter().find(has_slot) {
            Some(place) if !moves_on => Some(*place),
            _ => self.draw_optimistic(rest.to_vec(), cx),
        };
        let mut nth = 0;
        while let Some(me) = self.roster.nth_active(node, nth) {
            let links = &mut self.peers[me.index()].links;
            links.optimistic = of(me, optimistic.as_slice());
            let served = of(me, regular) | links.optimistic;
            for index in (links.served ^ served).iter() {
                self.set_choking(me, index, !served.contains(index), cx);
            }
            nth += 1;
        }
        self.fill_slots(cx);
    }

    /// A slot that is free.
    fn free_slot(&self, node: NodeId) -> Option<Slot> {
        let regular: u32 = self.active(node).map(|(_, links)| links.regular()).sum();
        if regular < self.devices[node.index()].slots {
            return Some(Slot::Regular);
        }
        let taken = self.active(node).any(|(_, links)| links.has_optimistic());
        (!taken).then_some(Slot::Optimistic)
    }

    /// Gives free slots to neighbours that wait for one: regular ones to those that gave most, the
    /// optimistic one by a draw.
    pub(super) fn fill_slots(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.devices[node.index()].free_rider {
            return;
        }
        while let Some(slot) = self.free_slot(node) {
            let waiting = |me: Member| self.peers[me.index()].links.waiting();
            let next = match slot {
                Slot::Optimistic => {
                    let mut all = Vec::new();
                    for me in self.roster.active(node) {
                        all.extend(waiting(me).iter().map(|index| (me, index)));
                    }
                    shuffle(&mut all, cx);
                    self.draw_optimistic(all, cx)
                }
                Slot::Regular => {
                    let merits = |me| waiting(me).iter().map(|i| self.merit(me, i)).max();
                    let most = self.roster.active(node).filter_map(merits).max();
                    let best = |me: Member| {
                        let gave_most = |i: &usize| Some(self.merit(me, *i)) == most;
                        waiting(me).iter().filter(gave_most).collect()
                    };
                    draw(&self.roster, best, cx)
                }
            };
            let Some((me, next)) = next else {
                let mut nth = 0;
                while let Some(me) = self.roster.nth_active(node, nth) {
                    self.wake_idle(me, cx);
                    nth += 1;
                }
                return;
            };
            let links = &mut self.peers[me.index()].links;
            links.optimistic.set(next, slot == Slot::Optimistic);
            self.set_choking(me, next, false, cx);
        }
    }

    /// Whom to serve for nothing among these, who are in random order: the more likely, the more pieces they
    /// gave beyond those that they got. By an even draw, whoever gave away the few pieces that it had is as badly
    /// off as who gave nothing. The curve is that of Vuze (`UnchokerUtil.getNextOptimisticPeers`).
    fn draw_optimistic(
        &self,
        mut among: Vec<(Member, usize)>,
        cx: &mut Context<'_, Self>,
    ) -> Option<(Member, usize)> {
        if among.is_empty() {
            return None;
        }
        among.sort_by_key(|(me, index)| self.peers[me.index()].links.get(*index).owed());
        let reach = 1.0 / (0.8 + 0.2 / (1.0 - uniform(cx.rng())));
        let count = u32::try_from(among.len()).expect("neighbours are counted in 32 bits");
        let below = |place: &u32| f64::from(*place) <= reach * f64::from(count);
        let place = (1..count).take_while(below).count();
        Some(among[place])
    }

    /// A peer with a free slot wakes neighbours that want nothing as far as they said, once for all
    /// that it announced since they heard of it last, unless they are known to have that.
    fn wake_idle(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let links = &self.peers[me.index()].links;
        let announced = self.announced.present(me).len();
        let unaware = |index: &usize| links.get(*index).woken < announced;
        let unaware: LinkSet = links.idle().iter().filter(unaware).collect();
        if unaware.is_empty() {
            return;
        }
        // Beginning anywhere, or the neighbours met first would always be the first to answer.
        let count = u32::try_from(links.len()).expect("neighbours are counted in 32 bits");
        let first = uniform_below(cx.rng(), count) as usize;
        for index in unaware.iter_from(first).take(WOKEN_MOST) {
            let peer = &mut self.peers[me.index()];
            let woken = std::mem::replace(&mut peer.links.get_mut(index).woken, announced);
            let known = peer.known(index, &self.announced);
            let life = self.announced.present(me);
            let mut news = life.read(woken, announced).iter();
            if news.any(|piece| !known.contains(piece)) {
                let (neighbour, connection) = self.end(me, index);
                cx.wake(neighbour, Message::News(connection), HAVE);
            }
        }
    }

    /// Whoever has everything lets another neighbour in after some pieces: with a fast link the
    /// wait for the next review would leave all it gives with a few.
    pub(super) fn take_turns(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[me.index()];
        if !peer.has_all() || u32::from(peer.links.get(index).turn) < self.config.turn {
            return;
        }
        let waiting = |me: Member| self.peers[me.index()].links.waiting();
        if let Some((other, next)) = draw(&self.roster, waiting, cx) {
            let links = &mut self.peers[me.index()].links;
            let optimistic = links.optimistic.contains(index);
            links.optimistic.set(index, false);
            let links = &mut self.peers[other.index()].links;
            links.optimistic.set(next, optimistic);
            self.set_choking(me, index, true, cx);
            self.set_choking(other, next, false, cx);
        }
    }

    fn set_choking(&mut self, me: Member, index: usize, choking: bool, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        if peer.links.served.contains(index) != choking {
            return;
        }
        peer.links.served.set(index, !choking);
        peer.links.get_mut(index).turn = 0;
        if !choking {
            self.suggest(me, index, cx);
        }
        self.send_status(me, index, cx);
        if choking {
            self.drop_queue(me, index, cx);
        }
    }

    /// Tells neighbours that have something to give, and whoever serves this peer in vain. The
    /// others hear at the next review that they have nothing to give any more.
    pub(super) fn update_interest(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[me.index()];
        let at_once = if peer.has_all() {
            peer.links.established
        } else {
            peer.links.serving
        };
        self.tell_interest(me, at_once, cx);
    }

    /// Tells neighbours that have something to give, and those of `withdraw` that have not. Before a
    /// peer loses interest it reads what has arrived meanwhile.
    fn tell_interest(&mut self, me: Member, withdraw: LinkSet, cx: &mut Context<'_, Self>) {
        let end_game = self.config.end_game;
        let links = &self.peers[me.index()].links;
        let withdraw = withdraw & links.interesting;
        let mut wanted = self.peers[me.index()].wanted(end_game, cx.now(), &self.announced);
        let doubtful = withdraw & !wanted;
        if !doubtful.is_empty() {
            doubtful
                .iter()
                .for_each(|index| self.listen_to(me, index, cx));
            wanted = self.peers[me.index()].wanted(end_game, cx.now(), &self.announced);
        }
        let links = &mut self.peers[me.index()].links;
        let interesting = links.interesting & !withdraw | wanted;
        let changed = links.interesting ^ interesting;
        links.interesting = interesting;
        changed
            .iter()
            .for_each(|index| self.send_status(me, index, cx));
    }

    pub(super) fn send_status(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let links = &mut self.peers[me.index()].links;
        let status = links.status(index);
        links.get_mut(index).told_at = Moment::at(cx.now());
        let (neighbour, connection) = self.end(me, index);
        self.say(neighbour, Message::Status(connection, status), cx);
    }

    pub(super) fn on_status(
        &mut self,
        from: NodeId,
        connection: Connection,
        status: Status,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let links = &mut self.peers[me.index()].links;
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
            self.set_choking(me, index, true, cx);
        }
        self.fill_slots(cx);
        self.ask(me, index, cx);
        self.update_interest(me, cx);
    }
}

/// Those of some places that are on links of `me`.
fn of(me: Member, places: &[(Member, usize)]) -> LinkSet {
    let own = places.iter().filter(|(other, _)| *other == me);
    own.map(|(_, index)| *index).collect()
}

fn shuffle(items: &mut [(Member, usize)], cx: &mut Context<'_, Swarm>) {
    for left in (1..items.len()).rev() {
        let bound = u32::try_from(left + 1).expect("neighbours are counted in 32 bits");
        items.swap(left, uniform_below(cx.rng(), bound) as usize);
    }
}

/// One of the links that `among` names for each of the node's torrents, each as likely as any other.
fn draw(
    roster: &Roster,
    among: impl Fn(Member) -> LinkSet,
    cx: &mut Context<'_, Swarm>,
) -> Option<(Member, usize)> {
    let node = cx.node();
    let count: u32 = roster.active(node).map(|me| among(me).len()).sum();
    if count == 0 {
        return None;
    }
    let mut nth = uniform_below(cx.rng(), count);
    for me in roster.active(node) {
        let links = among(me);
        if nth < links.len() {
            return links.iter().nth(nth as usize).map(|index| (me, index));
        }
        nth -= links.len();
    }
    unreachable!("a number below the count of all links is the place of one")
}
