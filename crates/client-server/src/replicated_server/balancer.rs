//! What a balancer believes of the servers, and which one it chooses.

use netduel_world::{Stream, uniform_below};

use super::config::Balancing;

/// What becomes of a machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// It is not rented.
    Idle,
    /// It is rented and does not answer yet.
    Booting,
    /// It serves.
    InUse,
    /// It gets no more requests, and is released after its last.
    Draining,
}

/// What a balancer believes of one server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) phase: Phase,
    /// Whether it gets requests.
    pub(super) healthy: bool,
    /// Whether it answered since it was checked last.
    pub(super) answered: bool,
    /// Checks in a row that speak against what is believed.
    contrary: u32,
    /// Connections that it has, as far as is known.
    pub(super) open: u32,
    /// Share of its processor or uplink that was busy, as it said last.
    pub(super) load: f64,
}

impl Seen {
    /// Load balancers take a server to be up until checks say otherwise.
    pub(super) fn new(phase: Phase) -> Self {
        Self {
            phase,
            healthy: phase != Phase::Booting,
            answered: true,
            contrary: 0,
            open: 0,
            load: 0.0,
        }
    }

    /// Judges the last check and begins the next one. Says whether the belief changed.
    pub(super) fn check(&mut self, fall: u32, rise: u32) -> bool {
        let answered = std::mem::take(&mut self.answered);
        if answered == self.healthy {
            self.contrary = 0;
            return false;
        }
        self.contrary += 1;
        let enough = if self.healthy { fall } else { rise };
        if self.contrary < enough {
            return false;
        }
        self.contrary = 0;
        self.healthy = answered;
        if !self.healthy {
            self.open = 0;
        }
        true
    }

    pub(super) fn serves(&self) -> bool {
        self.healthy && self.phase == Phase::InUse
    }
}

/// A balancer's view.
#[derive(Clone, Debug)]
pub(super) struct Balancer {
    pub(super) servers: Vec<Seen>,
    /// Whose turn it is.
    turn: usize,
}

impl Balancer {
    pub(super) fn new(servers: Vec<Seen>) -> Self {
        Self { servers, turn: 0 }
    }

    /// The server that stores go to.
    pub(super) fn primary(&self) -> Option<usize> {
        self.servers.iter().position(Seen::serves)
    }

    /// The server that a request goes to.
    pub(super) fn choose(&mut self, balancing: Balancing, rng: &mut Stream) -> Option<usize> {
        let count = self.servers.iter().filter(|server| server.serves()).count();
        let count = u32::try_from(count).expect("few machines");
        if count == 0 {
            return None;
        }
        let chosen = match balancing {
            Balancing::RoundRobin => self.next(|_| true)?,
            Balancing::Random => self.nth(uniform_below(rng, count)),
            Balancing::LeastConnections => {
                let serving = self.servers.iter().filter(|server| server.serves());
                let least = serving.map(|server| server.open).min()?;
                self.next(|server| server.open == least)?
            }
            Balancing::Sampled(choices) => {
                let mut drawn: Vec<u32> = Vec::new();
                // Floyd's way to draw different ones: Communications of the ACM 30(9), 1987.
                for last in count.saturating_sub(choices)..count {
                    let draw = uniform_below(rng, last + 1);
                    drawn.push(if drawn.contains(&draw) { last } else { draw });
                }
                let drawn = drawn.into_iter().map(|number| self.nth(number));
                drawn.min_by_key(|index| self.servers[*index].open)?
            }
        };
        Some(chosen)
    }

    /// The next in turn of those that serve and fit.
    fn next(&mut self, fits: impl Fn(&Seen) -> bool) -> Option<usize> {
        let count = self.servers.len();
        let turns = (0..count).map(|step| (self.turn + step) % count);
        let fits = |index: &usize| self.servers[*index].serves() && fits(&self.servers[*index]);
        let chosen = turns.into_iter().find(fits)?;
        self.turn = chosen + 1;
        Some(chosen)
    }

    fn nth(&self, number: u32) -> usize {
        let serving = (0..)
            .zip(&self.servers)
            .filter(|(_, server)| server.serves());
        let chosen = serving.map(|(index, _)| index).nth(number as usize);
        chosen.expect("fewer than serve")
    }

    pub(super) fn state_bytes(&self) -> usize {
        self.servers.capacity() * size_of::<Seen>()
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;

    fn balancer(count: usize) -> Balancer {
        Balancer::new(vec![Seen::new(Phase::InUse); count])
    }

    /// Mitzenmacher: with n requests for n servers that never end, the fullest of n has about
    /// ln n / ln ln n of them when servers are drawn, and ln ln n / ln 2 + O(1) of two drawn.
    #[test]
    fn two_choices_keep_the_fullest_server_from_filling() {
        for seed in 1..=6 {
            let fullest = |balancing| {
                let mut balancer = balancer(1000);
                let mut rng = Streams::new(seed, 0).open("choice", 0);
                for _ in 0..1000 {
                    let chosen = balancer.choose(balancing, &mut rng).unwrap();
                    balancer.servers[chosen].open += 1;
                }
                balancer.servers.iter().map(|server| server.open).max()
            };
            assert!((4..=8).contains(&fullest(Balancing::Random).unwrap()));
            assert!((2..=3).contains(&fullest(Balancing::Sampled(2)).unwrap()));
            assert_eq!(fullest(Balancing::LeastConnections), Some(1));
            assert_eq!(fullest(Balancing::RoundRobin), Some(1));
        }
    }

    #[test]
    fn a_server_falls_and_rises_after_so_many_checks_in_a_row() {
        let mut seen = Seen::new(Phase::InUse);
        let mut check = |answered| {
            seen.answered = answered;
            seen.check(3, 2);
            seen.healthy
        };
        let answers = [true, false, false, true, false, false, false, true, true];
        let believed = answers.map(&mut check);
        let expected = [true, true, true, true, true, true, false, false, true];
        assert_eq!(believed, expected);
    }
}
