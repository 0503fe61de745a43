//! What a right scenario becomes.

use netduel_world::{Access, AfterDownload, Law, What, Who};

use crate::{RIGHT, changed, mistakes::mistake, read_with};

const LATENCY: &str = "# Source: B. Author, 2019.\nfrom,to,latency_ms\nnorth,north,10\n\
                       north,south,50\nsouth,south,20\n";
const REGIONS: &str = "# Source: B. Author, 2019.\nregion,share\nnorth,0.25\nsouth,0.75\n";
const ACCESS: &str = "# Lines at home\n# Source: A. Author, 2006.\n\
                      share,download_kbps,upload_kbps\n0.2,784,128\n0.8,1500,384\n";
const LAWS: &str = "name,law,shape,scale_min\n\"BitTorrent, Debian\",weibull,0.38,42.4\n";

#[test]
fn what_is_left_out_gets_its_default() {
    let scenario = read_with(RIGHT, &[]).unwrap();
    assert_eq!(scenario.title, "A crowd");
    assert_eq!(scenario.experiment.seed, 1);
    assert_eq!(scenario.experiment.replications, 20);
    let labels: Vec<&str> = scenario.contenders.iter().map(|c| &*c.label).collect();
    assert_eq!(labels, ["client-server", "peer to peer"]);
    assert_eq!(scenario.contenders[1].family, "peer-to-peer");
    let [point] = scenario.points.as_slice() else {
        panic!("without a sweep there is one point");
    };
    assert_eq!(point.world.patience, netduel_world::Patience::default());
    assert_eq!(point.world.population.after_download, AfterDownload::Stay);
    assert_eq!(point.world.at_most.to_string(), "30 d");
    assert_eq!(point.world.infrastructure[0].count, 1);
    assert_eq!(point.contenders.len(), 2);
}

#[test]
fn the_setup_is_told_in_one_line() {
    let setup = |text: &str| read_with(text, &[]).unwrap().setup;
    assert_eq!(
        setup(RIGHT),
        "1 GiB file; 10 users; server up 100 Mbps; users 10 Mbps up, 50 Mbps down; latency 20 ms"
    );
    assert_eq!(
        setup(&changed(
            "",
            "[sweep]\n\"population.peers\" = [4, 5]\n\"network.latency\" = [\"1 ms\"]\n"
        )),
        "1 GiB file; 4 to 5 users; server up 100 Mbps; users 10 Mbps up, 50 Mbps down; latency 1 ms"
    );
    assert_eq!(
        setup(&changed(
            "",
            "[sweep]\n\"population.peers\" = [10, 1000]\n\"population.upload\" = [\"1 Mbps\", \
             \"20 Mbps\"]\n[patience]\ndeadline = \"2 h\"\n"
        )),
        "1 GiB file; 10 to 1,000 users; server up 100 Mbps; users 1 to 20 Mbps up, 50 Mbps down; \
         latency 20 ms; deadline 2 h"
    );
}

#[test]
fn failures_mean_what_they_say() {
    let text = "
[[failures]]
at = '10 s'
lasts = '1 min'
who = { random = { share = '20 %', of = 'users' } }
what = 'crash'
state = 'lost'

[[failures]]
at = '0 s'
who = 'users'
what = { churn = { session = { row = { table = 'laws.csv', name = 'BitTorrent, Debian' } }, downtime = '3 min' } }

[[failures]]
at = '5 s'
lasts = '20 s'
who = { most-loaded = 1 }
what = { slow = { to = '30 %' } }

[[failures]]
at = '40 s'
who = { machine = 'server' }
what = { slow = { to = 0 } }
";
    let scenario = read_with(&changed("", text), &[("laws.csv", LAWS)]).unwrap();
    let failures = &scenario.points[0].world.failures;
    assert!(matches!(failures[0].who, Who::Random { share, .. } if share.to_string() == "20 %"));
    let What::Churn { session, downtime } = &failures[1].what else {
        panic!("the second failure is churn");
    };
    assert_eq!(*downtime, Law::Constant(180.0));
    let scale = 42.4 * 60.0;
    assert_eq!(*session, Law::Weibull { shape: 0.38, scale });
    assert!(matches!(failures[2].what, What::Slow(to) if to.to_string() == "30 %"));
    let explained = scenario.explain();
    for sentence in [
        "3. at 5 s, for 20 s, the most loaded node is slowed down to 30 % of its rates, up and down",
        "4. at 40 s, for good, the machines \"server\" are cut off: transfers stall, and messages wait",
    ] {
        assert!(explained.contains(sentence), "{explained}");
    }
    assert!(
        explained.contains(
            "1. at 10 s, for 1 min, 20 % of users' devices, chosen at random, crash and lose \
             what is on their disks"
        ),
        "{explained}"
    );
    assert!(
        explained.contains(
            "2. from 0 s on, for good, all users' devices come and go: sessions as of \
             \"BitTorrent, Debian\" in laws.csv, downtimes 3 min"
        ),
        "{explained}"
    );
}

