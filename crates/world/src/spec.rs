//! What a world is to be, as checked values. A scenario file is one way to write it down.

use netduel_engine::{Law, SimDuration};
use netduel_network::{Latency, Routers};
use netduel_units::{BitsPerSecond, Bytes, PerHour, Seconds, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    demand::{Arrivals, Demand},
    processor::Processor,
};

/// Everything that all contenders share.
#[derive(Clone, Debug)]
pub struct WorldSpec {
    /// The users' devices.
    pub population: Population,
    /// The machines that an operator pays for.
    pub infrastructure: Vec<MachineGroup>,
    /// Names of the regions, by `RegionId`; one unnamed region when places do not matter.
    pub regions: Vec<String>,
    /// How long a bit travels, trunks apart.
    pub latency: Latency,
    /// Routers at the regions and the trunks between them; none when the core is never congested.
    pub routers: Option<Routers>,
    /// Probability that the network loses a message.
    pub message_loss: f64,
    /// Probability that one byte of a transfer arrives wrong and the transport does not notice.
    pub corruption: f64,
    /// What users ask for.
    pub demand: Demand,
    /// What users put up with.
    pub patience: Patience,
    /// What goes wrong.
    pub failures: Vec<Failure>,
    /// A run ends once every request has ended or its device is down for good, unless this is set:
    /// then exactly at that time.
    pub run_for: Option<Seconds>,
    /// A run ends at this time at the latest, and what is still open fails.
    pub at_most: Seconds,
}

impl Default for WorldSpec {
    /// A small world to start from in examples and tests: ten users at 10 Mbps up and 50 Mbps
    /// down, one `server` at 100 Mbps, 20 ms between any two, one object of 10 MB, all at once.
    fn default() -> Self {
        let rate = |bits| BitsPerSecond::new(bits).expect("some Mbps are in range");
        Self {
            population: Population {
                peers: 10,
                access: Access::Independent {
                    upload: Law::Constant(10e6),
                    download: Law::Constant(50e6),
                },
                region_shares: vec![1.0],
                free_riders: Share::default(),
                after_download: AfterDownload::Stay,
                processor: Processor::default(),
            },
            infrastructure: vec![MachineGroup {
                name: "server".into(),
                count: 1,
                upload: rate(100e6),
                download: rate(100e6),
                region: 0,
                processor: Processor::default(),
                storage: None,
                price: PerHour::default(),
            }],
            regions: vec![String::new()],
            latency: Latency::constant(SimDuration::from_seconds(0.02)),
            routers: None,
            message_loss: 0.0,
            corruption: 0.0,
            demand: Demand::one_object(Bytes(10_000_000), Arrivals::AllAtOnce),
            patience: Patience::default(),
            failures: Vec::new(),
            run_for: None,
            at_most: Seconds::new(30.0 * 86400.0).expect("a month is in range"),
        }
    }
}

/// The users' devices.
#[derive(Clone, Debug)]
pub struct Population {
    /// How many users, each with one device.
    pub peers: u32,
    /// Their access rates.
    pub access: Access,
    /// Share of users in each region, by `RegionId`.
    pub region_shares: Vec<f64>,
    /// Share of users whose device gives nothing back.
    pub free_riders: Share,
    /// What a user does once the download is complete.
    pub after_download: AfterDownload,
    /// What each device computes with.
    pub processor: Processor,
}

/// How access rates are drawn, in bits per second.
#[derive(Clone, Debug)]
pub enum Access {
    /// Upload and download rates independently.
    Independent {
        /// Law of the upload rate.
        upload: Law,
        /// Law of the download rate.
        download: Law,
    },
    /// Both rates together, by class of access.
    Classes(Vec<AccessClass>),
}

/// One kind of access line.
#[derive(Clone, Copy, Debug)]
pub struct AccessClass {
    /// Share of users who have it.
    pub share: f64,
    /// Its upload rate.
    pub upload: BitsPerSecond,
    /// Its download rate.
    pub download: BitsPerSecond,
}

/// What a user does once the download is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum AfterDownload {
    /// The device stays on the network.
    #[default]
    Stay,
    /// The device leaves for good at once, and says so.
    Leave,
    /// The device stays for a time and then leaves for good, and says so.
    Linger(Seconds),
}

