//! Asking for pieces, sending them, and telling of them.

use netduel_world::{Context, Ending, NodeId, TransferEnded, TransferId};

use super::{
    Swarm,
    links::{Moment, OnLinks},
    message::{Connection, HAVE, Message},
    peer::{PIPELINE_MAX, pipeline},
};

/// A peer reads the news of all neighbours with every eighth choice of a piece.
const CHOICES_PER_ROUND: u32 = 8;

impl Swarm {
    /// Takes note of what all neighbours announced.
    pub(super) fn listen(&mut self, cx: &mut Context<'_, Self>) {
        for index in self.peers[cx.node().index()].links.established.iter() {
            self.listen_to(index, cx);
        }
    }

    /// Takes note of what the neighbour at `index` announced.
    pub(super) fn listen_to(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        if !peer.links.established.contains(index) {
            return;
        }
        let neighbour = peer.links.neighbour(index);
        let link = peer.links.get_mut(index);
        let life = self.announced[neighbour.index()].life(link.life);
        let delay = || cx.announcement_delay(neighbour, node, HAVE);
        let first = link.heard;
        let end = life.arrived(cx.now(), delay).max(first);
        if end == first || !cx.is_reached_by(neighbour) {
            return;
        }
        link.heard = end;
        link.heard_at = Moment::at(cx.now());
        if !peer.has_all() {
            life.read(first, end, |piece| peer.hear(index, piece));
        }
        cx.hear(end - first, HAVE);
    }

    pub(super) fn on_news(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(index) = self.peers[cx.node().index()].links.on(from, connection) {
            self.listen_to(index, cx);
            self.ask(index, cx);
            self.update_interest(cx);
        }
    }

    /// Asks the neighbour at `index` for pieces, when it serves this peer and has some to give.
    pub(super) fn ask(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        let links = &peer.links;
        let ready = links.established.contains(index) && links.serving.contains(index);
        if !ready || peer.request.is_none() || !peer.has_room(index) {
            return;
        }
        self.listen_to(index, cx);
        while self.peers[cx.node().index()].has_room(index) {
            let Some(piece) = self.choose(index, cx) else {
                return;
            };
            let peer = &mut self.peers[cx.node().index()];
            peer.await_piece(index, piece, cx.now(), &self.announced);
            peer.links.get_mut(index).told_at = Moment::at(cx.now());
            let (neighbour, connection) = peer.links.end(index, cx.node());
            self.say(neighbour, Message::Request(connection, piece), cx);
        }
    }

    /// The piece to ask the neighbour at `index` for; now and then with regard to what all others
    /// announced.
    ///
    /// What the others announced decides only which piece is rare. Reading it with every choice
    /// would be most of the cost of a large swarm, and a few pieces more or less make no
    /// difference: makespans with 1 and with 8 are within each other's noise.
    fn choose(&mut self, index: usize, cx: &mut Context<'_, Self>) -> Option<u32> {
        let how = (self.config.choice, self.config.end_game);
        let peer = &mut self.peers[cx.node().index()];
        if !peer.may_choose(index, how.1) {
            return None;
        }
        peer.choices += 1;
        if peer.choices.is_multiple_of(CHOICES_PER_ROUND) {
            self.listen(cx);
        }
        let peer = &self.peers[cx.node().index()];
        peer.choose(index, how, &self.announced, &mut self.ties, cx.rng())
    }

