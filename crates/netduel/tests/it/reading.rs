//! Verbs that run nothing.

use std::process::Stdio;

use crate::{DUEL, Place};

#[test]
fn help_names_every_verb_and_every_exit_code() {
    let (code, help, _) = Place::new().call(&["--help"]);
    assert_eq!(code, 0);
    let verbs = [
        "run",
        "check",
        "list",
        "explain",
        "new",
        "report",
        "verify",
        "schema",
        "completions",
    ];
    for word in verbs
        .iter()
        .chain(&["130 interrupted", "4 a claim does not hold"])
    {
        assert!(help.contains(word), "{word} is missing from\n{help}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let place = Place::new();
    for args in [
        &["run"][..],
        &["walk"],
        &["run", "a.toml", "--resume", "--overwrite"],
        &["run", "a.toml", "--jobs", "0"],
        &["run", "a.toml", "--replications", "0"],
        &["run", "a.toml", "--replications", "10001"],
        &[],
    ] {
        let (code, data, _) = place.call(args);
        assert_eq!((code, data.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn a_mistake_in_a_scenario_is_pointed_at_and_ends_with_3() {
    let place = Place::with(&DUEL.replace("peers = 3", "pears = 3"));
    for verb in ["run", "check", "explain"] {
        let (code, _, said) = place.call(&[verb, "scenarios/small/duel.toml"]);
        assert_eq!(code, 3, "{verb}");
        assert!(
            said.starts_with("error: scenarios/small/duel.toml:6:"),
            "{said}"
        );
    }
}

#[test]
fn checking_goes_on_after_a_mistake() {
    let place = Place::new();
    let (code, data, said) = place.call(&["check", "nowhere.toml", "scenarios/small/duel.toml"]);
    assert_eq!(code, 3);
    assert!(said.starts_with("error: "), "{said}");
    assert_eq!(
        data,
        "scenarios/small/duel.toml: valid; 8 runs of 2 contenders, 2 replications at 2 points\n"
    );
}

#[test]
fn listing_shows_settings_with_default_unit_and_help() {
    let place = Place::new();
    let (code, text, _) = place.call(&["list"]);
    assert_eq!(code, 0);
    assert!(text.contains("single-server (client-server)"), "{text}");
    assert!(
        text.contains("response-timeout: time, default \"30 s\""),
        "{text}"
    );
    let (_, json, _) = place.call(&["list", "--json"]);
    let kinds: serde_json::Value = serde_json::from_str(&json).unwrap();
    let swarm = kinds
        .as_array()
        .unwrap()
        .iter()
        .find(|kind| kind["name"] == "swarm");
    let settings = swarm.unwrap()["settings"].as_array().unwrap();
    let piece = settings
        .iter()
        .find(|setting| setting["key"] == "piece")
        .unwrap();
    assert_eq!(
        (&piece["default"], &piece["unit"]),
        (&"256 KiB".into(), &"size".into())
    );
}

#[test]
fn the_schema_is_json() {
    let (code, schema, _) = Place::new().call(&["schema"]);
    assert_eq!(code, 0);
    serde_json::from_str::<serde_json::Value>(&schema).unwrap();
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = Place::new().call(&["completions", shell]);
        assert_eq!(code, 0, "{shell}");
        assert!(
            script.contains("overwrite"),
            "{shell} does not know --overwrite"
        );
    }
}

#[test]
fn a_new_scenario_is_valid_and_never_overwrites_one() {
    let place = Place::new();
    let (code, data, _) = place.call(&["new", "mine/first.toml"]);
    assert_eq!(code, 0);
    assert!(data.contains("mine/first.toml"));
    let (code, ..) = place.call(&["check", "mine/first.toml"]);
    assert_eq!(code, 0);
    let (code, _, said) = place.call(&["new", "scenarios/small/duel.toml"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("exists already") && said.contains("hint: "),
        "{said}"
    );
    let kept = std::fs::read_to_string(place.path("scenarios/small/duel.toml")).unwrap();
    assert_eq!(kept, DUEL);
    let (code, _, said) = place.call(&["new", "scenarios/small/duel.toml/below.toml"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("error: cannot write scenarios/small/duel.toml/below.toml: "),
        "{said}"
    );
}

#[test]
fn an_explanation_opens_with_the_title_and_states_what_is_equal() {
    let place = Place::new();
    let (code, text, _) = place.call(&["explain", "scenarios/small/duel.toml"]);
    assert_eq!(code, 0);
    assert!(
        text.contains("A small duel") && !text.contains("Who is hit"),
        "{text}"
    );
    let (_, json, _) = place.call(&["explain", "scenarios/small/duel.toml", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["points"], 2);
    assert!(!value["ledger"]["equal"].as_array().unwrap().is_empty());
}

#[test]
fn an_explanation_says_who_is_hit_and_how_it_knows() {
    let attack = "\n[[failures]]\nat = \"1 s\"\nlasts = \"2 s\"\nwho = { most-loaded = 1 }\nwhat = \"crash\"\n";
    let place = Place::with(&(DUEL.to_owned() + attack));
    let (code, before, said) = place.call(&["explain", "scenarios/small/duel.toml"]);
    assert_eq!(code, 0, "{said}");
    let simulated =
        "Who is hit (replication 0 at population.peers = 3, simulated for this explanation):";
    assert!(before.contains(simulated), "{before}");
    assert!(
        before.contains("client-server, failure 1: server ("),
        "{before}"
    );
    let (code, _, said) = place.call(&["run", "scenarios/small/duel.toml", "--no-png"]);
    assert_eq!(code, 0, "{said}");
    let (_, after, _) = place.call(&["explain", "scenarios/small/duel.toml"]);
    assert!(after.contains("read from results/small/duel"), "{after}");
    assert!(
        after.contains("Who is hit (2 runs at population.peers = 3, read from"),
        "{after}"
    );
    assert!(
        after.contains("client-server, failure 1: server (in 2 of 2 runs, "),
        "{after}"
    );
    let (_, json, _) = place.call(&["explain", "scenarios/small/duel.toml", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&value["hit"]["runs"], &value["hit"]["nodes"][0]["failure"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn nobody_reading_is_no_mistake() {
    for args in [&["schema"][..], &["list"], &["completions", "zsh"]] {
        let mut child = Place::new()
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
    }
}

#[test]
fn machines_and_retries_that_nobody_uses_are_refused() {
    let spare = DUEL
        .replace(
            "[network]",
            "[infrastructure.spare]\nupload = \"1 Mbps\"\ndownload = \"1 Mbps\"\n\n[network]",
        )
        .replace(".single-server]", ".single-server]\nmachine = \"server\"")
        .replace(".swarm]", ".swarm]\norigin = \"server\"");
    let retries = DUEL
        .replace(".single-server]", ".swarm]")
        .replace("[network]", "[patience]\nretries = 3\n\n[network]");
    for (text, problem) in [
        (
            spare,
            "`infrastructure.spare` has no effect: no contender uses these machines",
        ),
        (
            retries,
            "`patience.retries` has no effect: no contender ever fails an attempt",
        ),
    ] {
        let place = Place::with(&text);
        let (code, _, error) = place.call(&["check", "scenarios/small/duel.toml"]);
        assert_eq!(code, 3, "{error}");
        assert!(error.contains(problem), "{error}");
    }
}
