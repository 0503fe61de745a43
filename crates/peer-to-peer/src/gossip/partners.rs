//! Whom users know, and whom they call.

use netduel_world::{NodeId, Stream, uniform, uniform_below};

use super::cyclon::Cyclon;

/// Whom users know.
#[derive(Debug)]
pub(super) struct Partners {
    /// The device of the first user.
    first: u32,
    views: Views,
    /// Room for choosing several.
    chosen: Vec<u32>,
}

#[derive(Debug)]
enum Views {
    /// All know all others, so many.
    All(u32),
    /// Each knows so many others for good: their numbers as users, one view after the other.
    Fixed(u32, Box<[u32]>),
    /// Each keeps up a view.
    Kept(Cyclon),
}

/// Others for each user, `view` of them chosen at random: the numbers of users, one view after the
/// other.
pub(super) fn draw(users: u32, view: u32, rng: &mut Stream) -> Vec<u32> {
    let mut views = Vec::new();
    views.reserve_exact(users as usize * view as usize);
    // The front of a shuffle; where the last one left off does as well as a fresh start.
    let mut deck: Vec<u32> = (0..users).collect();
    for user in 0..users {
        let mut dealt = 0;
        let end = views.len() + view as usize;
        while views.len() < end {
            let pick = dealt + uniform_below(rng, users - dealt);
            deck.swap(dealt as usize, pick as usize);
            if deck[dealt as usize] != user {
                views.push(deck[dealt as usize]);
            }
            dealt += 1;
        }
    }
    views
}

impl Partners {
    /// Lets every user know all others.
    pub(super) fn all(first: u32, users: u32) -> Self {
        Self::with(first, Views::All(users.saturating_sub(1)))
    }

    /// Lets every user know `view` others for good, chosen at random.
    pub(super) fn fixed(first: u32, users: u32, view: u32, rng: &mut Stream) -> Self {
        let views = draw(users, view, rng).into();
        Self::with(first, Views::Fixed(view, views))
    }

    /// Lets every user keep up a view.
    pub(super) fn kept(first: u32, views: Cyclon) -> Self {
        Self::with(first, Views::Kept(views))
    }

    fn with(first: u32, views: Views) -> Self {
        Self {
            first,
            views,
            chosen: Vec::new(),
        }
    }

    /// What keeps the views up, where they are.
    pub(super) fn kept_up(&mut self) -> Option<&mut Cyclon> {
        match &mut self.views {
            Views::Kept(views) => Some(views),
            Views::All(_) | Views::Fixed(..) => None,
        }
    }

    /// Whether this is a user's device.
    pub(super) fn is_user(&self, node: NodeId) -> bool {
        node.0 >= self.first
    }

    /// The number of the user of this device.
    pub(super) fn user(&self, node: NodeId) -> usize {
        (node.0 - self.first) as usize
    }

    /// How many others the user of this device knows.
    pub(super) fn count(&self, node: NodeId) -> u32 {
        match &self.views {
            Views::All(known) | Views::Fixed(known, _) => *known,
            Views::Kept(views) => {
                u32::try_from(views.view(node).len()).expect("users are counted in 32 bits")
            }
        }
    }

    /// The partner at this place among those that a user knows.
    fn at(&self, node: NodeId, place: u32) -> NodeId {
        let user = node.0 - self.first;
        let other = match &self.views {
            // All but the user itself.
            Views::All(_) => place + u32::from(place >= user),
            Views::Fixed(known, views) => views[user as usize * *known as usize + place as usize],
            Views::Kept(views) => return views.view(node)[place as usize].node,
        };
        NodeId(self.first + other)
    }

    /// Everybody whom the user of this device calls.
    fn of(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        (0..self.count(node)).map(move |place| self.at(node, place))
    }

    /// Visits whom a node knows.
    pub(super) fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if let Views::Kept(views) = &self.views {
            views.view(node).iter().for_each(|known| visit(known.node));
            if self.is_user(node) && node != views.bootstrap() {
                visit(views.bootstrap());
            }
        } else if self.is_user(node) {
            self.of(node).for_each(visit);
        }
    }

    /// Somebody whom this user knows.
    pub(super) fn one(&self, node: NodeId, rng: &mut Stream) -> Option<NodeId> {
        let known = self.count(node);
        (known > 0).then(|| self.at(node, uniform_below(rng, known)))
    }

    /// `count` different ones whom this user knows, on average: a broken number falls to the whole
    /// one below or above, by chance.
    pub(super) fn several(&mut self, node: NodeId, count: f64, rng: &mut Stream) -> Vec<NodeId> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to lie within 32 bits"
        )]
        let whole = count as u32;
        let broken = count - f64::from(whole);
        let more = broken > 0.0 && uniform(rng) < broken;
        let count = whole.saturating_add(u32::from(more));
        let known = self.count(node);
        if count >= known {
            return self.of(node).collect();
        }
        // Floyd's way to draw different numbers: Communications of the ACM 30(9), 1987.
        self.chosen.clear();
        for last in known - count..known {
            let place = uniform_below(rng, last + 1);
            let taken = self.chosen.contains(&place);
            self.chosen.push(if taken { last } else { place });
        }
        self.chosen
            .iter()
            .map(|place| self.at(node, *place))
            .collect()
    }

    /// Bytes of memory that all this takes.
    pub(super) fn bytes(&self) -> usize {
        let views = match &self.views {
            Views::All(_) => 0,
            Views::Fixed(_, views) => size_of_val(&**views),
            Views::Kept(views) => views.bytes(),
        };
        views + self.chosen.capacity() * size_of::<u32>()
    }
}
