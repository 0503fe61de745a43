//! Fair sharing against progressive filling, its own invariants and planted faults.

mod cost;
mod rates;
mod small;
mod times;

use netduel_engine::{SimDuration, SimTime, Stream, Streams, uniform, uniform_below};
use netduel_units::{BitsPerSecond, Bytes, Share};

use super::{Capacity, FairSharing, FlowId, LinkId, fault::Fault};
use crate::progressive::ProgressiveFilling;

/// What both implementations offer.
trait Sharing {
    fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId;
    fn start(&mut self, now: SimTime, flow: &Wish) -> FlowId;
    fn abort(&mut self, now: SimTime, flow: FlowId) -> Bytes;
    fn set_capacity(&mut self, now: SimTime, link: LinkId, capacity: Capacity);
    fn next_time(&mut self) -> Option<SimTime>;
    fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>);
    /// Fails when an invariant does not hold.
    fn verify(&mut self) -> Result<(), String>;
}

macro_rules! sharing {
    ($type:ident, $verify:expr) => {
        impl Sharing for $type {
            fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId {
                self.add_link(capacity)
            }

            fn start(&mut self, now: SimTime, flow: &Wish) -> FlowId {
                self.start(now, &flow.path, flow.cap, flow.size)
            }

            fn abort(&mut self, now: SimTime, flow: FlowId) -> Bytes {
                self.abort(now, flow)
            }

            fn set_capacity(&mut self, now: SimTime, link: LinkId, capacity: Capacity) {
                self.set_capacity(now, link, capacity);
            }

            fn next_time(&mut self) -> Option<SimTime> {
                self.next_time()
            }

            fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>) {
                self.advance(now, finished);
            }

            fn verify(&mut self) -> Result<(), String> {
                $verify(self)
            }
        }
    };
}

sharing!(FairSharing, FairSharing::check);
sharing!(ProgressiveFilling, |_| Ok(()));

/// A flow that somebody wants.
#[derive(Clone, Debug)]
struct Wish {
    path: Vec<LinkId>,
    cap: Option<BitsPerSecond>,
    size: Bytes,
}

/// A random network and the flows that it suggests.
struct Network {
    rng: Stream,
    shape: Shape,
    /// Whether rates come from a handful of values, so that levels tie exactly.
    tied: bool,
    capacities: Vec<BitsPerSecond>,
}

#[derive(Clone, Copy)]
enum Shape {
    /// Nodes with an uplink and a downlink each.
    Star,
    /// Paths of one to four links, any of them.
    Tangle,
    /// Nodes on sites joined by trunks: up, trunk out, trunk in, down.
    Sites,
}

impl Network {
    fn random(seed: u64) -> Self {
        let mut rng = Streams::new(seed, 0).open("network", 0);
        let shape = [Shape::Star, Shape::Tangle, Shape::Sites][(seed % 3) as usize];
        let tied = uniform_below(&mut rng, 2) == 0;
        let mut network = Self {
            rng,
            shape,
            tied,
            capacities: Vec::new(),
        };
        for _ in 0..4 + 2 * network.below(10) {
            let rate = network.rate();
            network.capacities.push(rate);
        }
        network
    }

    fn below(&mut self, bound: u32) -> u32 {
        uniform_below(&mut self.rng, bound)
    }

    fn rate(&mut self) -> BitsPerSecond {
        let rate = if self.tied {
            f64::from(1 + self.below(4)) * 5e6
        } else {
            1e6 + 99e6 * uniform(&mut self.rng)
        };
        BitsPerSecond::new(rate).unwrap()
    }

    fn links(&self) -> u32 {
        u32::try_from(self.capacities.len()).unwrap()
    }

    fn link(&mut self) -> LinkId {
        let links = self.links();
        LinkId(self.below(links))
    }

    fn path(&mut self) -> Vec<LinkId> {
        let nodes = self.links() / 2;
        match self.shape {
            Shape::Star => {
                let (from, to) = (self.below(nodes), self.below(nodes));
                vec![LinkId(2 * from), LinkId(2 * to + 1)]
            }
            Shape::Tangle => {
                let hops = 1 + self.below(4) as usize;
                let mut path = Vec::new();
                while path.len() < hops {
                    let link = self.link();
                    if !path.contains(&link) {
                        path.push(link);
                    }
                }
                path
            }
            Shape::Sites => {
                // The first four links are the trunks of two sites, out and in.
                let (from, to) = (self.below(nodes), self.below(nodes));
                let (out, into) = (from % 2, 2 + to % 2);
                let mut path = vec![
                    LinkId(2 * from),
                    LinkId(out),
                    LinkId(into),
                    LinkId(2 * to + 1),
                ];
                path.sort_unstable();
                path.dedup();
                path
            }
        }
    }

    fn wish(&mut self) -> Wish {
        let capped = self.below(3) == 0;
        Wish {
            path: self.path(),
            cap: capped.then(|| self.rate()),
            size: Bytes(u64::from(1 + self.below(2_000_000))),
        }
    }

    /// A link and what it is to carry: nothing, a part, or its full rate.
    fn incident(&mut self) -> (LinkId, Capacity) {
        let link = self.link();
        let rate = self.capacities[link.index()];
        let capacity = match self.below(4) {
            0 => Capacity::NONE,
            1 => Capacity::from(rate),
            _ => {
                let share = if self.tied {
                    0.5
                } else {
                    uniform(&mut self.rng)
                };
                Capacity::share_of(rate, Share::new(share).unwrap())
            }
        };
        (link, capacity)
    }
}

/// Whether two rates in bits per second agree: to 1e-9, and up to 64 quanta of rounding.
fn agree(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs + 64.0 * 8.0 / 16_777_216.0
}
