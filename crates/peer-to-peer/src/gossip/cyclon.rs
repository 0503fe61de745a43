//! Views that are kept fresh by swapping neighbours: who joins, who is gone, whom to call.
//!
//! A device knows a few others, each with an age. Every period it sends the oldest of them a few
//! of its neighbours and itself, gets a few of the other's in return, and puts them in the place of
//! those that it sent. Who does not answer is gone. A newcomer asks the bootstrap node, which sends
//! out random walks; where one ends, the newcomer takes the place of a neighbour, who becomes the
//! newcomer's.
//!
//! Source: S. Voulgaris, D. Gavidia, M. van Steen, *CYCLON: Inexpensive Membership Management for
//! Unstructured P2P Overlays*, Journal of Network and Systems Management 13(2), 2005.

use netduel_world::{Bytes, Context, Down, NodeId, SimDuration, StateLoss, Stream, uniform_below};

use super::{Gossip, Message as Outer, Timer, message::HEADER};

/// Steps of a walk. From a view of 20 so many lead anywhere among 20^5, three million.
const STEPS: u8 = 5;

/// A neighbour in a message: an IPv4 address, a port and an age of two bytes.
const ENTRY: u64 = 4 + 2 + 2;

/// What devices say to keep their views.
#[derive(Debug)]
pub enum Message {
    /// To the bootstrap node: I am new.
    Join,
    /// A walk that looks for somebody to know the newcomer.
    Walk {
        /// Who is new.
        newcomer: NodeId,
        /// Steps that are left.
        steps: u8,
    },
    /// To the newcomer: this is a neighbour of yours now.
    Known(Neighbour),
    /// These are some of my neighbours, and I am there. Which are yours?
    Swap(Box<[Neighbour]>),
    /// These are some of mine.
    Swapped(Box<[Neighbour]>),
}

/// Somebody in a view.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// The device.
    pub node: NodeId,
    /// Periods since it was heard to be there, as those count them who passed it on.
    pub age: u32,
}

impl Message {
    /// The nodes that it tells about.
    pub(super) fn mentions(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Join => {}
            Self::Walk { newcomer, .. } => visit(*newcomer),
            Self::Known(neighbour) => visit(neighbour.node),
            Self::Swap(some) | Self::Swapped(some) => some.iter().for_each(|n| visit(n.node)),
        }
    }

    fn size(&self) -> Bytes {
        let entries = match self {
            Self::Join => 0,
            // The count of steps takes the place of the age.
            Self::Walk { .. } | Self::Known(_) => 1,
            Self::Swap(some) | Self::Swapped(some) => some.len() as u64,
        };
        Bytes(HEADER + ENTRY * entries)
    }
}

/// How views are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    /// Neighbours that a device knows.
    pub(super) size: usize,
    /// Neighbours in a message that swaps some, the sender among them.
    pub(super) length: usize,
    /// Time between two swaps that a device begins.
    pub(super) period: SimDuration,
    /// Whom newcomers ask.
    pub(super) bootstrap: NodeId,
}

/// Everybody's view.
#[derive(Debug)]
pub(super) struct Cyclon {
    keeping: Keeping,
    /// The device of the first user.
    first: u32,
    members: Box<[Member]>,
    /// The newcomers that a bootstrap node who is no user heard of last, the latest at the end.
    guests: Vec<Neighbour>,
}

#[derive(Clone, Debug, Default)]
struct Member {
    view: Vec<Neighbour>,
    /// With whom it swaps neighbours.
    swap: Option<Swap>,
}

#[derive(Clone, Debug)]
struct Swap {
    with: NodeId,
    /// Whom it sent, and may give up for whom it gets.
    sent: Box<[NodeId]>,
}

impl Cyclon {
    /// With views as they are at the start.
    pub(super) fn new(
        keeping: Keeping,
        first: u32,
        views: impl Iterator<Item = Vec<NodeId>>,
    ) -> Self {
        let members = views.map(|view| Member {
            view: view
                .into_iter()
                .map(|node| Neighbour { node, age: 0 })
                .collect(),
            swap: None,
        });
        Self {
            keeping,
            first,
            members: members.collect(),
            guests: Vec::new(),
        }
    }

