//! Closed forms that bound what any design can do: simulated results are checked against them and
//! charts draw them.
//!
//! Sizes are in bits, rates in bits per second, times in seconds.

/// The shortest time in which one server can give a file to every peer, without the peers' help:
/// max(N F / u, F / d₀), in seconds, d₀ the slowest download; 0 when there
/// is nobody to serve.
///
/// Reached exactly by fair sharing when latency is 0.
///
/// - `size`: the file F, in bits, above 0.
/// - `server_upload`: u, in bit/s, above 0.
/// - `downloads`: each peer's download rate, in bit/s, above 0.
///
/// # Source
/// J. F. Kurose, K. W. Ross, *Computer Networking: A Top-Down Approach*, 8th ed., Pearson, 2021,
/// §2.5, eq. 2.1.
pub fn client_server_bound(size: f64, server_upload: f64, downloads: &[f64]) -> f64 {
    let through_server = downloads.len() as f64 * size / server_upload;
    through_server.max(slowest_download(size, downloads))
}

/// The shortest time in which one server and the peers together can give a file to every peer:
/// max(F / u, F / d₀, N F / (u + Σ uᵢ)), in seconds, d₀ the slowest download; 0 when there
/// is nobody to serve.
///
/// A bound for infinitely divisible data. `uploads` has one rate per peer, in bit/s, 0 allowed.
/// The other parameters are those of [`client_server_bound`].
///
/// # Source
/// Kurose and Ross, §2.5, eq. 2.2; attained by a fluid schedule: R. Kumar, K. W. Ross,
/// "Peer-assisted file distribution: the minimum distribution time", Hot Topics in Web Systems, 2006.
pub fn peer_to_peer_bound(
    size: f64,
    server_upload: f64,
    uploads: &[f64],
    downloads: &[f64],
) -> f64 {
    if downloads.is_empty() {
        return 0.0;
    }
    let capacity = server_upload + uploads.iter().sum::<f64>();
    let through_everybody = downloads.len() as f64 * size / capacity;
    (size / server_upload)
        .max(slowest_download(size, downloads))
        .max(through_everybody)
}

/// The least number of rounds in which a server and `peers` equal peers can spread a file of
/// `parts` equal parts, each sending one part per round: M + ⌊log₂ N⌋; 0 without peers or parts.
///
/// # Source
/// J. Mundinger, R. Weber, G. Weiss, "Optimal scheduling of peer-to-peer file dissemination",
/// *Journal of Scheduling* 11, 2008, 105-120.
pub fn dissemination_rounds(peers: u64, parts: u64) -> u64 {
    match (peers.checked_ilog2(), parts) {
        (None, _) | (_, 0) => 0,
        (Some(doublings), parts) => parts + u64::from(doublings),
    }
}

/// The time of [`dissemination_rounds`], in seconds, when server and peers each send with `upload`
/// bit/s and nothing else holds them up.
///
/// - `size`: the whole file, in bits, above 0.
pub fn dissemination_bound(size: f64, upload: f64, peers: u64, parts: u64) -> f64 {
    if parts == 0 {
        return 0.0;
    }
    dissemination_rounds(peers, parts) as f64 * (size / parts as f64) / upload
}

fn slowest_download(size: f64, downloads: &[f64]) -> f64 {
    downloads.iter().map(|rate| size / rate).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        let tolerance = 5e-6 * expected.abs().max(1.0);
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn the_textbook_figure_is_reproduced() {
        // F/u = 1 h, server ten times as fast as a peer, downloads never the bottleneck.
        let expected = [
            (1, 0.1, 0.1),
            (5, 0.5, 0.333_333),
            (10, 1.0, 0.5),
            (30, 3.0, 0.75),
            (100, 10.0, 0.909_091),
            (1000, 100.0, 0.990_099),
        ];
        for (peers, client_server, peer_to_peer) in expected {
            let downloads = vec![10.0; peers];
            close(client_server_bound(1.0, 10.0, &downloads), client_server);
            close(
                peer_to_peer_bound(1.0, 10.0, &vec![1.0; peers], &downloads),
                peer_to_peer,
            );
        }
    }

    #[test]
    fn the_textbook_homework_is_reproduced() {
        for (peers, client_server, at_300_kbit) in [
            (10, 7500.0, 7500.0),
            (100, 50_000.0, 25_000.0),
            (1000, 500_000.0, 45_454.5),
        ] {
            let downloads = vec![2e6; peers];
            close(client_server_bound(15e9, 30e6, &downloads), client_server);
            close(
                peer_to_peer_bound(15e9, 30e6, &vec![3e5; peers], &downloads),
                at_300_kbit,
            );
        }
    }

    #[test]
    fn the_slowest_download_bounds_both_designs() {
        let downloads = [100.0, 1.0];
        close(client_server_bound(10.0, 1000.0, &downloads), 10.0);
        close(
            peer_to_peer_bound(10.0, 1000.0, &[50.0, 50.0], &downloads),
            10.0,
        );
    }

    #[test]
    fn nobody_is_served_in_no_time() {
        close(client_server_bound(10.0, 1.0, &[]), 0.0);
        close(peer_to_peer_bound(10.0, 1.0, &[], &[]), 0.0);
        assert_eq!(dissemination_rounds(0, 8), 0);
        close(dissemination_bound(10.0, 1.0, 5, 0), 0.0);
    }

    #[test]
    fn parts_spread_in_the_rounds_that_mundinger_weber_and_weiss_prove() {
        let expected = [
            (1, 64, 1.0),
            (3, 2, 1.5),
            (10, 8, 1.375),
            (100, 16, 1.375),
            (1000, 4, 3.25),
        ];
        for (peers, parts, file_times) in expected {
            close(dissemination_bound(1.0, 1.0, peers, parts), file_times);
        }
        assert_eq!(dissemination_rounds(1000, 1), 10);
        assert_eq!(dissemination_rounds(1000, 1000), 1009);
    }
}
