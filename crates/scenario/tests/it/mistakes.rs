//! Every mistake has one message that points at it.

use crate::{changed, read_with};

/// The message of the mistake in `text`.
pub(crate) fn mistake(text: &str, tables: &[(&str, &str)]) -> String {
    let Err(error) = read_with(text, tables) else {
        panic!("this was accepted:\n{text}");
    };
    error.to_string()
}

/// Holds the message of every change against what is expected after the path.
fn expect(cases: &[(&str, &str, &str)]) {
    for (old, new, expected) in cases {
        let found = mistake(&changed(old, new), &[]);
        assert_eq!(found, format!("s/a.toml:{expected}"), "{old} -> {new}");
    }
}

#[test]
fn a_key_that_does_not_exist_is_pointed_at_with_the_nearest_that_does() {
    expect(&[
        (
            "peers = 10",
            "peeers = 10",
            "5:1: `population.peeers` is not a key; expected one of `peers`, `upload`, `download`, `access`, `regions`, `free-riders`, `after-download`, `cores`, `speed`, `queue`, `discipline`\nhint: did you mean `peers`?",
        ),
        (
            "[network]",
            "[netwrk]",
            "13:2: `netwrk` is not a key; expected one of `title`, `question`, `population`, `infrastructure`, `network`, `demand`, `patience`, `failures`, `experiment`, `contenders`, `sweep`, `claims`\nhint: did you mean `network`?",
        ),
        (
            "\"10 Mbps\"",
            "{ uniform = { min = \"1 Mbps\", mx = \"3 Mbps\" } }",
            "6:40: `population.upload.uniform.mx` is not a key; expected one of `min`, `max`\nhint: did you mean `max`?",
        ),
        (
            "\"10 Mbps\"",
            "{ unifrm = { min = \"1 Mbps\" } }",
            "6:12: `population.upload.unifrm` is not known; expected one of `uniform`, `exponential`, `weibull`, `pareto`, `lognormal`, `mix`, `table`\nhint: did you mean `uniform`?",
        ),
    ]);
}

#[test]
fn a_setting_that_does_not_exist_is_pointed_at_however_it_is_read() {
    expect(&[
        (
            ".hub]",
            ".hub]\nslot = 3",
            "21:1: `contenders.client-server.hub.slot` is not a key; expected one of `machines`, `slots`\nhint: did you mean `slots`?",
        ),
        (
            "piece =",
            "pieces =",
            "23:1: `contenders.\"peer to peer\".flock.pieces` is not a key; expected one of `piece`, `seeds`, `neighbours`\nhint: did you mean `piece`?",
        ),
    ]);
}

#[test]
fn a_bare_number_is_refused_where_a_unit_is_due() {
    expect(&[
        (
            "\"10 Mbps\"",
            "10",
            "6:10: `population.upload` is the bare number 10; expected a data rate with its unit, such as \"10 Mbps\", or a law, such as { uniform = { min = \"5 Mbps\", max = \"20 Mbps\" } }",
        ),
        (
            "\"10 Mbps\"",
            "\"10\"",
            "6:10: `population.upload` is `10` without a unit; expected a data rate with its unit, such as \"10 Mbps\" or \"2 MB/s\"",
        ),
        (
            "\"1 GiB\"",
            "3.5",
            "17:8: `demand.download.size` is the bare number 3.5; expected a size with its unit, such as \"256 KiB\" or \"1 GB\"",
        ),
        (
            "\"256 KiB\"",
            "256",
            "23:9: `contenders.\"peer to peer\".flock.piece` is the bare number 256; expected a size with its unit, such as \"256 KiB\" or \"1 GB\"",
        ),
        (
            "\"20 ms\"",
            "20",
            "14:11: `network.latency` is the bare number 20; expected a time with its unit, such as \"20 ms\", or { constant = \"20 ms\", jitter = 0.2 }, or { regions = \"latency.csv\" }",
        ),
    ]);
}

