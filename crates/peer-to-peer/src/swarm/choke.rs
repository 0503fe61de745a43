//! Whom a peer serves: tit for tat, and one neighbour at random.

use netduel_world::{Context, NodeId, SimDuration, uniform_below};

use super::{
    Swarm, Timer,
    message::{Connection, Message, Status},
    peer::Link,
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
        for link in &mut peer.links {
            link.received = [0, link.received[0]];
        }
        self.ask_everybody(cx);
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
        let served = peer.links.iter().filter(|link| !link.told.choking).count();
        if peer.has_all() && idles && served > peer.slots as usize {
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
        let mut wanted: Vec<usize> = (0..peer.links.len())
            .filter(|index| peer.links[*index].is_wanted())
            .collect();
        shuffle(&mut wanted, cx);
        if !peer.has_all() {
            // Sorting is stable: equals stay in random order.
            let gave = |index: &usize| peer.links[*index].received.iter().sum::<u64>();
            wanted.sort_by_key(|index| std::cmp::Reverse(gave(index)));
        }
        let regular = wanted.len().min(peer.slots as usize);
        let moves_on = (peer.reviews + 1).is_multiple_of(self.config.optimistic_rounds);
        let rest = &wanted[regular..];
        let stays = rest.iter().find(|index| peer.links[**index].optimistic);
        let optimistic = match stays {
            Some(index) if !moves_on => Some(*index),
            // The rest of equal givers is in random order; of unequal ones a draw is needed.
            _ => draw(rest, cx),
        };
        let mut served: Vec<usize> = wanted[..regular].to_vec();
        served.extend(optimistic);
        for index in 0..self.peers[cx.node().index()].links.len() {
            let link = &mut self.peers[cx.node().index()].links[index];
            link.optimistic = optimistic == Some(index);
            self.set_choking(index, !served.contains(&index), cx);
        }
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
            let served = |link: &&Link| !link.told.choking;
            let optimistic = peer.links.iter().filter(served).any(|link| link.optimistic);
            let regular = peer.links.iter().filter(served).count() - usize::from(optimistic);
            let takes_regular = regular < peer.slots as usize;
            if !takes_regular && optimistic {
                return;
            }
            let waiting = |index: &usize| {
                let link = &peer.links[*index];
                link.is_wanted() && link.told.choking
            };
            let mut waiting: Vec<usize> = (0..peer.links.len()).filter(waiting).collect();
            if takes_regular && !peer.has_all() {
                let gave = |index: &usize| peer.links[*index].received.iter().sum::<u64>();
                let most = waiting.iter().map(gave).max();
                waiting.retain(|index| Some(gave(index)) == most);
            }
            let Some(next) = draw(&waiting, cx) else {
                return;
            };
            self.peers[node.index()].links[next].optimistic = !takes_regular;
            self.set_choking(next, false, cx);
        }
    }

    /// Whoever has everything lets another neighbour in after some pieces: with a fast link the
    /// wait for the next review would leave all it gives with a few.
    pub(super) fn take_turns(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        if !peer.has_all() || peer.links[index].turn < self.config.turn {
            return;
        }
        let waits = |index: &usize| {
            let link = &peer.links[*index];
            link.is_wanted() && link.told.choking
        };
        let waiting: Vec<usize> = (0..peer.links.len()).filter(waits).collect();
        if let Some(next) = draw(&waiting, cx) {
            let links = &mut self.peers[cx.node().index()].links;
            links[next].optimistic = std::mem::take(&mut links[index].optimistic);
            self.set_choking(index, true, cx);
            self.set_choking(next, false, cx);
        }
    }

    fn set_choking(&mut self, index: usize, choking: bool, cx: &mut Context<'_, Self>) {
        let link = &mut self.peers[cx.node().index()].links[index];
        if link.told.choking != choking {
            link.told.choking = choking;
            link.turn = 0;
            if !choking && self.peers[cx.node().index()].first_copies.is_some() {
                self.suggest(index, cx);
            }
            self.send_status(index, cx);
            if choking {
                self.drop_queue(index, cx);
            }
        }
    }

    /// Tells a neighbour whether it has something to give, when that changed.
    pub(super) fn update_interest(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        // Whoever is being asked for something is still of interest.
        let wants =
            !peer.links[index].requests.is_empty() || peer.wants(index, self.config.end_game);
        let link = &mut peer.links[index];
        if link.life.is_some() && link.told.interested != wants {
            link.told.interested = wants;
            self.send_status(index, cx);
        }
    }

    pub(super) fn send_status(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let link = &mut self.peers[cx.node().index()].links[index];
        link.told.serial += 1;
        link.told.heard = link.heard;
        link.told_at = cx.now();
        let (neighbour, connection, status) = (link.neighbour, link.connection, link.told);
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
        let Some(index) = self.peers[node.index()].link_on(from, connection) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let link = &mut self.peers[node.index()].links[index];
        link.heard_at = cx.now();
        if status.serial < link.hears.serial {
            // Overtaken by a later one.
            return;
        }
        let lost_interest = link.hears.interested && !status.interested;
        link.hears = status;
        if lost_interest {
            link.optimistic = false;
            self.set_choking(index, true, cx);
        }
        self.catch_up(index, status.heard, cx);
        self.fill_slots(cx);
        self.ask(index, cx);
    }

    /// Wakes a neighbour that is not interested but has not heard everything yet.
    fn catch_up(&mut self, index: usize, heard: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let link = &self.peers[node.index()].links[index];
        let announced = self.announced[node.index()].holdings().known;
        if !link.hears.interested && heard < announced && link.life.is_some() {
            cx.wake(
                link.neighbour,
                Message::News(link.connection),
                super::message::HAVE,
            );
        }
    }
}

fn shuffle(items: &mut [usize], cx: &mut Context<'_, Swarm>) {
    for left in (1..items.len()).rev() {
        let bound = u32::try_from(left + 1).expect("neighbours are counted in 32 bits");
        items.swap(left, uniform_below(cx.rng(), bound) as usize);
    }
}

fn draw(items: &[usize], cx: &mut Context<'_, Swarm>) -> Option<usize> {
    let bound = u32::try_from(items.len()).expect("neighbours are counted in 32 bits");
    (bound > 0).then(|| items[uniform_below(cx.rng(), bound) as usize])
}
