//! Rates against the oracle, after every batch.

use super::*;

/// A network under both implementations. The oracle is asked for rates only: time does not pass
/// there, and flows end when they end here.
struct Pair {
    network: Network,
    ours: FairSharing,
    theirs: ProgressiveFilling,
    now: SimTime,
    present: Vec<Present>,
    finished: Vec<FlowId>,
    /// What flows that are over delivered, and how many of them were aborted.
    over: Bytes,
    aborted: u64,
    moved: Bytes,
    compared: u64,
}

struct Present {
    ours: FlowId,
    theirs: FlowId,
    wish: Wish,
    delivered: Bytes,
}

impl Pair {
    fn new(seed: u64, planted: Option<Fault>) -> Self {
        let network = Network::random(seed);
        let (mut ours, mut theirs) = (FairSharing::new(), ProgressiveFilling::new());
        ours.faults.planted = planted;
        for capacity in &network.capacities {
            assert_eq!(ours.add_link(*capacity), theirs.add_link(*capacity));
        }
        Self {
            network,
            ours,
            theirs,
            now: SimTime::ZERO,
            present: Vec::new(),
            finished: Vec::new(),
            over: Bytes(0),
            aborted: 0,
            moved: Bytes(0),
            compared: 0,
        }
    }

    fn start(&mut self) {
        let wish = self.network.wish();
        self.present.push(Present {
            ours: Sharing::start(&mut self.ours, self.now, &wish),
            theirs: Sharing::start(&mut self.theirs, SimTime::ZERO, &wish),
            wish,
            delivered: Bytes(0),
        });
    }

    fn abort(&mut self) {
        let Some(count) = u32::try_from(self.present.len())
            .ok()
            .filter(|count| *count > 0)
        else {
            return;
        };
        let which = self.network.below(count) as usize;
        let flow = self.present.swap_remove(which);
        let delivered = self.ours.abort(self.now, flow.ours);
        assert!((flow.delivered..=flow.wish.size).contains(&delivered));
        self.count_aborted(delivered);
        self.theirs.abort(SimTime::ZERO, flow.theirs);
    }

    fn count_aborted(&mut self, delivered: Bytes) {
        self.over = self.over + delivered;
        self.aborted += 1;
    }

    fn incident(&mut self) {
        let (link, capacity) = self.network.incident();
        self.ours.set_capacity(self.now, link, capacity);
        self.theirs.set_capacity(SimTime::ZERO, link, capacity);
    }

    /// A node dies: everything on a link is aborted at once.
    fn death(&mut self) {
        let link = self.network.link();
        let dead = self.ours.flows_on(link);
        assert_eq!(dead.len(), self.theirs.flows_on(link).len());
        for flow in dead {
            let at = self.present.iter().position(|other| other.ours == flow);
            let flow = self
                .present
                .swap_remove(at.expect("only present flows are on a link"));
            let delivered = self.ours.abort(self.now, flow.ours);
            self.count_aborted(delivered);
            self.theirs.abort(SimTime::ZERO, flow.theirs);
        }
        self.ours.set_capacity(self.now, link, Capacity::NONE);
        self.theirs
            .set_capacity(SimTime::ZERO, link, Capacity::NONE);
    }

    /// Time goes on: to the next completion, or some way towards it.
    fn pass(&mut self) {
        let next = self.ours.next_time().unwrap_or(self.now);
        let whole = self.network.below(3) > 0;
        let step = if whole {
            next - self.now
        } else {
            SimDuration((next - self.now).0 / 3)
        };
        self.now = self.now + step;
        // Read before the completions of this instant are taken out, and afterwards by `compare`.
        let moved = self.ours.moved(self.now);
        assert!(self.moved <= moved, "what was moved stays moved");
        self.moved = moved;
        self.ours.advance(self.now, &mut self.finished);
        for flow in self.finished.drain(..) {
            let at = self.present.iter().position(|other| other.ours == flow);
            let flow = self
                .present
                .swap_remove(at.expect("only present flows finish"));
            self.over = self.over + flow.wish.size;
            self.theirs.abort(SimTime::ZERO, flow.theirs);
        }
    }

    fn act(&mut self) {
        match self.network.below(16) {
            0..6 => self.start(),
            6 => (0..10).for_each(|_| self.start()),
            7 => self.abort(),
            8 => self.incident(),
            9 if self.network.below(4) == 0 => self.death(),
            _ => self.pass(),
        }
    }

