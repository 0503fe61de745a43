//! The world as written, failures apart.

use netduel_world::{BitsPerSecond, Bytes, PerSecond, Seconds, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    either::{Either, Forms},
    law::RateLaw,
    named::Named,
};

/// The users' devices.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Population {
    /// How many users, each with one device and one request.
    #[schemars(range(min = 1))]
    pub(crate) peers: u32,
    /// Rate from the device to the network; or use `access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<RateLaw>,
    /// Rate from the network to the device; or use `access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) download: Option<RateLaw>,
    /// Both rates together, from a CSV table with the columns share, `download_kbps` and
    /// `upload_kbps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access: Option<TableFile>,
    /// Where users live: a CSV table with the columns region and share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) regions: Option<TableFile>,
    /// Share of users whose device gives nothing back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) free_riders: Option<Share>,
    /// What a user does once the download is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_download: Option<Either<AfterWord, AfterTable>>,
}

/// A CSV table.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TableFile {
    /// The file, relative to the scenario file.
    pub(crate) table: String,
}

/// What a user does once the download is complete.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AfterWord {
    /// The device stays on the network.
    Stay,
    /// The device leaves for good at once.
    Leave,
}

/// What a user does once the download is complete.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AfterTable {
    /// The device stays for this time and then leaves for good.
    Linger(Seconds),
}

impl Forms for AfterTable {
    const EXPECTED: &'static str = "\"stay\", \"leave\" or { linger = \"10 min\" }";
}

/// Machines of one kind that an operator runs.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Machines {
    /// How many.
    #[serde(default = "one")]
    #[schemars(range(min = 1))]
    pub(crate) count: u32,
    /// Rate of each machine's link to the network.
    pub(crate) upload: BitsPerSecond,
    /// Rate of each machine's link from the network.
    pub(crate) download: BitsPerSecond,
    /// Where they are; required when the scenario has regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

fn one() -> u32 {
    1
}

/// How long a bit travels, and whether it arrives as it was sent.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Network {
    /// One-way latency between any two devices, or between regions; that of trunks comes on top.
    pub(crate) latency: Either<Seconds, LatencyTable>,
    /// Links between routers, by a name of your choice: transfers share those on their way. Every
    /// region is at the router of its name. Without trunks the core is never congested.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub(crate) trunks: Named<Trunk>,
    /// The same from a CSV table with the columns from, to, `rate_kbps` and `latency_ms`, relative
    /// to the scenario file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trunk_table: Option<String>,
    /// Probability that a byte of a transfer arrives wrong and the transport does not notice.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 0.001))]
    pub(crate) corruption: f64,
}

/// A link between two routers. One that is given in one direction holds for both.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Trunk {
    /// The router where it begins: a region or another name.
    pub(crate) from: String,
    /// The router where it ends.
    pub(crate) to: String,
    /// What it carries, in each direction that it holds for.
    pub(crate) rate: BitsPerSecond,
    /// How long a bit takes over it.
    pub(crate) latency: Seconds,
}

/// One-way latency: `constant` or `regions`.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Latency")]
pub(crate) struct LatencyTable {
    /// The same latency between any two devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) constant: Option<Seconds>,
    /// A CSV table with the columns from, to and `latency_ms`, relative to the scenario file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) regions: Option<String>,
    /// Every message draws its latency within this share of the mean.
    #[serde(default)]
    pub(crate) jitter: Share,
}

impl Forms for LatencyTable {
    const EXPECTED: &'static str = "a time with its unit, such as \"20 ms\", or \
                                    { constant = \"20 ms\", jitter = 0.2 }, or \
                                    { regions = \"latency.csv\" }";
}

/// What users ask for.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Demand {
    /// Every user downloads the same object once.
    pub(crate) download: Download,
}

/// Every user downloads the same object once.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Download {
    /// How many objects there are; this version knows 1 only.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1))]
    pub(crate) objects: u32,
    /// Size of the object.
    pub(crate) size: Bytes,
    /// When the users ask for it.
    pub(crate) arrivals: Either<AllAtOnce, ArrivalsTable>,
}

/// All users at the start.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub(crate) enum AllAtOnce {
    /// All users at the start.
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
    /// At recorded times: a CSV table with the column `time_s`, a row for each user or more.
    Trace(String),
}

impl Forms for ArrivalsTable {
    const EXPECTED: &'static str =
        "\"all at once\", { poisson = \"0.4 /s\" } or { trace = \"arrivals.csv\" }";
}

/// What users put up with before they give up.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Patience {
    /// A request that is not served this long after it was issued has failed; no limit when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Seconds>,
    /// How often a user asks again after a failed attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<u32>,
    /// Wait before the first retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff: Option<Seconds>,
    /// Every further wait is this many times longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1.0))]
    pub(crate) backoff_factor: Option<f64>,
    /// No wait is longer than this, before jitter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_max: Option<Seconds>,
    /// Every wait is drawn within this share of its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_jitter: Option<Share>,
}
