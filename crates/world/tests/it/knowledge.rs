use netduel_world::{Latency, SimDuration, WorldSpec};

use crate::probe::{Config, probe};

#[test]
fn nobody_hears_an_announcement_sooner_than_its_latency() {
    for (jitter, longest) in [(0.0, 0.5), (0.4, 0.7)] {
        let spec = WorldSpec {
            latency: Latency::constant(SimDuration::from_seconds(0.5)).with_jitter(jitter),
            ..Default::default()
        };
        let config = Config {
            announces: true,
            ..Default::default()
        };
        let record = probe(&spec, &config, 1);
        assert_eq!(record.served(), 10);
        // Asked at 0, the first answer was announced when the first question had arrived.
        let first_post = 0.5 * (1.0 - jitter);
        for request in &record.requests {
            let heard = request.ended.as_seconds();
            assert!(heard >= first_post + longest, "{heard}");
        }
    }
}

#[test]
fn a_message_takes_latency_and_serialisation() {
    let spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(0.5)),
        ..Default::default()
    };
    let record = probe(&spec, &Config::default(), 1);
    // The question 0.5 s and 100 bytes at 10 and at 100 Mbps; the answer 0.5 s and 10 shares of
    // 10 Mbps.
    let expected = 0.5 + 800.0 / 10e6 + 800.0 / 100e6 + 0.5 + 8.0;
    for request in &record.requests {
        let off = (request.ended.as_seconds() - expected).abs();
        assert!(off < 1e-7, "{}", request.ended);
    }
}
