//! Transfers from one end of a workload to the other, on either way of sharing links.

use netduel_engine::{EventQueue, SimTime};
use netduel_network::{FairSharing, FlowId, LinkId, progressive::ProgressiveFilling};
use netduel_units::{BitsPerSecond, Bytes};

/// Links that flows share.
pub(crate) trait Sharing: Default {
    fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId;
    fn start(&mut self, now: SimTime, path: [LinkId; 2], size: Bytes) -> FlowId;
    fn next_time(&mut self) -> Option<SimTime>;
    fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>);
}

macro_rules! sharing {
    ($name:ident) => {
        impl Sharing for $name {
            fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId {
                self.add_link(capacity)
            }

            fn start(&mut self, now: SimTime, path: [LinkId; 2], size: Bytes) -> FlowId {
                self.start(now, &path, None, size)
            }

            fn next_time(&mut self) -> Option<SimTime> {
                self.next_time()
            }

            fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>) {
                self.advance(now, finished);
            }
        }
    };
}

sharing!(FairSharing);
sharing!(ProgressiveFilling);

/// A link of so many bits per second.
pub(crate) fn link(sharing: &mut impl Sharing, bits: f64) -> LinkId {
    sharing.add_link(BitsPerSecond::new(bits).expect("rates of a workload are in range"))
}

/// Who sends what to whom, one transfer after the other for each of several parties.
pub(crate) trait Workload {
    /// The transfer whose first bytes move now.
    fn begin(&mut self, who: u32) -> ([LinkId; 2], Bytes);

    /// A transfer is over. Says when the first bytes of the party's next one move.
    fn ended(&mut self, who: u32, now: SimTime) -> Option<SimTime>;
}

/// Lets transfers begin and end until `most` of them have ended, or all; returns how many did.
/// `owner` tells which party each flow belongs to; it is empty at first.
pub(crate) fn drive(
    sharing: &mut impl Sharing,
    workload: &mut impl Workload,
    queue: &mut EventQueue<u32>,
    owner: &mut Vec<u32>,
    most: u64,
) -> u64 {
    let (mut finished, mut count) = (Vec::new(), 0);
    while count < most {
        let flowing = sharing.next_time().unwrap_or(SimTime::NEVER);
        // Whatever begins at the instant of a completion is settled together with it.
        if flowing < SimTime::NEVER
            && queue
                .next_time_until(flowing)
                .is_none_or(|at| at == flowing)
        {
            sharing.advance(flowing, &mut finished);
            for flow in finished.drain(..) {
                count += 1;
                let who = owner[flow.index()];
                if let Some(at) = workload.ended(who, flowing) {
                    queue.schedule(at, who);
                }
            }
            begin(sharing, workload, queue, owner, flowing);
        } else {
            let Some(now) = queue.next_time() else {
                break;
            };
            begin(sharing, workload, queue, owner, now);
        }
    }
    count
}

/// Begins the transfers that are due.
fn begin(
    sharing: &mut impl Sharing,
    workload: &mut impl Workload,
    queue: &mut EventQueue<u32>,
    owner: &mut Vec<u32>,
    now: SimTime,
) {
    while queue.next_time_until(now).is_some() {
        let (_, who) = queue.pop().expect("it is due");
        let (path, size) = workload.begin(who);
        let flow = sharing.start(now, path, size);
        if owner.len() <= flow.index() {
            owner.resize(flow.index() + 1, 0);
        }
        owner[flow.index()] = who;
    }
}
