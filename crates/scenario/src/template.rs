//! A scenario to start from.

use std::fmt::Write as _;

use netduel_world::{Kind, RequestKind};

/// A commented scenario to start from, in which those of these architectures meet that serve what
/// it asks for: downloads.
pub fn template(kinds: &[&Kind]) -> String {
    let mut text = TOP.to_owned();
    let serves = |kind: &&&Kind| kind.serves.contains(&RequestKind::Download);
    for kind in kinds.iter().filter(serves) {
        let name = kind.name;
        write!(text, "\n# {}\n[contenders.\"{name}\".{name}]\n", kind.about)
            .expect("a string takes any text");
    }
    text.push_str(BOTTOM);
    text
}

const TOP: &str = r#"# A scenario asks one question. `netduel check` finds mistakes, `netduel explain` says in
# words what it means, `netduel run` answers it.
title = "One file, a growing crowd"
question = "How long until everyone has the file?"

# The users: each has one device and asks once.
[population]
peers = 10
upload = "10 Mbps"      # or a law: { lognormal = { median = "10 Mbps", sigma = 0.8 } }
download = "50 Mbps"

# The machines that an operator runs, by a name of your choice.
[infrastructure.server]
count = 1
upload = "100 Mbps"
download = "100 Mbps"

[network]
latency = "20 ms"       # one way, between any two devices

[demand.download]
size = "100 MiB"
arrivals = "all at once" # or { poisson = "0.4 /s" }

# Who competes: [contenders."label".kind], the settings below it.
# `netduel list` shows the kinds and their settings.
"#;

const BOTTOM: &str = r#"
# What goes wrong, the same for all contenders. Take the marks away to see who copes.
# [[failures]]
# at = "10 s"
# lasts = "1 min"
# who = { most-loaded = 1 }
# what = "crash"

[experiment]
seed = 1
replications = 20       # worlds drawn at each point

# What is varied. Every contender meets the same worlds at every point.
[sweep]
"population.peers" = [1, 10, 100]
"#;
