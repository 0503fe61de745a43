//! Asking for pieces, sending them, and telling of them.

use netduel_world::{Context, Ending, NodeId, ObjectId, TransferEnded, TransferId};

use super::{
    Swarm,
    links::{LINKS_MAX, LinkSet, Moment, OnLinks},
    message::{Connection, HAVE, Message},
    peer::{PIPELINE_MAX, pipeline},
    roster::Member,
};

/// A peer reads the news of all neighbours with every sixteenth choice of a piece.
const CHOICES_PER_ROUND: u32 = 16;

impl Swarm {
    /// Takes note of what all neighbours announced.
    pub(super) fn listen(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let mut news = LinkSet::default();
        let mut ends = [0; LINKS_MAX];
        let links = &self.peers[me.index()].links;
        for index in links.established.iter() {
            self.announced.prefetch(links.neighbour(index));
        }
        for index in links.established.iter() {
            if let Some(end) = self.arrived(me, index, cx) {
                news.set(index, true);
                ends[index] = end;
                // Before any of it is read, so that the cache misses of all overlap.
                self.peers[me.index()].prefetch(index, &self.announced);
            }
        }
        news.iter()
            .for_each(|index| self.read(me, index, ends[index], cx));
    }

    /// Takes note of what the neighbour at `index` announced.
    pub(super) fn listen_to(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        if self.peers[me.index()].links.established.contains(index)
            && let Some(end) = self.arrived(me, index, cx)
        {
            self.read(me, index, end, cx);
        }
    }

    /// How many announcements of the neighbour at `index` have arrived, when there are new ones.
    #[inline]
    fn arrived(&self, me: Member, index: usize, cx: &Context<'_, Self>) -> Option<u32> {
        let links = &self.peers[me.index()].links;
        let neighbour = links.neighbour(index);
        let link = links.get(index);
        let delay = || cx.announcement_delay(self.roster.node(neighbour), cx.node(), HAVE);
        let end = self
            .announced
            .arrived((neighbour, link.life), cx.now(), delay);
        let is_news = end > link.heard && cx.is_reached_by(self.roster.node(neighbour));
        is_news.then_some(end)
    }

    /// Reads what the neighbour at `index` announced, up to the one before `end`.
    #[inline]
    fn read(&mut self, me: Member, index: usize, end: u32, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        let neighbour = peer.links.neighbour(index);
        let link = peer.links.get_mut(index);
        let first = std::mem::replace(&mut link.heard, end);
        link.heard_at = Moment::at(cx.now());
        if !peer.has_all() {
            let life = self.announced.life(neighbour, peer.links.get(index).life);
            peer.hear(index, life.read(first, end));
        }
        cx.hear(end - first, HAVE);
    }

    pub(super) fn on_news(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some((me, index)) = self.link(from, connection, cx) {
            self.listen_to(me, index, cx);
            self.ask(me, index, cx);
            self.update_interest(me, cx);
        }
    }

    /// Asks the neighbour at `index` for pieces, when it serves this peer and has some to give.
    pub(super) fn ask(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[me.index()];
        let links = &peer.links;
        let ready = links.established.contains(index) && links.serving.contains(index);
        if !ready || peer.requests.is_empty() || !peer.has_room(index) {
            return;
        }
        self.listen_to(me, index, cx);
        while self.peers[me.index()].has_room(index) {
            let Some(piece) = self.choose(me, index, cx) else {
                return;
            };
            let peer = &mut self.peers[me.index()];
            peer.await_piece(index, piece, cx.now(), &self.announced);
            peer.links.get_mut(index).told_at = Moment::at(cx.now());
            let (neighbour, connection) = self.end(me, index);
            self.say(neighbour, Message::Request(connection, piece), cx);
        }
    }

