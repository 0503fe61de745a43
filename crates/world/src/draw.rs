//! Draws a world: devices, requests and failures, before any architecture exists.
//!
//! Every draw is keyed by what it decides and for whom, so a larger population begins with the
//! same devices, the same arrivals and the same sessions as a smaller one.

use netduel_engine::{SimDuration, SimTime, Streams};
use netduel_network::{self as network, NodeId, RegionId};
use netduel_units::BitsPerSecond;

use crate::spec::{Access, AfterDownload, Arrivals, Pick, Population, WorldSpec};

/// One replication of a world, shared by all contenders and never changed.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was drawn from.
    pub spec: WorldSpec,
    /// The streams of this replication.
    pub streams: Streams,
    /// Infrastructure first, then the users' devices, by `NodeId`.
    pub devices: Vec<Device>,
    /// When each user's request is issued, in the order of users.
    pub issue_times: Vec<SimTime>,
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
        Self {
            issue_times: issue_times(spec, &streams),
            spec: spec.clone(),
            streams,
            devices,
        }
    }

    /// How many infrastructure machines there are; the users' devices follow them.
    pub fn machine_count(&self) -> u32 {
        self.spec.infrastructure.iter().map(|g| g.count).sum()
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

fn issue_times(spec: &WorldSpec, streams: &Streams) -> Vec<SimTime> {
    let peers = 0..u64::from(spec.population.peers);
    match &spec.arrivals {
        Arrivals::AllAtOnce => peers.map(|_| SimTime::ZERO).collect(),
        Arrivals::Poisson(rate) => {
            let gap = netduel_engine::Law::Exponential {
                mean: 1.0 / rate.get(),
            };
            let mut at = SimTime::ZERO;
            peers
                .map(|peer| {
                    let u = streams.draw("demand/gap", peer);
                    at = at + SimDuration::from_seconds(gap.quantile(u));
                    at
                })
                .collect()
        }
        Arrivals::Trace(times) => peers
            .zip(times)
            .map(|(_, time)| SimTime::ZERO + SimDuration::from(*time))
            .collect(),
    }
}
