//! Interim progressive filling.

use netduel_engine::{SimDuration, SimTime};
use netduel_units::{BitsPerSecond, Bytes};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct LinkId(pub(crate) u32);
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FlowId(pub(crate) u32);

struct Flow {
    start: u64,
    path: Vec<LinkId>,
    size: f64,
    left: f64,
    rate: f64,
}

#[derive(Default)]
pub(crate) struct FairSharing {
    capacity: Vec<f64>,
    flows: Vec<Option<Flow>>,
    free: Vec<u32>,
    live: Vec<u32>,
    next_start: u64,
    now: SimTime,
    dirty: bool,
}

#[allow(dead_code)]
impl FairSharing {
    pub(crate) fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId {
        self.capacity.push(capacity.get() / 8.0);
        LinkId(self.capacity.len() as u32 - 1)
    }
    fn touch(&mut self, now: SimTime) {
        if now > self.now {
            self.settle();
            let dt = (now - self.now).as_seconds();
            for &f in &self.live {
                let flow = self.flows[f as usize].as_mut().unwrap();
                flow.left -= flow.rate * dt;
            }
            self.now = now;
        }
    }
    fn settle(&mut self) {
        if !self.dirty {
            return;
        }
        self.dirty = false;
        let mut left = self.capacity.clone();
        let mut count = vec![0_u32; left.len()];
        let mut open: Vec<u32> = self.live.clone();
        for &f in &open {
            for l in &self.flows[f as usize].as_ref().unwrap().path {
                count[l.0 as usize] += 1;
            }
        }
        while !open.is_empty() {
            let share = (0..left.len())
                .filter(|&l| count[l] > 0)
                .map(|l| left[l].max(0.0) / f64::from(count[l]))
                .fold(f64::INFINITY, f64::min);
            let tight: Vec<bool> = (0..left.len())
                .map(|l| {
                    count[l] > 0 && left[l].max(0.0) / f64::from(count[l]) <= share * (1.0 + 1e-12)
                })
                .collect();
            let flows = &mut self.flows;
            open.retain(|&f| {
                let flow = flows[f as usize].as_mut().unwrap();
                if flow.path.iter().any(|l| tight[l.0 as usize]) {
                    flow.rate = share;
                    for l in &flow.path {
                        left[l.0 as usize] -= share;
                        count[l.0 as usize] -= 1;
                    }
                    false
                } else {
                    true
                }
            });
        }
    }
    pub(crate) fn start(
        &mut self,
        now: SimTime,
        path: &[LinkId],
        _cap: Option<BitsPerSecond>,
        size: Bytes,
    ) -> FlowId {
        self.touch(now);
        self.dirty = true;
        let flow = Flow {
            start: self.next_start,
            path: path.to_vec(),
            size: size.0 as f64,
            left: size.0 as f64,
            rate: 0.0,
        };
        self.next_start += 1;
        let id = match self.free.pop() {
            Some(id) => {
                self.flows[id as usize] = Some(flow);
                id
            }
            None => {
                self.flows.push(Some(flow));
                self.flows.len() as u32 - 1
            }
        };
        self.live.push(id);
        FlowId(id)
    }
    fn remove(&mut self, id: u32) -> Flow {
        self.dirty = true;
        self.live.retain(|f| *f != id);
        self.free.push(id);
        self.flows[id as usize].take().unwrap()
    }
    pub(crate) fn abort(&mut self, now: SimTime, flow: FlowId) -> Bytes {
        let done = self.delivered(now, flow);
        self.touch(now);
        self.remove(flow.0);
        done
    }
    pub(crate) fn next_time(&mut self) -> Option<SimTime> {
        self.settle();
        let now = self.now;
        self.live
            .iter()
            .map(|&f| self.flows[f as usize].as_ref().unwrap())
            .filter(|f| f.rate > 0.0)
            .map(|f| now + SimDuration((f.left.max(0.0) / f.rate * 1e9).ceil() as u64))
            .min()
    }
    pub(crate) fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>) {
        self.touch(now);
        let mut done: Vec<(u64, u32)> = self
            .live
            .iter()
            .map(|&f| (f, self.flows[f as usize].as_ref().unwrap()))
            .filter(|(_, f)| f.left <= f.rate * 1e-9)
            .map(|(id, f)| (f.start, id))
            .collect();
        done.sort_unstable();
        for (_, id) in done {
            self.remove(id);
            finished.push(FlowId(id));
        }
    }
    pub(crate) fn delivered(&self, now: SimTime, flow: FlowId) -> Bytes {
        let f = self.flows[flow.0 as usize].as_ref().unwrap();
        let done = f.size - f.left + f.rate * (now - self.now).as_seconds();
        Bytes(done.clamp(0.0, f.size) as u64)
    }
    pub(crate) fn flows_on(&self, link: LinkId) -> Vec<FlowId> {
        let mut on: Vec<(u64, u32)> = self
            .live
            .iter()
            .map(|&f| (f, self.flows[f as usize].as_ref().unwrap()))
            .filter(|(_, f)| f.path.contains(&link))
            .map(|(id, f)| (f.start, id))
            .collect();
        on.sort_unstable();
        on.into_iter().map(|(_, id)| FlowId(id)).collect()
    }
}
