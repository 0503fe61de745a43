//! The world as written, failures apart.

use netduel_world::{BitsPerSecond, Bytes, Discipline, PerHour, Processor, Seconds, Share};
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
    /// How many users, each with one device.
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
    /// Pieces of work that a device does at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) cores: Option<u32>,
    /// Speed of each core, as a multiple of the core on which work is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<f64>,
    /// Pieces of work that may wait for a core; more are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<u32>,
    /// Who gets a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) discipline: Option<Discipline>,
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
    #[serde(default = "super::one")]
    #[schemars(range(min = 1))]
    pub(crate) count: u32,
    /// Rate of each machine's link to the network.
    pub(crate) upload: BitsPerSecond,
    /// Rate of each machine's link from the network.
    pub(crate) download: BitsPerSecond,
    /// Where they are; required when the scenario has regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// What each can keep on its disk; as much as it likes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<Bytes>,
    /// What each costs while it is rented, in a currency of your choice; nothing when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<PerHour>,
    /// Pieces of work that each does at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub(crate) cores: Option<u32>,
    /// Speed of each core, as a multiple of the core on which work is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<f64>,
    /// Pieces of work that may wait for a core; more are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue: Option<u32>,
    /// Who gets a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) discipline: Option<Discipline>,
}

/// What of a processor is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) cores: Option<u32>,
    pub(crate) speed: Option<f64>,
    pub(crate) queue: Option<u32>,
    pub(crate) discipline: Option<Discipline>,
}

impl Written {
    /// The keys of a processor.
    pub(crate) const KEYS: [&'static str; 4] = ["cores", "speed", "queue", "discipline"];

    /// With every default filled in.
    pub(crate) fn processor(self) -> Processor {
        let default = Processor::default();
        Processor {
            cores: self.cores.unwrap_or(default.cores),
            speed: self.speed.unwrap_or(default.speed),
            queue: self.queue.unwrap_or(default.queue),
            discipline: self.discipline.unwrap_or(default.discipline),
        }
    }
}

macro_rules! has_processor {
    ($($table:ty),*) => {$(
        impl $table {
            /// What of its processor is written.
            pub(crate) fn written(&self) -> Written {
                Written {
                    cores: self.cores,
                    speed: self.speed,
                    queue: self.queue,
                    discipline: self.discipline,
                }
            }

            /// Writes all of its processor.
            pub(crate) fn write(&mut self, processor: Processor) {
                self.cores = Some(processor.cores);
                self.speed = Some(processor.speed);
                self.queue = Some(processor.queue);
                self.discipline = Some(processor.discipline);
            }
        }
    )*};
}

has_processor!(Population, Machines);

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
    /// Share of messages that the network loses. Over a connection they are sent again after a
    /// timeout; `chord`, `kademlia` and `gossip` send datagrams, which are lost for good.
    #[serde(default)]
    pub(crate) message_loss: Share,
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

/// What users put up with before they give up.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Patience {
    /// A request that is not served this long after it was issued has failed; no limit when
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deadline: Option<Seconds>,
    /// An attempt that has not come to an end after this long is given up; no limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Seconds>,
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
    /// How much a user may retry in all; as much as `retries` allows when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_budget: Option<RetryBudget>,
}

/// Every failed attempt takes a token, every served request brings back a part of one, and while no
/// more than half of the tokens are left a user does not ask again.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RetryBudget {
    /// Tokens at the start and at most.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) tokens: u32,
    /// Tokens that a served request brings back.
    #[schemars(range(min = 0.0))]
    pub(crate) ratio: f64,
}
