//! Whole networks against a second simulation in double precision: when transfers end, and with
//! how many bytes, while nodes are slowed down, cut off and die.
//!
//! The second simulation has links, rates and remaining bytes of its own
//! ([`ProgressiveFilling`]), and a plain list of what is to begin when.

use netduel_engine::{SimDuration, SimTime, Stream, Streams, uniform, uniform_below};
use netduel_network::{
    Access, Capacity, Ended, FlowId, Latency, LinkId, Network, NodeId, RegionId, Routers,
    TransferId, Trunk, progressive::ProgressiveFilling,
};
use netduel_units::{BitsPerSecond, Bytes, Share};

/// Both count whole nanoseconds, and what is rounded up for one transfer is passed on to those who
/// share with it; a script's completions pass on this much at most.
const NANOSECONDS_APART: u64 = 100;

const REGIONS: usize = 3;
const ROUTERS: usize = 5;

/// A random network and what happens in it.
struct Script {
    seed: u64,
    accesses: Vec<Access>,
    /// Between the regions, trunks apart.
    latencies: [[SimDuration; REGIONS]; REGIONS],
    /// One router for each region and some more; none when the core is not congested.
    trunks: Vec<Trunk>,
    actions: Vec<(SimTime, Action)>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Open(NodeId, NodeId, Bytes),
    /// Breaks off the transfer that was opened so-manieth.
    Close(usize),
    Slow(NodeId, Share),
    Die(NodeId),
}

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Open,
    Whole(SimTime),
    Broken(SimTime, Bytes),
}

impl Script {
    fn random(seed: u64, routed: bool) -> Self {
        let mut rng = Streams::new(seed, 0).open("script", 0);
        let rng = &mut rng;
        let nodes = 3 + uniform_below(rng, 10);
        let tied = uniform_below(rng, 2) == 0;
        let accesses = (0..nodes).map(|_| Access {
            upload: rate(rng, tied),
            download: rate(rng, tied),
            region: RegionId([0, 1, 2][uniform_below(rng, 3) as usize]),
        });
        let accesses = accesses.collect();
        let latencies = [[(); REGIONS]; REGIONS].map(|row| row.map(|()| time(rng, 50_000_000)));
        let trunks = if routed {
            trunks(rng, tied)
        } else {
            Vec::new()
        };
        let mut script = Self {
            seed,
            accesses,
            latencies,
            trunks,
            actions: Vec::new(),
        };
        let (mut now, mut opened) = (SimTime::ZERO, 0);
        for _ in 0..80 {
            // Half of all actions come at the same instant as the one before.
            if uniform_below(rng, 2) == 0 {
                now = now + time(rng, 150_000_000);
            }
            let node = NodeId(uniform_below(rng, nodes));
            let action = match uniform_below(rng, 24) {
                0 if opened > 0 => Action::Close(uniform_below(rng, opened) as usize),
                1..4 => {
                    let share = [0.0, 0.3, 1.0, uniform(rng)][uniform_below(rng, 4) as usize];
                    Action::Slow(node, Share::new(share).unwrap())
                }
                4 if uniform_below(rng, 3) == 0 => Action::Die(node),
                _ => {
                    opened += 1;
                    let to = NodeId((node.0 + 1 + uniform_below(rng, nodes - 1)) % nodes);
                    let size = Bytes(u64::from(uniform_below(rng, 2_000_000)));
                    Action::Open(node, to, size)
                }
            };
            script.actions.push((now, action));
        }
        // In the end everything works again, so that every transfer ends.
        for node in 0..nodes {
            let all = Share::new(1.0).unwrap();
            script.actions.push((now, Action::Slow(NodeId(node), all)));
        }
        script
    }

    fn latency(&self, from: NodeId, to: NodeId) -> SimDuration {
        let [from, to] = [from, to].map(|node| self.region(node));
        let trunks = self.way(from, to).into_iter();
        let over_trunks = trunks.map(|trunk| self.trunks[trunk].latency.0).sum();
        self.latencies[from][to] + SimDuration(over_trunks)
    }

    fn region(&self, node: NodeId) -> usize {
        usize::from(self.accesses[node.index()].region.0)
    }

