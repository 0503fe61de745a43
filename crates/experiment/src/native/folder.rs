//! The folder that results go to.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{
    Existing,
    error::{Error, Found},
};
use crate::tables::{NAMES, Table};

const MANIFEST: &str = "manifest.json";
const JOURNAL: &str = ".journal";
/// The scenario as it was run; it may be the very file that was asked to be run.
pub(super) const SCENARIO: &str = "scenario.toml";
/// What else a result folder holds, besides the tables.
const OTHERS: [&str; 2] = ["scenario.resolved.toml", "report.html"];
const DRAWN: &str = "charts";

/// A folder that results may be written to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes sure that the folder is there and that nothing in it is lost unasked.
    ///
    /// - `scenario`: the text of the scenario that is to be run.
    pub(super) fn open(path: &Path, existing: Existing, scenario: &str) -> Result<Self, Error> {
        let folder = Self {
            path: path.to_owned(),
        };
        match (folder.found(scenario), existing) {
            (None, _) | (Some(Found::Journal), Existing::Resume) => {}
            (Some(_), Existing::Overwrite) => folder.clear()?,
            (Some(found), _) => {
                return Err(Error::Taken {
                    folder: path.to_owned(),
                    found,
                });
            }
        }
        fs::create_dir_all(path).map_err(|source| write_error(path, source))?;
        Ok(folder)
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Writes every file, the manifest last, and then removes the journal.
    pub(super) fn fill(&self, files: &[Table], manifest: &str) -> Result<(), Error> {
        for file in files {
            self.write(file.name, &file.text)?;
        }
        self.write(MANIFEST, manifest)?;
        remove(&self.journal())
    }

    fn found(&self, scenario: &str) -> Option<Found> {
        let there = |name: &str| self.path.join(name).exists();
        let other_scenario = || {
            let text = fs::read(self.path.join(SCENARIO));
            text.is_ok_and(|text| text != scenario.as_bytes())
        };
        let drawn = || self.drawn().is_ok_and(|drawn| !drawn.is_empty());
        if there(JOURNAL) {
            Some(Found::Journal)
        } else if there(MANIFEST) || NAMES.into_iter().any(there) {
            Some(Found::Results)
        } else if OTHERS.into_iter().any(there) || other_scenario() || drawn() {
            Some(Found::Files)
        } else {
            None
        }
    }

    /// Removes what an earlier run left, and nothing else; the manifest, which vouches for the
    /// rest, goes first. The scenario stays until a new one takes its place: when it is the file
    /// that is being run, there is no other.
    fn clear(&self) -> Result<(), Error> {
        for name in [MANIFEST, JOURNAL].into_iter().chain(NAMES).chain(OTHERS) {
            remove(&self.path.join(name))?;
        }
        for path in self.drawn()? {
            remove(&path)?;
        }
        Ok(())
    }

    /// Files that look like drawn charts.
    fn drawn(&self) -> Result<Vec<PathBuf>, Error> {
        let drawn = self.path.join(DRAWN);
        let Ok(entries) = fs::read_dir(&drawn) else {
            return Ok(Vec::new());
        };
        let ours = ["svg", "png", "csv", "txt"].map(Some);
        let paths = entries.map(|entry| Ok(entry?.path()));
        let paths: io::Result<Vec<PathBuf>> = paths.collect();
        let mut paths = paths.map_err(|source| write_error(&drawn, source))?;
        paths.retain(|path| ours.contains(&path.extension().and_then(|e| e.to_str())));
        Ok(paths)
    }

    /// Writes a file so that a reader finds either the old one or the new one, never a part.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        let part = self.path.join(format!(".{name}.part"));
        let written = File::create(&part).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        let written = written.and_then(|()| fs::rename(&part, &path));
        written.map_err(|source| {
            // The part is of no use to anybody, and removing it may make room on a full disk.
            let _ = fs::remove_file(&part);
            write_error(&path, source)
        })
    }
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(write_error(path, error)),
        _ => Ok(()),
    }
}

pub(super) fn write_error(path: &Path, source: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        source,
    }
}
