//! Max-min fair sharing by progressive filling: plain, slow, and the yardstick.
//!
//! It has the same interface as [`FairSharing`](crate::FairSharing) and shares no code with it:
//! double precision instead of whole numbers, rates per flow instead of groups, and everything
//! computed again whenever anything changes. An event costs O(links x bottlenecks + flows), so
//! that it suits tests, comparisons and networks of a few dozen flows.
//!
//! # Source
//!
//! D. Bertsekas and R. Gallager, *Data Networks*, second edition, Prentice Hall, 1992, §6.5.2:
//! raise all rates together; whenever a link fills up, those who cross it stay where they are.

use netduel_engine::SimTime;
use netduel_units::{BitsPerSecond, Bytes};

use crate::{Capacity, FlowId, LinkId};

const NANOSECONDS: f64 = 1e9;

/// Flows that share links max-min fairly, recomputed from scratch on each change.
#[derive(Debug, Default)]
pub struct ProgressiveFilling {
    now: SimTime,
    /// Capacities in bytes per second.
    links: Vec<f64>,
    flows: Vec<Option<Flow>>,
    free: Vec<FlowId>,
    ended: Vec<FlowId>,
    started: u64,
    /// Whether something has changed since the rates were computed.
    stale: bool,
}

#[derive(Debug)]
struct Flow {
    path: Vec<LinkId>,
    /// Bytes per second; infinite without a cap.
    cap: f64,
    size: Bytes,
    start: u64,
    /// Bytes yet to be moved.
    left: f64,
    /// Bytes per second.
    rate: f64,
    due: SimTime,
}

/// One link while rates are raised.
#[derive(Clone, Copy, Debug)]
struct Filling {
    /// Capacity that frozen flows leave.
    left: f64,
    /// Flows that still rise.
    rising: u32,
}

impl ProgressiveFilling {
    /// No links and no flows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link.
    pub fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId {
        let id = LinkId(u32::try_from(self.links.len()).expect("ids are 32 bits wide"));
        self.links.push(capacity.get() / 8.0);
        id
    }

    /// Starts a flow of `size`, at least 1 byte, along `path`: links of which none comes twice.
    pub fn start(
        &mut self,
        now: SimTime,
        path: &[LinkId],
        cap: Option<BitsPerSecond>,
        size: Bytes,
    ) -> FlowId {
        assert!(size > Bytes(0), "a flow has something to move");
        assert!(!path.is_empty(), "a path has links");
        self.reach(now);
        self.stale = true;
        let flow = Flow {
            path: path.to_vec(),
            cap: cap.map_or(f64::INFINITY, |cap| cap.get() / 8.0),
            size,
            start: self.started,
            left: size.0 as f64,
            rate: 0.0,
            due: SimTime::NEVER,
        };
        self.started += 1;
        if let Some(id) = self.free.pop() {
            self.flows[id.index()] = Some(flow);
            return id;
        }
        self.flows.push(Some(flow));
        FlowId(u32::try_from(self.flows.len() - 1).expect("ids are 32 bits wide"))
    }

    /// Stops a flow; returns the whole bytes that it had delivered.
    pub fn abort(&mut self, now: SimTime, flow: FlowId) -> Bytes {
        let delivered = self.delivered(now, flow);
        self.flows[flow.index()] = None;
        self.free.push(flow);
        self.stale = true;
        delivered
    }

    /// Changes what a link carries. At [`Capacity::NONE`] its flows stall until there is more.
    pub fn set_capacity(&mut self, now: SimTime, link: LinkId, capacity: Capacity) {
        self.reach(now);
        self.links[link.index()] = capacity.get() / 8.0;
        self.stale = true;
    }

    /// The instant of the next completion, or nothing when there will be none.
    pub fn next_time(&mut self) -> Option<SimTime> {
        self.settle();
        let next = self.flows.iter().flatten().map(|flow| flow.due).min();
        next.filter(|due| *due < SimTime::NEVER)
    }