    /// Asks every neighbour that serves this peer and is not being asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_, Self>) {
        for index in self.peers[cx.node().index()].links.serving.iter() {
            self.ask(index, cx);
        }
        self.update_interest(cx);
    }

    pub(super) fn on_piece_request(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(index) = self.peers[node.index()].links.on(from, connection) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let peer = &mut self.peers[node.index()];
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
            let upload = cx.transfer(from, self.piece_size(piece), u64::from(piece));
            self.sending(index, piece, upload, cx);
        }
    }

    /// Notes that a piece is on its way.
    fn sending(
        &mut self,
        index: usize,
        piece: u32,
        transfer: TransferId,
        cx: &mut Context<'_, Self>,
    ) {
        let peer = &mut self.peers[cx.node().index()];
        peer.uploads.push(index, piece, transfer);
        let link = peer.links.get_mut(index);
        link.told_at = Moment::at(cx.now());
        link.turn = link.turn.saturating_add(1);
        if let Some(copies) = &mut peer.first_copies {
            copies.send(piece);
            self.suggest(index, cx);
        }
    }

    /// Tells a neighbour that is no longer served what will not come.
    pub(super) fn drop_queue(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let (neighbour, connection) = peer.links.end(index, cx.node());
        while let Some((piece, ())) = self.peers[cx.node().index()].queue.take_first(index) {
            self.say(neighbour, Message::Reject(connection, piece), cx);
        }
    }

    /// An origin suggests a piece that it has not sent yet.
    pub(super) fn suggest(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let copies = peer.first_copies.as_mut();
        if let Some(piece) = copies.and_then(|copies| copies.suggest()) {
            let (neighbour, connection) = peer.links.end(index, cx.node());
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
        let peer = &mut self.peers[cx.node().index()];
        let Some(index) = peer.links.on(from, connection) else {
            return;
        };
        if peer.give_up(index, piece, &self.announced) {
            self.ask_everybody(cx);
        }
    }

    pub(super) fn on_cancel(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let peer = &mut self.peers[cx.node().index()];
        let Some(index) = peer.links.on(from, connection) else {
            return;
        };
        while peer
            .queue
            .take(index, |queued, ()| queued == piece)
            .is_some()
        {}
        if let Some((_, upload)) = peer.uploads.take(index, |sent, _| sent == piece) {
            cx.cancel(upload);
            if let Some((next, ())) = peer.queue.take_first(index) {
                let upload = cx.transfer(from, self.piece_size(next), u64::from(next));
                self.sending(index, next, upload, cx);
            }
        }
    }

    /// A piece that this peer sent is over.
    pub(super) fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let Some(index) = peer.links.to(ended.to) else {
            return;
        };
        let fits = |_, id: &TransferId| *id == ended.id;
        if peer.uploads.take(index, fits).is_none() {
            return;
        }
        peer.links.get_mut(index).heard_at = Moment::at(cx.now());
        if let Ending::Broken { .. } = ended.ending {
            self.forget_link(index, cx);
            self.after_loss(cx);
            return;
        }
        self.take_turns(index, cx);
        let peer = &mut self.peers[cx.node().index()];
        if let Some((next, ())) = peer.queue.take_first(index) {
            let upload = cx.follow_on(ended, self.piece_size(next), u64::from(next));
            self.sending(index, next, upload, cx);
        }
    }

    /// A piece that was sent to this peer is over.
    pub(super) fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let piece = u32::try_from(ended.label).expect("the label of a piece is its number");
        let peer = &mut self.peers[node.index()];
        let asked = peer
            .links
            .to(ended.from)
            .filter(|index| peer.asks(*index, piece));
        match (ended.ending, asked) {
            (Ending::Broken { .. }, None) => return,
            (Ending::Broken { .. }, Some(index)) => {
                self.forget_link(index, cx);
                self.after_loss(cx);
                return;
            }
            (Ending::Whole { .. }, Some(index)) => {
                let round_trip = cx.round_trip(ended.from);
                let pace = peer.pace(index, piece, cx.now());
                let link = peer.links.get_mut(index);
                link.pipeline = pipeline(pace, round_trip);
                link.receive(ended.size.0);
                link.heard_at = Moment::at(cx.now());
            }
            (Ending::Whole { .. }, None) => {}
        }
        // A piece whose hash does not match is thrown away and asked for again.
        let matches = ended.ending == Ending::Whole { intact: true };
        if matches && self.peers[node.index()].lacks(piece) {
            self.keep(piece, asked, cx);
        } else if let Some(index) = asked {
            self.peers[node.index()].give_up(index, piece, &self.announced);
        }
        self.ask_everybody(cx);
    }

    /// A new piece is on disk: nobody else need send it, everybody may ask for it.
    fn keep(&mut self, piece: u32, from: Option<usize>, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.peers[node.index()].keep(piece, from, &self.announced);
        self.cancel_elsewhere(piece, cx);
        self.announce(piece, cx);
        let peer = &mut self.peers[node.index()];
        if peer.has_all() {
            if let Some(request) = peer.request.take() {
                cx.serve(request);
            }
            let peer = &mut self.peers[node.index()];
            peer.candidates = Vec::new();
            peer.suggested = OnLinks::default();
            self.leave_seeds(cx);
        }
    }

    fn cancel_elsewhere(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        for index in self.peers[node.index()].links.asked.iter() {
            let peer = &mut self.peers[node.index()];
            if peer.give_up(index, piece, &self.announced) {
                let (neighbour, connection) = peer.links.end(index, node);
                self.say(neighbour, Message::Cancel(connection, piece), cx);
            }
        }
    }

    /// Tells every neighbour of a piece. Where this peer could serve one more, that wakes those
    /// that wanted nothing until now; the others read it when they next have a choice to make.
    fn announce(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        cx.announce(peer.links.len(), HAVE);
        self.announced[node.index()].push(piece, cx.now(), self.piece_count);
        peer.announced_at = Moment::at(cx.now());
        self.fill_slots(cx);
    }

    /// Two peers that have everything have nothing to say to each other.
    fn leave_seeds(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let mut index = 0;
        while index < self.peers[node.index()].links.len() {
            let links = &self.peers[node.index()].links;
            let heard_all = links.get(index).heard == self.piece_count;
            if links.established.contains(index) && heard_all {
                self.hang_up(index, cx);
            } else {
                index += 1;
            }
        }
        self.fill_slots(cx);
    }
}
