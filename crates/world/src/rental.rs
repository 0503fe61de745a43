//! Which machines are rented, and for how long: what an operator pays for.

use netduel_engine::{SimDuration, SimTime};
use netduel_network::NodeId;

/// The rentals of a run, by machine.
#[derive(Debug)]
pub(crate) struct Rentals(Vec<Rental>);

#[derive(Clone, Copy, Debug, Default)]
struct Rental {
    since: Option<SimTime>,
    before: SimDuration,
}

impl Rentals {
    pub(crate) fn new(machine_count: u32) -> Self {
        Self(vec![Rental::default(); machine_count as usize])
    }

    /// Rents a machine from now on, unless it is rented already.
    pub(crate) fn begin(&mut self, machine: NodeId, now: SimTime) {
        self.of(machine).since.get_or_insert(now);
    }

    /// Gives a machine back, if it is rented.
    pub(crate) fn end(&mut self, machine: NodeId, now: SimTime) {
        let rental = self.of(machine);
        if let Some(since) = rental.since.take() {
            rental.before += now - since;
        }
    }

    /// How long each machine was rented until the end of the run.
    pub(crate) fn close(&mut self, now: SimTime) -> Vec<SimDuration> {
        for machine in (0..).map(NodeId).take(self.0.len()) {
            self.end(machine, now);
        }
        self.0.iter().map(|rental| rental.before).collect()
    }

    fn of(&mut self, machine: NodeId) -> &mut Rental {
        let rental = self.0.get_mut(machine.index());
        rental.expect("only machines of an operator are rented")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_paid_for_while_it_is_rented_and_once_at_a_time() {
        let mut rentals = Rentals::new(3);
        let [first, second] = [0, 1].map(NodeId);
        rentals.begin(first, SimTime(0));
        rentals.begin(second, SimTime(10));
        rentals.begin(second, SimTime(15));
        rentals.end(second, SimTime(20));
        rentals.end(second, SimTime(25));
        rentals.begin(second, SimTime(30));
        let rented = rentals.close(SimTime(100));
        assert_eq!(rented, [100, 80, 0].map(SimDuration));
    }
}