    fn is_user(&self, node: NodeId) -> bool {
        node.0 >= self.first
    }

    fn member(&mut self, node: NodeId) -> &mut Member {
        &mut self.members[(node.0 - self.first) as usize]
    }

    /// Whom a node knows.
    pub(super) fn view(&self, node: NodeId) -> &[Neighbour] {
        match node.0.checked_sub(self.first) {
            Some(user) => &self.members[user as usize].view,
            None if node == self.keeping.bootstrap => &self.guests,
            None => &[],
        }
    }

    /// Whom newcomers ask.
    pub(super) fn bootstrap(&self) -> NodeId {
        self.keeping.bootstrap
    }

    pub(super) fn bytes(&self) -> usize {
        let of = |member: &Member| {
            let sent = member.swap.as_ref();
            member.view.capacity() * size_of::<Neighbour>()
                + sent.map_or(0, |swap| size_of_val(&*swap.sent))
        };
        size_of_val(&*self.members)
            + self.members.iter().map(of).sum::<usize>()
            + self.guests.capacity() * size_of::<Neighbour>()
    }

    /// This device's time has come to swap neighbours, or to join when it knows nobody.
    pub(super) fn on_due(&mut self, cx: &mut Context<'_, Gossip>) {
        let Keeping {
            length,
            period,
            bootstrap,
            ..
        } = self.keeping;
        let node = cx.node();
        cx.after(period, Timer::Swap);
        let member = self.member(node);
        if let Some(silent) = member.swap.take() {
            member.view.retain(|known| known.node != silent.with);
        }
        for known in &mut member.view {
            known.age += 1;
        }
        let oldest = member.view.iter().map(|known| known.age).max();
        let Some(with) = member.view.iter().find(|known| Some(known.age) == oldest) else {
            if node != bootstrap {
                say(bootstrap, Message::Join, cx);
            }
            return;
        };
        let with = with.node;
        let mut some = member.some(length - 1, with, cx.rng());
        member.swap = Some(Swap {
            with,
            sent: some.iter().map(|known| known.node).collect(),
        });
        some.push(Neighbour { node, age: 0 });
        say(with, Message::Swap(some.into()), cx);
    }

    pub(super) fn on_message(
        &mut self,
        from: NodeId,
        message: Message,
        cx: &mut Context<'_, Gossip>,
    ) {
        let node = cx.node();
        match message {
            Message::Join => self.on_join(from, cx),
            Message::Walk { newcomer, steps } => self.walk(newcomer, steps, cx),
            Message::Known(neighbour) => {
                let size = self.keeping.size;
                self.member(node).take(node, &[neighbour], size, &[]);
            }
            Message::Swap(theirs) => {
                let Keeping { size, length, .. } = self.keeping;
                let member = self.member(node);
                let ours = member.some(length, from, cx.rng());
                let sent: Vec<NodeId> = ours.iter().map(|known| known.node).collect();
                member.take(node, &theirs, size, &sent);
                say(from, Message::Swapped(ours.into()), cx);
            }
            Message::Swapped(theirs) => self.on_swapped(from, &theirs, node),
        }
    }

    /// The other answered with its part of a swap.
    fn on_swapped(&mut self, from: NodeId, theirs: &[Neighbour], node: NodeId) {
        let size = self.keeping.size;
        let member = self.member(node);
        // After too long a time this is only news of others.
        let swap = member.swap.take_if(|swap| swap.with == from);
        let mut sent = Vec::new();
        if let Some(swap) = swap {
            sent.push(from);
            sent.extend_from_slice(&swap.sent);
        }
        member.take(node, theirs, size, &sent);
        // It is there, and stays known while there is room.
        if let Some(known) = member.view.iter_mut().find(|known| known.node == from) {
            known.age = 0;
        }
    }

