//! Asking for pieces, sending them, and telling of them.

use netduel_world::{Context, Ending, NodeId, TransferEnded, TransferId, uniform_below};

use super::{
    Swarm,
    message::{Connection, HAVE, Message},
    peer::{Link, PIPELINE_MAX},
};

/// A peer reads the news of all neighbours with every eighth choice of a piece.
const CHOICES_PER_ROUND: u32 = 8;

impl Swarm {
    /// Takes note of what all neighbours announced.
    pub(super) fn listen(&mut self, cx: &mut Context<'_, Self>) {
        for index in 0..self.peers[cx.node().index()].links.len() {
            self.listen_to(index, cx);
        }
    }

    /// Takes note of what the neighbour at `index` announced.
    fn listen_to(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let link = &peer.links[index];
        let (neighbour, Some(life)) = (link.neighbour, link.life) else {
            return;
        };
        let announced = &self.announced[neighbour.index()];
        while let Some(piece) = announced.next(neighbour, life, peer.links[index].heard, cx) {
            peer.links[index].heard += 1;
            peer.links[index].heard_at = cx.now();
            peer.hear(index, piece);
        }
    }

    /// Takes note of what the neighbour at `index` announced and, now and then, all others.
    ///
    /// What the others announced decides only which piece is rare. Reading it with every choice
    /// would be most of the cost of a large swarm, and a few pieces more or less make no
    /// difference: makespans with 1 and with 8 are within each other's noise.
    fn listen_before_choice(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        peer.choices += 1;
        if peer.choices.is_multiple_of(CHOICES_PER_ROUND) {
            self.listen(cx);
        } else {
            self.listen_to(index, cx);
        }
    }

    pub(super) fn on_news(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(index) = self.peers[cx.node().index()].link_on(from, connection) {
            self.listen_to(index, cx);
            self.update_interest(index, cx);
            self.ask(index, cx);
        }
    }

