//! Settings of a central index.

use netduel_world::{Cast, ConfigError, Seconds, Wants};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

use crate::unstructured::{Start, refuse_short, refuse_zero};

/// Settings of a central index.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Machine under `[infrastructure]` that knows who has what; the only group when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Machines under `[infrastructure]` that have what users download from the start; the only
    /// group when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Sources that the index names at most; at least 1. 100 is what Napster clients asked for
    /// (drscholl, "Napster protocol specification", 2001).
    pub sources: u32,
    /// Silence after which the index or a source is taken for dead. The time that common web clients
    /// wait for a connection.
    pub response_timeout: Seconds,
    /// Whether a broken download goes on where it stopped (HTTP range requests, RFC 9110 §14)
    /// rather than from the start.
    pub resume: bool,
    /// Whether the index knows who has what from the start, or is told.
    pub start: Start,
    /// Time between a peer's signs of life to the index. With 30 s and `missed` 3 the index forgets a
    /// dead one within 2 min, a thirtieth of the hour that peers stay (S. Saroiu, P. Gummadi,
    /// S. Gribble, "A measurement study of peer-to-peer file sharing systems", MMCN 2002).
    pub keep_alive: Seconds,
    /// Signs of life that may be missing before the index forgets a peer; at least 1.
    pub missed: u32,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half a minute is in range");
        Self {
            index: None,
            origin: None,
            sources: 100,
            response_timeout: seconds(30.0),
            resume: true,
            start: Start::default(),
            keep_alive: seconds(30.0),
            missed: 3,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        refuse_zero("sources", self.sources)?;
        refuse_zero("missed", self.missed)?;
        refuse_short("response-timeout", self.response_timeout)?;
        refuse_short("keep-alive", self.keep_alive)
    }

    /// The index machine, and the machines that have what users download.
    pub(super) fn machines(&self, cast: Cast<'_>) -> Result<[Range<u32>; 2], ConfigError> {
        let index = cast.machines("index", self.index.as_deref())?;
        let index = index.start..index.start + 1;
        if matches!(cast.wants(), Wants::Download { .. }) {
            return Ok([index, cast.machines("origin", self.origin.as_deref())?]);
        }
        if self.origin.is_some() {
            return Err(ConfigError {
                key: "origin",
                problem: "has no effect: users search for what they have themselves; expected it \
                          to be left out"
                    .into(),
            });
        }
        Ok([index, 0..0])
    }
}