    fn compare(&mut self) -> Result<(), String> {
        for flow in &mut self.present {
            let (ours, theirs) = (self.ours.rate(flow.ours), self.theirs.rate(flow.theirs));
            if !agree(ours, theirs) {
                return Err(format!(
                    "{:?} runs at {ours}, not at {theirs} bit/s",
                    flow.wish
                ));
            }
            let delivered = self.ours.delivered(self.now, flow.ours);
            if !(flow.delivered..=flow.wish.size).contains(&delivered) {
                return Err(format!("{:?} delivered {delivered}", flow.wish));
            }
            flow.delivered = delivered;
            self.compared += 1;
        }
        self.compare_moved()?;
        if self.ours.len() != self.present.len() {
            return Err(format!(
                "{} flows, not {}",
                self.ours.len(),
                self.present.len()
            ));
        }
        Ok(())
    }

    /// The running total is the sum over all flows, but for less than a byte of each flow that is
    /// not whole.
    fn compare_moved(&mut self) -> Result<(), String> {
        let present: Bytes = self.present.iter().map(|flow| flow.delivered).sum();
        let (sum, moved) = (self.over + present, self.ours.moved(self.now));
        let parts = self.present.len() as u64 + self.aborted;
        if moved < self.moved || !(sum.0..=sum.0 + parts).contains(&moved.0) {
            return Err(format!("{moved} were moved, not {sum} and up to {parts}"));
        }
        self.moved = moved;
        Ok(())
    }

    /// The rates of a network in which the same flows start afresh, in another order.
    fn rebuilt(&mut self) -> Vec<(f64, f64)> {
        let mut fresh = FairSharing::new();
        for at in 0..self.network.links() {
            let link = fresh.add_link(BitsPerSecond::MAX);
            assert_eq!(link, LinkId(at));
            fresh.links[link].capacity = self.ours.links[link].capacity;
        }
        let mut order: Vec<usize> = (0..self.present.len()).collect();
        for at in (1..order.len()).rev() {
            let other = self.network.below(u32::try_from(at + 1).unwrap());
            order.swap(at, other as usize);
        }
        let mut rates = Vec::new();
        for at in order {
            let flow = Sharing::start(&mut fresh, SimTime::ZERO, &self.present[at].wish);
            rates.push((at, flow));
        }
        let rate =
            |(at, flow): (usize, FlowId)| (self.ours.rate(self.present[at].ours), fresh.rate(flow));
        rates.into_iter().map(rate).collect()
    }
}

#[test]
fn rates_agree_with_progressive_filling_and_all_invariants_hold() {
    let mut compared = 0;
    for seed in 0..6000 {
        let mut pair = Pair::new(seed, None);
        for step in 0..80 {
            pair.act();
            let verdict = pair.ours.check().and_then(|()| pair.compare());
            assert_eq!(verdict, Ok(()), "seed {seed}, step {step}");
        }
        compared += pair.compared;
    }
    assert!(compared > 1_000_000, "only {compared} rates were compared");
}

#[test]
fn rates_in_large_networks_agree_with_progressive_filling() {
    for seed in 0..9 {
        let mut pair = Pair::new(seed, None);
        while pair.network.links() < 300 {
            let rate = pair.network.rate();
            pair.network.capacities.push(rate);
            assert_eq!(pair.ours.add_link(rate), pair.theirs.add_link(rate));
        }
        for _ in 0..1500 {
            pair.start();
        }
        for step in 0..60 {
            pair.act();
            let verdict = pair.ours.check().and_then(|()| pair.compare());
            assert_eq!(verdict, Ok(()), "seed {seed}, step {step}");
        }
    }
}

#[test]
fn rates_do_not_depend_on_the_history_of_a_network() {
    for seed in 0..1000 {
        let mut pair = Pair::new(seed, None);
        for _ in 0..60 {
            pair.act();
        }
        for (lived, fresh) in pair.rebuilt() {
            // With exact ties flows may be on either side, a few quanta apart.
            let quanta = (lived - fresh).abs() / 8.0 * 16_777_216.0;
            assert!(quanta <= 8.0, "seed {seed}: {lived} and {fresh} bit/s");
        }
    }
}

/// Whether a fault shows in `verdict` within some hundred networks.
fn caught(fault: Fault, verdict: impl Fn(&mut Pair) -> Result<(), String>) -> bool {
    (0..300).any(|seed| {
        let mut pair = Pair::new(seed, Some(fault));
        (0..40).any(|_| {
            pair.act();
            verdict(&mut pair).is_err()
        })
    })
}

#[test]
fn a_planted_fault_breaks_an_invariant() {
    for fault in [
        Fault::PullSkipped,
        Fault::CertificateIgnored,
        Fault::CapIgnored,
    ] {
        assert!(caught(fault, |pair| pair.ours.check()), "{fault:?}");
    }
}

#[test]
fn a_planted_fault_shows_in_the_rates() {
    for fault in [
        Fault::PullSkipped,
        Fault::CertificateIgnored,
        Fault::CapIgnored,
    ] {
        assert!(caught(fault, Pair::compare), "{fault:?}");
    }
}
