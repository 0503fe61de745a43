//! What users ask for, as written.

use netduel_world::{Bytes, PerSecond, Replication, Seconds, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    either::{Either, Forms},
    law::TimeLaw,
};

/// What users ask for: exactly one of the tables.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct Demand {
    /// Users download objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) download: Option<Download>,
    /// Users look up the values of keys, or set them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lookup: Option<Lookup>,
    /// Users search for somebody who has an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) search: Option<Search>,
    /// Users tell all users something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broadcast: Option<Broadcast>,
}

/// When the users ask.
pub(crate) type Arrivals = Either<AllAtOnce, ArrivalsTable>;

/// Users download objects.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Download {
    /// How many objects there are.
    #[serde(default = "super::one")]
    #[schemars(range(min = 1))]
    pub(crate) objects: u32,
    /// How unequal their popularity is: the k-th is wanted in proportion to 1 / k^zipf; 0, all
    /// alike, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub(crate) zipf: Option<f64>,
    /// Size of each object.
    pub(crate) size: Bytes,
    /// How many requests there are, each from a user chosen at random; one from each user when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) requests: Option<u32>,
    /// When the users ask.
    pub(crate) arrivals: Arrivals,
    /// Time that answering a request takes on one core of speed 1; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<TimeLaw>,
}

/// Users look up the values of keys, or set them.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Lookup {
    /// How many keys there are. All of them have a value at the start.
    #[schemars(range(min = 1))]
    pub(crate) keys: u32,
    /// How unequal their popularity is: the k-th is wanted in proportion to 1 / k^zipf; 0, all
    /// alike, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub(crate) zipf: Option<f64>,
    /// Size of each value. One of 0 B rides in the answer.
    #[serde(default)]
    pub(crate) value: Bytes,
    /// Share of requests that look a value up; the others store one. All of them when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reads: Option<Share>,
    /// How many requests there are, each from a user chosen at random; one from each user when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) requests: Option<u32>,
    /// When the users ask.
    pub(crate) arrivals: Arrivals,
    /// Time that answering a request takes on one core of speed 1; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<TimeLaw>,
}

/// Users search for somebody who has an object.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Search {
    /// How many objects there are.
    #[schemars(range(min = 1))]
    pub(crate) objects: u32,
    /// How unequal their popularity is: the k-th is wanted in proportion to 1 / k^zipf; 0, all
    /// alike, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 10.0))]
    pub(crate) zipf: Option<f64>,
    /// How many users have an object, on average over the objects.
    #[schemars(range(min = 1.0))]
    pub(crate) replicas: f64,
    /// How copies are spread over the objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replication: Option<Rule>,
    /// How many requests there are, each from a user chosen at random; one from each user when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) requests: Option<u32>,
    /// When the users ask.
    pub(crate) arrivals: Arrivals,
    /// Time that answering a request takes on one core of speed 1; none when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) work: Option<TimeLaw>,
}

/// How copies are spread over the objects.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Replication")]
pub(crate) enum Rule {
    /// The same number of each.
    #[default]
    Uniform,
    /// In proportion to popularity.
    Proportional,
    /// In proportion to the square root of popularity.
    SquareRoot,
}

impl From<Rule> for Replication {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Uniform => Self::Uniform,
            Rule::Proportional => Self::Proportional,
            Rule::SquareRoot => Self::SquareRoot,
        }
    }
}

/// Users tell all users something.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Broadcast {
    /// Size of what is told. With 0 B it rides in a message.
    #[serde(default)]
    pub(crate) size: Bytes,
    /// How many broadcasts there are, each from a user chosen at random; one, from the first user,
    /// when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) requests: Option<u32>,
    /// When they come.
    pub(crate) arrivals: Arrivals,
}

/// All at the start.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) enum AllAtOnce {
    /// All at the start.
    #[serde(rename = "all at once")]
    AllAtOnce,
}

