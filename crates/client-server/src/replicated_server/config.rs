//! Settings of replicated servers.

use netduel_world::{Cast, ConfigError, NodeId, Seconds, Share};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reception::Limits;

/// Settings of replicated servers.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the machines under `[infrastructure]` that serve; the only ones when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub servers: Option<String>,
    /// Name of the one or two machines that balance; the first server does when left out. Of two
    /// the second stands by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<String>,
    /// Which server gets a request: "round-robin", "random", "least-connections", or the one with
    /// the fewest connections of some that are drawn, { sampled = 2 } (M. Mitzenmacher, "The power
    /// of two choices in randomized load balancing", IEEE TPDS 12(10), 2001).
    pub balancing: Balancing,
    /// Time between two health checks of a server. This and the thresholds are the defaults of the
    /// load balancer `HAProxy` (configuration manual, `inter`, `fall`, `rise`).
    pub check_interval: Seconds,
    /// Failed checks in a row after which a server gets no more requests; at least 1.
    pub check_fall: u32,
    /// Good checks in a row after which it gets requests again; at least 1.
    pub check_rise: u32,
    /// When a store is acknowledged: when the "backups" have it, or "at-once".
    pub acknowledge: Acknowledge,
    /// Requests served at once by each server; at least 1.
    pub connections: u32,
    /// Clients that may wait for a connection of each server.
    pub queue: u32,
    /// Silence after which a client takes the balancer or its server for dead.
    pub response_timeout: Seconds,
    /// Whether a broken download goes on where it stopped (HTTP range requests, RFC 9110 §14)
    /// rather than from the start.
    pub resume: bool,
    /// Rents and releases servers as their load rises and falls; all are rented all the time when
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Moves to bigger machines when the load rises; never when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
}

/// Which server gets a request.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Balancing {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any.
    Random,
    /// The one with the fewest connections.
    LeastConnections,
    /// The one with the fewest connections of so many drawn at random; at least 2.
    Sampled(u32),
}

/// When a store is acknowledged.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledge {
    /// When all backups in service have it.
    #[default]
    Backups,
    /// When the primary has it.
    AtOnce,
}

/// When servers are rented and released: as the Kubernetes horizontal pod autoscaler does, whose
/// defaults these are (its documentation, "Algorithm details").
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Autoscaling {
    /// Servers rented at the start, and at least; at least 1.
    pub least: u32,
    /// Servers rented at most; all of the group when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Load that is aimed at: the share of a server's processor or uplink that is busy, whichever
    /// is larger, on average over the servers in use. Within a tenth of it nothing changes.
    pub target: Share,
    /// Time between two looks at the load.
    pub period: Seconds,
    /// Time from renting a machine until it answers. 97 s is the mean that M. Mao and M. Humphrey
    /// measured in a public cloud ("A performance study on the VM startup time in the cloud", IEEE
    /// CLOUD 2012).
    pub delay: Seconds,
    /// How long fewer servers must have been enough before one is released.
    pub calm: Seconds,
}

/// When the servers are replaced by bigger machines.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Upgrade {
    /// Name of the bigger machines under `[infrastructure]`.
    pub to: String,
    /// Load of the servers in use above which the bigger machines are rented.
    pub above: Share,
    /// Time from renting a machine until it answers.
    #[serde(default = "delay")]
    pub delay: Seconds,
}

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).expect("a short time is in range")
}

fn delay() -> Seconds {
    seconds(97.0)
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            least: 1,
            most: None,
            target: Share::new(0.8).expect("0.8 is a share"),
            period: seconds(15.0),
            delay: delay(),
            calm: seconds(300.0),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: None,
            balancer: None,
            balancing: Balancing::default(),
            check_interval: seconds(2.0),
            check_fall: 3,
            check_rise: 2,
            acknowledge: Acknowledge::default(),
            connections: 10_000,
            queue: 511,
            response_timeout: seconds(30.0),
            resume: true,
            autoscaling: None,
            upgrade: None,
        }
    }
}

