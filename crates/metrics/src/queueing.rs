//! Closed forms of queues: what a server's guests wait, in the long run.
//!
//! Simulated servers are checked against them; they never drive one. Rates are per unit of time,
//! times in that unit.

use std::fmt;

/// Requests arrive at least as fast as they can be served: the queue grows without bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unstable;

impl fmt::Display for Unstable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("requests arrive at least as fast as they can be served")
    }
}

impl std::error::Error for Unstable {}

fn stable(load: f64) -> Result<f64, Unstable> {
    if load < 1.0 { Ok(load) } else { Err(Unstable) }
}

/// The share of requests that find all of `servers` busy and are lost, when they arrive as a
/// Poisson process and keep `offered` servers busy on average, were there enough: B(c, a). It
/// depends on the law of service times by their mean only. 1 without servers.
///
/// # Source
/// L. Kleinrock, *Queueing Systems, Volume 1: Theory*, Wiley, 1975, §3.6; by the recursion
/// `B_k` = a `B_{k-1}` / (k + a `B_{k-1}`).
pub fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |lost, count| {
        offered * lost / (f64::from(count) + offered * lost)
    })
}

/// The share of requests that have to wait for one of `servers`, M/M/c: C(c, a) = B / (1 - ρ + ρ B).
///
/// # Errors
/// [`Unstable`] when `offered` is not below `servers`.
///
/// # Source
/// Kleinrock, §3.5.
pub fn erlang_c(servers: u32, offered: f64) -> Result<f64, Unstable> {
    let load = stable(offered / f64::from(servers))?;
    let lost = erlang_b(servers, offered);
    Ok(lost / (1.0 - load + load * lost))
}

/// Mean time that a request waits for one of `servers`, M/M/c: C / (c μ - λ).
///
/// - `arrivals`: λ, the rate of a Poisson process.
/// - `service`: μ, the rate at which one busy server completes requests, exponentially distributed.
///
/// # Errors
/// [`Unstable`] when λ is not below c μ.
///
/// # Source
/// Kleinrock, §3.5; with one server §3.2, ρ / (μ - λ).
pub fn mmc_wait(servers: u32, arrivals: f64, service: f64) -> Result<f64, Unstable> {
    let waits = erlang_c(servers, arrivals / service)?;
    Ok(waits / (f64::from(servers) * service - arrivals))
}

/// Mean time that a request waits, M/G/1 first come first served: ρ S (1 + C²) / (2 (1 - ρ)).
///
/// - `arrivals`: the rate of a Poisson process.
/// - `service`: S, the mean service time.
/// - `variability`: C², the squared coefficient of variation of service times.
///
/// # Errors
/// [`Unstable`] when the load ρ is not below 1.
///
/// # Source
/// The formula of Pollaczek and Khinchine; Kleinrock, §5.6.
pub fn mg1_wait(arrivals: f64, service: f64, variability: f64) -> Result<f64, Unstable> {
    let load = stable(arrivals * service)?;
    Ok(load * service * (1.0 + variability) / (2.0 * (1.0 - load)))
}

/// Mean time from arrival to completion of requests that share one server evenly, M/G/1-PS:
/// S / (1 - ρ), whatever the law of service times.
///
/// # Errors
/// [`Unstable`] when the load ρ is not below 1.
///
/// # Source
/// L. Kleinrock, *Queueing Systems, Volume 2: Computer Applications*, Wiley, 1976, §4.4.
pub fn sharing_time(arrivals: f64, service: f64) -> Result<f64, Unstable> {
    let load = stable(arrivals * service)?;
    Ok(service / (1.0 - load))
}

/// The quantile `q` of the time from arrival to completion, M/M/1 first come first served: it is
/// exponential with mean 1 / (μ - λ).
///
/// # Errors
/// [`Unstable`] when λ is not below μ.
///
/// # Source
/// Kleinrock, Volume 1, §5.7.
pub fn mm1_time_quantile(arrivals: f64, service: f64, q: f64) -> Result<f64, Unstable> {
    stable(arrivals / service)?;
    Ok(-libm::log(1.0 - q) / (service - arrivals))
}

/// A queue with room for so many, in the long run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finite {
    /// Share of requests that find no room.
    pub lost: f64,
    /// Mean number of requests there, in service or waiting.
    pub inside: f64,
    /// Requests completed per unit of time.
    pub throughput: f64,
    /// Mean time from arrival to completion of those that found room.
    pub time: f64,
}