    /// The trunks of least latency from one router to another: the best of all ways there are.
    fn way(&self, from: usize, to: usize) -> Vec<usize> {
        let mut best: Option<(u64, Vec<usize>)> = None;
        let mut ways = vec![(from, 0, Vec::new())];
        while let Some((end, latency, way)) = ways.pop() {
            if self.trunks.is_empty() || end == to {
                if best.as_ref().is_none_or(|(least, _)| latency < *least) {
                    best = Some((latency, way));
                }
                continue;
            }
            for (number, trunk) in self.trunks.iter().enumerate() {
                // No router twice.
                let seen = |number: &usize| self.trunks[*number].from == trunk.to;
                if trunk.from == end && !way.iter().any(seen) {
                    let longer = [&way[..], &[number]].concat();
                    ways.push((trunk.to, latency + trunk.latency.0, longer));
                }
            }
        }
        best.expect("all routers are joined").1
    }

    /// Lets everything happen; within an instant what completes comes first, then what was
    /// scheduled first.
    fn play(&self, twin: &mut impl Side) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut dead = vec![false; self.accesses.len()];
        // Instants at which opened transfers begin, by number.
        let mut begins: Vec<(SimTime, usize)> = Vec::new();
        let mut actions = self.actions.iter().copied().peekable();
        let mut ends: Vec<(NodeId, NodeId)> = Vec::new();
        loop {
            let begin = begins.iter().enumerate().min_by_key(|(_, begin)| **begin);
            let begin = begin.map(|(place, (at, number))| (place, *at, *number));
            let scripted = actions.peek().map(|(at, _)| *at);
            let flowing = twin.next_time();
            let times = [scripted, begin.map(|(_, at, _)| at), flowing];
            let Some(now) = times.into_iter().flatten().min() else {
                return outcomes;
            };
            if flowing == Some(now) {
                for number in twin.advance(now) {
                    assert_eq!(outcomes[number], Outcome::Open);
                    outcomes[number] = Outcome::Whole(now);
                }
                continue;
            }
            if let Some((place, _, number)) = begin.filter(|(_, at, _)| *at == now) {
                begins.remove(place);
                let (from, to) = ends[number];
                if outcomes[number] != Outcome::Open {
                    // It was closed before it began.
                } else if dead[from.index()] || dead[to.index()] {
                    outcomes[number] = Outcome::Broken(now, twin.close(now, number));
                } else {
                    twin.begin(now, number);
                }
                continue;
            }
            match actions.next().expect("an action is due").1 {
                Action::Open(from, to, size) => {
                    twin.open(from, to, size);
                    begins.push((now + self.latency(from, to), outcomes.len()));
                    ends.push((from, to));
                    outcomes.push(Outcome::Open);
                }
                Action::Close(number) if outcomes[number] == Outcome::Open => {
                    outcomes[number] = Outcome::Broken(now, twin.close(now, number));
                }
                Action::Close(_) => {}
                Action::Slow(node, to) => twin.slow(now, node, &self.accesses[node.index()], to),
                Action::Die(node) => {
                    dead[node.index()] = true;
                    for number in twin.flowing_at(node) {
                        outcomes[number] = Outcome::Broken(now, twin.close(now, number));
                    }
                }
            }
        }
    }

    fn network(&self) -> Ours {
        let between = self.latencies.as_flattened().to_vec();
        let latency = Latency::between_regions(REGIONS, between);
        let streams = Streams::new(self.seed, 0);
        let mut network = Network::new(latency, 0.0, &self.accesses, &streams);
        if !self.trunks.is_empty() {
            let routers = Routers::new(ROUTERS, self.trunks.clone(), &[0, 1, 2]).unwrap();
            network = network.with_routers(&routers);
        }
        // What the script goes by is what messages pay.
        for [from, to] in [[0, 1], [1, 2], [2, 0]].map(|pair| pair.map(NodeId)) {
            assert_eq!(network.latency(from, to), self.latency(from, to));
        }
        Ours {
            network,
            ids: Vec::new(),
            ended: Vec::new(),
        }
    }

    fn twin(&self) -> Theirs {
        let mut filling = ProgressiveFilling::new();
        let links = self.accesses.iter().map(|access| {
            let up = filling.add_link(access.upload);
            (up, filling.add_link(access.download))
        });
        let links: Vec<(LinkId, LinkId)> = links.collect();
        let trunks = self.trunks.iter();
        let trunks: Vec<LinkId> = trunks.map(|trunk| filling.add_link(trunk.rate)).collect();
        let ways = (0..REGIONS).map(|from| {
            let to = 0..REGIONS;
            let way = |to| {
                self.way(from, to)
                    .into_iter()
                    .map(|at| trunks[at])
                    .collect()
            };
            to.map(way).collect()
        });
        Theirs {
            links,
            ways: ways.collect(),
            regions: (0..)
                .map(NodeId)
                .map(|node| self.region(node))
                .take(self.accesses.len())
                .collect(),
            filling,
            transfers: Vec::new(),
        }
    }

    /// The largest difference between the two, in nanoseconds.
    fn compare(&self) -> u64 {
        let ours = self.play(&mut self.network());
        let theirs = self.play(&mut self.twin());
        assert_eq!(ours.len(), theirs.len());
        let mut worst = 0;
        for (number, pair) in ours.into_iter().zip(theirs).enumerate() {
            let apart = match pair {
                (Outcome::Whole(ours), Outcome::Whole(theirs)) => ours.0.abs_diff(theirs.0),
                (Outcome::Broken(ours, few), Outcome::Broken(theirs, many))
                    if few.0.abs_diff(many.0) <= 1 =>
                {
                    ours.0.abs_diff(theirs.0)
                }
                (ours, theirs) => panic!("seed {}, {number}: {ours:?}, {theirs:?}", self.seed),
            };
            worst = worst.max(apart);
        }
        worst
    }
}

