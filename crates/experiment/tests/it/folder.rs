//! Result folders: the same bytes however they came about, and nothing lost unasked.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use netduel_experiment::{Error, Existing, Found, Manifest, run, sha256};
use tempfile::tempdir;

use crate::{DUEL, Files, files, options, run_into, scenario};

/// All files alike, the manifest apart from its times and its number of jobs.
fn assert_same(mut one: Files, mut other: Files) {
    let mut manifests = [&mut one, &mut other].map(|files| {
        let text = files
            .remove("manifest.json")
            .expect("results have a manifest");
        let manifest: Manifest = serde_json::from_slice(&text).unwrap();
        Manifest {
            started: String::new(),
            finished: String::new(),
            jobs: 0,
            ..manifest
        }
    });
    let [first, second] = &mut manifests;
    assert_eq!(first, second);
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (name, content) in &one {
        assert!(other[name] == *content, "{name} differs");
    }
}

/// Runs the duel until `jobs` jobs are finished.
fn interrupt_after(jobs: usize, out: &std::path::Path) {
    let stop = AtomicBool::new(false);
    let interrupted = run(
        &scenario(DUEL),
        &options(out, 1, Existing::Refuse),
        &stop,
        &|tick| {
            if tick.finished == jobs {
                stop.store(true, Ordering::Relaxed);
            }
        },
    );
    let error = interrupted.expect_err("it was stopped");
    let expected = format!("interrupted; {jobs} of 6 jobs are finished and kept");
    assert_eq!(error.to_string(), expected);
}

fn resume(out: &std::path::Path) -> Result<Manifest, Error> {
    let options = options(out, 2, Existing::Resume);
    let finished = run(&scenario(DUEL), &options, &AtomicBool::new(false), &|_| {})?;
    Ok(finished.manifest)
}

#[test]
fn the_number_of_threads_does_not_show() {
    let folder = tempdir().unwrap();
    let [one, four] = [1, 4].map(|jobs| {
        let out = folder.path().join(jobs.to_string());
        let options = options(&out, jobs, Existing::Refuse);
        run(&scenario(DUEL), &options, &AtomicBool::new(false), &|_| {}).unwrap();
        files(&out)
    });
    assert_same(one, four);
}

#[test]
fn an_interrupted_run_ends_with_the_bytes_of_an_uninterrupted_one() {
    let folder = tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    run_into(&whole, DUEL).unwrap();
    for jobs in 0..6 {
        interrupt_after(jobs, &parts);
        assert!(parts.join(".journal").exists());
        resume(&parts).unwrap();
        assert_same(files(&whole), files(&parts));
        fs::remove_dir_all(&parts).unwrap();
    }
}

#[test]
fn a_torn_last_line_of_a_journal_is_run_again() {
    let folder = tempdir().unwrap();
    let (whole, torn) = (folder.path().join("whole"), folder.path().join("torn"));
    run_into(&whole, DUEL).unwrap();
    interrupt_after(3, &torn);
    let journal = torn.join(".journal");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 40]).unwrap();
    resume(&torn).unwrap();
    assert_same(files(&whole), files(&torn));
}

#[test]
fn a_journal_that_is_damaged_inside_is_refused() {
    let folder = tempdir().unwrap();
    interrupt_after(3, folder.path());
    let journal = folder.path().join(".journal");
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, text.replacen("\"point\"", "\"pint\"", 1)).unwrap();
    let error = resume(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Damaged { line: 2, .. }), "{error}");
}

#[test]
fn the_journal_of_another_scenario_is_refused() {
    let folder = tempdir().unwrap();
    interrupt_after(1, folder.path());
    let other = scenario(&DUEL.replace("20 ms", "30 ms"));
    let options = options(folder.path(), 1, Existing::Resume);
    let error = run(&other, &options, &AtomicBool::new(false), &|_| {}).unwrap_err();
    assert!(matches!(error, Error::OtherPlan { .. }), "{error}");
    assert!(error.hint().unwrap().contains("--overwrite"));
}

#[test]
fn the_journal_of_another_seed_or_of_more_replications_is_refused() {
    let folder = tempdir().unwrap();
    interrupt_after(1, folder.path());
    for (seed, replications) in [(8, 3), (7, 4)] {
        let mut other = scenario(DUEL);
        other.experiment.seed = seed;
        other.experiment.replications = replications;
        let options = options(folder.path(), 1, Existing::Resume);
        let error = run(&other, &options, &AtomicBool::new(false), &|_| {}).unwrap_err();
        assert!(matches!(error, Error::OtherPlan { .. }), "{error}");
    }
}