#[test]
fn bits_are_not_taken_for_bytes() {
    expect(&[
        (
            "\"1 GiB\"",
            "\"1 Mb\"",
            "17:8: `demand.download.size` is `1 Mb`; expected a size with its unit, such as \"256 KiB\" or \"1 GB\"\nhint: `Mb` is megabits: write `MB` for megabytes or `Mbit` for megabits",
        ),
        (
            "\"10 Mbps\"",
            "\"10 Mb\"",
            "6:10: `population.upload` is `10 Mb`; expected a data rate with its unit, such as \"10 Mbps\" or \"2 MB/s\"\nhint: a rate is per second: write `Mbps` or `MB/s`",
        ),
    ]);
}

#[test]
fn values_out_of_range_are_shown_as_written() {
    expect(&[
        (
            "\"all at once\"",
            "{ poisson = \"0.001 /d\" }",
            "18:24: `demand.download.arrivals.poisson` is \"0.001 /d\"; expected all 10 users to \
             come within 10 years",
        ),
        (
            "peers = 10",
            "peers = 10\nfree-riders = 1.2",
            "6:15: `population.free-riders` is 1.2; expected a share from 0 to 1, such as 0.2 or \"20 %\"",
        ),
        (
            "peers = 10",
            "peers = 0",
            "5:9: `population.peers` is 0; expected a whole number from 1 to 10000000",
        ),
        (
            "peers = 10",
            "peers = -1",
            "5:9: `population.peers` is -1; expected a whole number from 0 up",
        ),
        (
            "peers = 10",
            "peers = 1.5",
            "5:9: `population.peers` is 1.5; expected a whole number from 0 up",
        ),
        (
            "peers = 10",
            "peers = 5_000_000_000",
            "5:9: `population.peers` is 5000000000; expected a whole number from 0 to 4294967295",
        ),
        (
            "\"20 ms\"",
            "\"-20 ms\"",
            "14:11: `network.latency` is `-20 ms`; expected a time from 0 s to 100 years",
        ),
        (
            "\"1 GiB\"",
            "\"0 B\"",
            "17:8: `demand.download.size` is \"0 B\"; expected a size above 0 B",
        ),
        (
            "\"1 GiB\"",
            "\"1 GiB\"\nobjects = 0",
            "18:11: `demand.download.objects` is 0; expected a whole number from 1 to 10000000",
        ),
        (
            "",
            "[experiment]\nseed = -1\n",
            "25:8: `experiment.seed` is -1; expected a whole number from 0 up",
        ),
        (
            "",
            "[experiment]\nreplications = 0\n",
            "25:16: `experiment.replications` is 0; expected a whole number from 1 to 10000",
        ),
        (
            "",
            "[experiment]\nreplications = 4294967295\n",
            "25:16: `experiment.replications` is 4294967295; expected a whole number from 1 to 10000",
        ),
        (
            "",
            "[experiment]\nuntil = \"alls served\"\n",
            "25:9: `experiment.until` is \"alls served\"; expected \"all served\" or a time with its unit, such as \"2 h\"",
        ),
        (
            "",
            "[experiment]\nuntil = \"0 s\"\n",
            "25:9: `experiment.until` is \"0 s\"; expected a time above 0 s",
        ),
        (
            "",
            "[patience]\ndeadline = \"0 s\"\n",
            "25:12: `patience.deadline` is \"0 s\"; expected a time above 0 s",
        ),
        (
            "",
            "[patience]\nbackoff-factor = 0.5\n",
            "25:18: `patience.backoff-factor` is 0.5; expected a number from 1 up",
        ),
        (
            "",
            "[patience]\nbackoff = \"5 min\"\n",
            "25:11: `patience.backoff` is \"5 min\"; expected at most `backoff-max`, 2 min",
        ),
        (
            "[infrastructure.server]",
            "[infrastructure.server]\ncount = 0",
            "10:9: `infrastructure.server.count` is 0; expected a whole number from 1 up, at most 100000 in all",
        ),
    ]);
}

