//! How peers find each other: a tracker, or a table that the members keep themselves.
//!
//! Source of the latter: BEP 5, *DHT Protocol*.

use netduel_world::{
    Architecture, Cast, ConfigError, Context, NodeId, ObjectId, SimDuration, Stream, uniform,
};

use crate::{
    Kademlia,
    chord::Start,
    kademlia::{self, Found},
};

use super::{
    Swarm, Timer,
    config::{Config, nested},
    message::Message,
    roster::Member,
    shuffled,
    tracker::Tracker,
};

/// Where it is known who takes part.
pub(super) enum Finder {
    /// With one machine.
    Tracker(Tracker),
    /// With those who take part.
    Table(Box<Table>),
}

/// A table of who takes part in which torrent.
pub(super) struct Table {
    pub(super) kademlia: Kademlia,
    /// What stands for each object, in order.
    targets: Vec<(u64, ObjectId)>,
}

impl Table {
    pub(super) fn new(
        config: &kademlia::Config,
        objects: u32,
        cast: Cast<'_>,
        rng: &mut Stream,
    ) -> Result<Self, ConfigError> {
        let mut kademlia = Kademlia::assemble(config, &cast, rng).map_err(nested)?;
        let target = |object: u32| (kademlia.target(object), ObjectId(object));
        let mut targets: Vec<(u64, ObjectId)> = (0..objects).map(target).collect();
        targets.sort_unstable();
        if config.start == Start::Converged {
            let origins = config.machines.clone().map(NodeId);
            let announcements =
                origins.flat_map(|by| targets.iter().map(move |(target, _)| (by, *target)));
            kademlia.place_announcements(announcements);
        }
        Ok(Self { kademlia, targets })
    }

    fn object(&self, target: u64) -> ObjectId {
        let place = self.targets.binary_search_by_key(&target, |(id, _)| *id);
        let place = place.expect("only objects are looked for");
        self.targets[place].1
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.kademlia.state_bytes()
            + self.targets.capacity() * size_of::<(u64, ObjectId)>()
    }
}

/// What is known from the start where the members keep the table.
pub(super) fn premises(config: &Config, origin: &str, cast: Cast<'_>) -> Vec<String> {
    let mut premises = vec![format!(
        "every user's device and {origin} keep a part of the directory from the start, also while \
         their users want nothing"
    )];
    if let Ok(table) = config.table(cast) {
        if table.start == Start::Converged {
            let announced =
                format!("{origin} is in the directory from the start, for every object");
            premises.push(announced);
        }
        premises.extend(Kademlia::premises(&table, &cast));
    }
    premises
}

impl Finder {
    /// The machine that knows who takes part, if there is one.
    pub(super) fn tracker_node(&self) -> Option<NodeId> {
        match self {
            Self::Tracker(tracker) => Some(tracker.node),
            Self::Table(_) => None,
        }
    }

    /// What the tracker knows. Only a tracker is told such things.
    pub(super) fn tracker(&mut self) -> &mut Tracker {
        match self {
            Self::Tracker(tracker) => tracker,
            Self::Table(_) => unreachable!("nobody reports to a tracker where there is none"),
        }
    }

    /// Bytes of memory beside its own.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Tracker(tracker) => tracker.bytes(),
            Self::Table(table) => table.bytes(),
        }
    }
}

impl Swarm {
    /// Lets the table act, where there is one, and takes note of what was found.
    pub(super) fn in_table(
        &mut self,
        cx: &mut Context<'_, Self>,
        act: impl FnOnce(&mut Kademlia, &mut Context<'_, Kademlia>),
    ) {
        let Finder::Table(table) = &mut self.finder else {
            return;
        };
        let message_of = |message| Message::Directory(Box::new(message));
        cx.narrow(message_of, Timer::Directory, |cx| {
            act(&mut table.kademlia, cx);
        });
        for found in table.kademlia.take_found() {
            self.on_found(found, cx);
        }
    }

    /// Tells the table that this peer takes part, to hear who else does.
    pub(super) fn report_to_table(&mut self, object: ObjectId, cx: &mut Context<'_, Self>) {
        self.in_table(cx, |kademlia, cx| {
            let target = kademlia.target(object.0);
            kademlia.report(target, cx);
        });
    }

    /// An origin reports: at once where nobody knows it, else within the usual time.
    pub(super) fn begin_reports(&mut self, me: Member, cx: &mut Context<'_, Self>) {
        if let Finder::Table(table) = &self.finder
            && table.kademlia.starts() == Start::Join
        {
            self.report(me, cx);
            return;
        }
        self.peers[me.index()].report = 1;
        let wait = self.config.announce_interval().get() * uniform(cx.rng());
        let object = self.roster.object(me);
        cx.after(SimDuration::from_seconds(wait), Timer::Report(object, 1));
    }

    fn on_found(&mut self, found: Found, cx: &mut Context<'_, Self>) {
        let Finder::Table(table) = &self.finder else {
            unreachable!("only a table finds something");
        };
        let me = self.member(cx.node(), table.object(found.target));
        let in_vain = found.providers.is_empty() && !self.peers[me.index()].has_all();
        if in_vain || !found.answered {
            // To be repeated soon, like a report that a tracker did not answer.
            return;
        }
        // Identifiers of nodes stand in order: without a draw all would ask the same few.
        let providers = found.providers.into_iter().map(|node| node.0).collect();
        let mut chosen = shuffled(providers, cx.rng());
        chosen.truncate(self.config.neighbours as usize);
        let chosen: Vec<NodeId> = chosen.into_iter().map(NodeId).collect();
        self.on_members(me, &chosen, cx);
    }
}
