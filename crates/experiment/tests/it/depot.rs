//! The smallest architecture there is: one machine answers whoever asks, whatever they ask.

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, Stream, TransferEnded, Want, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a depot.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// How long it takes to find the object.
    pub(crate) search: Seconds,
    /// Whether it breaks an assertion when asked.
    pub(crate) broken: bool,
}

/// One machine answers whoever asks.
pub(crate) struct Depot {
    config: Config,
    first_user: u32,
    nodes: u32,
    asking: Vec<Vec<RequestId>>,
}

/// What is said to and by the depot.
#[derive(Clone, Copy)]
pub(crate) enum Message {
    Ask(Request),
    Answer(RequestId),
    Busy(RequestId),
    Tell(RequestId),
}

#[derive(Clone, Copy)]
pub(crate) enum Timer {
    Found(Request),
    Worked(Request),
}

const SIZE: Bytes = Bytes(100);

impl Depot {
    fn answer(&self, request: &Request, cx: &mut Context<'_, Self>) {
        match request.want {
            Want::Broadcast => {
                for user in self.first_user..self.nodes {
                    cx.send(NodeId(user), Message::Tell(request.id), SIZE);
                }
            }
            Want::Download(_) | Want::Lookup(_) if request.size.0 > 0 => {
                cx.transfer(request.user, request.size, u64::from(request.id.0));
            }
            _ => {
                cx.send(request.user, Message::Answer(request.id), SIZE);
            }
        }
    }

    /// Whether this node asks this; it no longer does.
    fn take(&mut self, request: RequestId, node: NodeId) -> bool {
        let asking = &mut self.asking[node.index()];
        let before = asking.len();
        asking.retain(|open| *open != request);
        asking.len() < before
    }
}

impl Architecture for Depot {
    const KIND: &'static str = "depot";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "one machine answers whoever asks";
    const SERVES: &'static [RequestKind] = &[
        RequestKind::Download,
        RequestKind::Lookup,
        RequestKind::Store,
        RequestKind::Search,
        RequestKind::Broadcast,
    ];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            config: config.clone(),
            first_user: cast.machine_count(),
            nodes: u32::try_from(cast.node_count()).unwrap(),
            asking: vec![Vec::new(); cast.node_count()],
        })
    }

    fn premises(_: &Config, _: &Cast<'_>) -> Vec<String> {
        vec!["users know where the depot is".into()]
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node != NodeId(0) {
            visit(NodeId(0));
        }
    }

    fn mentions(_: &Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.asking)
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        assert!(!self.config.broken, "this depot is broken");
        self.asking[cx.node().index()].push(request.id);
        cx.send(NodeId(0), Message::Ask(*request), SIZE);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.take(request.id, cx.node());
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Ask(request) => {
                let search = SimDuration::from(self.config.search);
                cx.after(search, Timer::Found(request));
            }
            Message::Answer(request) => {
                assert_eq!(from, NodeId(0), "the depot answers");
                if self.take(request, cx.node()) {
                    cx.serve(request);
                }
            }
            Message::Busy(request) => {
                if self.take(request, cx.node()) {
                    cx.fail(request, Cause::Refused);
                }
            }
            Message::Tell(broadcast) => cx.reached(broadcast),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        let request = RequestId(u32::try_from(ended.label).unwrap());
        if ended.to != cx.node() || !self.take(request, cx.node()) {
            return;
        }
        match ended.ending {
            Ending::Whole { .. } => cx.serve(request),
            Ending::Broken { .. } => cx.fail(request, Cause::ConnectionLost),
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Found(request) if request.work == SimDuration::ZERO => self.answer(&request, cx),
            Timer::Found(request) => {
                if cx.work(request.work, Timer::Worked(request)).is_err() {
                    cx.send(request.user, Message::Busy(request.id), SIZE);
                }
            }
            Timer::Worked(request) => self.answer(&request, cx),
        }
    }

    fn on_down(&mut self, _: Down, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()].clear();
    }

    fn on_up(&mut self, _: &mut Context<'_, Self>) {}
}
