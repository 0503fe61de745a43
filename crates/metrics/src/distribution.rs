//! Quantiles and shares of a sample.

/// The quantile of a sample at `share` (0 to 1), in the unit of the sample; `None` when it is empty.
///
/// Definition 7 of Hyndman and Fan: with the sample sorted and h = (n − 1) · share, the value at
/// position h, linearly between its two neighbours. (The default of R and of spreadsheets.)
///
/// # Panics
/// When `share` lies outside 0 to 1.
///
/// # Source
/// R. J. Hyndman, Y. Fan, "Sample quantiles in statistical packages", *The American Statistician*
/// 50(4), 1996, 361-365.
pub fn quantile(sample: &[f64], share: f64) -> Option<f64> {
    assert!((0.0..=1.0).contains(&share), "a share lies between 0 and 1");
    let sorted = sorted(sample);
    let last = sorted.len().checked_sub(1)?;
    let position = last as f64 * share;
    let below = floor_index(position).min(last);
    let above = (below + 1).min(last);
    let fraction = position - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * fraction)
}

/// The share of a sample (0 to 1) that is at most `limit`; `None` when it is empty.
pub fn share_at_most(sample: &[f64], limit: f64) -> Option<f64> {
    let count = sample.iter().filter(|value| **value <= limit).count();
    (!sample.is_empty()).then(|| count as f64 / sample.len() as f64)
}

/// The time by which `share` (above 0, up to 1) of a population was served, in the unit of
/// `times`; `None` when fewer were ever served.
///
/// The k-th smallest of `times`, where k is the smallest count that is at least `share` of
/// `population`. Those who were never served have no entry in `times`, but are in `population`.
pub fn time_by_share(times: &[f64], population: usize, share: f64) -> Option<f64> {
    // A share such as 0.07 of 100 must mean 7, not 8 because 0.07 · 100 is 7.000000000000001.
    let wanted = (share * population as f64 * (1.0 - 1e-12)).ceil().max(1.0);
    let sorted = sorted(times);
    sorted.get(floor_index(wanted) - 1).copied()
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positions in a sample are small and not negative"
)]
fn floor_index(position: f64) -> usize {
    position.floor() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_that_r_gives_by_default() {
        let sample = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&sample, 0.0), Some(1.0));
        assert_eq!(quantile(&sample, 0.25), Some(1.75));
        assert_eq!(quantile(&sample, 0.5), Some(2.5));
        assert_eq!(quantile(&sample, 1.0), Some(4.0));
        assert_eq!(quantile(&[9.0], 0.95), Some(9.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_share_counts_what_is_at_most_the_limit() {
        assert_eq!(share_at_most(&[1.0, 2.0, 2.0, 5.0], 2.0), Some(0.75));
        assert_eq!(share_at_most(&[], 2.0), None);
    }

    #[test]
    fn users_never_served_keep_high_shares_from_being_reached() {
        let times = [30.0, 10.0, 20.0];
        assert_eq!(time_by_share(&times, 4, 0.25), Some(10.0));
        assert_eq!(time_by_share(&times, 4, 0.26), Some(20.0));
        assert_eq!(time_by_share(&times, 4, 0.75), Some(30.0));
        assert_eq!(time_by_share(&times, 4, 1.0), None);
        assert_eq!(time_by_share(&[], 0, 1.0), None);
    }

    #[test]
    fn rounding_of_a_share_asks_for_no_extra_user() {
        let times: Vec<f64> = (1..=100).map(f64::from).collect();
        for percent in 1..=100 {
            let found = time_by_share(&times, 100, f64::from(percent) / 100.0);
            assert_eq!(found, Some(f64::from(percent)));
        }
    }
}