/// The scenario with regions and with access rates from a table.
fn places() -> String {
    changed(
        "upload = \"10 Mbps\"\ndownload = \"50 Mbps\"",
        "access = { table = \"access.csv\" }\nregions = { table = \"regions.csv\" }",
    )
    .replace("\"20 ms\"", "{ regions = \"latency.csv\", jitter = 0.2 }")
    .replace(
        "[infrastructure.server]",
        "[infrastructure.server]\nregion = \"south\"",
    )
}

#[test]
fn tables_fill_in_places_and_rates_and_name_their_sources() {
    let tables = [
        ("access.csv", ACCESS),
        ("regions.csv", REGIONS),
        ("latency.csv", LATENCY),
    ];
    let scenario = read_with(&places(), &tables).unwrap();
    let world = &scenario.points[0].world;
    assert_eq!(world.regions, ["north", "south"]);
    assert_eq!(world.population.region_shares, [0.25, 0.75]);
    assert_eq!(world.infrastructure[0].region, 1);
    let [north, south] = [0, 1].map(netduel_world::RegionId);
    let back = world.latency.mean(south, north);
    assert_eq!(
        back,
        world.latency.mean(north, south),
        "one direction holds for both"
    );
    assert!(matches!(&world.population.access, Access::Classes(classes) if classes.len() == 2));
    assert_eq!(scenario.sources, ["B. Author, 2019.", "A. Author, 2006."]);
}

#[test]
fn mistakes_in_tables_are_pointed_at_in_the_table() {
    for (name, from, to, expected) in [
        (
            "access.csv",
            "0.8",
            "0.7",
            "s/access.csv:3:1: the shares add up to 0.9; expected 1",
        ),
        (
            "access.csv",
            "1500",
            "fast",
            "s/access.csv:5:5: `download_kbps` is \"fast\"; expected a number of kilobits per \
             second above 0",
        ),
        (
            "access.csv",
            "upload_kbps",
            "up_kbps",
            "s/access.csv:3:1: the column `upload_kbps` is missing; expected the columns share, \
             download_kbps, upload_kbps",
        ),
        (
            "latency.csv",
            "north,south",
            "north,suoth",
            "s/latency.csv:4:7: `to` is \"suoth\"; expected a region: one of `north`, `south`\n\
             hint: did you mean `south`?",
        ),
        (
            "latency.csv",
            "north,south,50\n",
            "",
            "s/latency.csv:2:1: the latency from \"north\" to \"south\" is missing; expected \
             every pair of regions",
        ),
        (
            "latency.csv",
            "south,south,20",
            "south,south,-1",
            "s/latency.csv:5:13: `latency_ms` is \"-1\"; expected a number of milliseconds from \
             0 up",
        ),
        (
            "regions.csv",
            "south",
            "north",
            "s/regions.csv:4:1: `region` is \"north\"; expected a name that no other row has",
        ),
    ] {
        let tables = [
            ("access.csv", ACCESS),
            ("regions.csv", REGIONS),
            ("latency.csv", LATENCY),
        ];
        let changed = tables.map(|(table, text)| {
            let text = if table == name {
                text.replacen(from, to, 1)
            } else {
                text.to_owned()
            };
            (table, text)
        });
        let changed: Vec<(&str, &str)> = changed.iter().map(|(n, t)| (*n, t.as_str())).collect();
        assert_eq!(mistake(&places(), &changed), expected);
    }
}

#[test]
fn tables_that_do_not_exist_are_pointed_at_where_they_are_named() {
    assert_eq!(
        mistake(&changed("\"10 Mbps\"", "{ table = \"no.csv\" }"), &[]),
        "s/a.toml:6:20: `population.upload.table` names \"no.csv\", which does not exist; \
         expected a CSV table"
    );
}

