//! How unevenly a load is spread over nodes.
//!
//! Loads are not negative and in any one unit. Every node that could have carried load belongs in
//! the vector, with 0 when it carried none: a server alone among a thousand idle users is
//! concentrated, a vector of one server is not. Without any load there is nothing to spread, and
//! the answer is `None`.

/// The Gini coefficient: 0 when all carry the same, (n − 1)/n when one of n carries everything.
///
/// With the loads sorted upwards, G = Σ (2i − n − 1) xᵢ / (n Σ xᵢ), i from 1.
///
/// # Source
/// C. Gini, *Variabilità e mutabilità*, Bologna, 1912; the sorted form as in P. M. Dixon et al.,
/// "Bootstrapping the Gini coefficient of inequality", *Ecology* 68(5), 1987, 1548-1551.
pub fn gini(loads: &[f64]) -> Option<f64> {
    let total = total(loads)?;
    let mut sorted = loads.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let ranked = sorted.iter().enumerate();
    let weighted: f64 = ranked
        .map(|(i, load)| (2.0 * (i as f64 + 1.0) - n - 1.0) * load)
        .sum();
    Some((weighted / (n * total)).max(0.0))
}

/// The share (0 to 1) of all load that the most loaded single node carries.
pub fn top_share(loads: &[f64]) -> Option<f64> {
    let total = total(loads)?;
    Some(loads.iter().copied().fold(0.0, f64::max) / total)
}

/// The Herfindahl-Hirschman index: the sum of squared shares, from 1/n (even) to 1 (one carries
/// all). Its inverse reads as the number of equal nodes that would be as concentrated.
///
/// # Source
/// A. O. Hirschman, "The paternity of an index", *American Economic Review* 54(5), 1964, 761-762.
pub fn herfindahl(loads: &[f64]) -> Option<f64> {
    let total = total(loads)?;
    Some(
        loads
            .iter()
            .map(|load| (load / total) * (load / total))
            .sum(),
    )
}

fn total(loads: &[f64]) -> Option<f64> {
    assert!(
        loads.iter().all(|load| *load >= 0.0),
        "a load is not negative"
    );
    let total: f64 = loads.iter().sum();
    (total > 0.0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn an_even_load_is_not_concentrated() {
        close(gini(&[2.0; 8]), 0.0);
        close(top_share(&[2.0; 8]), 0.125);
        close(herfindahl(&[2.0; 8]), 0.125);
    }

    #[test]
    fn one_server_that_carries_everything_is_as_concentrated_as_can_be() {
        let loads = [0.0, 0.0, 0.0, 100.0];
        close(gini(&loads), 0.75);
        close(top_share(&loads), 1.0);
        close(herfindahl(&loads), 1.0);
    }

    #[test]
    fn the_order_of_the_nodes_does_not_matter() {
        close(gini(&[1.0, 2.0, 3.0, 4.0]), 0.25);
        close(gini(&[4.0, 1.0, 3.0, 2.0]), 0.25);
    }

    #[test]
    fn without_load_there_is_no_concentration_to_speak_of() {
        for loads in [&[][..], &[0.0, 0.0]] {
            assert_eq!(
                (gini(loads), top_share(loads), herfindahl(loads)),
                (None, None, None)
            );
        }
    }
}
