//! Every mistake has one message that points at it.

use crate::{changed, read_with};

/// The message of the mistake in `text`.
fn mistake(text: &str, tables: &[(&str, &str)]) -> String {
    let Err(error) = read_with(text, tables) else {
        panic!("this was accepted:\n{text}");
    };
    error.to_string()
}

/// Holds every message against what is expected, after the path.
fn expect(cases: &[(&str, &str, &str)]) {
    let mut wrong = String::new();
    for (old, new, expected) in cases {
        let found = mistake(&changed(old, new), &[]);
        if found != format!("s/a.toml:{expected}") {
            wrong +=
                &format!("{old} -> {new}\n  expected s/a.toml:{expected}\n  found    {found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn probe() {
    let cases = [
        ("peers = 10", "peeers = 10", ""),
        ("[network]", "[netwrk]", ""),
        ("slots", "", ""),
        (
            "[contenders.\"client-server\".hub]",
            "[contenders.\"client-server\".hub]\nslot = 3",
            "",
        ),
        ("piece = \"256 KiB\"", "pieces = \"256 KiB\"", ""),
        ("piece = \"256 KiB\"", "", ""),
        ("piece = \"256 KiB\"", "piece = 256", ""),
        ("upload = \"10 Mbps\"", "upload = 10", ""),
        (
            "upload = \"10 Mbps\"",
            "upload = { unifrm = { min = \"1 Mbps\" } }",
            "",
        ),
        (
            "upload = \"10 Mbps\"",
            "upload = { uniform = { min = \"1 Mbps\" } }",
            "",
        ),
        (
            "upload = \"10 Mbps\"",
            "upload = { uniform = { min = \"1 Mbps\", mx = \"3 Mbps\" } }",
            "",
        ),
        (
            "upload = \"10 Mbps\"",
            "upload = { uniform = { min = \"4 Mbps\", max = \"3 Mbps\" } }",
            "",
        ),
        (
            "upload = \"10 Mbps\"",
            "upload = { weibull = { shape = 0, scale = \"3 Mbps\" } }",
            "",
        ),
        ("upload = \"10 Mbps\"", "upload = {}", ""),
        (
            "upload = \"10 Mbps\"",
            "upload = { exponential = { mean = \"1 Mbps\" }, table = \"x\" }",
            "",
        ),
        (
            "upload = \"10 Mbps\"",
            "upload = { mix = [ { share = 0.5, value = \"1 Mbps\" } ] }",
            "",
        ),
        ("upload = \"10 Mbps\"", "upload = \"10 Mb\"", ""),
        ("upload = \"10 Mbps\"", "upload = true", ""),
        ("upload = \"10 Mbps\"", "", ""),
        ("size = \"1 GiB\"", "size = \"1 Mb\"", ""),
        ("size = \"1 GiB\"", "size = 3", ""),
        ("size = \"1 GiB\"", "size = \"0 B\"", ""),
        ("size = \"1 GiB\"", "size = \"1 GiB\"\nobjects = 2", ""),
        ("peers = 10", "peers = 0", ""),
        ("peers = 10", "peers = -1", ""),
        ("peers = 10", "peers = 1.5", ""),
        ("peers = 10", "peers = \"10\"", ""),
        ("peers = 10", "peers = 10\nfree-riders = 1.2", ""),
        ("peers = 10", "peers = 10\nafter-download = \"go\"", ""),
        (
            "peers = 10",
            "peers = 10\nafter-download = { linger = 3 }",
            "",
        ),
        ("latency = \"20 ms\"", "latency = \"-20 ms\"", ""),
        ("latency = \"20 ms\"", "latency = { jitter = 0.2 }", ""),
        (".hub]", ".hubb]", ""),
        ("", "[contenders.x]\n", ""),
        ("\"all at once\"", "\"at once\"", ""),
        ("peers = 10", "peers = 10\npeers = 11", ""),
        ("peers = 10", "peers = ", ""),
        ("[population]", "[population", ""),
        ("title = \"A crowd\"", "", ""),
        ("title = \"A crowd\"", "title = 3", ""),
        ("title = \"A crowd\"", "title = \"\"", ""),
        ("", "[experiment]\nseed = -1\n", ""),
        ("", "[experiment]\nreplications = 0\n", ""),
        ("", "[experiment]\nuntil = \"alls served\"\n", ""),
        (
            "",
            "[[failures]]\nat = \"31 d\"\nwho = \"users\"\nwhat = \"crash\"\n",
            "",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = { machine = \"serve\" }\nwhat = \"crash\"\n",
            "",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = \"users\"\nwhat = { churn = { session = \"0 s\", downtime = \"1 s\" } }\n",
            "",
        ),
        (
            "",
            "[[failures]]\nat = \"3 s\"\nwho = { most-loaded = 12 }\nwhat = \"crash\"\n",
            "",
        ),
        (
            "",
            "[[failures]]\nwho = { most-loaded = 12 }\nwhat = \"crash\"\n",
            "",
        ),
        ("[network]", "[[network]]", ""),
        ("", "[sweep]\n\"population.peeers\" = [1, 2]\n", ""),
    ];
    for (old, new, _) in cases {
        if old == "slots" {
            continue;
        }
        match read_with(&changed(old, new), &[]) {
            Ok(_) => println!("ACCEPTED {new}"),
            Err(e) => println!("{}\n    {e}", new.replace('\n', "|")),
        }
    }
    let s = read_with(crate::RIGHT, &[]).unwrap();
    println!(
        "{}\n----\n{}\n----\n{}\n{:?}",
        s.setup,
        s.explain(),
        s.resolved(),
        s.digest
    );
}
