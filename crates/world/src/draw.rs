//! Draws a world: devices, requests and failures, before any architecture exists.
//!
//! Every draw is keyed by what it decides and for whom, so a larger population begins with the
//! same devices, the same arrivals and the same sessions as a smaller one.

use netduel_engine::Streams;
use netduel_network::{self as network, NodeId, RegionId};
use netduel_units::BitsPerSecond;

use crate::{
    demand::{self, Issue},
    ledger::{ObjectId, RequestId},
    processor::Processor,
    spec::{Access, AfterDownload, Pick, Population, WorldSpec},
};

/// One replication of a world, shared by all contenders and never changed.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was drawn from.
    pub spec: WorldSpec,
    /// The streams of this replication.
    pub streams: Streams,
    /// Infrastructure first, then the users' devices, by `NodeId`.
    pub devices: Vec<Device>,
    /// Every request of the demand, by `RequestId`.
    pub issues: Vec<Issue>,
    /// The requests of each user, in order.
    requests_of: Groups<RequestId>,
    /// The objects that each user has to share.
    objects_of: Groups<ObjectId>,
}

/// A machine or a user's device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// How it hangs off the network.
    pub access: network::Access,
    /// Its group, when an operator runs it.
    pub group: Option<u16>,
    /// Whether it gives nothing back.
    pub free_rider: bool,
    /// What its user does once the download is complete.
    pub after_download: AfterDownload,
}

impl Device {
    /// Whether the device has the role that `pick` names.
    pub fn is(&self, pick: Pick) -> bool {
        match pick {
            Pick::All => true,
            Pick::Infrastructure => self.group.is_some(),
            Pick::Users => self.group.is_none(),
        }
    }
}

impl World {
    /// Draws the world of one replication.
    pub fn draw(spec: &WorldSpec, seed: u64, replication: u64) -> Self {
        let streams = Streams::new(seed, replication);
        let mut devices = machines(spec);
        let peers = 0..u64::from(spec.population.peers);
        devices.extend(peers.map(|peer| user(&spec.population, &streams, peer)));
        let first = machine_count(spec);
        let users = spec.population.peers;
        let issues = demand::issues(&spec.demand, &streams, first, users);
        let made = issues.iter().zip(0..);
        let made = made.map(|(issue, id)| (issue.user.0 - first, RequestId(id)));
        Self {
            requests_of: Groups::new(users, made.collect()),
            objects_of: Groups::new(
                users,
                demand::placement(&spec.demand.wants, &streams, users),
            ),
            issues,
            spec: spec.clone(),
            streams,
            devices,
        }
    }

    /// The requests of the user of a device, in order; none of a machine.
    pub fn requests_of(&self, node: NodeId) -> &[RequestId] {
        match node.0.checked_sub(self.machine_count()) {
            Some(user) => self.requests_of.of(user),
            None => &[],
        }
    }

    /// The objects that a device has to share when users search, in rising order.
    pub fn objects_of(&self, node: NodeId) -> &[ObjectId] {
        match node.0.checked_sub(self.machine_count()) {
            Some(user) => self.objects_of.of(user),
            None => &[],
        }
    }

    /// What a node computes with.
    pub fn processor(&self, node: NodeId) -> Processor {
        match self.devices[node.index()].group {
            Some(group) => self.spec.infrastructure[usize::from(group)].processor,
            None => self.spec.population.processor,
        }
    }

    /// How many infrastructure machines there are; the users' devices follow them.
    pub fn machine_count(&self) -> u32 {
        machine_count(&self.spec)
    }

    /// The device of user `index`.
    pub fn user(&self, index: u32) -> NodeId {
        NodeId(self.machine_count() + index)
    }

    /// Whether the node is a user's device.
    pub fn is_user(&self, node: NodeId) -> bool {
        node.0 >= self.machine_count()
    }

    /// A reader's name for a node: `server`, `server-2`, `user 17`.
    pub fn name(&self, node: NodeId) -> String {
        let mut first = 0;
        for group in &self.spec.infrastructure {
            if node.0 < first + group.count {
                return match group.count {
                    1 => group.name.clone(),
                    _ => format!("{}-{}", group.name, node.0 - first + 1),
                };
            }
            first += group.count;
        }
        format!("user {}", node.0 - first + 1)
    }
}

fn machines(spec: &WorldSpec) -> Vec<Device> {
    let mut devices = Vec::new();
    for (group, index) in spec.infrastructure.iter().zip(0..) {
        let device = Device {
            access: network::Access {
                upload: group.upload,
                download: group.download,
                region: RegionId(group.region),
            },
            group: Some(index),
            free_rider: false,
            after_download: AfterDownload::Stay,
        };
        devices.extend(std::iter::repeat_n(device, group.count as usize));
    }
    devices
}

fn user(population: &Population, streams: &Streams, peer: u64) -> Device {
    let draw = |purpose| streams.draw(purpose, peer);
    let rate = |bits: f64| {
        // A law's tail may reach beyond what links can be; checked constants never do.
        BitsPerSecond::new(bits.clamp(1.0, BitsPerSecond::MAX.get()))
            .expect("a rate held within its range")
    };
    let (upload, download) = match &population.access {
        Access::Independent { upload, download } => (
            rate(upload.quantile(draw("population/upload"))),
            rate(download.quantile(draw("population/download"))),
        ),
        Access::Classes(classes) => {
            let shares = classes.iter().map(|class| class.share);
            let class = classes[pick(shares, draw("population/access"))];
            (class.upload, class.download)
        }
    };
    let shares = population.region_shares.iter().copied();
    let region = pick(shares, draw("population/region"));
    Device {
        access: network::Access {
            upload,
            download,
            region: RegionId(u16::try_from(region).expect("regions are counted in 16 bits")),
        },
        group: None,
        free_rider: draw("population/free-rider") < population.free_riders.get(),
        after_download: population.after_download,
    }
}

/// The class in which `u` falls when the unit interval is divided by `shares`.
fn pick(shares: impl ExactSizeIterator<Item = f64>, u: f64) -> usize {
    let last = shares.len() - 1;
    let mut below = 0.0;
    for (index, share) in shares.enumerate() {
        below += share;
        if u < below {
            return index;
        }
    }
    last
}

fn machine_count(spec: &WorldSpec) -> u32 {
    spec.infrastructure.iter().map(|g| g.count).sum()
}

/// Things in groups, one after the other.
#[derive(Clone, Debug)]
struct Groups<T> {
    /// Where each group ends.
    ends: Vec<u32>,
    things: Vec<T>,
}

impl<T> Groups<T> {
    /// Sorts things, each with its group, keeping their order within a group.
    fn new(group_count: u32, mut things: Vec<(u32, T)>) -> Self {
        things.sort_by_key(|(group, _)| *group);
        let mut ends = vec![0; group_count as usize];
        for (group, _) in &things {
            ends[*group as usize] += 1;
        }
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        Self {
            ends,
            things: things.into_iter().map(|(_, thing)| thing).collect(),
        }
    }

    fn of(&self, group: u32) -> &[T] {
        let group = group as usize;
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.things[start as usize..self.ends[group] as usize]
    }
}
