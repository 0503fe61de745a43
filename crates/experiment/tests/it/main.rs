//! Whole plans, with an architecture so small that its results can be told in advance.

mod demands;
mod depot;
mod folder;
mod tables;

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use netduel_experiment::{Error, Existing, Manifest, Options, run};
use netduel_scenario::Scenario;
use netduel_world::Registry;

/// Two points, three replications, two depots of which one takes a second longer.
const DUEL: &str = r#"
title = "Two depots"
question = "What does a second of searching cost?"

[population]
peers = 4
upload = "1 Mbps"
download = { uniform = { min = "10 Mbps", max = "50 Mbps" } }

[infrastructure.depot]
count = 1
upload = "8 Mbps"
download = "8 Mbps"

[network]
latency = "20 ms"

[demand.download]
size = "1 MB"
arrivals = { poisson = "0.5 /s" }

[contenders.quick.depot]

[contenders.slow.depot]
search = "1 s"

[experiment]
seed = 7
replications = 3

[sweep]
"population.peers" = [2, 5]
"#;

/// Everything in a folder, by name.
type Files = BTreeMap<String, Vec<u8>>;

fn scenario(text: &str) -> Scenario {
    let path = PathBuf::from("duel.toml");
    let files = BTreeMap::from([(path.clone(), text.to_owned())]);
    let mut registry = Registry::default();
    registry.add::<depot::Depot>();
    netduel_scenario::read(&path, &files, &registry).unwrap_or_else(|error| panic!("{error}"))
}

fn options(out: &Path, jobs: usize, existing: Existing) -> Options {
    Options {
        out: out.to_owned(),
        jobs: NonZeroUsize::new(jobs).unwrap(),
        existing,
    }
}

fn run_into(out: &Path, text: &str) -> Result<Manifest, Error> {
    let options = options(out, 1, Existing::Refuse);
    let finished = run(&scenario(text), &options, &AtomicBool::new(false), &|_| {})?;
    Ok(finished.manifest)
}

fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The rows of a table, by column.
fn rows(folder: &Path, table: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join(table)).unwrap();
    let header = reader.headers().unwrap().clone();
    let row = |record: csv::StringRecord| {
        let fields = header.iter().zip(record.iter());
        fields
            .map(|(name, field)| (name.to_owned(), field.to_owned()))
            .collect()
    };
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}
