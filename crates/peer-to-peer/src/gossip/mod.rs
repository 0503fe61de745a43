//! Gossip: users tell each other news as people spread rumours.
//!
//! Somebody who has something to tell calls others at random, who call others in turn. Rumours are
//! told until interest is lost, by one of several rules; or once, to a few, on first receipt; or
//! two users compare all that they know (anti-entropy), which also backs rumours up.
//!
//! Source: A. Demers et al., *Epidemic Algorithms for Replicated Database Maintenance*, PODC 1987;
//! A.-M. Kermarrec, L. Massoulié, A. Ganesh, *Probabilistic Reliable Dissemination in Large-Scale
//! Systems*, IEEE Transactions on Parallel and Distributed Systems 14(3), 2003. Views that are kept
//! up: see `cyclon`.

mod calls;
mod config;
mod cyclon;
mod message;
mod node;
mod partners;

use std::{collections::BTreeSet, ops::Range};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, StateLoss, Stream, TransferEnded, WorldKey,
    uniform,
};

use crate::unstructured::mesh;
use config::Rules;
use cyclon::{Cyclon, Keeping};
use message::{Entry, Message, Rumour};
use node::Node;
use partners::Partners;

pub use crate::unstructured::Start;
pub use config::{Config, Exchange, Spread, Stop, StopBy, Timing};

/// Users tell each other news as people spread rumours.
pub struct Gossip {
    rules: Rules,
    /// Size of what is told.
    size: Bytes,
    remember: SimDuration,
    answer_timeout: SimDuration,
    partners: Partners,
    /// When users join, if they do.
    join_within: Option<Seconds>,
    /// What each user's device knows, by the number of the user.
    nodes: Vec<Node>,
    /// Broadcasts that a device works at before it tells them, with the attempt.
    preparing: BTreeSet<(NodeId, RequestId, u32)>,
    /// For the lines of a message while it is written.
    lines: Vec<Entry>,
}

/// What a user's device reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// Call somebody.
    Call,
    /// Compare all that it knows with somebody.
    Repair,
    /// Swap neighbours with somebody.
    Swap,
    /// The work of this attempt at a broadcast is done.
    Ready(RequestId, u32),
}

