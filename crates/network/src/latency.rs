//! How long a bit travels between two places.

use netduel_engine::{SimDuration, Stream, uniform};

/// A place that shares its distances to all others, such as a continent.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct RegionId(pub u16);

/// One-way latencies between regions, with or without jitter.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    region_count: usize,
    /// Row by sender, column by receiver.
    between: Vec<SimDuration>,
    jitter: f64,
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
            jitter: 0.0,
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
        self.jitter = jitter;
        self
    }

    /// The mean latency from one region to another.
    pub fn mean(&self, from: RegionId, to: RegionId) -> SimDuration {
        self.between[usize::from(from.0) * self.region_count + usize::from(to.0)]
    }

    /// The longest latency that jitter allows.
    pub(crate) fn max(&self, from: RegionId, to: RegionId) -> SimDuration {
        let mean = self.mean(from, to);
        if self.jitter == 0.0 {
            return mean;
        }
        SimDuration::from_seconds(mean.as_seconds() * (1.0 + self.jitter))
    }

    /// One latency, drawn from `stream` where there is jitter.
    pub(crate) fn draw(&self, from: RegionId, to: RegionId, stream: &mut Stream) -> SimDuration {
        let mean = self.mean(from, to);
        if self.jitter == 0.0 {
            return mean;
        }
        let factor = 1.0 + self.jitter * (2.0 * uniform(stream) - 1.0);
        SimDuration::from_seconds(mean.as_seconds() * factor)
    }
}

#[cfg(test)]
mod tests {
    use netduel_engine::Streams;

    use super::*;

    #[test]
    fn jitter_stays_within_its_share_and_keeps_the_mean() {
        let latency = Latency::constant(SimDuration(1_000_000)).with_jitter(0.2);
        for seed in 0..6 {
            let mut stream = Streams::new(seed, 0).open("latency", 0);
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
    fn regions_keep_their_direction() {
        let [a, b] = [RegionId(0), RegionId(1)];
        let between = [1, 2, 3, 4].map(SimDuration).to_vec();
        let latency = Latency::between_regions(2, between);
        assert_eq!(latency.mean(a, b), SimDuration(2));
        assert_eq!(latency.mean(b, a), SimDuration(3));
    }
}
