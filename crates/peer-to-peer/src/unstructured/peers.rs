//! What every search in an overlay without structure does alike.

use netduel_world::{
    Cast, Cause, ConfigError, Context, Down, NodeId, Request, SimDuration, StateLoss, Stream,
};

use super::{
    Open, OpenSearches, QUERY, QueryId, Shelves,
    mesh::{Host, Leaves, Mesh, Role, Settings},
};

/// Neighbours, shelves and open searches of all users' devices.
pub(crate) struct Peers {
    pub(crate) mesh: Mesh,
    pub(crate) shelves: Shelves,
    pub(crate) open: OpenSearches,
}

/// What an answer meant to the node that it reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Heard {
    /// Its own user is served.
    Served,
    /// Its own user still waits: who has the object had no time.
    Refused,
    /// It is for somebody else, or for nobody any more.
    ForOthers,
}

impl Peers {
    pub(crate) fn new(
        settings: &Settings<'_>,
        cast: Cast<'_>,
        role: impl Fn(u32) -> Role,
        leaves: Option<Leaves>,
        rng: &mut Stream,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            mesh: Mesh::new(settings, cast, role, leaves, rng)?,
            shelves: Shelves::new(cast),
            open: OpenSearches::new(cast.node_count()),
        })
    }

    /// What the user searches for is at hand: it takes the work of an answer, and nobody else.
    pub(crate) fn take_from_home<A: Host>(
        &mut self,
        open: Open,
        work: SimDuration,
        then: A::Timer,
        cx: &mut Context<'_, A>,
    ) {
        match cx.work(work, then) {
            Ok(()) => self.open.add(cx.node(), open),
            Err(_) => cx.fail(open.request, Cause::Refused),
        }
    }

    /// The work for what was at hand is done.
    pub(crate) fn on_at_hand<A: Host>(&mut self, id: QueryId, cx: &mut Context<'_, A>) {
        if let Some(open) = self.open.end(cx.node(), id) {
            cx.serve(open.request);
        }
    }

    pub(crate) fn on_abandoned(&mut self, node: NodeId, request: &Request) {
        self.open.forget(node, request.id);
    }

    /// Sends a question to all neighbours but the one that it came from.
    pub(crate) fn pass_on<A: Host>(
        &self,
        question: impl Fn() -> A::Message,
        from: NodeId,
        cx: &mut Context<'_, A>,
    ) {
        for neighbour in self.mesh.neighbours(cx.node()) {
            if neighbour != from {
                cx.send(neighbour, question(), QUERY);
            }
        }
    }

    /// An answer has come here.
    pub(crate) fn on_hit<A: Host>(
        &mut self,
        id: QueryId,
        found: bool,
        cx: &mut Context<'_, A>,
    ) -> Heard {
        let node = cx.node();
        match self.open.find(node, id) {
            Some(_) if found => {
                let open = self.open.end(node, id).expect("it was found");
                cx.serve(open.request);
                Heard::Served
            }
            Some(open) => {
                open.refused = true;
                Heard::Refused
            }
            None => Heard::ForOthers,
        }
    }

    /// Nobody has answered a question that went to many, and nobody else is asked.
    pub(crate) fn give_up<A: Host>(&mut self, id: QueryId, cx: &mut Context<'_, A>) {
        let node = cx.node();
        let Some(open) = self.open.end(node, id) else {
            return;
        };
        let cause = match open.refused {
            true => Cause::Refused,
            false if self.mesh.is_cut_off(node) => Cause::NoAnswer,
            false => Cause::NotFound,
        };
        cx.fail(open.request, cause);
    }

    pub(crate) fn on_down<A: Host>(&mut self, down: Down, cx: &mut Context<'_, A>) {
        let node = cx.node();
        self.open.forget_all(node);
        if down == Down::Crashed(StateLoss::Lost) {
            self.shelves.lose(node);
        }
        self.mesh.on_down(down, cx);
    }

    pub(crate) fn state_bytes(&self) -> usize {
        self.mesh.state_bytes() + self.shelves.state_bytes() + self.open.state_bytes()
    }
}