fn rate(rng: &mut Stream, tied: bool) -> BitsPerSecond {
    let rate = if tied {
        f64::from(1 + uniform_below(rng, 4)) * 5e6
    } else {
        1e6 + 99e6 * uniform(rng)
    };
    BitsPerSecond::new(rate).unwrap()
}

/// A ring of all routers in both directions, and some trunks across it.
fn trunks(rng: &mut Stream, tied: bool) -> Vec<Trunk> {
    let mut trunks = Vec::new();
    let mut join = |rng: &mut Stream, from, to| {
        for (from, to) in [(from, to), (to, from)] {
            trunks.push(Trunk {
                from,
                to,
                rate: rate(rng, tied),
                latency: time(rng, 50_000_000),
            });
        }
    };
    for from in 0..ROUTERS {
        join(rng, from, (from + 1) % ROUTERS);
    }
    for _ in 0..uniform_below(rng, 3) {
        let from = uniform_below(rng, 3) as usize;
        join(rng, from, from + 2);
    }
    trunks
}

fn time(rng: &mut Stream, below: u32) -> SimDuration {
    SimDuration(u64::from(uniform_below(rng, below)))
}

/// One of the two simulations; transfers go by number, in the order of opening.
trait Side {
    fn open(&mut self, from: NodeId, to: NodeId, size: Bytes);
    fn begin(&mut self, now: SimTime, number: usize);
    fn close(&mut self, now: SimTime, number: usize) -> Bytes;
    fn slow(&mut self, now: SimTime, node: NodeId, access: &Access, to: Share);
    fn flowing_at(&self, node: NodeId) -> Vec<usize>;
    fn next_time(&mut self) -> Option<SimTime>;
    fn advance(&mut self, now: SimTime) -> Vec<usize>;
}

struct Ours {
    network: Network,
    ids: Vec<TransferId>,
    ended: Vec<Ended>,
}

impl Ours {
    fn number(&self, id: TransferId) -> usize {
        // Slots are used again, and the generation makes every handle a new one.
        let at = self.ids.iter().position(|other| *other == id);
        at.expect("what ends was opened")
    }
}

impl Side for Ours {
    fn open(&mut self, from: NodeId, to: NodeId, size: Bytes) {
        let label = self.ids.len() as u64;
        self.ids.push(self.network.open(from, to, size, label));
    }

    fn begin(&mut self, now: SimTime, number: usize) {
        self.network.begin(now, self.ids[number]);
    }

    fn close(&mut self, now: SimTime, number: usize) -> Bytes {
        let ended = self.network.close(now, self.ids[number]);
        let ended = ended.expect("an open transfer can be closed");
        assert_eq!((ended.label, ended.intact), (number as u64, false));
        ended.delivered
    }

