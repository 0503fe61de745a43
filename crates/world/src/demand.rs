//! What users want, and when: drawn before any architecture exists.
//!
//! Every draw is keyed by the request it is for, so a longer demand begins with the same requests.

use std::collections::BTreeSet;

use netduel_engine::{Law, SimDuration, SimTime, Streams, Zipf, uniform_below};
use netduel_network::NodeId;
use netduel_units::{Bytes, PerSecond, Seconds, Share};

use crate::ledger::{Key, ObjectId, RequestKind, Want};

/// What users ask for, how often, and what it takes to answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What they want.
    pub wants: Wants,
    /// When they ask.
    pub arrivals: Arrivals,
    /// How many requests there are, each from a user chosen at random. When absent every user asks
    /// once, in the order of users; a broadcast comes once, from the first user.
    pub requests: Option<u32>,
    /// Work that answering one request takes, in seconds of one core of speed 1.
    pub work: Law,
}

/// What users want.
#[derive(Clone, Debug, PartialEq)]
pub enum Wants {
    /// All bytes of an object.
    Download {
        /// How many objects there are.
        objects: u32,
        /// How unequal their popularity is: the k-th is wanted in proportion to 1 / k^zipf.
        zipf: f64,
        /// Size of each.
        size: Bytes,
    },
    /// The value of a key, or to set it.
    Lookup {
        /// How many keys there are; all of them have a value at the start.
        keys: u32,
        /// How unequal their popularity is.
        zipf: f64,
        /// Size of each value.
        value: Bytes,
        /// Share of requests that read; the others store.
        reads: Share,
    },
    /// To find somebody who has an object.
    Search {
        /// How many objects there are.
        objects: u32,
        /// How unequal their popularity is.
        zipf: f64,
        /// How many users have an object, on average over objects.
        replicas: f64,
        /// How copies are spread over objects.
        rule: Replication,
    },
    /// To reach all users.
    Broadcast {
        /// Size of what is told.
        size: Bytes,
    },
}

/// How the copies of all objects are spread over the objects.
///
/// # Source
/// E. Cohen, S. Shenker, "Replication strategies in unstructured peer-to-peer networks", SIGCOMM 2002.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Replication {
    /// The same number of each.
    #[default]
    Uniform,
    /// In proportion to popularity.
    Proportional,
    /// In proportion to the square root of popularity.
    SquareRoot,
}

/// When requests come.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// All at the start.
    AllAtOnce,
    /// One after the other, a Poisson process.
    Poisson(PerSecond),
    /// A Poisson process whose rate rises from a base to a peak, holds, and falls back, linearly.
    FlashCrowd {
        /// Rate before and after.
        base: PerSecond,
        /// Rate at the height.
        peak: PerSecond,
        /// When the rise begins.
        at: Seconds,
        /// How long it rises.
        rise: Seconds,
        /// How long it holds.
        hold: Seconds,
        /// How long it falls.
        fall: Seconds,
    },
    /// A Poisson process whose rate swings as a sine, highest a quarter of a period after the start.
    Diurnal {
        /// Mean rate.
        mean: PerSecond,
        /// How far it swings, as a share of the mean.
        swing: Share,
        /// Length of one swing.
        period: Seconds,
    },
    /// Every user asks, waits for the end of the request, thinks and asks again.
    ClosedLoop {
        /// Law of the time that a user thinks before every request, in seconds.
        think: Law,
    },
    /// At recorded times, one for each request, not decreasing.
    Trace(Vec<Seconds>),
}

impl Wants {
    /// What users ask for, as scenario files name it. Stores are asked for along with look-ups.
    pub fn kinds(&self) -> &'static [RequestKind] {
        match self {
            Self::Download { .. } => &[RequestKind::Download],
            Self::Lookup { reads, .. } if reads.get() >= 1.0 => &[RequestKind::Lookup],
            Self::Lookup { .. } => &[RequestKind::Lookup, RequestKind::Store],
            Self::Search { .. } => &[RequestKind::Search],
            Self::Broadcast { .. } => &[RequestKind::Broadcast],
        }
    }

    /// Bytes that a served request brings: of an object, a value or what is told.
    pub fn size(&self) -> Bytes {
        match self {
            Self::Download { size, .. } | Self::Broadcast { size } => *size,
            Self::Lookup { value, .. } => *value,
            Self::Search { .. } => Bytes(0),
        }
    }
}

