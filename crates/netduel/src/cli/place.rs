//! Where results are.

use std::path::{Component, Path, PathBuf};

/// Where the results of a scenario file go unless told otherwise: below `results/`, at the file's
/// place below `scenarios/`, or else under its own name.
pub(super) fn results_of(file: &Path) -> PathBuf {
    let stem = file.with_extension("");
    let parts: Vec<Component<'_>> = stem.components().collect();
    let root = parts
        .iter()
        .rposition(|part| part.as_os_str() == "scenarios");
    let below = match root {
        Some(root) if root + 1 < parts.len() => parts[root + 1..].iter().collect(),
        _ => stem.file_name().map(PathBuf::from).unwrap_or_default(),
    };
    Path::new("results").join(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_mirror_the_folder_of_scenarios() {
        for (file, folder) in [
            ("scenarios/churn/leave.toml", "results/churn/leave"),
            ("/a/scenarios/one.toml", "results/one"),
            ("mine/duel.toml", "results/duel"),
            ("duel", "results/duel"),
            ("../scenarios.toml", "results/scenarios"),
        ] {
            assert_eq!(results_of(Path::new(file)), Path::new(folder), "{file}");
        }
    }
}