#[test]
fn a_network_that_lets_nothing_through_is_refused() {
    expect(&[
        (
            "\"20 ms\"",
            "\"20 ms\"\nmessage-loss = 0.95",
            "15:16: `network.message-loss` is 0.95; expected a share from 0 to 0.9",
        ),
        (
            "\"20 ms\"",
            "\"20 ms\"\ncorruption = 0.01",
            "15:14: `network.corruption` is 0.01; expected a probability per byte from 0 to 0.001",
        ),
    ]);
}

#[test]
fn impossible_laws_are_refused_parameter_by_parameter() {
    expect(&[
        (
            "\"10 Mbps\"",
            "{ uniform = { min = \"4 Mbps\", max = \"3 Mbps\" } }",
            "6:46: `population.upload.uniform.max` is \"3 Mbps\"; expected a value not below `min`",
        ),
        (
            "\"10 Mbps\"",
            "{ weibull = { shape = 0, scale = \"3 Mbps\" } }",
            "6:32: `population.upload.weibull.shape` is 0; expected a value above 0",
        ),
        (
            "\"10 Mbps\"",
            "{ uniform = { min = \"1 Mbps\" } }",
            "6:22: `population.upload.uniform.max` is missing; expected in `population.upload.uniform`",
        ),
        (
            "\"10 Mbps\"",
            "{}",
            "6:10: `population.upload` is an empty table; expected a data rate with its unit, such as \"10 Mbps\", or a law, such as { uniform = { min = \"5 Mbps\", max = \"20 Mbps\" } }",
        ),
        (
            "\"10 Mbps\"",
            "{ exponential = { mean = \"1 Mbps\" }, table = \"x\" }",
            "6:10: `population.upload` is a table of several entries; expected a data rate with its unit, such as \"10 Mbps\", or a law, such as { uniform = { min = \"5 Mbps\", max = \"20 Mbps\" } }",
        ),
        (
            "\"10 Mbps\"",
            "{ mix = [] }",
            "6:18: `population.upload.mix` has no classes; expected at least one",
        ),
        (
            "\"10 Mbps\"",
            "{ mix = [{ share = 0.5, value = \"1 Mbps\" }] }",
            "6:18: `population.upload.mix` has shares that add up to 0.5; expected 1",
        ),
        (
            "\"10 Mbps\"",
            "{ mix = [{ share = 1, value = { pareto = { shape = -1, min = \"1 Mbps\" } } }] }",
            "6:61: `population.upload.mix.1.value.pareto.shape` is -1; expected a value above 0",
        ),
    ]);
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    expect(&[
        (
            "peers = 10",
            "peers = \"10\"",
            "5:9: `population.peers` is \"10\"; expected a whole number from 0 up",
        ),
        (
            "\"10 Mbps\"",
            "true",
            "6:10: `population.upload` is true; expected a data rate with its unit, such as \"10 Mbps\", or a law, such as { uniform = { min = \"5 Mbps\", max = \"20 Mbps\" } }",
        ),
        (
            "\"A crowd\"",
            "3",
            "1:9: `title` is 3; expected a text in quotes",
        ),
        (
            "\"A crowd\"",
            "\" \"",
            "1:9: `title` is \" \"; expected a text that is not empty",
        ),
        (
            "peers = 10",
            "peers = 10\nafter-download = \"go\"",
            "6:18: `population.after-download` is \"go\"; expected \"stay\", \"leave\" or { linger = \"10 min\" }",
        ),
        (
            "peers = 10",
            "peers = 10\nafter-download = { linger = 3 }",
            "6:29: `population.after-download.linger` is the bare number 3; expected a time with its unit, such as \"40 ms\" or \"5 min\"",
        ),
        (
            "\"all at once\"",
            "\"at once\"",
            "18:12: `demand.download.arrivals` is \"at once\"; expected \"all at once\", { poisson = \"0.4 /s\" }, { flash-crowd = { ... } }, { diurnal = { ... } }, { closed-loop = { think = \"10 s\" } } or { trace = \"arrivals.csv\" }",
        ),
        (
            "\"20 ms\"",
            "{ jitter = 0.2 }",
            "14:1: `network.latency` is { jitter = 0.2 }; expected either `constant` or `regions` in it",
        ),
        (
            "[network]",
            "[[network]]",
            "13:1: `network` is [[network]]; expected a table or a single value",
        ),
    ]);
}

