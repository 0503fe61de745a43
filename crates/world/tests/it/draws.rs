use netduel_world::{
    Access, AccessClass, Arrivals, BitsPerSecond, Bytes, Demand, Law, PerSecond, World, WorldSpec,
};

fn rate(bits: f64) -> BitsPerSecond {
    BitsPerSecond::new(bits).unwrap()
}

/// A world in which everything that can be drawn is.
fn varied(peers: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        demand: Demand::one_object(
            Bytes(10_000_000),
            Arrivals::Poisson(PerSecond::new(0.5).unwrap()),
        ),
        regions: ["here", "there"].map(String::from).to_vec(),
        ..Default::default()
    };
    spec.population.peers = peers;
    spec.population.region_shares = vec![0.3, 0.7];
    spec.population.free_riders = "25 %".parse().unwrap();
    spec.population.access = Access::Independent {
        upload: Law::LogNormal {
            median: 10e6,
            sigma: 0.8,
        },
        download: Law::Uniform {
            min: 10e6,
            max: 90e6,
        },
    };
    spec
}

#[test]
fn doubling_the_population_leaves_the_draws_of_the_first_half_unchanged() {
    for seed in 0..6 {
        let half = World::draw(&varied(200), seed, 3);
        let whole = World::draw(&varied(400), seed, 3);
        assert_eq!(half.devices, whole.devices[..201], "seed {seed}");
        assert_eq!(half.issues, whole.issues[..200], "seed {seed}");
    }
}

#[test]
fn replications_and_seeds_draw_different_worlds() {
    let base = World::draw(&varied(10), 1, 0);
    for other in [
        World::draw(&varied(10), 2, 0),
        World::draw(&varied(10), 1, 1),
    ] {
        assert_ne!(base.devices, other.devices);
        assert_ne!(base.issues, other.issues);
    }
}

#[test]
fn classes_regions_and_free_riders_come_in_their_shares() {
    let mut spec = varied(20_000);
    let class = |share, upload| AccessClass {
        share,
        upload: rate(upload),
        download: rate(10e6),
    };
    spec.population.access = Access::Classes(vec![class(0.2, 1e6), class(0.8, 2e6)]);
    for seed in 0..6 {
        let world = World::draw(&spec, seed, 0);
        let users = &world.devices[1..];
        let share = |of: &dyn Fn(&netduel_world::Device) -> bool| {
            users.iter().filter(|device| of(device)).count() as f64 / 20_000.0
        };
        let shares = [
            (share(&|d| d.access.upload == rate(1e6)), 0.2),
            (share(&|d| d.access.region.0 == 1), 0.7),
            (share(&|d| d.free_rider), 0.25),
        ];
        for (found, expected) in shares {
            // 3.3 standard deviations of a binomial share.
            let allowed = 3.3 * (expected * (1.0 - expected) / 20_000_f64).sqrt();
            assert!(
                (found - expected).abs() < allowed,
                "seed {seed}: {shares:?}"
            );
        }
    }
}

#[test]
fn poisson_arrivals_come_at_their_rate() {
    for seed in 0..6 {
        let world = World::draw(&varied(10_000), seed, 0);
        let last = world.issues.last().unwrap().at.as_seconds();
        // The sum of n exponential gaps of mean 2 s: relative standard deviation 1 / sqrt(n).
        assert!((last / 20_000.0 - 1.0).abs() < 0.033, "seed {seed}: {last}");
        assert!(world.issues.is_sorted_by_key(|issue| issue.at));
    }
}
