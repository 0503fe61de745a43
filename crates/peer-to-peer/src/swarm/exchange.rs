//! Asking for pieces, sending them, and telling of them.

use netduel_world::{Context, Ending, NodeId, TransferEnded, uniform_below};

use super::{
    Swarm,
    message::{Connection, HAVE, Message},
};

impl Swarm {
    /// Takes note of what neighbours announced.
    pub(super) fn listen(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        for index in 0..peer.links.len() {
            let link = &peer.links[index];
            let (neighbour, Some(life)) = (link.neighbour, link.life) else {
                continue;
            };
            let announced = &self.announced[neighbour.index()];
            while let Some(piece) = announced.next(neighbour, life, peer.links[index].heard, cx) {
                peer.links[index].heard += 1;
                peer.links[index].heard_at = cx.now();
                peer.hear(index, piece);
            }
        }
    }

    pub(super) fn on_news(
        &mut self,
        from: NodeId,
        connection: Connection,
        cx: &mut Context<'_, Self>,
    ) {
        if let Some(index) = self.peers[cx.node().index()].link_on(from, connection) {
            self.listen(cx);
            self.update_interest(index, cx);
            self.ask(index, cx);
        }
    }

    /// Asks the neighbour at `index` for a piece, when it serves this peer and has one to give.
    pub(super) fn ask(&mut self, index: usize, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let link = &self.peers[node.index()].links[index];
        let ready = link.life.is_some() && !link.hears.choking && link.request.is_none();
        if !ready || self.peers[node.index()].request.is_none() {
            return;
        }
        self.listen(cx);
        let peer = &mut self.peers[node.index()];
        let choice = self.config.choice;
        let end_game = self.config.end_game;
        if let Some(piece) = peer.choose(index, &self.announced, choice, end_game, cx.rng()) {
            peer.await_piece(index, piece, &self.announced);
            let link = &mut peer.links[index];
            link.told_at = cx.now();
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
        let peer = &self.peers[node.index()];
        let link = &peer.links[index];
        if link.told.choking || link.upload.is_some() || peer.lacks(piece) {
            self.say(from, Message::Reject(connection, piece), cx);
            return;
        }
        let upload = cx.transfer(from, self.piece_size(piece), u64::from(piece));
        let link = &mut self.peers[node.index()].links[index];
        link.heard_at = cx.now();
        link.told_at = cx.now();
        link.upload = Some((upload, piece));
        if let Some(copies) = &mut self.peers[node.index()].first_copies {
            copies.send(piece);
            self.suggest(index, cx);
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
            && peer.links[index].request == Some(piece)
        {
            peer.give_up(index, &self.announced);
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
        if let Some(index) = peer.link_on(from, connection)
            && let Some((upload, sent)) = peer.links[index].upload
            && sent == piece
        {
            peer.links[index].upload = None;
            cx.cancel(upload);
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
        }
    }

    /// A piece that was sent to this peer is over.
    pub(super) fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let piece = u32::try_from(ended.label).expect("the label of a piece is its number");
        let peer = &mut self.peers[node.index()];
        let asked = peer
            .link_to(ended.from)
            .filter(|index| peer.links[*index].request == Some(piece));
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
                peer.give_up(index, &self.announced);
            }
            (Ending::Whole { .. }, None) => {}
        }
        // A piece whose hash does not match is thrown away and asked for again.
        let matches = ended.ending == Ending::Whole { intact: true };
        if matches && self.peers[node.index()].lacks(piece) {
            self.keep(piece, cx);
        }
        self.ask_everybody(cx);
    }

    /// A new piece is on disk: nobody else need send it, everybody may ask for it.
    fn keep(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.peers[node.index()].keep(piece, &self.announced);
        self.cancel_elsewhere(piece, cx);
        self.announce(piece, cx);
        let peer = &mut self.peers[node.index()];
        if peer.has_all() {
            if let Some(request) = peer.request.take() {
                cx.serve(request);
            }
            self.leave_seeds(cx);
        }
    }

    fn cancel_elsewhere(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        for index in 0..self.peers[node.index()].links.len() {
            let peer = &mut self.peers[node.index()];
            if peer.links[index].request == Some(piece) {
                peer.give_up(index, &self.announced);
                let link = &peer.links[index];
                let (neighbour, connection) = (link.neighbour, link.connection);
                self.say(neighbour, Message::Cancel(connection, piece), cx);
            }
        }
    }

    /// Tells every neighbour of a piece. It wakes those that wanted nothing until now; the others
    /// read it when they next have a choice to make.
    fn announce(&mut self, piece: u32, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let links = &mut self.peers[node.index()].links;
        let posted = cx.announce(links.len(), HAVE);
        self.announced[node.index()].push(piece, posted);
        // Beginning anywhere, or the neighbours met first would always be the first to answer.
        let count = u32::try_from(links.len()).expect("neighbours are counted in 32 bits");
        let first = uniform_below(cx.rng(), count.max(1)) as usize;
        let (before, after) = links.split_at_mut(first);
        for link in after.iter_mut().chain(before) {
            link.told_at = cx.now();
            if !link.hears.interested {
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