#[test]
fn what_is_missing_is_named() {
    expect(&[
        (
            "title = \"A crowd\"\n",
            "",
            "1:1: `title` is missing; expected in every scenario",
        ),
        (
            "upload = \"10 Mbps\"\n",
            "",
            "4:2: `population.upload` is missing; expected in `population`, or `access` in its place",
        ),
        (
            "latency = \"20 ms\"\n",
            "",
            "13:1: `network.latency` is missing; expected in `network`",
        ),
        (
            "piece = \"256 KiB\"\n",
            "",
            "22:1: `contenders.\"peer to peer\".flock.piece` is missing; expected in `contenders.\"peer to peer\".flock`",
        ),
        (
            "",
            "[[failures]]\nwho = \"users\"\nwhat = \"crash\"\n",
            "24:1: `failures.1.at` is missing; expected in `failures.1`",
        ),
    ]);
}

#[test]
fn mistakes_in_the_toml_itself_are_pointed_at() {
    expect(&[
        (
            "peers = 10",
            "peers = 10\npeers = 11",
            "6:1: `peers` is written twice; expected once",
        ),
        (
            "peers = 10",
            "peers = ",
            "5:9: the value is missing; expected one after `=`",
        ),
        (
            "peers = 10",
            "peers = ten",
            "5:9: `ten` is not a value; expected a number, or a text in quotes",
        ),
        (
            "[population]",
            "[population",
            "4:12: unclosed table; expected `]`",
        ),
    ]);
}

#[test]
fn a_contender_needs_an_architecture_that_exists() {
    expect(&[
        (
            ".hub]",
            ".hubb]",
            "20:29: `contenders.client-server.hubb` is not an architecture; expected one of `hub`, `flock`\nhint: did you mean `hub`?",
        ),
        (
            "",
            "[contenders.x]\n",
            "24:13: `contenders.x` has 0 architectures; expected one of `hub`, `flock` and its settings",
        ),
        (
            "",
            "[contenders.x]\nhub = {}\nflock = {}\n",
            "24:13: `contenders.x` has 2 architectures; expected one of `hub`, `flock` and its settings",
        ),
        (
            "",
            "[contenders.\"\"]\nhub = {}\n",
            "24:13: `contenders.\"\"` is no label; expected a word or more in one line",
        ),
    ]);
}

#[test]
fn settings_that_do_not_fit_the_world_are_pointed_at() {
    expect(&[
        (
            ".hub]",
            ".hub]\nmachines = \"srv\"",
            "21:12: `contenders.client-server.hub.machines` names machines \"srv\" that are not under [infrastructure]; expected one of \"server\"",
        ),
        (
            "piece = \"256 KiB\"",
            "piece = \"256 KiB\"\nneighbours = 11",
            "24:14: `contenders.\"peer to peer\".flock.neighbours` is more than the 10 users",
        ),
    ]);
}

