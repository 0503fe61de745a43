//! Settings of a swarm.

use std::ops::Range;

use netduel_world::{Bytes, Cast, ConfigError, NodeId, Seconds, SimDuration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kademlia::{self, KEPT};

/// Settings of a swarm.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Size of a piece; the last one may be smaller. 256 KiB is the common size since BEP 3.
    pub piece: Bytes,
    /// Machines under `[infrastructure]` that have the object from the start; the only group when
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Machine under `[infrastructure]` that knows who takes part; the first origin when left out.
    /// Only with `directory` = `tracker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracker: Option<String>,
    /// Addresses that the tracker hands out, or that a peer takes from a distributed directory; at
    /// least 1. BEP 3 trackers hand out 50.
    pub neighbours: u32,
    /// Neighbours that a peer accepts in all, half of which it looks for itself; 2 to 64. Clients differ: 50 in
    /// Transmission, 80 in the mainline client (A. Legout, G. Urvoy-Keller, P. Michiardi, "Rarest
    /// first and choke algorithms are enough", IMC 2006).
    pub connections: u32,
    /// Neighbours that a peer serves for what they give, beside one optimistic; at least 1.
    /// BEP 3: four. Whoever has everything serves twice as many while its uplink is not full.
    pub slots: u32,
    /// Time between two reviews of whom to serve; 1 s to 1 h. BEP 3: 10 s.
    pub choke_interval: Seconds,
    /// Reviews after which the optimistic slot moves on; at least 1. BEP 3: every 30 s.
    pub optimistic_rounds: u32,
    /// Pieces that a neighbour gets from a peer with the whole object before another has its turn;
    /// 1 to 65,535. 20 in libtorrent (`seeding_piece_quota`).
    pub turn: u32,
    /// Which of the pieces that a neighbour can give is asked for.
    pub choice: Choice,
    /// Whether the last piece is asked for from one more neighbour when it is late.
    pub end_game: bool,
    /// Whether neighbours tell each other once a minute whom else they are connected to (BEP 11).
    pub peer_exchange: bool,
    /// Where peers find each other.
    pub directory: Directory,
    /// Settings of a distributed directory, those of `kademlia`; BEP 5's when left out: `k` = 8, or
    /// the number of nodes when they are fewer, `refresh` = 15 min, and `contact-timeout` = 1 s, or
    /// three times the longest round trip between an origin and a user where that is longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distributed: Option<kademlia::Config>,
    /// Time between a peer's reports to the tracker, or to the distributed directory. When left out
    /// 30 min, as BEP 3 trackers ask for, or 15 min (`dht_announce_interval` in libtorrent).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announce_interval: Option<Seconds>,
}

/// Where peers find each other.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directory {
    /// A machine knows who takes part (BEP 3).
    #[default]
    Tracker,
    /// The users' devices and the origins keep a table of who takes part in what (BEP 5).
    Distributed,
}

/// Which piece is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The one that fewest neighbours are known to have.
    #[default]
    RarestFirst,
    /// Any.
    Random,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half an hour is in range");
        Self {
            piece: Bytes(256 * 1024),
            origin: None,
            tracker: None,
            neighbours: 50,
            connections: CONNECTIONS_MAX,
            slots: 4,
            choke_interval: seconds(10.0),
            optimistic_rounds: 3,
            turn: 20,
            choice: Choice::default(),
            end_game: true,
            peer_exchange: false,
            directory: Directory::default(),
            distributed: None,
            announce_interval: None,
        }
    }
}

/// A peer keeps one bit per connection for each piece, in a word of 64.
const CONNECTIONS_MAX: u32 = 64;

/// Seconds. Neighbours are looked after at each review, and how long they were silent is counted in 16 bits.
const CHOKE_INTERVAL_MAX: f64 = 3600.0;

