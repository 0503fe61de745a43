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
/// What else a result folder holds, besides the tables.
const OTHERS: [&str; 3] = [SCENARIO, "scenario.resolved.toml", "report.html"];
pub(super) const SCENARIO: &str = "scenario.toml";
const DRAWN: &str = "charts";

/// A folder that results may be written to.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes sure that the folder is there and that nothing in it is lost unasked.
    pub(super) fn open(path: &Path, existing: Existing) -> Result<Self, Error> {
        let folder = Self {
            path: path.to_owned(),
        };
        match (folder.found(), existing) {
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

    fn found(&self) -> Option<Found> {
        let there = |name: &str| self.path.join(name).exists();
        if there(JOURNAL) {
            Some(Found::Journal)
        } else if there(MANIFEST) || NAMES.into_iter().any(there) {
            Some(Found::Results)
        } else {
            let mut others = OTHERS.into_iter().chain([DRAWN]);
            others.find(|name| there(name)).map(Found::Other)
        }
    }

    /// Removes what an earlier run left, and nothing else; the manifest, which vouches for the
    /// rest, goes first. The scenario stays until a new one takes its place: it may be the only
    /// copy of the one that is being run.
    fn clear(&self) -> Result<(), Error> {
        let others = OTHERS.into_iter().filter(|name| *name != SCENARIO);
        for name in [MANIFEST, JOURNAL].into_iter().chain(NAMES).chain(others) {
            remove(&self.path.join(name))?;
        }
        let drawn = self.path.join(DRAWN);
        let Ok(entries) = fs::read_dir(&drawn) else {
            return Ok(());
        };
        for entry in entries {
            let path = entry.map_err(|source| write_error(&drawn, source))?.path();
            let ours = ["svg", "png", "csv", "txt"].map(Some);
            if ours.contains(&path.extension().and_then(|e| e.to_str())) {
                remove(&path)?;
            }
        }
        Ok(())
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
