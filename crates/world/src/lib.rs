//! Lets things happen: population, demand, failures, the contract of an architecture, the ledger.
//!
//! A [`World`] is drawn from a [`WorldSpec`] before any architecture exists. [`run`] lets one
//! architecture loose in it and returns what was observed, a [`RunRecord`].

mod architecture;
mod context;
mod draw;
mod failure;
mod ledger;
mod record;
mod registry;
mod run;
mod spec;

pub use architecture::{Architecture, Cast, ConfigError, Down, Ending, TransferEnded};
pub use context::{Context, Posted};
pub use draw::{Device, World};
pub use ledger::{Cause, Outcome, Request, RequestId, RequestRecord};
pub use record::{IncidentRecord, Load, RunRecord, Series, Traffic, Victim};
pub use registry::{Contender, Kind, Registry};
pub use run::{RunError, run};
pub use spec::{
    Access, AccessClass, AfterDownload, Arrivals, Failure, MachineGroup, Patience, Pick,
    Population, StateLoss, What, Who, WorldKey, WorldSpec,
};

pub use netduel_engine::{Digest, Law, LawError, SimDuration, SimTime, Stream, Streams};
pub use netduel_engine::{uniform, uniform_below};
pub use netduel_network::{Latency, NodeId, RegionId, RouteError, Routers, TransferId, Trunk};
pub use netduel_units::{BitsPerSecond, Bytes, ParseError, PerSecond, Seconds, Share};
