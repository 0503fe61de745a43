//! Runs and reports.

use std::{fs, process::Stdio};

use crate::{DUEL, Place, exists, read};

const FILE: &str = "scenarios/small/duel.toml";

#[test]
fn a_run_fills_the_result_folder_and_says_what_came_of_it() {
    let place = Place::new();
    let (code, data, said) = place.call(&["run", FILE]);
    assert_eq!((code, said.as_str()), (0, ""), "{said}");
    assert!(
        data.contains("report:  results/small/duel/report.html"),
        "{data}"
    );
    assert!(data.contains("95 %"), "no interval in\n{data}");
    let out = place.path("results/small/duel");
    let files = [
        "scenario.toml",
        "scenario.resolved.toml",
        "runs.csv",
        "summary.csv",
        "differences.csv",
        "timeline.csv",
        "distributions.csv",
        "incidents.csv",
        "digests.csv",
        "theory.csv",
        "manifest.json",
        "report.html",
    ];
    for name in files {
        exists(&out.join(name));
    }
    assert!(!out.join(".journal").exists());
    let pictures = fs::read_dir(out.join("charts")).unwrap();
    let pictures =
        pictures.filter(|e| e.as_ref().unwrap().path().extension() == Some("png".as_ref()));
    assert!(pictures.count() > 2);
}

#[test]
fn a_second_run_needs_to_be_told_what_to_do_with_the_first() {
    let place = Place::new();
    assert_eq!(place.call(&["run", FILE, "--no-png"]).0, 0);
    let (code, _, said) = place.call(&["run", FILE, "--no-png"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("error: results/small/duel holds results already\nhint: --overwrite"),
        "{said}"
    );
    assert!(said.contains("`netduel report` draws"), "{said}");
    assert_eq!(
        place
            .call(&["run", FILE, "--no-png", "--overwrite", "--jobs", "1"])
            .0,
        0
    );
    assert_eq!(
        place
            .call(&["run", FILE, "--no-png", "--out", "elsewhere"])
            .0,
        0
    );
    let summary = |folder: &str| fs::read(place.path(folder).join("summary.csv")).unwrap();
    assert_eq!(summary("results/small/duel"), summary("elsewhere"));
}

#[test]
fn a_claim_that_does_not_hold_ends_with_4_and_says_by_how_much() {
    let claim = |text, expect| format!("\n[[claims]]\ntext = \"{text}\"\nexpect = \"{expect}\"\n");
    let text = DUEL.to_owned()
        + &claim("all are served", "peer-to-peer.success_ratio >= 1")
        + &claim(
            "servers are free",
            "client-server.infrastructure_bytes <= 0",
        );
    let place = Place::with(&text);
    let (code, data, _) = place.call(&["run", FILE, "--no-png"]);
    assert_eq!(code, 4);
    assert!(
        data.contains("✓ all are served") && data.contains("✗ servers are free"),
        "{data}"
    );
    exists(&place.path("results/small/duel/report.html"));
    // Whoever stops reading does not make the claim hold.
    let unread = ["run", FILE, "--no-png", "--overwrite"];
    let mut child = place
        .command(&unread)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
fn quiet_means_quiet() {
    let place = Place::new();
    let (code, data, said) = place.call(&["run", FILE, "--quiet", "--no-png"]);
    assert_eq!((code, data.as_str(), said.as_str()), (0, "", ""));
}

#[test]
fn seed_and_replications_of_the_command_line_stand_in_the_manifest() {
    let place = Place::new();
    let args = [
        "run",
        FILE,
        "--no-png",
        "--seed",
        "41",
        "--replications",
        "1",
    ];
    assert_eq!(place.call(&args).0, 0);
    let text = fs::read_to_string(place.path("results/small/duel/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&manifest["seed"], &manifest["replications"]),
        (&41.into(), &1.into())
    );
}

#[test]
fn a_report_is_redrawn_from_the_tables_alone() {
    let place = Place::new();
    assert_eq!(place.call(&["run", FILE]).0, 0);
    let out = place.path("results/small/duel");
    let report = fs::read(out.join("report.html")).unwrap();
    fs::remove_file(out.join("report.html")).unwrap();
    fs::remove_dir_all(out.join("charts")).unwrap();
    fs::remove_file(place.path(FILE)).unwrap();
    let (code, data, said) = place.call(&["report", "results/small/duel"]);
    assert_eq!(
        (code, data.as_str()),
        (0, "results/small/duel/report.html\n"),
        "{said}"
    );
    assert!(fs::read(out.join("report.html")).unwrap() == report);
    // A table that was touched is not drawn.
    let summary = fs::read_to_string(out.join("summary.csv")).unwrap();
    fs::write(out.join("summary.csv"), format!("{summary}\n")).unwrap();
    let (code, _, said) = place.call(&["report", "results/small/duel"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("`summary.csv` is not as the run wrote it"),
        "{said}"
    );
}

#[test]
fn a_folder_without_results_cannot_be_reported() {
    let place = Place::new();
    let (code, _, said) = place.call(&["report", "scenarios"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("manifest.json") && said.contains("hint: "),
        "{said}"
    );
    assert!(!place.path("scenarios/charts").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    let (code, _, said) = place.call(&["run", FILE, "--out", "scenarios/small/duel.toml/x"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("error: cannot write scenarios/small/duel.toml/x: "),
        "{said}"
    );
}

#[test]
fn messages_on_a_pipe_are_plain_text() {
    let (_, _, said) = Place::new().call(&["run", "nowhere.toml"]);
    assert!(!said.contains('\x1b'), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_with_130_and_goes_on_with_resume() {
    let text = DUEL.replace("replications = 2", "replications = 600");
    let place = Place::with(&text);
    let args = ["run", FILE, "--no-png", "--jobs", "1", "--out", "parts"];
    let mut command = place.command(&args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The journal's second line says that a job is finished.
    let journal = place.path("parts/.journal");
    while fs::read_to_string(&journal).map_or(0, |text| text.lines().count()) < 2 {
        std::thread::yield_now();
    }
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let (code, data, said) = read(&child.wait_with_output().unwrap());
    assert_eq!((code, data.as_str()), (130, ""), "{said}");
    assert!(
        said.contains("of 1200 jobs are finished and kept\nhint: --resume"),
        "{said}"
    );
    let (code, _, said) = place.call(&["run", FILE, "--no-png", "--out", "parts", "--resume"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        place.call(&["run", FILE, "--no-png", "--out", "whole"]).0,
        0
    );
    // The report says when the results were made, and so does the manifest.
    for name in ["runs.csv", "summary.csv", "timeline.csv", "digests.csv"] {
        let content = |folder: &str| fs::read(place.path(folder).join(name)).unwrap();
        assert!(content("parts") == content("whole"), "{name} differs");
    }
}