/// Which machines do what.
#[derive(Clone, Debug)]
pub(super) struct Roles {
    pub(super) balancers: Vec<NodeId>,
    /// Those of the first group, then the bigger ones.
    pub(super) servers: Vec<NodeId>,
    /// How many of them are bigger ones.
    pub(super) bigger: usize,
    /// The place of each machine among the servers.
    pub(super) places: Box<[Option<u16>]>,
}

fn error(key: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError {
        key,
        problem: problem.into(),
    }
}

impl Config {
    pub(super) fn roles(&self, cast: Cast<'_>) -> Result<Roles, ConfigError> {
        let servers = cast.machines("servers", self.servers.as_deref())?;
        let mut all: Vec<NodeId> = servers.clone().map(NodeId).collect();
        let bigger = match &self.upgrade {
            Some(upgrade) => cast.machines("upgrade", Some(&upgrade.to))?,
            None => 0..0,
        };
        if bigger.clone().any(|machine| servers.contains(&machine)) {
            return Err(error("upgrade", "names the machines that serve already"));
        }
        all.extend(bigger.clone().map(NodeId));
        let balancers = match &self.balancer {
            Some(name) => cast.machines("balancer", Some(name))?,
            None => servers.start..servers.start + 1,
        };
        if balancers.len() > 2 {
            let count = balancers.len();
            return Err(error(
                "balancer",
                format!("names {count} machines; expected 1 or 2"),
            ));
        }
        let balancers: Vec<NodeId> = balancers.map(NodeId).collect();
        if self.balancer.is_some() && balancers.iter().any(|balancer| all.contains(balancer)) {
            return Err(error("balancer", "names machines that serve"));
        }
        if self.balancer.is_none() && (self.autoscaling.is_some() || self.upgrade.is_some()) {
            return Err(error(
                "balancer",
                "is left out; renting and releasing servers needs one that stays",
            ));
        }
        let mut places = vec![None; cast.machine_count() as usize];
        for (place, server) in (0..).zip(&all) {
            places[server.index()] = Some(place);
        }
        Ok(Roles {
            balancers,
            places: places.into(),
            servers: all,
            bigger: bigger.len(),
        })
    }

    pub(super) fn check(&self, roles: &Roles) -> Result<Limits, ConfigError> {
        let limits = Limits::check(self.connections, self.queue, self.response_timeout)?;
        let count = u32::try_from(roles.servers.len() - roles.bigger).expect("few machines");
        if let Balancing::Sampled(choices) = self.balancing
            && !(2..=count).contains(&choices)
        {
            let problem = match count {
                0 | 1 => format!(
                    "samples {choices} servers where there is {count}; expected another way, or \
                     more servers"
                ),
                _ => {
                    format!("samples {choices} servers; expected from 2 to {count}, all there are")
                }
            };
            return Err(error("balancing", problem));
        }
        if self.check_interval.get() == 0.0 {
            return Err(error("check-interval", "is 0 s; expected a time above 0"));
        }
        for (key, threshold) in [
            ("check-fall", self.check_fall),
            ("check-rise", self.check_rise),
        ] {
            if threshold == 0 {
                return Err(error(key, "is 0; expected at least 1"));
            }
        }
        if let Some(autoscaling) = &self.autoscaling {
            let most = autoscaling.most.unwrap_or(count);
            if autoscaling.least == 0 || autoscaling.least > most || most > count {
                let least = autoscaling.least;
                return Err(error(
                    "autoscaling",
                    format!(
                        "rents {least} to {most} servers; expected from 1 to {count}, all there are"
                    ),
                ));
            }
            if autoscaling.period.get() == 0.0 || autoscaling.target.get() == 0.0 {
                return Err(error(
                    "autoscaling",
                    "has a period or a target of 0; expected more",
                ));
            }
        }
        Ok(limits)
    }
}