#[test]
fn results_are_not_overwritten_unasked() {
    let folder = tempdir().unwrap();
    run_into(folder.path(), DUEL).unwrap();
    let before = files(folder.path());
    for existing in [Existing::Refuse, Existing::Resume] {
        let options = options(folder.path(), 1, existing);
        let error = run(&scenario(DUEL), &options, &AtomicBool::new(false), &|_| {}).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Taken {
                    found: Found::Results,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!(before, files(folder.path()));
}

#[test]
fn files_that_are_no_results_are_not_overwritten_unasked() {
    for name in ["scenario.toml", "report.html", "charts/mine.png"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let error = run_into(folder.path(), DUEL).unwrap_err();
        let found = folder.path().display();
        let expected = format!("{found} holds files of the names that results have");
        assert_eq!(error.to_string(), expected);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

/// The scenario that is run may lie in the folder itself.
#[test]
fn an_interrupted_overwriting_leaves_the_scenario_there() {
    let folder = tempdir().unwrap();
    run_into(folder.path(), DUEL).unwrap();
    let options = options(folder.path(), 1, Existing::Overwrite);
    let stop = AtomicBool::new(true);
    run(&scenario(DUEL), &options, &stop, &|_| {}).unwrap_err();
    assert!(!folder.path().join("manifest.json").exists());
    let kept = fs::read_to_string(folder.path().join("scenario.toml")).unwrap();
    assert_eq!(kept, DUEL);
}

#[test]
fn an_interrupted_run_is_not_overwritten_unasked() {
    let folder = tempdir().unwrap();
    interrupt_after(2, folder.path());
    let error = run_into(folder.path(), DUEL).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Taken {
                found: Found::Journal,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("--resume"));
}

#[test]
fn overwriting_leaves_nothing_of_the_old_results_and_everything_else() {
    let folder = tempdir().unwrap();
    let out = folder.path();
    run_into(out, &DUEL.replace("seed = 7", "seed = 8")).unwrap();
    fs::create_dir(out.join("charts")).unwrap();
    fs::write(out.join("charts/old.svg"), "old").unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let options = options(out, 1, Existing::Overwrite);
    run(&scenario(DUEL), &options, &AtomicBool::new(false), &|_| {}).unwrap();
    assert!(!out.join("charts/old.svg").exists());
    assert_eq!(fs::read_to_string(out.join("notes.txt")).unwrap(), "mine");
    fs::remove_file(out.join("notes.txt")).unwrap();
    fs::remove_dir(out.join("charts")).unwrap();
    let fresh = tempdir().unwrap();
    run_into(fresh.path(), DUEL).unwrap();
    assert_same(files(fresh.path()), files(out));
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let out = folder.path().join("file/results");
    let error = run_into(&out, DUEL).unwrap_err();
    assert!(error.to_string().contains("file/results"), "{error}");
    assert!(matches!(error, Error::Write { .. }));
}

#[test]
fn a_table_that_cannot_be_written_costs_no_finished_run() {
    let folder = tempdir().unwrap();
    let out = folder.path();
    // A folder stands where the table's temporary file must go.
    fs::create_dir_all(out.join(".summary.csv.part")).unwrap();
    let error = run_into(out, DUEL).unwrap_err();
    assert!(error.to_string().contains("summary.csv"), "{error}");
    assert!(!out.join("manifest.json").exists());
    fs::remove_dir(out.join(".summary.csv.part")).unwrap();
    let tick = std::sync::Mutex::new(Vec::new());
    let options = options(out, 1, Existing::Resume);
    run(&scenario(DUEL), &options, &AtomicBool::new(false), &|t| {
        tick.lock().unwrap().push(t.finished);
    })
    .unwrap();
    assert_eq!(*tick.lock().unwrap(), [6], "nothing was run again");
}

#[test]
fn a_broken_architecture_is_an_error_and_not_the_end_of_the_process() {
    let folder = tempdir().unwrap();
    let text = DUEL.replace("search = \"1 s\"", "broken = true");
    let error = run_into(folder.path(), &text).unwrap_err();
    assert!(
        error.to_string().contains("this depot is broken"),
        "{error}"
    );
    assert!(
        error.to_string().contains("population.peers = 5"),
        "the largest comes first: {error}"
    );
}

#[test]
fn the_manifest_vouches_for_every_other_file() {
    let folder = tempdir().unwrap();
    let manifest = run_into(folder.path(), DUEL).unwrap();
    let mut found = files(folder.path());
    found.remove("manifest.json");
    assert_eq!(found.len(), manifest.files.len());
    for (name, content) in found {
        assert_eq!(
            manifest.files[&name],
            sha256(std::str::from_utf8(&content).unwrap())
        );
    }
}

#[test]
fn the_resolved_scenario_has_the_seed_it_was_run_with() {
    let folder = tempdir().unwrap();
    let mut other = scenario(DUEL);
    other.experiment.seed = 99;
    other.experiment.replications = 2;
    let options = options(folder.path(), 1, Existing::Refuse);
    let manifest = run(&other, &options, &AtomicBool::new(false), &|_| {})
        .unwrap()
        .manifest;
    assert_eq!(manifest.seed, 99);
    // The ledger was opened with the seed of the file.
    let ledger = manifest.ledger.equal.join("\n");
    assert!(!ledger.contains("seed"), "{ledger}");
    let text = fs::read_to_string(folder.path().join("scenario.resolved.toml")).unwrap();
    let again = scenario(&text);
    assert_eq!(
        (again.experiment.seed, again.experiment.replications),
        (99, 2)
    );
}

#[test]
fn files_of_other_origin_are_not_lost_unasked() {
    for name in ["scenario.toml", "report.html", "charts/mine.csv"] {
        let folder = tempdir().unwrap();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let error = run_into(folder.path(), DUEL).unwrap_err();
        let found = Found::Files;
        assert!(
            matches!(error, Error::Taken { found: f, .. } if f == found),
            "{name}: {error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}

#[test]
fn a_scenario_that_lies_where_its_results_go_is_there_at_every_moment() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    fs::write(&path, &scenario(DUEL).text).unwrap();
    interrupt_after(0, folder.path());
    let again = options(folder.path(), 1, Existing::Overwrite);
    let stop = AtomicBool::new(true);
    run(&scenario(DUEL), &again, &stop, &|_| {}).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), scenario(DUEL).text);
}
