//! Finding neighbours, and losing them.

use netduel_world::{Context, NodeId, SimDuration};

use super::{
    Swarm, Timer,
    links::{Link, Moment},
    message::{Connection, HAVE, Holdings, Message},
};

/// A report to the tracker is repeated after this long without an answer, twice as long each
/// time and at most 2^8 times (BEP 15).
const REPORT_TIMEOUT: SimDuration = SimDuration(15_000_000_000);
const REPORT_DOUBLINGS: u32 = 8;

/// With fewer neighbours than this a peer reports again after [`HUNGRY_INTERVAL`] (the mainline
/// client's `min_peers` and `rerequest_interval`).
const NEIGHBOURS_MIN: usize = 20;
const HUNGRY_INTERVAL: SimDuration = SimDuration(300_000_000_000);

/// Connections that a peer opens at a time (`net.max_halfopen` of uTorrent, from the limit of 10 in
/// Windows XP).
const OPENING_MAX: usize = 8;

impl Swarm {
    /// Starts to take part.
    pub(super) fn join(&mut self, cx: &mut Context<'_, Self>) {
        self.peers[cx.node().index()].joined = true;
        self.report(cx);
    }

    /// Stops taking part, with a word to everybody concerned.
    pub(super) fn part(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        peer.request = None;
        peer.report += 1;
        peer.candidates.clear();
        if !std::mem::take(&mut peer.joined) {
            return;
        }
        while let Some(last) = self.peers[node.index()].links.len().checked_sub(1) {
            self.hang_up(last, cx);
        }
        if node == self.tracker.node {
            self.tracker.part(node);
        } else {
            self.say(self.tracker.node, Message::Part, cx);
        }
    }

    /// Tells the tracker that this peer takes part, to hear who else does.
    pub(super) fn report(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        peer.report += 1;
        let timeout = SimDuration(REPORT_TIMEOUT.0 << peer.unanswered.min(REPORT_DOUBLINGS));
        peer.unanswered += 1;
        cx.after(timeout, Timer::Report(peer.report));
        if node == self.tracker.node {
            // The tracker's own machine need not ask over the network.
            let members = self.enter_member(node, cx);
            self.on_members(&members, cx);
        } else {
            self.say(self.tracker.node, Message::Join, cx);
        }
    }

    pub(super) fn on_report_due(&mut self, report: u32, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        if peer.joined && peer.report == report {
            self.report(cx);
        }
    }

    /// The tracker's side.
    pub(super) fn on_join(&mut self, from: NodeId, cx: &mut Context<'_, Self>) {
        let members = self.enter_member(from, cx);
        self.say(from, Message::Members(members), cx);
    }

    fn enter_member(&mut self, member: NodeId, cx: &mut Context<'_, Self>) -> Box<[NodeId]> {
        let now = cx.now();
        self.tracker.join(member, now);
        let count = self.config.neighbours;
        self.tracker.hand_out(member, count, now, cx.rng())
    }

    pub(super) fn on_members(&mut self, members: &[NodeId], cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if !self.peers[node.index()].joined {
            return;
        }
        self.peers[node.index()].candidates = members.to_vec();
        self.connect_more(cx);
        let peer = &mut self.peers[node.index()];
        peer.unanswered = 0;
        peer.report += 1;
        let regular = SimDuration::from(self.config.announce_interval);
        let hungry = peer.links.len() < NEIGHBOURS_MIN && !peer.has_all();
        let next = if hungry {
            regular.min(HUNGRY_INTERVAL)
        } else {
            regular
        };
        cx.after(next, Timer::Report(peer.report));
    }

    /// Opens connections to those the tracker named, up to half of what this peer accepts, so that
    /// newcomers find room with everybody (the mainline client opens 40 of 80).
    fn connect_more(&mut self, cx: &mut Context<'_, Self>) {
        let most = self.config.connections as usize / 2;
        loop {
            let peer = &mut self.peers[cx.node().index()];
            let opening = peer.links.len() - peer.links.established.len() as usize;
            if peer.links.len() >= most || opening >= OPENING_MAX {
                return;
            }
            let Some(candidate) = peer.candidates.pop() else {
                return;
            };
            if peer.links.to(candidate).is_none() {
                self.connect(candidate, cx);
            }
        }
    }

    fn connect(&mut self, neighbour: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        let connection = Connection {
            opener: node,
            serial: peer.opened,
        };
        peer.opened += 1;
        let link = Link::new(node, connection, Moment::at(cx.now()));
        peer.links.push(neighbour, link);
        self.stretch(neighbour, cx);
        let holdings = self.announced[node.index()].holdings();
        self.say(neighbour, Message::Connect(connection, holdings), cx);
        self.keep_reviewing(cx);
    }

    /// Notes how far the neighbour is from this peer.
    fn stretch(&mut self, neighbour: NodeId, cx: &Context<'_, Self>) {
        let delay = cx.announcement_delay(cx.node(), neighbour, HAVE);
        self.announced[cx.node().index()].stretch(delay);
    }