    /// The piece to ask the neighbour at `index` for; now and then with regard to what all others
    /// announced.
    ///
    /// What the others announced decides only which piece is rare. Reading it with every choice
    /// would be most of the cost of a large swarm, and a few pieces more or less make no
    /// difference: makespans with 1, with 8 and with 16 are within each other's noise.
    fn choose(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) -> Option<u32> {
        let peer = &mut self.peers[me.index()];
        if !peer.may_choose(index, self.config.end_game, cx.now()) {
            return None;
        }
        peer.choices += 1;
        if peer.choices.is_multiple_of(CHOICES_PER_ROUND) {
            self.listen(me, cx);
        }
        let peer = &self.peers[me.index()];
        peer.choose(
            index,
            self.config.choice,
            &self.announced,
            &mut self.ties,
            cx.rng(),
        )
    }

    /// Asks every neighbour that serves this peer and is not being asked.
    pub(super) fn ask_everybody(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        for index in self.peers[me.index()].links.serving.iter() {
            self.ask(me, index, cx);
        }
        self.update_interest(me, cx);
    }

    pub(super) fn on_piece_request(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let peer = &mut self.peers[me.index()];
        let refuses = peer.lacks(piece) || !peer.links.served.contains(index);
        let link = peer.links.get_mut(index);
        link.heard_at = Moment::at(cx.now());
        if refuses || peer.queue.of(index).count() > usize::from(PIPELINE_MAX) {
            self.say(from, Message::Reject(connection, piece), cx);
            return;
        }
        if peer.upload(index).is_some() {
            peer.queue.push(index, piece, ());
        } else {
            let label = label(connection.object, piece);
            let upload = cx.transfer(from, self.piece_size(piece), label);
            self.sending(me, index, piece, upload, cx);
        }
    }

    /// Notes that a piece is on its way.
    fn sending(
        &mut self,
        me: Member,
        index: usize,
        piece: u32,
        transfer: TransferId,
        cx: &mut Context<'_, Self>,
    ) {
        let peer = &mut self.peers[me.index()];
        peer.uploads.push(index, piece, transfer);
        let link = peer.links.get_mut(index);
        link.told_at = Moment::at(cx.now());
        link.give();
        if let Some(copies) = &mut peer.first_copies {
            copies.send(piece);
            self.suggest(me, index, cx);
        }
    }

    /// Tells a neighbour that is no longer served what will not come.
    pub(super) fn drop_queue(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let (neighbour, connection) = self.end(me, index);
        while let Some((piece, ())) = self.peers[me.index()].queue.take_first(index) {
            self.say(neighbour, Message::Reject(connection, piece), cx);
        }
    }

    /// An origin suggests a piece that it has not sent yet.
    pub(super) fn suggest(&mut self, me: Member, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        let copies = peer.first_copies.as_mut();
        if let Some(piece) = copies.and_then(|copies| copies.suggest()) {
            let (neighbour, connection) = self.end(me, index);
            self.say(neighbour, Message::Suggest(connection, piece), cx);
        }
    }

