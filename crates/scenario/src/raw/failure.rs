//! Failures as written.

use netduel_world::{Pick, Seconds, Share, StateLoss};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    either::{Either, Forms},
    law::TimeLaw,
};

/// Something that goes wrong, the same for all contenders.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Failure {
    /// When it begins.
    pub(crate) at: Seconds,
    /// How long it lasts; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lasts: Option<Seconds>,
    /// Who is hit.
    pub(crate) who: Either<Pick, WhoTable>,
    /// What happens to them.
    pub(crate) what: Either<Crash, WhatTable>,
    /// What a node still has after a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<StateLoss>,
}

/// Who is hit.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Who")]
pub(crate) enum WhoTable {
    /// The machines of one group, by its name under `[infrastructure]`.
    Machine(String),
    /// A share chosen at random.
    Random(RandomShare),
    /// The nodes that have sent most bytes by then, on whatever the contender really runs.
    MostLoaded(u32),
}

impl Forms for WhoTable {
    const EXPECTED: &'static str = "\"all\", \"infrastructure\", \"users\", \
                                    { machine = \"server\" }, \
                                    { random = { share = 0.2, of = \"users\" } } or \
                                    { most-loaded = 1 }";
}

/// A share chosen at random.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RandomShare {
    /// The share.
    pub(crate) share: Share,
    /// Among whom.
    #[serde(default)]
    pub(crate) of: Pick,
}

/// They stop without notice.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Crash {
    /// They stop without notice, and come back when the failure ends.
    Crash,
}

/// What happens to those who are hit.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "What")]
pub(crate) enum WhatTable {
    /// They come and go.
    Churn(Churn),
    /// Their links carry less than they should.
    Slow(Slow),
}

impl Forms for WhatTable {
    const EXPECTED: &'static str = "\"crash\", { churn = { session = \"1 h\", \
                                    downtime = \"10 min\" } } or { slow = { to = \"30 %\" } }";
}

/// What is left of the rates of a link.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Slow {
    /// The share of their rates, up and down, that is left; at 0 they are cut off. Shares of
    /// several failures multiply.
    pub(crate) to: Share,
}

/// Sessions and downtimes in turn.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Churn {
    /// Time on the network.
    pub(crate) session: TimeLaw,
    /// Time away.
    pub(crate) downtime: TimeLaw,
}
