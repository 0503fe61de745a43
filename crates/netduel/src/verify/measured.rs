//! What a simulation came to, and how sure that is.

use netduel_metrics::interval::estimate;

/// What a simulation came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The value, in the figure's unit.
    pub value: f64,
    /// Its standard error; absent for what is not a matter of chance.
    pub standard_error: Option<f64>,
}

impl Measured {
    /// A value that is not a matter of chance.
    pub fn exact(value: f64) -> Self {
        Self {
            value,
            standard_error: None,
        }
    }

    /// A value with its standard error.
    pub fn with_error(value: f64, standard_error: f64) -> Self {
        Self {
            value,
            standard_error: Some(standard_error),
        }
    }

    /// The mean of independent observations.
    ///
    /// # Panics
    /// Without an observation.
    pub fn mean(observations: &[f64]) -> Self {
        let estimate = estimate(observations).expect("there are observations");
        let n = observations.len() as f64;
        let squares = observations
            .iter()
            .map(|x| (x - estimate.mean) * (x - estimate.mean));
        Self::with_error(
            estimate.mean,
            (squares.sum::<f64>() / (n - 1.0).max(1.0) / n).sqrt(),
        )
    }

    /// The mean of a series whose neighbours depend on each other, such as waiting times in a queue:
    /// its error comes from the means of 32 batches.
    ///
    /// # Source
    /// A. M. Law, *Simulation Modeling and Analysis*, 5th ed., McGraw-Hill, 2015, §9.5.3.
    pub fn batch_mean(series: &[f64]) -> Self {
        let size = (series.len() / 32).max(1);
        let means: Vec<f64> = series
            .chunks_exact(size)
            .map(|batch| batch.iter().sum::<f64>() / size as f64)
            .collect();
        Self::mean(&means)
    }

    /// A share of `trials` independent trials.
    pub fn share(hits: usize, trials: usize) -> Self {
        let share = hits as f64 / trials as f64;
        Self::with_error(share, (share * (1.0 - share) / trials as f64).sqrt())
    }
}