    pub(super) fn on_connect(
        &mut self,
        from: NodeId,
        connection: Connection,
        holdings: Holdings,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        if let Some(index) = self.peers[node.index()].links.to(from) {
            let established = self.peers[node.index()].links.established;
            // Both opened at once: the connection of the smaller node number stands.
            let mine_stands = !established.contains(index) && node < from;
            if mine_stands {
                return;
            }
            self.forget_link(index, cx);
        }
        let peer = &self.peers[node.index()];
        let full = peer.links.len() >= self.config.connections as usize;
        // Two peers that have everything have nothing to say to each other.
        let idle = peer.has_all() && holdings.known == self.piece_count;
        let gone = !self.announced[from.index()].is_kept(holdings.life);
        if !peer.joined || full || idle || gone {
            self.say(from, Message::Bye(connection), cx);
            return;
        }
        let link = Link::new(node, connection, Moment::at(cx.now()));
        let peer = &mut self.peers[node.index()];
        peer.links.push(from, link);
        if peer.report == 0 {
            // An origin need not report to be known; from its first neighbour on it does like all.
            peer.report = 1;
            let regular = SimDuration::from(self.config.announce_interval);
            cx.after(regular, Timer::Report(1));
        }
        self.stretch(from, cx);
        let mine = self.announced[node.index()].holdings();
        self.say(from, Message::Accept(connection, mine), cx);
        self.establish(from, holdings, cx);
        self.keep_reviewing(cx);
    }

    pub(super) fn on_accept(
        &mut self,
        from: NodeId,
        connection: Connection,
        holdings: Holdings,
        cx: &mut Context<'_, Self>,
    ) {
        let known = self.peers[cx.node().index()].links.on(from, connection);
        let gone = !self.announced[from.index()].is_kept(holdings.life);
        match known {
            Some(index) if gone => self.forget_link(index, cx),
            Some(_) => {
                self.establish(from, holdings, cx);
                self.connect_more(cx);
            }
            None => self.say(from, Message::Bye(connection), cx),
        }
    }

    /// Takes note of what the other end of a new connection has.
    fn establish(&mut self, from: NodeId, holdings: Holdings, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let index = peer.links.to(from);
        let index = index.expect("the link was just found or made");
        self.announced[from.index()].open(holdings.life);
        peer.links.established.set(index, true);
        let link = peer.links.get_mut(index);
        link.life = holdings.life;
        link.heard = holdings.known;
        link.heard_at = Moment::at(cx.now());
        peer.learn(index, &self.announced);
        self.update_interest(cx);
        self.fill_slots(cx);
    }

    pub(super) fn on_bye(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(index) = self.peers[cx.node().index()].links.on(from, connection) {
            self.forget_link(index, cx);
            self.after_loss(cx);
            self.connect_more(cx);
        }
    }

    /// Closes a connection with a word.
    pub(super) fn hang_up(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let (neighbour, connection) = self.peers[cx.node().index()].links.end(index, cx.node());
        self.forget_link(index, cx);
        self.say(neighbour, Message::Bye(connection), cx);
    }

    /// Strikes a connection out, with what was going on over it.
    pub(super) fn forget_link(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let removed = peer.remove_link(index, &self.announced);
        if let Some(upload) = removed.upload {
            cx.cancel(upload);
        }
        if let Some(life) = removed.life {
            self.announced[removed.neighbour.index()].close(life);
        }
    }

    /// What a lost neighbour leaves behind: its slot, and the piece it was to send.
    pub(super) fn after_loss(&mut self, cx: &mut Context<'_, Self>) {
        self.fill_slots(cx);
        self.ask_everybody(cx);
    }

    /// Drops neighbours that fell silent and tells the others that this peer is still there.
    pub(super) fn keep_alive(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let now = Moment::at(cx.now());
        let mut index = 0;
        while index < self.peers[node.index()].links.len() {
            let peer = &self.peers[node.index()];
            let link = peer.links.get(index);
            let silence_max = if peer.links.established.contains(index) {
                SILENCE_MAX
            } else {
                ANSWER_MAX
            };
            if link.heard_at.age(now) >= silence_max {
                self.hang_up(index, cx);
                continue;
            }
            if link.told_at.max(peer.announced_at).age(now) >= KEEP_ALIVE {
                self.send_status(index, cx);
            }
            index += 1;
        }
        self.connect_more(cx);
    }
}

/// Seconds in which a new neighbour is to answer (libtorrent's `peer_connect_timeout`).
const ANSWER_MAX: u32 = 15;

/// Seconds. A neighbour that is silent for this long is given up, and one that was told nothing for
/// half as long is told that this peer is there (the time-outs of libtorrent's `peer_timeout`).
const SILENCE_MAX: u32 = 120;
const KEEP_ALIVE: u32 = 60;