/// `servers` servers and room for `room` requests in service or waiting, M/M/c/K.
///
/// - `arrivals`: the rate of a Poisson process, above 0.
/// - `service`: the rate at which one busy server completes requests, exponentially distributed.
///
/// # Panics
/// When there is less room than servers.
///
/// # Source
/// Kleinrock, Volume 1, §3.6 and §3.7: a birth-death process cut off at K; mean times by Little's
/// law.
pub fn mmck(servers: u32, room: u32, arrivals: f64, service: f64) -> Finite {
    assert!(servers <= room, "requests in service take room");
    // Probabilities up to a factor, kept from overflowing by the largest so far.
    let mut weights = vec![1.0_f64];
    for count in 1..=room {
        let rate = service * f64::from(count.min(servers));
        let last = weights[weights.len() - 1];
        weights.push(last * arrivals / rate);
        let largest = weights.iter().copied().fold(0.0, f64::max);
        for weight in &mut weights {
            *weight /= largest;
        }
    }
    let sum: f64 = weights.iter().sum();
    let inside = weights
        .iter()
        .zip(0_u32..)
        .map(|(weight, count)| weight * f64::from(count));
    let inside = inside.sum::<f64>() / sum;
    let lost = weights[weights.len() - 1] / sum;
    let throughput = arrivals * (1.0 - lost);
    Finite {
        lost,
        inside,
        throughput,
        time: inside / throughput,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        let off = (found - expected).abs();
        assert!(off < 6e-6 * expected.max(1.0), "{found}, not {expected}");
    }

    #[test]
    fn published_tables_of_erlang_are_reproduced() {
        for (servers, offered, lost) in [
            (1, 1.0, 0.5),
            (2, 1.0, 0.2),
            (5, 3.0, 0.110_054),
            (10, 8.0, 0.121_661),
            (100, 90.0, 0.026_957),
        ] {
            close(erlang_b(servers, offered), lost);
        }
        for (servers, load, waits, wait) in [
            (2, 0.5, 0.333_333, 0.333_333),
            (5, 0.7, 0.377_838, 0.251_892),
            (10, 0.8, 0.409_180, 0.204_590),
            (100, 0.9, 0.216_940, 0.021_694),
        ] {
            let offered = f64::from(servers) * load;
            close(erlang_c(servers, offered).unwrap(), waits);
            close(mmc_wait(servers, offered, 1.0).unwrap(), wait);
        }
    }

    #[test]
    fn one_server_is_a_special_case_of_each() {
        for load in [0.1, 0.5, 0.9] {
            close(mmc_wait(1, load, 1.0).unwrap(), load / (1.0 - load));
            close(mg1_wait(load, 1.0, 1.0).unwrap(), load / (1.0 - load));
            close(sharing_time(load, 1.0).unwrap(), 1.0 / (1.0 - load));
        }
        close(mg1_wait(0.8, 1.0, 0.0).unwrap(), 2.0);
        close(mg1_wait(0.7, 1.0, 4.0).unwrap(), 5.833_333);
        close(mm1_time_quantile(0.8, 1.0, 0.99).unwrap(), 23.025_851);
    }

    #[test]
    fn queues_with_little_room_lose_what_the_table_says() {
        for (arrivals, servers, room, lost, inside, time) in [
            (0.8, 1, 5, 0.088_819, 1.868_33, 2.563_07),
            (1.5, 1, 50, 0.333_333, 48.0, 48.0),
            (3.2, 4, 8, 0.060_728, 3.784_70, 1.259_19),
            (12.0, 10, 20, 0.179_666, 16.104_50, 1.635_97),
        ] {
            let queue = mmck(servers, room, arrivals, 1.0);
            close(queue.lost, lost);
            close(queue.inside, inside);
            close(queue.time, time);
        }
        // Without room to wait it is Erlang's loss formula.
        close(mmck(10, 10, 8.0, 1.0).lost, erlang_b(10, 8.0));
        // Far beyond what fits into a double without care.
        close(mmck(1, 2000, 2.0, 1.0).lost, 0.5);
    }

    #[test]
    fn too_much_load_has_no_mean() {
        assert_eq!(mmc_wait(2, 2.0, 1.0), Err(Unstable));
        assert_eq!(mg1_wait(1.0, 1.0, 0.0), Err(Unstable));
        assert_eq!(sharing_time(1.1, 1.0), Err(Unstable));
    }
}
