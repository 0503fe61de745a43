//! Neighbours tell each other whom else they are connected to.
//!
//! Source: BEP 11, *Peer Exchange (PEX)*.

use netduel_world::{Context, NodeId, SimDuration};

use super::{
    Swarm, Timer,
    links::{LinkSet, Moment},
    message::{Connection, Contact, Contacts, Message},
    roster::Member,
};

/// A peer tells of its neighbours once a minute at most (BEP 11).
const PERIOD: SimDuration = SimDuration(60_000_000_000);

/// Contacts that a message adds, and that it drops, at most (BEP 11, which exempts the first message
/// to a neighbour; `max_pex_peers` of libtorrent does not).
const CONTACTS_MAX: usize = 50;

/// Candidates beyond which a peer takes no more: as many as libtorrent asks a tracker for at once
/// (`num_want`).
const CANDIDATES_MAX: usize = 200;

/// What a peer has told its neighbours of each other.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The neighbours of whom it told, in order.
    members: Vec<Member>,
    /// The links on which it told of all those.
    pub(super) greeted: LinkSet,
}

impl Told {
    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.members.capacity() * size_of::<Member>()
    }
}

impl Swarm {
    /// Begins to tell, where that is wanted and is not done yet.
    pub(super) fn keep_telling(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        if self.config.peer_exchange && peer.told.is_none() {
            peer.told = Some(Box::default());
            cx.after(PERIOD, Timer::Exchange(self.roster.object(me)));
        }
    }

    /// Tells every neighbour who came and who went; a new one, who there is.
    pub(super) fn tell_contacts(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[me.index()];
        let Some(mut told) = peer.told.take() else {
            return;
        };
        if peer.links.is_empty() {
            return;
        }
        let established = peer.links.established;
        let now: Vec<(Member, bool)> = established
            .iter()
            .map(|index| {
                let has_all = peer.links.get(index).heard == self.piece_count;
                (peer.links.neighbour(index), has_all)
            })
            .collect();
        let is_told = |member: Member| told.members.binary_search(&member).is_ok();
        let mut added: Vec<(Member, bool)> = now.clone();
        added.retain(|(member, _)| !is_told(*member));
        added.truncate(CONTACTS_MAX);
        let mut dropped: Vec<Member> = told.members.clone();
        dropped.retain(|member| now.iter().all(|(other, _)| other != member));
        dropped.truncate(CONTACTS_MAX);
        for index in established.iter() {
            let (added, dropped) = if told.greeted.contains(index) {
                (&added, dropped.as_slice())
            } else {
                (&now, [].as_slice())
            };
            self.send_contacts(me, index, added, dropped, cx);
        }
        told.greeted = established;
        told.members.retain(|member| !dropped.contains(member));
        told.members.extend(added.iter().map(|(member, _)| *member));
        told.members.sort_unstable();
        self.peers[me.index()].told = Some(told);
        cx.after(PERIOD, Timer::Exchange(self.roster.object(me)));
    }

    fn send_contacts(
        &mut self,
        me: Member,
        index: usize,
        added: &[(Member, bool)],
        dropped: &[Member],
        cx: &mut Context<'_, Self>,
    ) {
        let links = &mut self.peers[me.index()].links;
        let neighbour = links.neighbour(index);
        let others = added.iter().filter(|(member, _)| *member != neighbour);
        let contact = |(member, has_all): &(Member, bool)| Contact {
            node: self.roster.node(*member),
            has_all: *has_all,
        };
        let contacts = Contacts {
            added: others.take(CONTACTS_MAX).map(contact).collect(),
            dropped: dropped.iter().map(|m| self.roster.node(*m)).collect(),
        };
        if contacts.added.is_empty() && contacts.dropped.is_empty() {
            return;
        }
        links.get_mut(index).told_at = Moment::at(cx.now());
        let (neighbour, connection) = self.end(me, index);
        self.say(
            neighbour,
            Message::Contacts(connection, contacts.into()),
            cx,
        );
    }

    pub(super) fn on_contacts(
        &mut self,
        from: NodeId,
        connection: Connection,
        contacts: &Contacts,
        cx: &mut Context<'_, Self>,
    ) {
        let Some((me, index)) = self.link(from, connection, cx) else {
            self.say(from, Message::Bye(connection), cx);
            return;
        };
        let peer = &mut self.peers[me.index()];
        peer.links.get_mut(index).heard_at = Moment::at(cx.now());
        let mut candidates = std::mem::take(&mut peer.candidates);
        candidates.retain(|node| !contacts.dropped.contains(node));
        let has_all = self.peers[me.index()].has_all();
        for contact in &contacts.added {
            // Two peers that have everything have nothing to say to each other.
            let idle = has_all && contact.has_all;
            let neighbour = self.member(contact.node, connection.object);
            let linked = self.peers[me.index()].links.to(neighbour).is_some();
            let known = neighbour == me || linked || candidates.contains(&contact.node);
            if !idle && !known && candidates.len() < CANDIDATES_MAX {
                candidates.push(contact.node);
            }
        }
        self.peers[me.index()].candidates = candidates;
        self.connect_more(me, cx);
    }
}