impl Config {
    /// Checks what can be checked without a cast.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |key, problem: &str| {
            Err(ConfigError {
                key,
                problem: problem.into(),
            })
        };
        if self.piece.0 == 0 {
            return refuse("piece", "is 0 B; expected a size above 0");
        }
        let counts = [
            ("neighbours", self.neighbours),
            ("slots", self.slots),
            ("optimistic-rounds", self.optimistic_rounds),
            ("turn", self.turn),
        ];
        for (key, count) in counts {
            if count == 0 {
                return refuse(key, "is 0; expected at least 1");
            }
        }
        if u16::try_from(self.turn).is_err() {
            let problem = format!("is {}; expected at most {}", self.turn, u16::MAX);
            return Err(ConfigError {
                key: "turn",
                problem,
            });
        }
        if !(2..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(ConfigError {
                key: "connections",
                problem: format!("is {}; expected 2 to {CONNECTIONS_MAX}", self.connections),
            });
        }
        let times = [
            ("choke-interval", self.choke_interval),
            ("announce-interval", self.announce_interval()),
        ];
        for (key, time) in times {
            if time.get() < 1.0 {
                return refuse(key, "is too short; expected at least 1 s");
            }
        }
        if self.choke_interval.get() > CHOKE_INTERVAL_MAX {
            return refuse("choke-interval", "is too long; expected at most 1 h");
        }
        match self.directory {
            Directory::Tracker if self.distributed.is_some() => refuse(
                "distributed",
                "has no effect while `directory` is \"tracker\"",
            ),
            Directory::Distributed if self.tracker.is_some() => refuse(
                "tracker",
                "names a machine that nobody asks while `directory` is \"distributed\"",
            ),
            Directory::Distributed if SimDuration::from(self.announce_interval()) >= KEPT => {
                refuse(
                    "announce-interval",
                    "is too long; expected less than 30 min, when an announcement is forgotten",
                )
            }
            _ => Ok(()),
        }
    }

    /// Time between a peer's reports.
    pub(super) fn announce_interval(&self) -> Seconds {
        let usual = match self.directory {
            Directory::Tracker => 1800.0,
            Directory::Distributed => 900.0,
        };
        let usual = || Seconds::new(usual).expect("half an hour is in range");
        self.announce_interval.unwrap_or_else(usual)
    }

    /// Settings of the distributed directory, in which the origins take part.
    pub(super) fn table(&self, cast: Cast<'_>) -> Result<kademlia::Config, ConfigError> {
        let origins = cast.machines("origin", self.origin.as_deref())?;
        let members = cast.user_count() + (origins.end - origins.start);
        let seconds = |s| Seconds::new(s).expect("some times as long as a time in range");
        let farthest = round_trip_max(origins.clone(), cast).as_seconds();
        let usual = || {
            let short = kademlia::Config::default().contact_timeout;
            kademlia::Config {
                k: Some(members.min(8)),
                refresh: seconds(900.0),
                contact_timeout: seconds(short.get().max(ROUND_TRIPS * farthest)),
                ..kademlia::Config::default()
            }
        };
        let mut config = self.distributed.clone().unwrap_or_else(usual);
        if config.contact_timeout.get() <= farthest {
            let (given, least) = (config.contact_timeout, seconds(farthest));
            return Err(nested(ConfigError {
                key: "contact-timeout",
                problem: format!(
                    "is {given}; expected more than {least}, the longest round trip between an \
                     origin and a user"
                ),
            }));
        }
        config.machines = origins;
        Ok(config)
    }
}

/// The longest round trip between one of these machines and a user.
fn round_trip_max(origins: Range<u32>, cast: Cast<'_>) -> SimDuration {
    let users = cast.machine_count()..cast.machine_count() + cast.user_count();
    let trip = |a, b| cast.latency(NodeId(a), NodeId(b)) + cast.latency(NodeId(b), NodeId(a));
    let trips = origins.flat_map(|origin| users.clone().map(move |user| trip(origin, user)));
    trips.max().unwrap_or(SimDuration::ZERO)
}

/// Round trips to an origin that an answer takes at most: between two users it may go there and on, and jitter
/// adds half as much.
const ROUND_TRIPS: f64 = 3.0;

/// What is wrong with a setting of the distributed directory.
pub(super) fn nested(error: ConfigError) -> ConfigError {
    match error.key {
        "origin" => error,
        key => ConfigError {
            key: "distributed",
            problem: format!("has `{key}`, which {}", error.problem),
        },
    }
}
