//! The smallest architecture there is: one machine sends the object to whoever asks.

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, Stream, TransferEnded, WorldKey,
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

/// One machine sends the object to whoever asks.
pub(crate) struct Depot {
    config: Config,
    object: Bytes,
    asking: Vec<Option<RequestId>>,
}

impl Architecture for Depot {
    const KIND: &'static str = "depot";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "one machine sends the object to whoever asks";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::Retries];
    type Config = Config;
    type Message = ();
    type Timer = NodeId;

    fn assemble(config: &Config, cast: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            config: config.clone(),
            object: cast.object_size(),
            asking: vec![None; cast.node_count()],
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

    fn mentions((): &(), _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.asking)
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        assert!(!self.config.broken, "this depot is broken");
        self.asking[cx.node().index()] = Some(request.id);
        cx.send(NodeId(0), (), Bytes(100));
    }

    fn on_abandoned(&mut self, _: &Request, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()] = None;
    }

    fn on_message(&mut self, from: NodeId, (): (), cx: &mut Context<'_, Self>) {
        cx.after(SimDuration::from(self.config.search), from);
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if ended.to != cx.node() {
            return;
        }
        let Some(request) = self.asking[cx.node().index()].take() else {
            return;
        };
        match ended.ending {
            Ending::Whole { .. } => cx.serve(request),
            Ending::Broken { .. } => cx.fail(request, Cause::ConnectionLost),
        }
    }

    fn on_timer(&mut self, client: NodeId, cx: &mut Context<'_, Self>) {
        cx.transfer(client, self.object, 0);
    }

    fn on_down(&mut self, _: Down, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()] = None;
    }

    fn on_up(&mut self, _: &mut Context<'_, Self>) {}
}
