//! Queues at a server: what guests wait, and how many find no room.

use netduel_client_server::single_server::{Config, SingleServer};
use netduel_metrics::{
    distribution::quantile,
    queueing::{erlang_b, erlang_c, mg1_wait, mm1_time_quantile, mmc_wait, mmck, sharing_time},
};
use netduel_world::{
    Arrivals, Bytes, Cause, Demand, Discipline, Law, Outcome, PerSecond, Processor, Seconds, Share,
    Wants, World, WorldSpec,
};

use super::{
    Accept, Cost, Experiment, Figure, Measured,
    set_up::{rate, simulate, users, without_latency},
};

const KLEINROCK: &str = "Kleinrock, Queueing Systems, Volume 1, 1975";
const POLLACZEK: &str = "Pollaczek and Khinchine; Kleinrock, Volume 1, sect. 5.6";
const SHARING: &str = "Kleinrock, Queueing Systems, Volume 2, 1976, sect. 4.4";
const ERLANG: &str = "Erlang's loss formula; Kleinrock, Volume 1, sect. 3.6";

/// Beyond 3.3, because errors come from 32 batches and there are many of these comparisons: with 31
/// degrees of freedom one in 2,700 is off by more.
const ERRORS: Accept = Accept::StandardErrors(4.0);

pub(super) fn experiments() -> Vec<Experiment> {
    let mut all = Vec::new();
    all.push(mm1(0.5, 150_000, Cost::Quick));
    all.extend([0.3, 0.7, 0.8].map(|load| mm1(load, 1_500_000, Cost::Slow)));
    all.push(mmc(5, 0.7, 150_000, Cost::Quick));
    all.extend(
        [(2, 0.5), (2, 0.8), (3, 0.8), (10, 0.8), (20, 0.8)]
            .map(|(servers, load)| mmc(servers, load, 1_500_000, Cost::Slow)),
    );
    all.push(mg1(&Service::CONSTANT, 0.7, 150_000, Cost::Quick));
    all.push(mg1(&Service::TWO_PHASES_4, 0.5, 300_000, Cost::Quick));
    for service in [
        Service::CONSTANT,
        Service::ERLANG_4,
        Service::ERLANG_2,
        Service::TWO_PHASES_2,
        Service::TWO_PHASES_4,
    ] {
        all.extend([0.5, 0.8].map(|load| mg1(&service, load, 2_000_000, Cost::Slow)));
    }
    all.push(sharing(&Service::CONSTANT, 0.7, 100_000, Cost::Quick));
    all.push(sharing(&Service::TWO_PHASES_4, 0.7, 150_000, Cost::Quick));
    for service in [
        Service::CONSTANT,
        Service::EXPONENTIAL,
        Service::TWO_PHASES_4,
    ] {
        all.extend([0.5, 0.8].map(|load| sharing(&service, load, 1_500_000, Cost::Slow)));
    }
    all.push(loss(&Service::CONSTANT, 5, 3.0, 100_000, Cost::Quick));
    all.push(loss(&Service::TWO_PHASES_4, 5, 3.0, 150_000, Cost::Quick));
    for (servers, offered) in [(1, 1.0), (2, 1.0), (10, 8.0), (20, 15.0), (100, 90.0)] {
        for service in [Service::CONSTANT, Service::TWO_PHASES_4] {
            all.push(loss(&service, servers, offered, 1_000_000, Cost::Slow));
        }
    }
    all.push(finite(1, 5, 0.8, Room::Queue, 150_000, Cost::Quick));
    all.push(finite(1, 5, 0.8, Room::Connections, 150_000, Cost::Quick));
    all.extend(
        [
            (1, 10, 0.8),
            (1, 10, 1.0),
            (1, 10, 2.0),
            (2, 10, 1.6),
            (4, 8, 3.2),
            (10, 20, 8.0),
            (10, 20, 12.0),
        ]
        .map(|(servers, room, arrivals)| {
            finite(servers, room, arrivals, Room::Queue, 1_000_000, Cost::Slow)
        }),
    );
    all
}

/// A law of service times with mean 1.
#[derive(Clone, Copy)]
struct Service {
    name: &'static str,
    /// Squared coefficient of variation.
    variability: f64,
    law: fn() -> Law,
}

impl Service {
    const CONSTANT: Self = Self {
        name: "constant",
        variability: 0.0,
        law: || Law::Constant(1.0),
    };
    const ERLANG_4: Self = Self {
        name: "Erlang-4",
        variability: 0.25,
        law: || Law::Erlang {
            stages: 4,
            mean: 1.0,
        },
    };
    const ERLANG_2: Self = Self {
        name: "Erlang-2",
        variability: 0.5,
        law: || Law::Erlang {
            stages: 2,
            mean: 1.0,
        },
    };
    const EXPONENTIAL: Self = Self {
        name: "exponential",
        variability: 1.0,
        law: || Law::Exponential { mean: 1.0 },
    };
    const TWO_PHASES_2: Self = Self {
        name: "hyperexponential (C2 = 2)",
        variability: 2.0,
        law: || two_phases(2.0),
    };
    const TWO_PHASES_4: Self = Self {
        name: "hyperexponential (C2 = 4)",
        variability: 4.0,
        law: || two_phases(4.0),
    };
}

