//! Lets things happen: population, demand, failures, the contract of an architecture, the ledger.
//!
//! A [`World`] is drawn from a [`WorldSpec`] before any architecture exists. [`run`] lets one
//! architecture loose in it and returns what was observed, a [`RunRecord`].

mod acquaintance;
mod architecture;
mod context;
mod demand;
mod draw;
mod event;
mod failure;
mod graph;
mod kernel;
mod ledger;
mod processor;
mod reach;
mod record;
mod registry;
mod rental;
mod run;
mod spec;

pub use architecture::{Architecture, Cast, ConfigError, Down, Ending, TransferEnded};
pub use context::{Busy, Context};
pub use demand::{Arrivals, Demand, Issue, Replication, Wants};
pub use draw::{Device, World};
pub use graph::UserGraph;
pub use ledger::{
    Cause, Key, ObjectId, Outcome, Request, RequestId, RequestKind, RequestRecord, Want,
};
pub use processor::{Discipline, Processor, Worked};
pub use reach::Reach;
pub use record::{IncidentRecord, Load, RunRecord, Series, StateSize, Traffic, Victim};
pub use registry::{Contender, Kind, Registry};
pub use run::{RunError, run, run_strict};
pub use spec::{
    Access, AccessClass, AfterDownload, Failure, MachineGroup, Patience, Pick, Population,
    RetryBudget, StateLoss, What, Who, WorldKey, WorldSpec,
};

pub use netduel_engine::{Digest, Law, LawError, SimDuration, SimTime, Stream, Streams};
pub use netduel_engine::{uniform, uniform_below};
pub use netduel_network::{Latency, NodeId, RegionId, RouteError, Routers, TransferId, Trunk};
pub use netduel_units::{BitsPerSecond, Bytes, ParseError, PerHour, PerSecond, Seconds, Share};
