//! The binary from outside: what it prints, what it writes, what it ends with.

mod conformance;
mod reading;
mod running;
mod shipped;
mod torrents;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A duel that takes a moment.
const DUEL: &str = r#"
title = "A small duel"
question = "Who is faster with a small file?"

[population]
peers = 3
upload = "10 Mbps"
download = "50 Mbps"

[infrastructure.server]
upload = "20 Mbps"
download = "20 Mbps"

[network]
latency = "20 ms"

[demand.download]
size = "2 MiB"
arrivals = "all at once"

[contenders."client-server".single-server]

[contenders."peer-to-peer".swarm]

[experiment]
seed = 3
replications = 2

[sweep]
"population.peers" = [1, 3]
"#;

/// A folder to work in, with the duel at `scenarios/small/duel.toml`.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self::with(DUEL)
    }

    fn with(text: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("scenarios/small/duel.toml", text);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_netduel"));
        command.current_dir(self.0.path()).args(args);
        command
    }

    /// Calls the binary and returns its exit code, its data and what else it had to say.
    fn call(&self, args: &[&str]) -> (i32, String, String) {
        read(&self.command(args).output().unwrap())
    }
}

fn read(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).unwrap();
    let code = output.status.code().expect("it ended by itself");
    (code, text(&output.stdout), text(&output.stderr))
}

fn exists(path: &Path) {
    assert!(path.exists(), "{} is missing", path.display());
}