/// Two exponential phases, each with half of the work: mean 1 and squared coefficient of variation
/// 1 / (2 p (1 - p)) - 1, where p is the share of the first.
fn two_phases(variability: f64) -> Law {
    let share = 0.5 * (1.0 + ((variability - 1.0) / (variability + 1.0)).sqrt());
    let phase = |share: f64| {
        let mean = 1.0 / (2.0 * share);
        (share, Law::Exponential { mean })
    };
    Law::Mixture(vec![phase(share), phase(1.0 - share)])
}

/// What guests of a server met.
struct Met {
    /// Seconds from arrival to completion, of those who found room.
    times: Vec<f64>,
    /// Seconds of that in which nobody worked for them.
    waits: Vec<f64>,
    /// Whether each guest found no room: 1 or 0.
    lost: Vec<f64>,
    /// Completed per second.
    throughput: f64,
}

/// `requests` look-ups at one server, of which the first tenth is left out.
fn serve(
    processor: Processor,
    config: &Config,
    arrivals: f64,
    law: &Law,
    requests: u32,
    seed: u64,
) -> Met {
    let mut spec = WorldSpec {
        demand: Demand {
            wants: Wants::Lookup {
                keys: 10,
                zipf: 0.0,
                value: Bytes(0),
                reads: Share::new(1.0).expect("all"),
            },
            arrivals: Arrivals::Poisson(PerSecond::new(arrivals).expect("a rate above 0")),
            requests: Some(requests),
            work: law.clone(),
        },
        ..without_latency()
    };
    // A message is on the wire for less than a nanosecond.
    users(&mut spec, 1000, 4e12, 4e12);
    spec.infrastructure[0].upload = rate(4e12);
    spec.infrastructure[0].download = rate(4e12);
    spec.infrastructure[0].processor = processor;
    spec.patience.retries = 0;
    let record = simulate::<SingleServer>(&spec, config, seed);
    let world = World::draw(&spec, seed, 0);
    let skipped = requests as usize / 10;
    let settled = || record.requests.iter().zip(&world.issues).skip(skipped);
    let refused = Outcome::Failed(Cause::Refused);
    let done = || settled().filter(|(request, _)| request.outcome == Outcome::Served);
    let time = |ended, issued| netduel_world::SimDuration::as_seconds(ended - issued);
    let times: Vec<f64> = done().map(|(r, _)| time(r.ended, r.issued)).collect();
    let work = done().map(|(_, issue)| issue.work.as_seconds() / processor.speed);
    let first = record.requests[skipped].issued;
    let last = record.requests[requests as usize - 1].issued;
    Met {
        waits: times
            .iter()
            .zip(work)
            .map(|(time, work)| time - work)
            .collect(),
        lost: settled()
            .map(|(request, _)| f64::from(u8::from(request.outcome == refused)))
            .collect(),
        throughput: times.len() as f64 / time(last, first),
        times,
    }
}

/// A server whose processor alone sets limits.
fn open_handed() -> Config {
    Config {
        connections: u32::MAX,
        response_timeout: Seconds::new(1000.0).expect("far longer than anybody waits"),
        ..Config::default()
    }
}

fn processor(cores: u32, queue: u32) -> Processor {
    Processor {
        cores,
        queue,
        ..Processor::default()
    }
}

const ENDLESS: u32 = u32::MAX / 2;

fn figure(quantity: &str, theory: f64, accept: Accept) -> Figure {
    Figure {
        quantity: quantity.into(),
        theory,
        accept,
    }
}

fn mm1(load: f64, requests: u32, cost: Cost) -> Experiment {
    let stable = "the load is below 1";
    Experiment {
        topic: "queueing",
        source: KLEINROCK,
        set_up: format!("single-server, M/M/1, load {load}, {requests} look-ups"),
        cost,
        figures: vec![
            figure(
                "mean wait (s)",
                mmc_wait(1, load, 1.0).expect(stable),
                ERRORS,
            ),
            // Daley's variance of the mean at load 0.7 and 1.5 million guests is 1 % of it; tails
            // waver twice as much.
            figure(
                "95 % are done within (s)",
                mm1_time_quantile(load, 1.0, 0.95).expect(stable),
                Accept::Relative(0.05),
            ),
        ],
        simulate: Box::new(move |seed| {
            let law = (Service::EXPONENTIAL.law)();
            let met = serve(
                processor(1, ENDLESS),
                &open_handed(),
                load,
                &law,
                requests,
                seed,
            );
            let mut times = met.times;
            times.sort_by(f64::total_cmp);
            let p95 = quantile(&times, 0.95).expect("there were guests");
            vec![Measured::batch_mean(&met.waits), Measured::exact(p95)]
        }),
    }
}