#[test]
fn failures_that_cannot_happen_are_refused() {
    expect(&[
        (
            "",
            "[[failures]]\nat = \"31 d\"\nwho = \"users\"\nwhat = \"crash\"\n",
            "25:6: `failures.1.at` is \"31 d\"; expected a time before the run ends, at 30 d at the latest",
        ),
        (
            "",
            "[experiment]\nuntil = \"1 h\"\n[[failures]]\nat = \"1 h\"\nwho = \"users\"\nwhat = \"crash\"\n",
            "27:6: `failures.1.at` is \"1 h\"; expected a time before the run ends, at 1 h at the latest",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = { machine = \"serve\" }\nwhat = \"crash\"\n",
            "26:19: `failures.1.who.machine` is \"serve\"; expected `server`\nhint: did you mean `server`?",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = { most-loaded = 12 }\nwhat = \"crash\"\n",
            "26:23: `failures.1.who.most-loaded` is 12; expected at most 11, the number of machines and users",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = { most-loaded = 1 }\nwhat = { churn = { session = \"1 s\", downtime = \"1 s\" } }\n",
            "26:23: `failures.1.who.most-loaded` chooses whom to crash or slow down, not who comes and goes; expected another `who` for churn",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nwhat = { slow = { to = \"100 %\" } }\n",
            "27:24: `failures.1.what.slow.to` is \"100 %\"; expected a share below 1, since all of a rate is no loss",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nwhat = \"slow\"\n",
            "27:8: `failures.1.what` is \"slow\"; expected \"crash\", { churn = { session = \"1 h\", downtime = \"10 min\" } } or { slow = { to = \"30 %\" } }",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nwhat = { churn = { session = \"0 s\", downtime = \"1 s\" } }\n",
            "27:30: `failures.1.what.churn.session` is \"0 s\"; expected times with a mean of at least 1 ms",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"peers\"\nwhat = \"crash\"\n",
            "26:7: `failures.1.who` is \"peers\"; expected \"all\", \"infrastructure\", \"users\", { machine = \"server\" }, { random = { share = 0.2, of = \"users\" } } or { most-loaded = 1 }",
        ),
    ]);
}

#[test]
fn a_key_that_has_no_effect_is_refused() {
    expect(&[
        (
            "peers = 10",
            "peers = 10\nafter-download = \"leave\"",
            "6:18: `population.after-download` has no effect: no contender takes notice of what users do after the download; expected it to be left out",
        ),
        (
            "",
            "[patience]\nretries = 0\nbackoff-max = \"1 min\"\n",
            "26:15: `patience.backoff-max` has no effect: there are no retries; expected it to be left out",
        ),
        (
            "",
            "[experiment]\nuntil = \"1 h\"\nat-most = \"2 h\"\n",
            "26:11: `experiment.at-most` has no effect: `experiment.until` is a fixed time; expected it to be left out",
        ),
        (
            "[infrastructure.server]",
            "[infrastructure.server]\nregion = \"north\"",
            "10:10: `infrastructure.server.region` has no effect: `network` has neither trunks nor latencies between regions; expected it to be left out",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nstate = \"lost\"\nwhat = { churn = { session = \"1 s\", downtime = \"1 s\" } }\n",
            "27:9: `failures.1.state` has no effect: churn keeps what is on the disk; expected it to be left out",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nstate = \"lost\"\nwhat = { slow = { to = 0 } }\n",
            "27:9: `failures.1.state` has no effect: a slow link does nothing to a disk; expected it to be left out",
        ),
    ]);
}

#[test]
fn a_scenario_without_contenders_is_refused() {
    let (without, _) = crate::RIGHT.split_once("[contenders").unwrap();
    assert_eq!(
        mistake(without, &[]),
        "s/a.toml:1:1: `contenders` names nobody; expected at least one \
         [contenders.\"label\".kind]\nhint: the kind is one of `hub`, `flock`"
    );
}

#[test]
fn a_scenario_that_does_not_exist_is_named() {
    let files = std::collections::BTreeMap::new();
    let registry = crate::architectures::registry();
    let error = netduel_scenario::read("x.toml".as_ref(), &files, &registry).unwrap_err();
    assert_eq!(error.position, None);
    assert_eq!(
        error.to_string(),
        "cannot read x.toml, which does not exist; expected a scenario file"
    );
}

#[test]
fn free_riders_that_nobody_notices_are_refused() {
    let alone = changed(
        "[contenders.\"peer to peer\".flock]\npiece = \"256 KiB\"\n",
        "",
    );
    let text = alone.replace("peers = 10", "peers = 10\nfree-riders = 0.1");
    assert_eq!(
        mistake(&text, &[]),
        "s/a.toml:6:15: `population.free-riders` has no effect: no contender takes notice of \
         free riders; expected it to be left out"
    );
}
