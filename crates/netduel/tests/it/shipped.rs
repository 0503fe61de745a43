//! The scenarios that come with Netduel, and the results beside them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use netduel_experiment::{jobs, run_job};
use netduel_scenario::{Disk, read};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every scenario under `scenarios`, as its path without `scenarios/` and `.toml`.
fn shipped() -> Vec<String> {
    let folder = root().join("scenarios");
    let mut names = Vec::new();
    for subject in fs::read_dir(&folder).unwrap() {
        let subject = subject.unwrap().path();
        for file in fs::read_dir(&subject).unwrap() {
            let file = file.unwrap().path();
            if file
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let name = file.strip_prefix(&folder).unwrap().with_extension("");
                names.push(name.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    names.sort();
    names
}

fn manifest(name: &str) -> serde_json::Value {
    let path = root().join("results").join(name).join("manifest.json");
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run the scenario", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn sha256(path: &Path) -> String {
    netduel_experiment::sha256(&fs::read_to_string(path).unwrap())
}

#[test]
fn every_shipped_scenario_has_results_of_its_present_text() {
    let names = shipped();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        let path = root().join("scenarios").join(&name).with_extension("toml");
        let scenario = read(&path, &Disk, &netduel::architectures()).unwrap();
        let manifest = manifest(&name);
        assert_eq!(
            manifest["scenario_digest"].as_str(),
            Some(scenario.digest.as_str()),
            "{name} has changed since it was run"
        );
        for (file, digest) in manifest["files"].as_object().unwrap() {
            let path = root().join("results").join(&name).join(file);
            assert_eq!(
                digest.as_str(),
                Some(sha256(&path).as_str()),
                "{name}: {file}"
            );
        }
    }
}

/// Runs the first two replications of every point again and compares their trajectories with
/// those that were shipped. A changed digest is a changed result: say why, then run the scenario
/// anew into `results`.
#[test]
fn shipped_results_come_out_again() {
    for name in shipped() {
        let path = root().join("scenarios").join(&name).with_extension("toml");
        let scenario = read(&path, &Disk, &netduel::architectures()).unwrap();
        let table = root().join("results").join(&name).join("digests.csv");
        let mut kept: BTreeMap<[String; 3], String> = BTreeMap::new();
        for row in csv::Reader::from_path(&table).unwrap().deserialize() {
            let row: BTreeMap<String, String> = row.unwrap();
            let key = ["point", "contender", "replication"].map(|column| row[column].clone());
            kept.insert(key, row["digest"].clone());
        }
        let stop = AtomicBool::new(false);
        let early = jobs(&scenario)
            .into_iter()
            .filter(|job| job.replication < 2);
        for job in early {
            let result = run_job(&scenario, job, &stop).unwrap();
            for (entrant, run) in scenario.contenders.iter().zip(&result.runs) {
                let (point, replication) = (job.point.to_string(), job.replication.to_string());
                let key = [point, entrant.label.clone(), replication];
                assert_eq!(kept[&key], run.digest, "{name}: {key:?}");
            }
        }
    }
}
