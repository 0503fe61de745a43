//! Two designs that do nothing, one of each family.

use std::ops::Range;

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, NodeId, Registry, Request, RequestKind,
    Stream, TransferEnded, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.add::<Hub>().add::<Flock>();
    registry
}

/// The same with one that can be asked for everything.
pub(crate) fn registry_of_all() -> Registry {
    let mut registry = registry();
    registry.add::<Oracle>();
    registry
}

/// Implements the handlers of a design that does nothing.
macro_rules! idle {
    () => {
        type Message = ();
        type Timer = ();

        fn overlay(&self, _: NodeId, _: &mut dyn FnMut(NodeId)) {}
        fn mentions((): &(), _: &mut dyn FnMut(NodeId)) {}
        fn state_bytes(&self) -> usize {
            0
        }
        fn on_request(&mut self, _: &Request, _: &mut Context<'_, Self>) {}
        fn on_abandoned(&mut self, _: &Request, _: &mut Context<'_, Self>) {}
        fn on_message(&mut self, _: NodeId, (): (), _: &mut Context<'_, Self>) {}
        fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {}
        fn on_timer(&mut self, (): (), _: &mut Context<'_, Self>) {}
        fn on_down(&mut self, _: Down, _: &mut Context<'_, Self>) {}
        fn on_up(&mut self, _: &mut Context<'_, Self>) {}
    };
}

/// Asks a machine.
pub(crate) struct Hub;

/// Settings of the hub.
#[derive(Clone, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct HubConfig {
    /// The machines that serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    machines: Option<String>,
    /// Transfers at a time.
    slots: u32,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            machines: None,
            slots: 100,
        }
    }
}

impl Architecture for Hub {
    const KIND: &'static str = "hub";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "Everybody asks one machine.";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::Retries];
    type Config = HubConfig;

    fn assemble(config: &HubConfig, cast: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        cast.machines("machines", config.machines.as_deref())?;
        Ok(Self)
    }

    fn premises(_: &HubConfig, _: &Cast<'_>) -> Vec<String> {
        vec!["users know the machine's address".into()]
    }

    fn machines(config: &HubConfig, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        Ok(vec![cast.machines("machines", config.machines.as_deref())?])
    }

    idle!();
}

/// Asks the others.
pub(crate) struct Flock;

/// Settings of the flock, read leniently.
#[derive(Clone, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FlockConfig {
    /// Size of a piece.
    piece: Bytes,
    /// The machines that have the object at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seeds: Option<String>,
    /// Neighbours of a user.
    #[serde(default = "four")]
    neighbours: u32,
}

fn four() -> u32 {
    4
}

impl Architecture for Flock {
    const KIND: &'static str = "flock";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "Users ask each other.";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::FreeRiders];
    type Config = FlockConfig;

    fn assemble(
        config: &FlockConfig,
        cast: &Cast<'_>,
        _: &mut Stream,
    ) -> Result<Self, ConfigError> {
        cast.machines("seeds", config.seeds.as_deref())?;
        if config.neighbours > cast.user_count() {
            return Err(ConfigError {
                key: "neighbours",
                problem: format!("is more than the {} users", cast.user_count()),
            });
        }
        Ok(Self)
    }

    fn premises(_: &FlockConfig, _: &Cast<'_>) -> Vec<String> {
        vec!["users know a seed's address".into()]
    }

    fn machines(config: &FlockConfig, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        Ok(vec![cast.machines("seeds", config.seeds.as_deref())?])
    }

    idle!();
}

/// Knows everything.
pub(crate) struct Oracle;

/// The oracle has no settings.
#[derive(Clone, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OracleConfig {}

impl Architecture for Oracle {
    const KIND: &'static str = "oracle";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "Somebody knows everything.";
    const SERVES: &'static [RequestKind] = &[
        RequestKind::Download,
        RequestKind::Lookup,
        RequestKind::Store,
        RequestKind::Search,
        RequestKind::Broadcast,
    ];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work, WorldKey::AfterDownload];
    type Config = OracleConfig;

    fn assemble(_: &OracleConfig, _: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self)
    }

    fn premises(_: &OracleConfig, _: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    idle!();
}