#[test]
fn places_that_do_not_exist_are_pointed_at() {
    let tables = [
        ("access.csv", ACCESS),
        ("regions.csv", REGIONS),
        ("latency.csv", LATENCY),
    ];
    assert_eq!(
        mistake(&places().replace("\"south\"", "\"suoth\""), &tables),
        "s/a.toml:10:10: `infrastructure.server.region` is \"suoth\"; expected one of `north`, \
         `south`\nhint: did you mean `south`?"
    );
    assert_eq!(
        mistake(&places().replace("region = \"south\"\n", ""), &tables),
        "s/a.toml:9:17: `infrastructure.server.region` is missing; expected one of `north`, \
         `south`"
    );
}

#[test]
fn a_recorded_crowd_needs_a_row_for_every_user() {
    let text = changed("\"all at once\"", "{ trace = \"t.csv\" }");
    let rows = |count: u32| {
        let rows: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        format!("time_s\n{}\n", rows.join("\n"))
    };
    let scenario = read_with(&text, &[("t.csv", &rows(12))]).unwrap();
    let arrivals = &scenario.points[0].world.demand.arrivals;
    assert!(matches!(arrivals, netduel_world::Arrivals::Trace(times) if times.len() == 10));
    assert_eq!(
        mistake(&text, &[("t.csv", &rows(9))]),
        "s/a.toml:18:22: `demand.download.arrivals.trace` has 9 rows for 10 users; expected a \
         row for each user"
    );
    assert_eq!(
        mistake(&text, &[("t.csv", "time_s\n3\n2\n")]),
        "s/t.csv:3:1: `time_s` is \"2\"; expected a time not before the row above"
    );
}

#[test]
fn a_recorded_crowd_comes_before_the_run_ends() {
    let rows = "time_s\n0\n1\n2\n3\n4\n5\n6\n70\n80\n90\n";
    let until = |end: &str| {
        let text = changed("\"all at once\"", "{ trace = \"t.csv\" }");
        format!("{text}\n[experiment]\n{end}\n")
    };
    assert_eq!(
        mistake(&until("at-most = \"60 s\""), &[("t.csv", rows)]),
        "s/a.toml:18:22: `demand.download.arrivals.trace` has a request at 70 s, after the run has \
         ended at `experiment.at-most`, 1 min; expected at most that, or an `at-most` from 90 s up"
    );
    for end in ["at-most = \"90 s\"", "until = \"60 s\""] {
        read_with(&until(end), &[("t.csv", rows)]).unwrap();
    }
}

#[test]
fn the_digest_covers_the_tables() {
    let text = changed("\"10 Mbps\"", "{ table = \"up.csv\" }");
    let digest = |table: &str| read_with(&text, &[("up.csv", table)]).unwrap().digest;
    let one = digest("share,value_kbps\n1,100\n");
    assert_eq!(one.len(), 64);
    assert_eq!(one, digest("share,value_kbps\n1,100\n"));
    assert_ne!(one, digest("share,value_kbps\n1,101\n"));
}