/// Machines of one kind that an operator runs.
#[derive(Clone, Debug)]
pub struct MachineGroup {
    /// Their name; of several machines the first is `name-1`.
    pub name: String,
    /// How many.
    pub count: u32,
    /// Rate of each machine's link to the network.
    pub upload: BitsPerSecond,
    /// Rate of each machine's link from the network.
    pub download: BitsPerSecond,
    /// Where they are.
    pub region: u16,
    /// What each computes with.
    pub processor: Processor,
    /// What each can keep on its disk; as much as it likes when absent.
    pub storage: Option<Bytes>,
    /// What each costs while it is rented, whether it is up or down.
    pub price: PerHour,
}

/// What users put up with before they give up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// A request that is not served this long after it was issued has failed.
    pub deadline: Option<Seconds>,
    /// An attempt that has not come to an end after this long is given up.
    pub timeout: Option<Seconds>,
    /// How often a user asks again after a failed attempt.
    pub retries: u32,
    /// Wait before the first retry.
    pub backoff: Seconds,
    /// Every further wait is this many times longer.
    pub backoff_factor: f64,
    /// No wait is longer than this, before jitter.
    pub backoff_max: Seconds,
    /// Every wait is drawn uniformly within this share of its length.
    pub backoff_jitter: Share,
    /// How much a user may retry in all; as much as `retries` allows when absent.
    pub budget: Option<RetryBudget>,
}

/// A budget for retries: every failed attempt takes a token, every served request brings back a
/// part of one, and while no more than half of the tokens are left a user does not ask again.
///
/// # Source
/// gRPC proposal A6, "Client retries", retry throttling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Tokens at the start and at most; at least 1.
    pub tokens: u32,
    /// Tokens that a served request brings back.
    pub ratio: f64,
}

impl Default for Patience {
    /// No deadline, ten retries, and the waits of the gRPC connection backoff protocol
    /// (github.com/grpc/grpc, doc/connection-backoff.md): 1 s, growing by 1.6 up to 120 s, all
    /// within 20 %.
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("a short time is in range");
        Self {
            deadline: None,
            timeout: None,
            retries: 10,
            backoff: seconds(1.0),
            backoff_factor: 1.6,
            backoff_max: seconds(120.0),
            backoff_jitter: Share::new(0.2).expect("0.2 is a share"),
            budget: None,
        }
    }
}

/// Something that goes wrong, the same for all contenders.
#[derive(Clone, Debug)]
pub struct Failure {
    /// When it begins.
    pub at: Seconds,
    /// How long it lasts; for ever when absent.
    pub lasts: Option<Seconds>,
    /// Who is hit.
    pub who: Who,
    /// What happens to them.
    pub what: What,
}

/// Who is hit by a failure.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// All infrastructure machines, or all users' devices, or both.
    Role(Pick),
    /// The machines of one group, by its name.
    Machine(String),
    /// A share chosen at random.
    Random {
        /// The share.
        share: Share,
        /// Among whom.
        of: Pick,
    },
    /// The nodes that have sent most bytes by then, on whatever the contender really runs.
    MostLoaded(u32),
}

/// A role, or any.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// Nodes of every role.
    #[default]
    All,
    /// Machines that an operator runs.
    Infrastructure,
    /// Users' devices.
    Users,
}

/// What happens to those who are hit.
#[derive(Clone, Debug)]
pub enum What {
    /// They stop without notice, and come back when the failure ends.
    Crash(StateLoss),
    /// They come and go: sessions and downtimes in turn, in seconds. A user's first session
    /// begins with its request.
    Churn {
        /// Law of the time on the network.
        session: Law,
        /// Law of the time away.
        downtime: Law,
    },
    /// Their links carry this share of their rates, both ways; of 0, nothing at all. Of several
    /// at once the shares multiply.
    Slow(Share),
}

/// What a node still has after it was down.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateLoss {
    /// What was on its disk.
    #[default]
    Kept,
    /// Nothing.
    Lost,
}

/// An optional part of a world that only some architectures take notice of.
///
/// A scenario that sets one while no contender takes notice of it is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WorldKey {
    /// `population.free-riders`.
    FreeRiders,
    /// `population.after-download`.
    AfterDownload,
    /// `patience.retries` and the waits between them: whether attempts can fail.
    Retries,
    /// `demand.*.work` and processors: whether answering takes a processor.
    Work,
    /// `infrastructure.*.storage`: whether what machines keep may fill their disks.
    Storage,
}
