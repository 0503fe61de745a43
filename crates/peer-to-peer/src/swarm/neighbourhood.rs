//! Finding neighbours, and losing them.

use netduel_world::{Context, NodeId, ObjectId, SimDuration};

use super::{
    Swarm, Timer,
    links::{Link, Moment},
    message::{Connection, HAVE, Holdings, Message},
    roster::Member,
};

/// A report to the tracker is repeated after this long without an answer, twice as long each
/// time and at most 2^8 times (BEP 15).
const REPORT_TIMEOUT: SimDuration = SimDuration(15_000_000_000);
const REPORT_DOUBLINGS: u32 = 8;

/// With fewer neighbours than this a peer reports again after [`HUNGRY_INTERVAL`] (the mainline
/// client's `min_peers` and `rerequest_interval`).
const NEIGHBOURS_MIN: usize = 20;
const HUNGRY_INTERVAL: SimDuration = SimDuration(300_000_000_000);

/// Connections that a peer opens at a time (`net.max_halfopen` of µTorrent, below the limit of 10 in
/// Windows XP: µTorrent User Manual, FAQ, Network).
const OPENING_MAX: usize = 8;

impl Swarm {
    /// Starts to take part.
    pub(super) fn join(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        self.peers[me.index()].joined = true;
        self.report(me, cx);
    }

    /// Stops taking part, with a word to everybody concerned.
    pub(super) fn part(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let object = self.roster.object(me);
        let peer = &mut self.peers[me.index()];
        peer.requests.clear();
        peer.report += 1;
        peer.candidates.clear();
        if !std::mem::take(&mut peer.joined) {
            return;
        }
        while let Some(last) = self.peers[me.index()].links.len().checked_sub(1) {
            self.hang_up(me, last, cx);
        }
        match self.finder.tracker_node() {
            Some(tracker) if tracker == cx.node() => self.finder.tracker().part(me, object),
            Some(tracker) => self.say(tracker, Message::Part(object), cx),
            // Announcements run out by themselves.
            None => {}
        }
    }

    /// Tells the directory that this peer takes part, to hear who else does.
    pub(super) fn report(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let object = self.roster.object(me);
        let peer = &mut self.peers[me.index()];
        peer.report += 1;
        let mut timeout = SimDuration(REPORT_TIMEOUT.0 << peer.unanswered.min(REPORT_DOUBLINGS));
        peer.unanswered += 1;
        let tracker = self.finder.tracker_node();
        if tracker.is_none() {
            // An announcement is made again before it runs out.
            timeout = timeout.min(SimDuration::from(self.config.announce_interval()));
        }
        cx.after(timeout, Timer::Report(object, peer.report));
        match tracker {
            Some(tracker) if tracker == cx.node() => {
                // The tracker's own machine need not ask over the network.
                let members = self.enter_member(me, cx);
                self.on_members(me, &members, cx);
            }
            Some(tracker) => self.say(tracker, Message::Join(object), cx),
            None => self.report_to_table(object, cx),
        }
    }

    pub(super) fn on_report_due(&mut self, me: Member, report: u32, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[me.index()];
        if peer.joined && peer.report == report {
            self.report(me, cx);
        }
    }

    /// The tracker's side.
    pub(super) fn on_join(&mut self, from: NodeId, object: ObjectId, cx: &mut Context<'_, Self>) {
        let member = self.member(from, object);
        let members = self.enter_member(member, cx);
        self.say(from, Message::Members(object, members), cx);
    }

    fn enter_member(&mut self, member: Member, cx: &mut Context<'_, Self>) -> Box<[NodeId]> {
        let (object, now) = (self.roster.object(member), cx.now());
        self.finder.tracker().join(member, object, now);
        let count = self.config.neighbours;
        let asker = (member, object);
        let tracker = self.finder.tracker();
        let chosen = tracker.hand_out(asker, count, now, cx.rng());
        chosen
            .into_iter()
            .map(|other| self.roster.node(other))
            .collect()
    }

    pub(super) fn on_members(
        &mut self,
        me: Member,
        members: &[NodeId],
        cx: &mut Context<'_, Self>,
    ) {
        if !self.peers[me.index()].joined {
            return;
        }
        self.peers[me.index()].candidates = members.to_vec();
        self.connect_more(me, cx);
        let peer = &mut self.peers[me.index()];
        peer.unanswered = 0;
        peer.report += 1;
        let regular = SimDuration::from(self.config.announce_interval());
        let hungry = peer.links.len() < NEIGHBOURS_MIN && !peer.has_all();
        let next = if hungry {
            regular.min(HUNGRY_INTERVAL)
        } else {
            regular
        };
        let report = peer.report;
        cx.after(next, Timer::Report(self.roster.object(me), report));
    }

    /// Opens connections to those the tracker named, up to half of what this peer accepts, so that
    /// newcomers find room with everybody (the mainline client opens 40 of 80).
    pub(super) fn connect_more(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let most = self.config.connections as usize / 2;
        loop {
            let peer = &mut self.peers[me.index()];
            let opening = peer.links.len() - peer.links.established.len() as usize;
            if peer.links.len() >= most || opening >= OPENING_MAX {
                return;
            }
            let Some(candidate) = peer.candidates.pop() else {
                return;
            };
            let object = self.roster.object(me);
            let candidate = self.member(candidate, object);
            if self.peers[me.index()].links.to(candidate).is_none() {
                self.connect(me, candidate, cx);
            }
        }
    }