    /// Asks the neighbour at `index` for pieces, when it serves this peer and has some to give.
    pub(super) fn ask(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let link = &self.peers[node.index()].links[index];
        let room = |link: &Link, cx: &Context<'_, Self>| {
            link.requests.is_empty()
                || link.requests.len() < link.pipeline(cx.round_trip(link.neighbour))
        };
        let ready = link.life.is_some() && !link.hears.choking && room(link, cx);
        if !ready || self.peers[node.index()].request.is_none() {
            return;
        }
        self.listen_before_choice(index, cx);
        let choice = self.config.choice;
        let end_game = self.config.end_game;
        while room(&self.peers[node.index()].links[index], cx) {
            let peer = &mut self.peers[node.index()];
            let chosen = peer.choose(index, choice, end_game, cx.rng());
            let Some(piece) = chosen else {
                break;
            };
            peer.await_piece(index, piece);
            let link = &mut peer.links[index];
            link.told_at = cx.now();
            if link.requests.len() == 1 {
                link.pace.0 = cx.now();
            }
            let (neighbour, connection) = (link.neighbour, link.connection);
            self.say(neighbour, Message::Request(connection, piece), cx);
        }
        self.update_all_interest(cx);
    }

    /// Asks every neighbour that serves this peer and is not being asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_, Self>) {
        for index in 0..self.peers[cx.node().index()].links.len() {
            self.ask(index, cx);
        }
        self.update_all_interest(cx);
    }

    fn update_all_interest(&mut self, cx: &mut Context<'_, Self>) {
        for index in 0..self.peers[cx.node().index()].links.len() {
            self.update_interest(index, cx);
        }
    }

    pub(super) fn on_piece_request(
        &mut self,
        from: NodeId,
        connection: Connection,
        piece: u32,
        cx: &mut Context<'_, Self>,
    ) {
        let node = cx.node();
        let Some(index) = self.peers[node.index()].link_on(from, connection) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let peer = &mut self.peers[node.index()];
        let lacks = peer.lacks(piece);
        let link = &mut peer.links[index];
        link.heard_at = cx.now();
        if link.told.choking || lacks || link.queue.len() > PIPELINE_MAX {
            self.say(from, Message::Reject(connection, piece), cx);
            return;
        }
        if link.upload.is_some() {
            link.queue.push(piece);
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
        upload: TransferId,
        cx: &mut Context<'_, Self>,
    ) {
        let peer = &mut self.peers[cx.node().index()];
        let link = &mut peer.links[index];
        link.told_at = cx.now();
        link.upload = Some((upload, piece));
        link.turn += 1;
        if let Some(copies) = &mut peer.first_copies {
            copies.send(piece);
            self.suggest(index, cx);
        }
    }

    /// Tells a neighbour that is no longer served what will not come.
    pub(super) fn drop_queue(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let link = &mut self.peers[cx.node().index()].links[index];
        let (neighbour, connection) = (link.neighbour, link.connection);
        for piece in std::mem::take(&mut link.queue) {
            self.say(neighbour, Message::Reject(connection, piece), cx);
        }
    }

    /// An origin suggests a piece that it has not sent yet.
    pub(super) fn suggest(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let from = uniform_below(cx.rng(), self.piece_count);
        let peer = &mut self.peers[cx.node().index()];
        let copies = peer.first_copies.as_mut();
        if let Some(piece) = copies.and_then(|copies| copies.suggest(from)) {
            let link = &peer.links[index];
            let (neighbour, connection) = (link.neighbour, link.connection);
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
        if let Some(index) = peer.link_on(from, connection)
            && peer.give_up(index, piece)
        {
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
        let Some(index) = peer.link_on(from, connection) else {
            return;
        };
        let link = &mut peer.links[index];
        link.queue.retain(|queued| *queued != piece);
        if let Some((upload, _)) = link.upload.take_if(|(_, sent)| *sent == piece) {
            cx.cancel(upload);
            if let Some(next) = take_first(&mut link.queue) {
                let upload = cx.transfer(from, self.piece_size(next), u64::from(next));
                self.sending(index, next, upload, cx);
            }
        }
    }

    /// A piece that this peer sent is over.
    pub(super) fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let Some(index) = peer.link_to(ended.to) else {
            return;
        };
        let link = &mut peer.links[index];
        if link.upload.is_none_or(|(id, _)| id != ended.id) {
            return;
        }
        link.upload = None;
        link.heard_at = cx.now();
        if let Ending::Broken { .. } = ended.ending {
            self.forget_link(index, cx);
            self.after_loss(cx);
            return;
        }
        self.take_turns(index, cx);
        let queue = &mut self.peers[cx.node().index()].links[index].queue;
        if let Some(next) = take_first(queue) {
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
            .link_to(ended.from)
            .filter(|index| peer.links[*index].requests.contains(&piece));
        match (ended.ending, asked) {
            (Ending::Broken { .. }, None) => return,
            (Ending::Broken { .. }, Some(index)) => {
                self.forget_link(index, cx);
                self.after_loss(cx);
                return;
            }
            (Ending::Whole { .. }, Some(index)) => {
                peer.links[index].received[0] += ended.size.0;
                peer.links[index].heard_at = cx.now();
                peer.links[index].keep_pace(cx.now());
            }
            (Ending::Whole { .. }, None) => {}
        }
        // A piece whose hash does not match is thrown away and asked for again.
        let matches = ended.ending == Ending::Whole { intact: true };
        if matches && self.peers[node.index()].lacks(piece) {
            self.keep(piece, asked, cx);
        } else if let Some(index) = asked {
            self.peers[node.index()].give_up(index, piece);
        }
        self.ask_everybody(cx);
    }

    /// A new piece is on disk: nobody else need send it, everybody may ask for it.
    fn keep(&mut self, piece: u32, from: Option<usize>, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.peers[node.index()].keep(piece, from);
        self.cancel_elsewhere(piece, cx);
        self.announce(piece, cx);
        let peer = &mut self.peers[node.index()];
        if peer.has_all() {
            if let Some(request) = peer.request.take() {
                cx.serve(request);
            }
            self.peers[node.index()].candidates.clear();
            self.leave_seeds(cx);
        }
    }

    fn cancel_elsewhere(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        for index in 0..self.peers[node.index()].links.len() {
            let peer = &mut self.peers[node.index()];
            if peer.give_up(index, piece) {
                let link = &peer.links[index];
                let (neighbour, connection) = (link.neighbour, link.connection);
                self.say(neighbour, Message::Cancel(connection, piece), cx);
            }
        }
    }

    /// Tells every neighbour of a piece. It wakes those that wanted nothing until now, unless they
    /// are known to have it; the others read it when they next have a choice to make.
    fn announce(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        let count = u32::try_from(peer.links.len()).expect("neighbours are counted in 32 bits");
        let posted = cx.announce(peer.links.len(), HAVE);
        self.announced[node.index()].push(piece, posted);
        // Beginning anywhere, or the neighbours met first would always be the first to answer.
        let first = uniform_below(cx.rng(), count.max(1)) as usize;
        for index in (first..peer.links.len()).chain(0..first) {
            let wakes = !peer.links[index].hears.interested && !peer.knows(index, piece);
            let link = &mut peer.links[index];
            link.told_at = cx.now();
            if wakes {
                cx.wake(link.neighbour, Message::News(link.connection), HAVE);
            }
        }
    }

    /// Two peers that have everything have nothing to say to each other.
    fn leave_seeds(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let mut index = 0;
        while let Some(link) = self.peers[node.index()].links.get(index) {
            if link.life.is_some() && link.heard == self.piece_count {
                self.hang_up(index, cx);
            } else {
                index += 1;
            }
        }
    }
}

fn take_first(queue: &mut Vec<u32>) -> Option<u32> {
    (!queue.is_empty()).then(|| queue.remove(0))
}