    fn slow(&mut self, now: SimTime, node: NodeId, access: &Access, to: Share) {
        self.network.slow(now, node, access, to);
    }

    fn flowing_at(&self, node: NodeId) -> Vec<usize> {
        let flowing = self.network.transfers_of(node);
        let mut numbers: Vec<usize> = flowing.into_iter().map(|id| self.number(id)).collect();
        numbers.sort_unstable();
        numbers
    }

    fn next_time(&mut self) -> Option<SimTime> {
        self.network.next_time()
    }

    fn advance(&mut self, now: SimTime) -> Vec<usize> {
        let mut ended = std::mem::take(&mut self.ended);
        self.network.advance(now, &mut ended);
        let whole = ended.drain(..).map(|ended| {
            assert_eq!((ended.size, ended.intact), (ended.delivered, true));
            self.number(ended.id)
        });
        let whole = whole.collect();
        self.ended = ended;
        whole
    }
}

struct Theirs {
    filling: ProgressiveFilling,
    /// Up and down, by node.
    links: Vec<(LinkId, LinkId)>,
    /// Trunks between regions.
    ways: Vec<Vec<Vec<LinkId>>>,
    regions: Vec<usize>,
    transfers: Vec<Transfer>,
}

struct Transfer {
    from: NodeId,
    to: NodeId,
    size: Bytes,
    flow: Option<FlowId>,
}

impl Theirs {
    fn number(&self, flow: FlowId) -> usize {
        let is = |transfer: &Transfer| transfer.flow == Some(flow);
        let number = self.transfers.iter().position(is);
        number.expect("what flows was opened")
    }
}

impl Side for Theirs {
    fn open(&mut self, from: NodeId, to: NodeId, size: Bytes) {
        self.transfers.push(Transfer {
            from,
            to,
            size,
            flow: None,
        });
    }

    fn begin(&mut self, now: SimTime, number: usize) {
        let transfer = &mut self.transfers[number];
        let [from, to] = [transfer.from, transfer.to].map(NodeId::index);
        let mut path = vec![self.links[from].0];
        path.extend(&self.ways[self.regions[from]][self.regions[to]]);
        path.push(self.links[to].1);
        // A link's time for one byte is the least that a transfer takes.
        let size = transfer.size.max(Bytes(1));
        transfer.flow = Some(self.filling.start(now, &path, None, size));
    }

    fn close(&mut self, now: SimTime, number: usize) -> Bytes {
        let flow = self.transfers[number].flow.take();
        flow.map_or(Bytes(0), |flow| self.filling.abort(now, flow))
    }

    fn slow(&mut self, now: SimTime, node: NodeId, access: &Access, to: Share) {
        let (up, down) = self.links[node.index()];
        for (link, rate) in [(up, access.upload), (down, access.download)] {
            let capacity = Capacity::share_of(rate, to);
            self.filling.set_capacity(now, link, capacity);
        }
    }

    fn flowing_at(&self, node: NodeId) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.transfers.len())
            .filter(|number| {
                let transfer = &self.transfers[*number];
                transfer.flow.is_some() && (transfer.from == node || transfer.to == node)
            })
            .collect();
        numbers.sort_unstable();
        numbers
    }

    fn next_time(&mut self) -> Option<SimTime> {
        self.filling.next_time()
    }

    fn advance(&mut self, now: SimTime) -> Vec<usize> {
        let mut finished = Vec::new();
        self.filling.advance(now, &mut finished);
        let numbers: Vec<usize> = finished.iter().map(|flow| self.number(*flow)).collect();
        for number in &numbers {
            self.transfers[*number].flow = None;
        }
        numbers
    }
}

#[test]
fn transfers_end_when_a_second_simulation_says_with_as_many_bytes() {
    for seed in 0..4000 {
        let apart = Script::random(seed, false).compare();
        assert!(apart <= NANOSECONDS_APART, "seed {seed}: {apart} ns apart");
    }
}

#[test]
fn transfers_over_routers_end_when_a_second_simulation_says_with_as_many_bytes() {
    for seed in 0..2000 {
        let apart = Script::random(seed, true).compare();
        assert!(apart <= NANOSECONDS_APART, "seed {seed}: {apart} ns apart");
    }
}