    /// Removes the flows that complete at or before `now` and appends them to `finished`:
    /// instant by instant, and in the order of their start where they complete together.
    pub fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>) {
        self.free.append(&mut self.ended);
        let begin = finished.len();
        while let Some(at) = self.next_time()
            && at <= now
        {
            self.pass_to(at);
            finished.extend(self.in_order(|flow| flow.due <= at));
            for flow in &finished[begin..] {
                self.flows[flow.index()] = None;
            }
            self.stale = true;
            if at == now {
                break;
            }
        }
        self.pass_to(now);
        self.ended.extend(&finished[begin..]);
    }

    /// The whole bytes that a flow has delivered by `now`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the flow's size, and rounding down is meant"
    )]
    pub fn delivered(&mut self, now: SimTime, flow: FlowId) -> Bytes {
        self.reach(now);
        let flow = self.flow(flow);
        let size = flow.size.0 as f64;
        flow.size
            .min(Bytes((size - flow.left.clamp(0.0, size)) as u64))
    }

    /// A flow's rate in bits per second, with all changes so far taken in.
    pub fn rate(&mut self, flow: FlowId) -> f64 {
        self.settle();
        self.flow(flow).rate * 8.0
    }

    /// The flows that cross a link, in the order of their start.
    pub fn flows_on(&self, link: LinkId) -> Vec<FlowId> {
        self.in_order(|flow| flow.path.contains(&link))
    }

    /// The flows whose rate is 0, in the order of their start.
    pub fn stalled(&mut self) -> Vec<FlowId> {
        self.settle();
        self.in_order(|flow| flow.rate <= 0.0)
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.flows.len() - self.free.len() - self.ended.len()
    }

    /// Whether there are no flows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn flow(&self, id: FlowId) -> &Flow {
        self.flows[id.index()]
            .as_ref()
            .expect("the flow has not ended")
    }

    fn in_order(&self, is: impl Fn(&Flow) -> bool) -> Vec<FlowId> {
        let mut found: Vec<(u64, FlowId)> = Vec::new();
        for (id, flow) in (0..).map(FlowId).zip(&self.flows) {
            if let Some(flow) = flow.as_ref().filter(|flow| is(flow)) {
                found.push((flow.start, id));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    fn reach(&mut self, now: SimTime) {
        assert!(self.now <= now, "time does not run backwards");
        if self.now < now {
            let next = self.next_time();
            assert!(
                next.is_none_or(|next| now <= next),
                "time does not pass a completion"
            );
            self.pass_to(now);
        }
    }

    fn pass_to(&mut self, now: SimTime) {
        if self.now == now {
            return;
        }
        self.settle();
        let seconds = (now - self.now).as_seconds();
        for flow in self.flows.iter_mut().flatten() {
            flow.left -= flow.rate * seconds;
        }
        self.now = now;
    }

    fn settle(&mut self) {
        if self.stale {
            self.stale = false;
            self.fill();
            let now = self.now;
            for flow in self.flows.iter_mut().flatten() {
                flow.due = flow.due_from(now);
            }
        }
    }

    /// Raises all rates together until each flow is held by its cap or by a full link.
    fn fill(&mut self) {
        let Self { links, flows, .. } = self;
        let mut rising: Vec<&mut Flow> = flows.iter_mut().flatten().collect();
        let idle = |left: &f64| Filling {
            left: *left,
            rising: 0,
        };
        let mut filling: Vec<Filling> = links.iter().map(idle).collect();
        for link in rising.iter().flat_map(|flow| &flow.path) {
            filling[link.index()].rising += 1;
        }
        let mut used: Vec<usize> = (0..filling.len())
            .filter(|link| filling[*link].rising > 0)
            .collect();
        while !rising.is_empty() {
            used.retain(|link| filling[*link].rising > 0);
            let shares = used.iter().map(|link| (filling[*link].share(), *link));
            let (level, full) = shares
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .expect("whoever rises crosses a link");
            let capped = rising.iter().any(|flow| flow.cap <= level);
            rising.retain_mut(|flow| {
                let crosses = flow.path.iter().any(|link| link.index() == full);
                let frozen = if capped { flow.cap <= level } else { crosses };
                if frozen {
                    flow.rate = level.min(flow.cap);
                    for link in &flow.path {
                        filling[link.index()].left -= flow.rate;
                        filling[link.index()].rising -= 1;
                    }
                }
                !frozen
            });
        }
    }
}

impl Filling {
    fn share(self) -> f64 {
        self.left.max(0.0) / f64::from(self.rising)
    }
}

impl Flow {
    /// The first whole nanosecond at which all bytes have moved.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-integer cast saturates, and the past is cut off"
    )]
    fn due_from(&self, now: SimTime) -> SimTime {
        if self.left <= 0.0 {
            return now;
        }
        let nanoseconds = (self.left / self.rate * NANOSECONDS).ceil();
        SimTime(now.0.saturating_add(nanoseconds as u64))
    }
}