impl Demand {
    /// Every user downloads the same object once.
    pub fn one_object(size: Bytes, arrivals: Arrivals) -> Self {
        Self {
            wants: Wants::Download {
                objects: 1,
                zipf: 0.0,
                size,
            },
            arrivals,
            requests: None,
            work: Law::Constant(0.0),
        }
    }

    /// Whether answering takes a processor any time.
    pub fn takes_work(&self) -> bool {
        self.work != Law::Constant(0.0)
    }

    /// How many requests `users` users make.
    pub fn request_count(&self, users: u32) -> u32 {
        match (self.requests, &self.wants) {
            (Some(count), _) => count,
            (None, Wants::Broadcast { .. }) => 1,
            (None, _) => users,
        }
    }
}

/// A request of the demand.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Issue {
    /// The device that asks.
    pub user: NodeId,
    /// What it wants.
    pub want: Want,
    /// When it is issued; in a closed loop the time after the end of the user's request before.
    pub at: SimTime,
    /// Work that answering it takes, on one core of speed 1.
    pub work: SimDuration,
}

/// Draws the demand of `users` users, of whom the first has the node `first`.
pub(crate) fn issues(demand: &Demand, streams: &Streams, first: u32, users: u32) -> Vec<Issue> {
    let count = demand.request_count(users);
    let popularity = match &demand.wants {
        Wants::Download {
            objects: n, zipf, ..
        }
        | Wants::Lookup { keys: n, zipf, .. }
        | Wants::Search {
            objects: n, zipf, ..
        } => Zipf::new(*n, *zipf),
        Wants::Broadcast { .. } => Zipf::new(1, 0.0),
    };
    let times = times(&demand.arrivals, streams, count);
    times
        .into_iter()
        .zip(0..)
        .map(|(at, request)| {
            let entity = u64::from(request);
            let user = match (&demand.arrivals, demand.requests) {
                (Arrivals::ClosedLoop { .. }, _) | (_, None) => request % users,
                (_, Some(_)) => uniform_below(&mut streams.open("demand/user", entity), users),
            };
            Issue {
                user: NodeId(first + user),
                want: want(&demand.wants, &popularity, streams, entity),
                at,
                work: match &demand.work {
                    Law::Constant(seconds) => SimDuration::from_seconds(*seconds),
                    law => {
                        SimDuration::from_seconds(law.quantile(streams.draw("demand/work", entity)))
                    }
                },
            }
        })
        .collect()
}

/// Which user has which object when users search: pairs in the order of objects.
pub(crate) fn placement(wants: &Wants, streams: &Streams, users: u32) -> Vec<(u32, ObjectId)> {
    let Wants::Search {
        objects,
        zipf,
        replicas,
        rule,
    } = wants
    else {
        return Vec::new();
    };
    let popularity = Zipf::new(*objects, *zipf);
    let weights: Vec<f64> = popularity
        .probabilities()
        .map(|probability| match rule {
            Replication::Uniform => 1.0,
            Replication::Proportional => probability,
            Replication::SquareRoot => probability.sqrt(),
        })
        .collect();
    let copies = replicas * f64::from(*objects) / weights.iter().sum::<f64>();
    let mut pairs = Vec::new();
    for (object, weight) in (0..).map(ObjectId).zip(weights) {
        // Nobody can search for what nobody has, and nobody has a thing twice.
        let wanted = (copies * weight).round().clamp(1.0, f64::from(users));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "held between 1 and the number of users"
        )]
        let count = wanted as u32;
        let mut stream = streams.open("demand/placement", u64::from(object.0));
        // Floyd's way to draw `count` different users: Communications of the ACM 30(9), 1987.
        let mut holders = BTreeSet::new();
        for last in users - count..users {
            let user = uniform_below(&mut stream, last + 1);
            if !holders.insert(user) {
                holders.insert(last);
            }
        }
        pairs.extend(holders.into_iter().map(|user| (user, object)));
    }
    pairs
}