    /// A newcomer asks the bootstrap node whom it can know.
    fn on_join(&mut self, newcomer: NodeId, cx: &mut Context<'_, Gossip>) {
        let Keeping {
            size, bootstrap, ..
        } = self.keeping;
        if cx.node() != bootstrap {
            return;
        }
        let mut others = self.view(bootstrap).iter();
        let has_others = others.any(|known| known.node != newcomer);
        let walks = if has_others { size } else { 1 };
        for _ in 0..walks {
            self.walk(newcomer, STEPS, cx);
        }
        if !self.is_user(bootstrap) {
            self.guests.retain(|guest| guest.node != newcomer);
            if self.guests.len() == size {
                self.guests.remove(0);
            }
            self.guests.push(Neighbour {
                node: newcomer,
                age: 0,
            });
        }
    }

    /// A walk goes on to somebody, or ends here.
    fn walk(&mut self, newcomer: NodeId, steps: u8, cx: &mut Context<'_, Gossip>) {
        let node = cx.node();
        let others = || {
            let view = self.view(node).iter().map(|known| known.node);
            view.filter(|known| *known != newcomer)
        };
        let count = u32::try_from(others().count()).expect("views are small");
        if steps > 0 && count > 0 {
            let next = others().nth(uniform_below(cx.rng(), count) as usize);
            let next = next.expect("it is one of them");
            let steps = steps - 1;
            say(next, Message::Walk { newcomer, steps }, cx);
            return;
        }
        if !self.is_user(node) || node == newcomer {
            return;
        }
        let size = self.keeping.size;
        let own = Neighbour { node, age: 0 };
        let new = Neighbour {
            node: newcomer,
            age: 0,
        };
        let view = &mut self.member(node).view;
        let known = view.iter().position(|known| known.node == newcomer);
        let theirs = match known {
            Some(index) => {
                view[index] = new;
                own
            }
            None if view.len() < size => {
                view.push(new);
                own
            }
            None => {
                let bound = u32::try_from(view.len()).expect("views are small");
                let index = uniform_below(cx.rng(), bound) as usize;
                std::mem::replace(&mut view[index], new)
            }
        };
        say(newcomer, Message::Known(theirs), cx);
    }

    pub(super) fn on_down(&mut self, node: NodeId, down: Down) {
        let lost = down == Down::Crashed(StateLoss::Lost);
        if lost && node == self.keeping.bootstrap {
            self.guests.clear();
        }
        if self.is_user(node) {
            let member = self.member(node);
            member.swap = None;
            if lost {
                member.view.clear();
            }
        }
    }
}

impl Member {
    /// Up to `count` neighbours at random, without `but`.
    fn some(&self, count: usize, but: NodeId, rng: &mut Stream) -> Vec<Neighbour> {
        let mut others = self.view.clone();
        others.retain(|known| known.node != but);
        let count = count.min(others.len());
        for place in 0..count {
            let rest = u32::try_from(others.len() - place).expect("views are small");
            others.swap(place, place + uniform_below(rng, rest) as usize);
        }
        others.truncate(count);
        others
    }

    /// Takes in those whom it did not know: where there is room, else in the place of `sent`.
    fn take(&mut self, own: NodeId, new: &[Neighbour], size: usize, sent: &[NodeId]) {
        let mut sent = sent.iter();
        for new in new {
            let is_known = self.view.iter().any(|known| known.node == new.node);
            if new.node == own || is_known {
                continue;
            }
            if self.view.len() < size {
                self.view.push(*new);
                continue;
            }
            let place = sent.find_map(|sent| self.view.iter().position(|k| k.node == *sent));
            match place {
                Some(index) => self.view[index] = *new,
                None => return,
            }
        }
    }
}

fn say(to: NodeId, message: Message, cx: &mut Context<'_, Gossip>) {
    let size = message.size();
    cx.send_datagram(to, Outer::View(message), size);
}