#[test]
fn the_ledger_says_what_differs_and_who_is_spared() {
    let text = changed(
        "",
        "[[failures]]\nat = \"3 s\"\nwho = \"infrastructure\"\nwhat = \"crash\"\n\
         [infrastructure.spare]\nupload = \"1 Mbps\"\ndownload = \"1 Mbps\"\n",
    )
    .replace("peers = 10", "peers = 10\nfree-riders = 0.1")
    .replace(".hub]", ".hub]\nmachines = \"server\"")
    .replace("piece =", "seeds = \"spare\"\npiece =");
    let ledger = read_with(&text, &[]).unwrap().ledger;
    let spared = "failures: users' devices are spared, as the scenario says".to_owned();
    assert!(ledger.equal.contains(&spared), "{ledger:?}");
    let own = |label: &str| {
        let different = ledger.different.iter().filter(|(l, _)| l == label);
        different.map(|(_, s)| s.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(
        own("client-server"),
        [
            "users know the machine's address",
            "leaves the machines \"spare\" idle",
            "it takes no notice of free riders",
        ]
    );
    assert_eq!(
        own("peer to peer"),
        [
            "users know a seed's address",
            "leaves the machines \"server\" idle",
        ]
    );
}

/// A scenario that uses most of the format.
fn rich() -> String {
    format!(
        "{}
[[failures]]
at = '0 s'
who = 'users'
what = {{ churn = {{ session = {{ row = {{ table = 'laws.csv', name = 'BitTorrent, Debian' }} }}, downtime = {{ mix = [{{ share = 1, value = {{ uniform = {{ min = '1 s', max = '2 s' }} }} }}] }} }} }}
[[failures]]
at = '5 s'
who = {{ most-loaded = 1 }}
what = 'crash'
[experiment]
until = '2 h'
[patience]
retries = 0
[sweep]
'population.peers' = [10, 20]
'contenders.peer to peer.flock.piece' = ['64 KiB', '1 MiB']
[[claims]]
text = 'it is faster'
expect = 'peer to peer.makespan < client-server.makespan / 2'
where = {{ 'population.peers' = 20 }}
",
        places().replace("peers = 10", "peers = 10\nfree-riders = '10 %'")
    )
}

#[test]
fn a_resolved_scenario_reads_back_to_the_same() {
    let tables = [
        ("access.csv", ACCESS),
        ("regions.csv", REGIONS),
        ("latency.csv", LATENCY),
        ("laws.csv", LAWS),
    ];
    for text in [RIGHT.to_owned(), rich()] {
        let first = read_with(&text, &tables).unwrap();
        let resolved = first.resolved();
        let second = read_with(&resolved, &tables).unwrap_or_else(|error| {
            panic!("{error}\n{resolved}");
        });
        let shown = |scenario: &netduel_scenario::Scenario| {
            let settings = scenario.points.iter().flat_map(|p| &p.contenders);
            let settings: Vec<toml::Table> = settings.map(|c| c.settings()).collect();
            format!(
                "{:?} {:?} {:?} {:?} {:?} {settings:?}",
                scenario.points,
                scenario.contenders,
                scenario.axes,
                scenario.claims,
                scenario.experiment
            )
        };
        assert_eq!(shown(&first), shown(&second), "{resolved}");
        assert_eq!(second.resolved(), resolved);
        assert_eq!(second.explain(), first.explain());
    }
}

#[test]
fn no_text_brings_the_reader_down() {
    let tables = [
        ("access.csv", ACCESS),
        ("regions.csv", REGIONS),
        ("latency.csv", LATENCY),
        ("laws.csv", LAWS),
    ];
    let snippets = [
        "", "\"", "'", "[", "]", "{", "}", "=", ".", "-", "\n", "#", "x", "\u{fc}", "0",
    ];
    let letters: Vec<char> = rich().chars().collect();
    for seed in 0..3000_u64 {
        let mut state = seed;
        let mut random = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut text = letters.clone();
        for _ in 0..=random(3) {
            let at = random(text.len());
            let until = (at + random(4)).min(text.len());
            let snippet = snippets[random(snippets.len())];
            text.splice(at..until, snippet.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(error) = read_with(&text, &tables) {
            assert!(!error.message.is_empty(), "seed {seed}: {text}");
        }
    }
}

#[test]
fn a_byte_order_mark_before_a_table_is_no_part_of_its_first_column() {
    let text = changed("\"10 Mbps\"", "{ table = 'up.csv' }");
    let marked = read_with(&text, &[("up.csv", "\u{feff}share,value_kbps\n1,5000\n")]);
    assert!(marked.is_ok(), "{marked:?}");
}

/// The scenario with two regions on either side of a router, and these trunks.
fn backbone(trunks: &str) -> String {
    changed(
        "download = \"50 Mbps\"",
        "download = \"50 Mbps\"\nregions = { table = \"regions.csv\" }",
    )
    .replace("\"20 ms\"", &format!("\"20 ms\"\n{trunks}"))
    .replace(
        "[infrastructure.server]",
        "[infrastructure.server]\nregion = \"south\"",
    )
}

const UP: &str =
    "trunks.up = { from = 'north', to = 'middle', rate = '1 Gbps', latency = '10 ms' }\n";
const DOWN: &str =
    "trunks.down = { from = 'middle', to = 'south', rate = '2 Gbps', latency = '45 ms' }\n";
const BACK: &str =
    "trunks.back = { from = 'south', to = 'middle', rate = '500 Mbps', latency = '20 ms' }\n";

#[test]
fn a_trunk_holds_for_both_directions_unless_the_other_is_listed() {
    let text = backbone(&[UP, DOWN, BACK].concat());
    let scenario = read_with(&text, &[("regions.csv", REGIONS)]).unwrap();
    let routers = scenario.points[0].world.routers.as_ref().unwrap();
    let [north, south] = [0, 1].map(netduel_world::RegionId);
    let ms = |time: u64| netduel_world::SimDuration(time * 1_000_000);
    assert_eq!(routers.latency(north, south), ms(55));
    assert_eq!(routers.latency(south, north), ms(30));
    assert_eq!(routers.latency(north, north), ms(0));
    let rates = routers.way(south, north).iter();
    let rates: Vec<f64> = rates.map(|at| routers.trunks()[*at].rate.get()).collect();
    assert_eq!(rates, [500e6, 1e9]);
    let explained = scenario.explain();
    for sentence in [
        "trunk \"up\" from north to middle and back, each way 1 Gbps, 10 ms",
        "trunk \"down\" from middle to south 2 Gbps, 45 ms",
        "every region is at the router of its name",
    ] {
        assert!(explained.contains(sentence), "{explained}");
    }
    assert!(scenario.setup.contains("; 3 trunks"), "{}", scenario.setup);
    let again = read_with(&scenario.resolved(), &[("regions.csv", REGIONS)]).unwrap();
    assert_eq!(again.points[0].world.routers.as_ref(), Some(routers));
    let rows = "from,to,rate_kbps,latency_ms\nnorth,middle,1000000,10\n\
                middle,south,2000000,45\nsouth,middle,500000,20\n";
    let tables = [("regions.csv", REGIONS), ("trunks.csv", rows)];
    let table = read_with(&backbone("trunk-table = 'trunks.csv'"), &tables).unwrap();
    assert_eq!(table.points[0].world.routers.as_ref(), Some(routers));
    assert!(table.setup.contains("; trunks as in trunks.csv"));
}

#[test]
fn trunks_that_make_no_network_are_pointed_at() {
    let round = "trunks.round = { from = 'north', to = 'south', rate = '1 Gbps', latency = '1 s' }";
    for (trunks, error) in [
        (
            UP.to_owned(),
            "s/a.toml:17:1: `network.trunks` has no trunk from or to the region \"south\"; expected one for every region",
        ),
        (
            [UP, &DOWN.replace("south", "suoth")].concat(),
            "s/a.toml:17:1: `network.trunks` has no trunk from or to the region \"south\"; expected one for every region\nhint: did you mean `suoth`?",
        ),
        (
            [UP, &DOWN.replace("middle", "centre")].concat(),
            "has no way from \"north\" to \"south\"; expected one between any two routers",
        ),
        (
            [UP, DOWN, &UP.replace("up", "twice")].concat(),
            "19:39: `network.trunks.twice.to` is 'middle'; expected two routers that no other trunk joins in this direction",
        ),
        (
            [UP, DOWN, &BACK.replace("middle", "south")].concat(),
            "19:38: `network.trunks.back.to` is 'south'; expected another router than it comes from",
        ),
        (
            UP.replace("1 Gbps", "0 Gbps"),
            "17:53: `network.trunks.up.rate` is `0 Gbps`; expected a rate above 0",
        ),
        (
            [UP, DOWN, round].concat(),
            "19:8: `network.trunks.round` has no effect: no way of least latency leads over it; expected it to be left out",
        ),
        (
            [UP, DOWN, "trunk-table = 'trunks.csv'"].concat(),
            "19:15: `network.trunk-table` is given besides `trunks`; expected one or the other",
        ),
    ] {
        let found = mistake(&backbone(&trunks), &[("regions.csv", REGIONS)]);
        assert!(found.contains(error), "{found}\n{error}");
    }
    let swept = backbone(&[UP, DOWN].concat()) + "[sweep]\n'network.trunks.pu.rate' = ['1 Gbps']\n";
    let found = mistake(&swept, &[("regions.csv", REGIONS)]);
    assert!(found.contains("did you mean `up`?"), "{found}");
}

#[test]
fn a_table_of_trunks_is_read_as_strictly() {
    for (row, error) in [
        (
            "north,,1,1",
            "s/t.csv:2:7: `to` is \"\"; expected the name of a router",
        ),
        (
            "north,south,0,1",
            "s/t.csv:2:13: `rate_kbps` is \"0\"; expected a number of kilobits per second above 0",
        ),
        (
            "north,south,1,1\nnorth,south,2,2",
            "s/t.csv:3:7: `to` is \"south\"; expected two routers that no other trunk joins in this direction",
        ),
        (
            "north,south,1,1\na,b,1,1",
            "s/a.toml:17:15: `network.trunk-table` has no way from \"north\" to \"a\"; expected one between any two routers",
        ),
    ] {
        let rows = format!("from,to,rate_kbps,latency_ms\n{row}\n");
        let tables = [("regions.csv", REGIONS), ("t.csv", rows.as_str())];
        let found = mistake(&backbone("trunk-table = 't.csv'"), &tables);
        assert_eq!(found, error);
    }
}