fn mmc(servers: u32, load: f64, requests: u32, cost: Cost) -> Experiment {
    let offered = f64::from(servers) * load;
    let stable = "the load is below 1";
    Experiment {
        topic: "queueing",
        source: KLEINROCK,
        set_up: format!("single-server, {servers} cores, M/M/c, load {load}, {requests} look-ups"),
        cost,
        figures: vec![
            figure(
                "wait at all (share)",
                erlang_c(servers, offered).expect(stable),
                ERRORS,
            ),
            figure(
                "mean wait (s)",
                mmc_wait(servers, offered, 1.0).expect(stable),
                ERRORS,
            ),
        ],
        simulate: Box::new(move |seed| {
            let law = (Service::EXPONENTIAL.law)();
            let processor = processor(servers, ENDLESS);
            let met = serve(processor, &open_handed(), offered, &law, requests, seed);
            // Half a microsecond is rounding.
            let waited = |wait: &f64| f64::from(u8::from(*wait > 5e-7));
            let waited: Vec<f64> = met.waits.iter().map(waited).collect();
            vec![
                Measured::batch_mean(&waited),
                Measured::batch_mean(&met.waits),
            ]
        }),
    }
}

fn mg1(service: &Service, load: f64, requests: u32, cost: Cost) -> Experiment {
    let service = *service;
    let theory = mg1_wait(load, 1.0, service.variability).expect("the load is below 1");
    Experiment {
        topic: "queueing",
        source: POLLACZEK,
        set_up: format!(
            "single-server, M/G/1, {} work, load {load}, {requests} look-ups",
            service.name
        ),
        cost,
        figures: vec![figure("mean wait (s)", theory, ERRORS)],
        simulate: Box::new(move |seed| {
            let law = (service.law)();
            let met = serve(
                processor(1, ENDLESS),
                &open_handed(),
                load,
                &law,
                requests,
                seed,
            );
            vec![Measured::batch_mean(&met.waits)]
        }),
    }
}

fn sharing(service: &Service, load: f64, requests: u32, cost: Cost) -> Experiment {
    let service = *service;
    let theory = sharing_time(load, 1.0).expect("the load is below 1");
    Experiment {
        topic: "queueing",
        source: SHARING,
        set_up: format!(
            "single-server, processor sharing, {} work, load {load}, {requests} look-ups",
            service.name
        ),
        cost,
        figures: vec![figure("mean time (s)", theory, ERRORS)],
        simulate: Box::new(move |seed| {
            let law = (service.law)();
            let processor = Processor {
                discipline: Discipline::ProcessorSharing,
                ..processor(1, ENDLESS)
            };
            let met = serve(processor, &open_handed(), load, &law, requests, seed);
            vec![Measured::batch_mean(&met.times)]
        }),
    }
}

fn loss(service: &Service, servers: u32, offered: f64, requests: u32, cost: Cost) -> Experiment {
    let service = *service;
    Experiment {
        topic: "queueing",
        source: ERLANG,
        set_up: format!(
            "single-server, {servers} cores without a queue, M/G/c/c, {} work, {offered} offered, \
             {requests} look-ups",
            service.name
        ),
        cost,
        figures: vec![figure(
            "refused (share)",
            erlang_b(servers, offered),
            ERRORS,
        )],
        simulate: Box::new(move |seed| {
            let law = (service.law)();
            let met = serve(
                processor(servers, 0),
                &open_handed(),
                offered,
                &law,
                requests,
                seed,
            );
            vec![Measured::batch_mean(&met.lost)]
        }),
    }
}

/// What limits how many are there.
#[derive(Clone, Copy)]
enum Room {
    /// The processor's queue.
    Queue,
    /// Connections.
    Connections,
}

fn finite(
    servers: u32,
    room: u32,
    arrivals: f64,
    limit: Room,
    requests: u32,
    cost: Cost,
) -> Experiment {
    let theory = mmck(servers, room, arrivals, 1.0);
    let by = match limit {
        Room::Queue => "the processor's queue",
        Room::Connections => "connections",
    };
    Experiment {
        topic: "queueing",
        source: KLEINROCK,
        set_up: format!(
            "single-server, M/M/{servers}/{room} by {by}, {arrivals} look-ups/s, {requests} in all"
        ),
        cost,
        figures: vec![
            figure("refused (share)", theory.lost, ERRORS),
            figure("mean time of others (s)", theory.time, ERRORS),
            // The number of arrivals wavers by 1 / sqrt(100,000) = 0.3 % itself.
            figure(
                "throughput (/s)",
                theory.throughput,
                Accept::Relative(0.015),
            ),
        ],
        simulate: Box::new(move |seed| {
            let law = (Service::EXPONENTIAL.law)();
            let mut config = open_handed();
            let processor = match limit {
                Room::Queue => processor(servers, room - servers),
                Room::Connections => {
                    config.connections = room;
                    config.queue = 0;
                    processor(servers, ENDLESS)
                }
            };
            let met = serve(processor, &config, arrivals, &law, requests, seed);
            vec![
                Measured::batch_mean(&met.lost),
                Measured::batch_mean(&met.times),
                Measured::exact(met.throughput),
            ]
        }),
    }
}