    fn connect(&mut self, me: Member, neighbour: Member, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        let link = Link::new(peer.opened, true, Moment::at(cx.now()));
        peer.opened += 1;
        let index = self.enter_link(me, neighbour, link, cx);
        let (neighbour, connection) = self.end(me, index);
        let holdings = self.announced.holdings(me);
        self.say(neighbour, Message::Connect(connection, holdings), cx);
        self.keep_reviewing(cx);
    }

    /// Adds a link, and notes how far the neighbour is from this peer.
    fn enter_link(
        &mut self,
        me: Member,
        neighbour: Member,
        link: Link,
        cx: &mut Context<'_, Self>,
    ) -> usize {
        let links = &mut self.peers[me.index()].links;
        links.push(neighbour, link);
        let count = links.len();
        if count == 1 {
            self.roster.rouse(me);
        }
        self.keep_telling(me, cx);
        let delay = cx.announcement_delay(cx.node(), self.roster.node(neighbour), HAVE);
        self.announced.stretch(me, delay);
        count - 1
    }

    pub(super) fn on_connect(
        &mut self,
        from: NodeId,
        connection: Connection,
        holdings: Holdings,
        cx: &mut Context<'_, Self>,
    ) {
        let object = connection.object;
        let Some(me) = self.roster.find(cx.node(), object) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let neighbour = self.member(from, object);
        if let Some(index) = self.peers[me.index()].links.to(neighbour) {
            let established = self.peers[me.index()].links.established;
            // Both opened at once: the connection of the smaller node number stands.
            let mine_stands = !established.contains(index) && cx.node() < from;
            if mine_stands {
                return;
            }
            self.forget_link(me, index, cx);
        }
        let peer = &self.peers[me.index()];
        let full = peer.links.len() >= self.config.connections as usize;
        // Two peers that have everything have nothing to say to each other.
        let idle = peer.has_all() && holdings.known == self.piece_count;
        if !peer.joined || full || idle {
            self.say(from, Message::Bye(connection), cx);
            return;
        }
        let link = Link::new(connection.serial, false, Moment::at(cx.now()));
        let index = self.enter_link(me, neighbour, link, cx);
        let mine = self.announced.holdings(me);
        self.say(from, Message::Accept(connection, mine), cx);
        self.establish(me, index, holdings, cx);
        self.keep_reviewing(cx);
    }

    pub(super) fn on_accept(
        &mut self,
        from: NodeId,
        connection: Connection,
        holdings: Holdings,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        self.establish(me, index, holdings, cx);
        self.connect_more(me, cx);
    }

    /// Takes note of what the other end of a new connection has.
    fn establish(
        &mut self,
        me: Member,
        index: usize,
        holdings: Holdings,
        cx: &mut Context<'_, Self>,
    ) {
        let peer = &mut self.peers[me.index()];
        let neighbour = peer.links.neighbour(index);
        let known = self.announced.open(neighbour, holdings);
        peer.links.established.set(index, true);
        let link = peer.links.get_mut(index);
        link.life = holdings.life;
        link.heard = known;
        link.heard_at = Moment::at(cx.now());
        peer.learn(index, &self.announced);
        self.update_interest(me, cx);
        self.fill_slots(cx);
    }

    pub(super) fn on_bye(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some((me, index)) = self.link(from, connection, cx) {
            self.forget_link(me, index, cx);
            self.after_loss(me, cx);
            self.connect_more(me, cx);
        }
    }

    /// Closes a connection with a word.
    pub(super) fn hang_up(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let (neighbour, connection) = self.end(me, index);
        self.forget_link(me, index, cx);
        self.say(neighbour, Message::Bye(connection), cx);
    }

    /// Strikes a connection out, with what was going on over it.
    pub(super) fn forget_link(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        let removed = peer.remove_link(index, &self.announced);
        if peer.links.is_empty() {
            self.roster.rest(me);
        }
        if let Some(upload) = removed.upload {
            cx.cancel(upload);
        }
        if let Some(life) = removed.life {
            self.announced.close(removed.neighbour, life);
        }
    }

    /// What a lost neighbour leaves behind: its slot, and the piece it was to send.
    pub(super) fn after_loss(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        self.fill_slots(cx);
        self.ask_everybody(me, cx);
    }

    /// Drops neighbours that fell silent and tells the others that this peer is still there.
    pub(super) fn keep_alive(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let now = Moment::at(cx.now());
        let mut index = 0;
        while index < self.peers[me.index()].links.len() {
            let peer = &self.peers[me.index()];
            let link = peer.links.get(index);
            let silence_max = if peer.links.established.contains(index) {
                SILENCE_MAX
            } else {
                ANSWER_MAX
            };
            if link.heard_at.age(now) >= silence_max {
                self.hang_up(me, index, cx);
                continue;
            }
            let announced = cx.now().since(peer.announced_at) < KEEP_ALIVE;
            if !announced
                && SimDuration::from_seconds(f64::from(link.told_at.age(now))) >= KEEP_ALIVE
            {
                self.send_status(me, index, cx);
            }
            index += 1;
        }
        self.connect_more(me, cx);
    }
}

/// Seconds in which a new neighbour is to answer (libtorrent's `peer_connect_timeout` is 15 s).
const ANSWER_MAX: u16 = 15;

/// Seconds. A neighbour that is silent for this long is given up, and one that was told nothing for
/// half as long is told that this peer is there (the time-outs of libtorrent's `peer_timeout`).
const SILENCE_MAX: u16 = 120;
const KEEP_ALIVE: SimDuration = SimDuration(60_000_000_000);
