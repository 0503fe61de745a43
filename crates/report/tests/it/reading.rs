//! What is wrong with a folder is pointed at.

use netduel_report::{ReportError, Results};

use crate::folders::{Folder, crowd};

fn refusal(folder: &Folder) -> String {
    let error: ReportError =
        Results::read(&|name| folder.files.get(name).cloned()).expect_err("there is a mistake");
    error.to_string()
}

fn changed(file: &str, from: &str, to: &str) -> Folder {
    let mut folder = crowd();
    let text = folder.files.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    *text = text.replacen(from, to, 1);
    folder
}

#[test]
fn a_missing_file_is_named() {
    let mut folder = crowd();
    folder.files.remove("summary.csv");
    assert_eq!(refusal(&folder), "the result folder has no `summary.csv`");
    folder.files.remove("manifest.json");
    assert_eq!(refusal(&folder), "the result folder has no `manifest.json`");
}

#[test]
fn tables_other_than_the_summary_may_be_missing() {
    let mut folder = crowd();
    folder
        .files
        .retain(|name, _| name == "summary.csv" || name == "manifest.json");
    let results = folder.read();
    assert!(!netduel_report::charts(&results).is_empty());
    assert!(netduel_report::answer(&results).contains("no difference was tested"));
}

#[test]
fn a_table_that_is_not_as_the_run_wrote_it_is_named_though_it_can_be_read() {
    let digests = "\"runs.csv\": \"11aa\"";
    // The SHA-256 of no bytes at all.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let listed = format!("\"theory.csv\": \"{empty}\"");
    let mut folder = changed("manifest.json", digests, &listed);
    let expected = "`theory.csv` is not as the run wrote it: its digest is not the one in \
                    manifest.json; expected the table untouched, so run the scenario again";
    assert_eq!(refusal(&folder), expected);
    folder.files.remove("theory.csv");
    assert_eq!(refusal(&folder), "the result folder has no `theory.csv`");
    // What has its digest is read on.
    folder.files.insert("theory.csv".into(), String::new());
    assert!(!refusal(&folder).contains("digest"));
}

#[test]
fn a_missing_column_is_named_with_those_that_are_there() {
    let found = refusal(&changed("summary.csv", "mean", "average"));
    assert!(
        found.starts_with("summary.csv:1: there is no column `mean`; found `point`"),
        "{found}"
    );
    let found = refusal(&changed("theory.csv", "population.peers", "peers"));
    assert!(
        found.starts_with("theory.csv:1: there is no column `population.peers`"),
        "{found}"
    );
}

#[test]
fn a_wrong_field_is_pointed_at() {
    let found = refusal(&changed("theory.csv", "0,1,Kurose", "zero,1,Kurose"));
    let expected = "theory.csv:2:1: `point` is `zero`; expected a whole number";
    assert_eq!(found, expected);
    let found = refusal(&changed("summary.csv", "client-server", "server-client"));
    assert!(
        found.contains("summary.csv:2:3: `contender` is `server-client`"),
        "{found}"
    );
    let found = refusal(&changed("differences.csv", "B lower", "B wins"));
    assert!(
        found.contains("`verdict` is `B wins`; expected `A lower`"),
        "{found}"
    );
}

#[test]
fn a_line_of_the_wrong_length_is_refused() {
    let found = refusal(&changed("theory.csv", "makespan,s,", "makespan,s,,"));
    assert!(
        found.starts_with("theory.csv: ") && found.contains("line: 2"),
        "{found}"
    );
}

#[test]
fn a_broken_manifest_is_pointed_at_once() {
    let found = refusal(&changed(
        "manifest.json",
        "\"seed\": 2026",
        "\"seed\": \"x\"",
    ));
    assert!(found.starts_with("manifest.json:5:"), "{found}");
    assert!(found.contains("invalid type: string"), "{found}");
    assert_eq!(found.matches("line").count(), 0, "{found}");
}
