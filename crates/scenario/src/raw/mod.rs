//! A scenario as written: types and units are right, nothing else is checked.
//!
//! The doc comments are the descriptions in the JSON schema.

mod demand;
mod either;
mod failure;
mod law;
mod named;
mod world;

pub(crate) use demand::{AllAtOnce, ArrivalsTable, Demand, Rule};
pub(crate) use either::Either;
pub(crate) use failure::{Crash, Failure, WhatTable, WhoTable};
pub(crate) use law::{Erlang, RateLaw, RateLawTable, TimeLaw, TimeLawTable};
pub(crate) use named::Named;
pub(crate) use world::{
    AfterTable, AfterWord, LatencyTable, Machines, Network, Patience, Population, RetryBudget,
    Trunk, Written,
};

use std::collections::BTreeMap;

use netduel_world::Seconds;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One question to which Netduel finds the answer.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "Netduel scenario")]
pub(crate) struct Scenario {
    /// What figures are headed with.
    pub(crate) title: String,
    /// What is asked.
    pub(crate) question: String,
    /// The users' devices.
    pub(crate) population: Population,
    /// The machines that an operator runs, by a name of your choice.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub(crate) infrastructure: Named<Machines>,
    /// How long a bit travels.
    pub(crate) network: Network,
    /// What users ask for.
    pub(crate) demand: Demand,
    /// What users put up with before they give up.
    #[serde(default)]
    pub(crate) patience: Patience,
    /// What goes wrong, the same for all contenders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) failures: Vec<Failure>,
    /// How often, from which seed, and until when.
    #[serde(default)]
    pub(crate) experiment: Experiment,
    /// Who competes: by a label of your choice, one architecture with its settings.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(crate) contenders: Named<Named<toml::Table>>,
    /// What is varied: the values of a key that is written with dots. Several keys make a grid.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    #[schemars(with = "BTreeMap<String, Vec<serde_json::Value>>")]
    pub(crate) sweep: Named<Vec<toml::Value>>,
    /// What you expect of the results; a run fails where it does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<Claim>,
}

/// How often, from which seed, and until when.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Experiment {
    /// The seed of every draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// How many worlds are drawn at each point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replications: Option<u32>,
    /// When a run ends: once every request has ended, or after a fixed time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Until>,
    /// A run ends at this time at the latest, and what is still open fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at_most: Option<Seconds>,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Until {
    /// Once every request has ended.
    #[default]
    AllServed,
    /// At this time.
    Fixed(Seconds),
}

const ALL_SERVED: &str = "all served";

impl Serialize for Until {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AllServed => serializer.serialize_str(ALL_SERVED),
            Self::Fixed(time) => time.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Until {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == ALL_SERVED {
            return Ok(Self::AllServed);
        }
        text.parse().map(Self::Fixed).map_err(|_| {
            let expected = "\"all served\" or a time with its unit, such as \"2 h\"";
            serde::de::Error::custom(format!("found \"{text}\"; expected {expected}"))
        })
    }
}

impl JsonSchema for Until {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Until".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "\"all served\", or a time with its unit, such as \"2 h\"";
        json_schema!({ "type": "string", "description": description })
    }
}

/// An expectation that the results uphold or not.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Claim {
    /// The claim in words.
    pub(crate) text: String,
    /// A contender's metric, an operator (<, <=, >, >=), and a number or another contender's
    /// metric, times or over a number if need be.
    pub(crate) expect: String,
    /// Values of swept keys that choose where it must hold; everywhere when absent.
    #[serde(default, skip_serializing_if = "toml::Table::is_empty")]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(crate) r#where: toml::Table,
}

fn one() -> u32 {
    1
}