    pub(super) fn on_reject(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            return;
        };
        let peer = &mut self.peers[me.index()];
        if peer.give_up(index, piece, &self.announced) {
            self.ask_everybody(me, cx);
        }
    }

    pub(super) fn on_cancel(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            return;
        };
        let peer = &mut self.peers[me.index()];
        while peer
            .queue
            .take(index, |queued, ()| queued == piece)
            .is_some()
        {}
        if let Some((_, upload)) = peer.uploads.take(index, |sent, _| sent == piece) {
            cx.cancel(upload);
            if let Some((next, ())) = peer.queue.take_first(index) {
                let label = label(connection.object, next);
                let upload = cx.transfer(from, self.piece_size(next), label);
                self.sending(me, index, next, upload, cx);
            }
        }
    }

    /// A piece that this peer sent is over.
    pub(super) fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let (object, _) = labelled(ended.label);
        let me = self.member(cx.node(), object);
        let receiver = self.member(ended.to, object);
        let peer = &mut self.peers[me.index()];
        let Some(index) = peer.links.to(receiver) else {
            return;
        };
        let fits = |_, id: &TransferId| *id == ended.id;
        if peer.uploads.take(index, fits).is_none() {
            return;
        }
        peer.links.get_mut(index).heard_at = Moment::at(cx.now());
        if let Ending::Broken { .. } = ended.ending {
            self.forget_link(me, index, cx);
            self.after_loss(me, cx);
            return;
        }
        self.take_turns(me, index, cx);
        let peer = &mut self.peers[me.index()];
        if let Some((next, ())) = peer.queue.take_first(index) {
            let upload = cx.follow_on(ended, self.piece_size(next), label(object, next));
            self.sending(me, index, next, upload, cx);
        }
    }

    /// A piece that was sent to this peer is over.
    pub(super) fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let (object, piece) = labelled(ended.label);
        let me = self.member(cx.node(), object);
        let sender = self.member(ended.from, object);
        let peer = &mut self.peers[me.index()];
        let asked = peer
            .links
            .to(sender)
            .filter(|index| peer.asks(*index, piece));
        match (ended.ending, asked) {
            (Ending::Broken { .. }, None) => return,
            (Ending::Broken { .. }, Some(index)) => {
                self.forget_link(me, index, cx);
                self.after_loss(me, cx);
                return;
            }
            (Ending::Whole { .. }, Some(index)) => {
                let round_trip = cx.round_trip(ended.from);
                let pace = peer.pace(index, piece, cx.now());
                let link = peer.links.get_mut(index);
                link.pipeline = pipeline(pace, round_trip);
                link.receive();
                link.heard_at = Moment::at(cx.now());
            }
            (Ending::Whole { .. }, None) => {}
        }
        // A piece whose hash does not match is thrown away and asked for again.
        let matches = ended.ending == Ending::Whole { intact: true };
        if matches && self.peers[me.index()].lacks(piece) {
            self.keep(me, piece, asked, cx);
        } else if let Some(index) = asked {
            self.peers[me.index()].give_up(index, piece, &self.announced);
        }
        self.ask_everybody(me, cx);
    }

    /// A new piece is on disk: nobody else need send it, everybody may ask for it.
    fn keep(&mut self, me: Member, piece: u32, from: Option<usize>, cx: &mut Context<'_, Self>) {
        self.peers[me.index()].keep(piece, from, &self.announced);
        self.cancel_elsewhere(me, piece, cx);
        self.announce(me, piece, cx);
        let peer = &mut self.peers[me.index()];
        if peer.has_all() {
            for request in std::mem::take(&mut peer.requests) {
                cx.serve(request);
            }
            let peer = &mut self.peers[me.index()];
            peer.candidates = Vec::new();
            peer.suggested = OnLinks::default();
            self.leave_seeds(me, cx);
        }
    }

    fn cancel_elsewhere(&mut self, me: Member, piece: u32, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[me.index()];
        // Only in the end game is a piece asked for twice.
        if !peer.asked.pieces().any(|asked| asked == piece) {
            return;
        }
        for index in peer.links.asked.iter() {
            let peer = &mut self.peers[me.index()];
            if peer.give_up(index, piece, &self.announced) {
                let (neighbour, connection) = self.end(me, index);
                self.say(neighbour, Message::Cancel(connection, piece), cx);
            }
        }
    }

    /// Tells every neighbour of a piece. Where this peer could serve one more, that wakes those
    /// that wanted nothing until now; the others read it when they next have a choice to make.
    fn announce(&mut self, me: Member, piece: u32, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        cx.announce(peer.links.len(), HAVE);
        self.announced.push(me, piece, cx.now());
        peer.announced_at = cx.now();
        self.fill_slots(cx);
    }

    /// Two peers that have everything have nothing to say to each other.
    fn leave_seeds(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let mut index = 0;
        while index < self.peers[me.index()].links.len() {
            let links = &self.peers[me.index()].links;
            let heard_all = links.get(index).heard == self.piece_count;
            if links.established.contains(index) && heard_all {
                self.hang_up(me, index, cx);
            } else {
                index += 1;
            }
        }
        self.fill_slots(cx);
    }
}

/// How a piece of an object is labelled on its way.
fn label(object: ObjectId, piece: u32) -> u64 {
    u64::from(object.0) << 32 | u64::from(piece)
}

/// The piece, and the object that it is of, of a label.
fn labelled(label: u64) -> (ObjectId, u32) {
    let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).expect("it is 32 bits");
    (ObjectId(half(label >> 32)), half(label))
}
