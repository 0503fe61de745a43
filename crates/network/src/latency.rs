//! How long a bit travels between two places.

use netduel_engine::{Law, SimDuration, SmallStream};

use crate::routers::Routers;

/// A place that shares its distances to all others, such as a continent.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct RegionId(pub u16);

/// One-way latencies between regions, with or without jitter.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    region_count: usize,
    /// Row by sender, column by receiver.
    between: Vec<SimDuration>,
    jitter: Jitter,
}

/// How latencies differ from message to message.
#[derive(Clone, Debug, PartialEq)]
enum Jitter {
    None,
    /// Uniformly within this share of the mean.
    Within(f64),
    /// Longer than the base by so many seconds.
    Beyond(Law),
}

impl Latency {
    /// The same latency between any two devices.
    pub fn constant(latency: SimDuration) -> Self {
        Self::between_regions(1, vec![latency])
    }

    /// A latency for each pair of regions, row by sender.
    ///
    /// # Panics
    /// When `between` is not a square of `region_count` rows.
    pub fn between_regions(region_count: usize, between: Vec<SimDuration>) -> Self {
        assert_eq!(
            between.len(),
            region_count * region_count,
            "a latency for every pair of regions"
        );
        Self {
            region_count,
            between,
            jitter: Jitter::None,
        }
    }

    /// Lets every message draw its latency uniformly within `jitter` of its mean: 0.2 stands for
    /// 20 % less to 20 % more.
    ///
    /// # Panics
    /// When `jitter` is not a share from 0 to 1.
    #[must_use]
    pub fn with_jitter(mut self, jitter: f64) -> Self {
        assert!((0.0..=1.0).contains(&jitter), "a share from 0 to 1");
        self.jitter = if jitter == 0.0 {
            Jitter::None
        } else {
            Jitter::Within(jitter)
        };
        self
    }

    /// Lets every message take longer than the latency between its regions, by a time in seconds
    /// drawn from `law`: queues on the way make delays longer and never shorter.
    ///
    /// # Panics
    /// When the parameters make no law.
    #[must_use]
    pub fn with_excess(mut self, law: Law) -> Self {
        law.check().expect("an excess follows a law");
        self.jitter = Jitter::Beyond(law);
        self
    }

    /// The mean latency from one region to another; a constant one holds for every pair of them.
    pub fn mean(&self, from: RegionId, to: RegionId) -> SimDuration {
        let base = if self.is_uniform() {
            self.between[0]
        } else {
            self.base(from, to)
        };
        match &self.jitter {
            Jitter::None | Jitter::Within(_) => base,
            Jitter::Beyond(law) => base + SimDuration::from_seconds(law.mean()),
        }
    }

    /// The same with what bits take over the trunks between regions on top; a constant latency
    /// holds for every pair of them.
    pub(crate) fn over(mut self, routers: &Routers) -> Self {
        let regions = || (0..).map(RegionId).take(routers.region_count());
        let constant = self.is_uniform();
        assert!(
            constant || self.region_count == routers.region_count(),
            "a latency and a router for every region"
        );
        let pairs = regions().flat_map(|from| regions().map(move |to| (from, to)));
        let between = pairs.map(|(from, to)| {
            let base = if constant {
                self.between[0]
            } else {
                self.base(from, to)
            };
            base + routers.latency(from, to)
        });
        self.between = between.collect();
        self.region_count = routers.region_count();
        self
    }

    /// Whether all devices are in one region.
    #[inline]
    pub(crate) fn is_uniform(&self) -> bool {
        self.region_count == 1
    }

    fn base(&self, from: RegionId, to: RegionId) -> SimDuration {
        self.between[usize::from(from.0) * self.region_count + usize::from(to.0)]
    }

    /// The longest latency that jitter allows.
    pub(crate) fn max(&self, from: RegionId, to: RegionId) -> SimDuration {
        let base = self.base(from, to);
        match &self.jitter {
            Jitter::None => base,
            Jitter::Within(share) => SimDuration::from_seconds(base.as_seconds() * (1.0 + share)),
            Jitter::Beyond(law) => base + SimDuration::from_seconds(law.largest()),
        }
    }

    /// One latency, drawn from `stream` where there is jitter.
    #[inline]
    pub(crate) fn draw(
        &self,
        from: RegionId,
        to: RegionId,
        stream: &mut SmallStream,
    ) -> SimDuration {
        let base = self.base(from, to);
        match &self.jitter {
            Jitter::None => base,
            Jitter::Within(share) => {
                let factor = 1.0 + share * (2.0 * stream.uniform() - 1.0);
                SimDuration::from_seconds(base.as_seconds() * factor)
            }
            Jitter::Beyond(law) => base + SimDuration::from_seconds(law.quantile(stream.uniform())),
        }
    }
}

#[cfg(test)]
mod tests {
    use netduel_engine::Streams;

    use super::*;

    #[test]
    fn a_constant_latency_holds_between_any_two_regions() {
        let latency = Latency::constant(SimDuration(1_000_000)).with_jitter(0.5);
        let mean = latency.mean(RegionId(0), RegionId(3));
        assert_eq!(mean, SimDuration(1_000_000));
    }

    #[test]
    fn jitter_stays_within_its_share_and_keeps_the_mean() {
        let latency = Latency::constant(SimDuration(1_000_000)).with_jitter(0.2);
        for seed in 0..6 {
            let mut stream = Streams::new(seed, 0).open_small("latency", 0);
            let region = RegionId(0);
            let draws: Vec<u64> = (0..10_000)
                .map(|_| latency.draw(region, region, &mut stream).0)
                .collect();
            assert!(draws.iter().all(|d| (800_000..=1_200_000).contains(d)));
            let mean = draws.iter().sum::<u64>() as f64 / 1e4;
            // Uniform on +-20 %: standard error 0.2 / sqrt(3) / 100 of the mean.
            assert!((mean - 1e6).abs() < 4.0 * 1e6 * 0.2 / 3_f64.sqrt() / 100.0);
        }
    }

    #[test]
    fn an_excess_only_makes_latencies_longer() {
        let law = Law::Exponential { mean: 0.05 };
        let latency = Latency::constant(SimDuration(50_000_000)).with_excess(law);
        let region = RegionId(0);
        assert_eq!(latency.mean(region, region), SimDuration(100_000_000));
        let longest = latency.max(region, region);
        for seed in 0..6 {
            let mut stream = Streams::new(seed, 0).open_small("latency", 0);
            let draws: Vec<SimDuration> = (0..10_000)
                .map(|_| latency.draw(region, region, &mut stream))
                .collect();
            let range = SimDuration(50_000_000)..=longest;
            assert!(draws.iter().all(|draw| range.contains(draw)));
            let mean = draws.iter().map(|draw| draw.as_seconds()).sum::<f64>() / 1e4;
            // Exponential: standard error 0.05 / 100.
            assert!(
                (mean - 0.1).abs() < 4.0 * 0.05 / 100.0,
                "seed {seed}: {mean}"
            );
        }
    }

    #[test]
    fn regions_keep_their_direction() {
        let [a, b] = [RegionId(0), RegionId(1)];
        let between = [1, 2, 3, 4].map(SimDuration).to_vec();
        let latency = Latency::between_regions(2, between);
        assert_eq!(latency.mean(a, b), SimDuration(2));
        assert_eq!(latency.mean(b, a), SimDuration(3));
    }
}