/// When the users ask, one after the other.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Arrivals")]
pub(crate) enum ArrivalsTable {
    /// As a Poisson process of this rate.
    Poisson(PerSecond),
    /// As a Poisson process whose rate rises to a peak, holds, and falls back, linearly.
    FlashCrowd(FlashCrowd),
    /// As a Poisson process whose rate swings as a sine, highest a quarter of a period after the
    /// start.
    Diurnal(Diurnal),
    /// Every user thinks, asks, waits for the end of the request, and begins anew.
    ClosedLoop(ClosedLoop),
    /// At recorded times: a CSV table with the column `time_s`, a row for each request or more.
    Trace(String),
}

impl Forms for ArrivalsTable {
    const EXPECTED: &'static str = "\"all at once\", { poisson = \"0.4 /s\" }, \
                                    { flash-crowd = { ... } }, { diurnal = { ... } }, \
                                    { closed-loop = { think = \"10 s\" } } or \
                                    { trace = \"arrivals.csv\" }";
}

/// A rate that rises to a peak, holds, and falls back.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FlashCrowd {
    /// Rate before and after.
    pub(crate) base: PerSecond,
    /// Rate at the height.
    pub(crate) peak: PerSecond,
    /// When the rise begins.
    pub(crate) at: Seconds,
    /// How long it rises.
    pub(crate) rise: Seconds,
    /// How long it holds.
    pub(crate) hold: Seconds,
    /// How long it falls.
    pub(crate) fall: Seconds,
}

/// A rate that swings as a sine.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Diurnal {
    /// Mean rate.
    pub(crate) mean: PerSecond,
    /// How far it swings, as a share of the mean.
    pub(crate) swing: Share,
    /// Length of one swing.
    pub(crate) period: Seconds,
}

/// Every user thinks, asks, waits for the end of the request, and begins anew.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ClosedLoop {
    /// Time that a user thinks before every request.
    pub(crate) think: TimeLaw,
}

impl Demand {
    /// The names of the tables that are there.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let there = [
            ("download", self.download.is_some()),
            ("lookup", self.lookup.is_some()),
            ("search", self.search.is_some()),
            ("broadcast", self.broadcast.is_some()),
        ];
        let there = there.into_iter().filter(|(_, there)| *there);
        there.map(|(name, _)| name).collect()
    }

    /// The name of the table that is there.
    ///
    /// # Panics
    /// When there is none, which checking has excluded.
    pub(crate) fn name(&self) -> &'static str {
        self.names()[0]
    }

    pub(crate) fn arrivals(&self) -> &Arrivals {
        let each = [
            self.download.as_ref().map(|d| &d.arrivals),
            self.lookup.as_ref().map(|d| &d.arrivals),
            self.search.as_ref().map(|d| &d.arrivals),
            self.broadcast.as_ref().map(|d| &d.arrivals),
        ];
        let arrivals = each.into_iter().flatten().next();
        arrivals.expect("checked scenarios have one demand")
    }

    pub(crate) fn requests(&self) -> Option<u32> {
        let each = [
            self.download.as_ref().and_then(|d| d.requests),
            self.lookup.as_ref().and_then(|d| d.requests),
            self.search.as_ref().and_then(|d| d.requests),
            self.broadcast.as_ref().and_then(|d| d.requests),
        ];
        each.into_iter().flatten().next()
    }

    pub(crate) fn work(&self) -> Option<&TimeLaw> {
        let each = [
            self.download.as_ref().and_then(|d| d.work.as_ref()),
            self.lookup.as_ref().and_then(|d| d.work.as_ref()),
            self.search.as_ref().and_then(|d| d.work.as_ref()),
        ];
        each.into_iter().flatten().next()
    }

    /// How many things there are to choose from, by the name of their key, and how unequal their
    /// popularity is.
    pub(crate) fn choice(&self) -> Option<(&'static str, u32, Option<f64>)> {
        let each = [
            self.download
                .as_ref()
                .map(|d| ("objects", d.objects, d.zipf)),
            self.lookup.as_ref().map(|d| ("keys", d.keys, d.zipf)),
            self.search.as_ref().map(|d| ("objects", d.objects, d.zipf)),
        ];
        each.into_iter().flatten().next()
    }
}