fn want(wants: &Wants, popularity: &Zipf, streams: &Streams, entity: u64) -> Want {
    let choose = || popularity.quantile(streams.draw("demand/choice", entity));
    match wants {
        Wants::Download { objects: 1, .. } => Want::Download(ObjectId(0)),
        Wants::Download { .. } => Want::Download(ObjectId(choose())),
        Wants::Lookup { reads, .. } => {
            let key = Key(choose());
            if streams.draw("demand/reads", entity) < reads.get() {
                Want::Lookup(key)
            } else {
                Want::Store(key)
            }
        }
        Wants::Search { .. } => Want::Search(ObjectId(choose())),
        Wants::Broadcast { .. } => Want::Broadcast,
    }
}

fn times(arrivals: &Arrivals, streams: &Streams, count: u32) -> Vec<SimTime> {
    let requests = 0..u64::from(count);
    let at = |seconds| SimTime::ZERO + SimDuration::from_seconds(seconds);
    // A Poisson process of rate 1, to be stretched to the rate that is wanted.
    let unit = |entity| -> f64 {
        Law::Exponential { mean: 1.0 }.quantile(streams.draw("demand/gap", entity))
    };
    let mut sum = 0.0;
    match arrivals {
        Arrivals::AllAtOnce => requests.map(|_| SimTime::ZERO).collect(),
        Arrivals::Poisson(rate) => {
            let gap = Law::Exponential {
                mean: 1.0 / rate.get(),
            };
            let mut at = SimTime::ZERO;
            requests
                .map(|request| {
                    let u = streams.draw("demand/gap", request);
                    at = at + SimDuration::from_seconds(gap.quantile(u));
                    at
                })
                .collect()
        }
        Arrivals::FlashCrowd { .. } | Arrivals::Diurnal { .. } => requests
            .map(|request| {
                sum += unit(request);
                at(arrivals.when_expected(sum))
            })
            .collect(),
        Arrivals::ClosedLoop { think } => requests
            .map(|request| at(think.quantile(streams.draw("demand/think", request))))
            .collect(),
        Arrivals::Trace(times) => requests
            .zip(times)
            .map(|(_, time)| SimTime::ZERO + SimDuration::from(*time))
            .collect(),
    }
}

impl Arrivals {
    /// Whether users wait for the end of a request before they make the next.
    pub fn is_closed_loop(&self) -> bool {
        matches!(self, Self::ClosedLoop { .. })
    }

    /// The time in seconds by which `count` requests are expected: the inverse of the integral of
    /// the rate. A Poisson process of rate 1 that is stretched by it has the rate that is wanted.
    fn when_expected(&self, count: f64) -> f64 {
        let mut high = 1.0;
        while self.expected(high) < count {
            high *= 2.0;
        }
        let mut low = 0.0;
        // As many halvings as a double has bits.
        for _ in 0..53 {
            let middle = f64::midpoint(low, high);
            if self.expected(middle) < count {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Requests expected in the first `t` seconds, when the rate changes with time.
    fn expected(&self, t: f64) -> f64 {
        match self {
            Self::FlashCrowd {
                base,
                peak,
                at,
                rise,
                hold,
                fall,
            } => {
                let extra = peak.get() - base.get();
                let since = |start: f64, length: f64| (t - start).clamp(0.0, length);
                let (rise, hold, fall) = (rise.get(), hold.get(), fall.get());
                let start = at.get();
                let up = since(start, rise);
                let top = since(start + rise, hold);
                let down = since(start + rise + hold, fall);
                // The area of a triangle that is cut off: x^2 / (2 length).
                let ramp = |x: f64, length: f64| {
                    if length > 0.0 {
                        x * x / (2.0 * length)
                    } else {
                        0.0
                    }
                };
                base.get() * t + extra * (ramp(up, rise) + top + down - ramp(down, fall))
            }
            Self::Diurnal {
                mean,
                swing,
                period,
            } => {
                let radians = std::f64::consts::TAU / period.get();
                mean.get() * (t + swing.get() * (1.0 - libm::cos(radians * t)) / radians)
            }
            _ => unreachable!("the rate of other arrivals does not change"),
        }
    }
}
