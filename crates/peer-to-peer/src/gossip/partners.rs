//! Whom users know, and whom they call.

use netduel_world::{NodeId, Stream, uniform, uniform_below};

/// Whom users know.
#[derive(Debug)]
pub(super) struct Partners {
    /// The device of the first user.
    first: u32,
    /// How many others each user knows: those in `views`, or all.
    known: u32,
    /// Numbers of users, `known` for each; empty when all know all.
    views: Box<[u32]>,
    /// Room for choosing several.
    chosen: Vec<u32>,
}

impl Partners {
    /// Lets every user know all others, or `view` of them chosen at random.
    pub(super) fn draw(first: u32, users: u32, view: Option<u32>, rng: &mut Stream) -> Self {
        let mut views = Vec::new();
        if let Some(view) = view {
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
        }
        Self {
            first,
            known: view.unwrap_or(users.saturating_sub(1)),
            views: views.into(),
            chosen: Vec::new(),
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

    /// The partner at this place among those that a user knows.
    fn at(&self, node: NodeId, place: u32) -> NodeId {
        let user = node.0 - self.first;
        let other = if self.views.is_empty() {
            // All but the user itself.
            place + u32::from(place >= user)
        } else {
            self.views[user as usize * self.known as usize + place as usize]
        };
        NodeId(self.first + other)
    }

    /// Everybody whom the user of this device knows.
    pub(super) fn of(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let known = if self.is_user(node) { self.known } else { 0 };
        (0..known).map(move |place| self.at(node, place))
    }

    /// Somebody whom this user knows.
    pub(super) fn one(&self, node: NodeId, rng: &mut Stream) -> Option<NodeId> {
        (self.known > 0).then(|| self.at(node, uniform_below(rng, self.known)))
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
        if count >= self.known {
            return self.of(node).collect();
        }
        // Floyd's way to draw different numbers: Communications of the ACM 30(9), 1987.
        self.chosen.clear();
        for last in self.known - count..self.known {
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
        size_of_val(&*self.views) + self.chosen.capacity() * size_of::<u32>()
    }
}
