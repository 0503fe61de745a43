//! `netduel new`

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use netduel_world::{Kind, RequestKind};

use super::{
    Call,
    failure::{Exit, Failure},
    terminal,
};

/// Writes a scenario of downloads in which the first architecture of each family that serves them
/// meets.
pub(super) fn new(call: &Call, file: &Path) -> Result<Exit, Failure> {
    let mut kinds: Vec<&Kind> = Vec::new();
    for kind in call.registry.kinds() {
        let is_first = kinds.iter().all(|chosen| chosen.family != kind.family);
        if is_first && kind.serves.contains(&RequestKind::Download) {
            kinds.push(kind);
        }
    }
    write(file, &netduel_scenario::template(&kinds))?;
    terminal::say(&format!("{}\nnext: netduel run {0}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let unwritable = |source: io::Error| Failure::Write {
        path: file.to_owned(),
        source,
    };
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => Failure::Exists {
            path: file.to_owned(),
        },
        _ => unwritable(source),
    };
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(failed)
}
