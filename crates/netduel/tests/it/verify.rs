//! Theory against simulation.

use std::path::Path;

use netduel::{
    cli::validation_table,
    verify::{Cost, Experiment, Row, experiments, run},
};

fn of(cost: Cost) -> Vec<Experiment> {
    let all = experiments().into_iter();
    all.filter(|experiment| experiment.cost == cost).collect()
}

fn assert_holds(cost: Cost, seeds: impl Iterator<Item = u64>) {
    let experiments = of(cost);
    for seed in seeds {
        let rows = run(&experiments, seed, 2, |_| ());
        let off: Vec<&Row> = rows.iter().filter(|row| !row.holds()).collect();
        assert!(off.is_empty(), "seed {seed}: {off:#?}");
    }
}

#[test]
fn theory_is_met_on_the_seed_that_is_published_and_on_five_others() {
    assert_holds(Cost::Quick, 1..=6);
}

#[test]
#[ignore = "takes many minutes; .ci/run runs the published seed in release mode"]
fn theory_is_met_where_it_takes_long() {
    assert_holds(Cost::Slow, 1..=6);
}

#[test]
fn the_published_table_is_what_verify_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/validation.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let rows = run(&of(Cost::Quick), 1, 2, |_| ());
    let table = validation_table(&rows);
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        assert!(
            text.lines().any(|published| published == line),
            "docs/validation.md lacks this line; make its table anew with \
             `netduel verify --slow`\n{line}"
        );
    }
}