impl Architecture for Gossip {
    const KIND: &'static str = "gossip";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str =
        "users tell others at random, who tell others, until all have heard";
    const SERVES: &'static [RequestKind] = &[RequestKind::Broadcast];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        let users = cast.user_count();
        config.check(users.saturating_sub(1))?;
        let rules = config.rules();
        Ok(Self {
            rules,
            size: cast.object_size(),
            remember: SimDuration::from(rules.remember),
            answer_timeout: SimDuration::from(rules.answer_timeout),
            partners: partners(config, *cast, rng)?,
            join_within: rules.join_within,
            nodes: vec![Node::default(); users as usize],
            preparing: BTreeSet::new(),
            lines: Vec::new(),
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let rules = config.rules();
        let others = match config.view_size(cast.user_count().saturating_sub(1)) {
            None => "all other users".to_owned(),
            Some(view) => format!("{view} other users, chosen at random,"),
        };
        let knows = match (config.start, &config.bootstrap) {
            (Start::Converged, _) => format!("every user knows {others} from the start"),
            (Start::Join, None) => "users know nobody at the start but the first user's device, \
                                    and join through it"
                .into(),
            (Start::Join, Some(name)) => format!(
                "users know nobody at the start but \"{name}\", which tells them of others, and \
                 join through it"
            ),
        };
        let mut premises = vec![
            knows,
            "users' uplinks carry the broadcasts; a user who has heard passes on what others told"
                .into(),
            format!(
                "users' clocks agree to the second, and what was told is forgotten {} later",
                rules.remember
            ),
        ];
        if rules.polls() {
            premises.push("every user calls others even when there is no news".into());
        }
        if let Some(swap) = rules.swap {
            premises.push(format!(
                "every user swaps neighbours with another every {swap}"
            ));
        }
        premises
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        mesh::machines(config.bootstrap.as_deref(), *cast)
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.partners.overlay(node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        if let Message::View(message) = message {
            message.mentions(visit);
        }
    }

    fn state_bytes(&self) -> usize {
        let heap: usize = self.nodes.iter().map(Node::heap_bytes).sum();
        size_of_val(&*self.nodes) + heap + self.partners.bytes()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if !self.partners.is_user(node) {
            return;
        }
        self.wake(cx);
        let Some(swap) = self.rules.swap else {
            return;
        };
        let is_first = self
            .partners
            .kept_up()
            .is_some_and(|views| views.bootstrap() == node);
        let within = self.join_within.filter(|_| !is_first).unwrap_or(swap);
        let wait = SimDuration::from(within * uniform(cx.rng()));
        cx.after(wait, Timer::Swap);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        if request.work == SimDuration::ZERO {
            self.tell(request.id, cx);
            return;
        }
        match cx.work(request.work, Timer::Ready(request.id, request.attempt)) {
            Ok(()) => {
                let attempt = (cx.node(), request.id, request.attempt);
                self.preparing.insert(attempt);
            }
            Err(_) => cx.fail(request.id, Cause::Refused),
        }
    }

    /// What was told cannot be called back, but it need not be told yet.
    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let attempt = (cx.node(), request.id, request.attempt);
        self.preparing.remove(&attempt);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        if let Message::View(message) = message {
            if let Some(views) = self.partners.kept_up() {
                views.on_message(from, message, cx);
            }
            return;
        }
        self.forget(cx);
        match message {
            Message::View(_) => unreachable!("it is dealt with above"),
            Message::Rumours { asks, entries } => self.on_rumours(from, asks, &entries, cx),
            Message::Digest { asks, entries } => self.on_digest(from, asks, &entries, cx),
            Message::Answer(entries) => self.on_answer(from, &entries, cx),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() != ended.to {
            return;
        }
        let rumour = Rumour::of_label(ended.label);
        let intact = ended.ending == (Ending::Whole { intact: true });
        self.node(cx).fetched(rumour, ended.from, intact);
        if intact {
            self.on_content(ended.from, rumour, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        self.forget(cx);
        match timer {
            Timer::Swap => self.swap(cx),
            Timer::Call => self.on_call_due(cx),
            Timer::Repair => self.on_repair_due(cx),
            Timer::Ready(request, attempt) => {
                if self.preparing.remove(&(cx.node(), request, attempt)) {
                    self.tell(request, cx);
                }
            }
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        if let Some(views) = self.partners.kept_up() {
            views.on_down(cx.node(), down);
        }
        let Down::Crashed(loss) = down else {
            return;
        };
        if !self.partners.is_user(cx.node()) {
            return;
        }
        let gone = cx.node();
        self.preparing.retain(|(node, ..)| *node != gone);
        let node = self.node(cx);
        let on_disk = match loss {
            StateLoss::Kept => std::mem::take(&mut node.known),
            StateLoss::Lost => Vec::new(),
        };
        *node = Node::with(on_disk);
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        if self.partners.is_user(cx.node()) {
            self.forget(cx);
            self.wake(cx);
            self.swap(cx);
        }
    }
}

impl Gossip {
    /// Swaps neighbours with somebody, or joins, where views are kept up.
    fn swap(&mut self, cx: &mut Context<'_, Self>) {
        if let Some(views) = self.partners.kept_up() {
            views.on_due(cx);
        }
    }
}

/// Whom users know at the start, and how they keep it up.
fn partners(config: &Config, cast: Cast<'_>, rng: &mut Stream) -> Result<Partners, ConfigError> {
    let (first, users) = (cast.machine_count(), cast.user_count());
    let view = config.view_size(users.saturating_sub(1));
    let bootstrap = mesh::bootstrap(config.bootstrap.as_deref(), cast)?;
    let (Some(swap), Some(view)) = (config.rules().swap, view) else {
        return Ok(match view {
            None => Partners::all(first, users),
            Some(view) => Partners::fixed(first, users, view, rng),
        });
    };
    let keeping = Keeping {
        // A bootstrap node notes newcomers even where users have nobody to know.
        size: view.max(1) as usize,
        length: config.swap_length(view) as usize,
        period: swap.into(),
        bootstrap,
    };
    let drawn = match config.start {
        Start::Converged => partners::draw(users, view, rng),
        Start::Join => Vec::new(),
    };
    let views = (0..users as usize).map(|user| {
        let known = drawn.chunks(view.max(1) as usize).nth(user);
        let known = known.unwrap_or_default().iter();
        known.map(|other| NodeId(first + other)).collect()
    });
    Ok(Partners::kept(first, Cyclon::new(keeping, first, views)))
}
