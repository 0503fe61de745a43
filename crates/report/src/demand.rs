//! What was asked for, and how one speaks of it.

use serde::Deserialize;

/// What users asked for, as the table of the scenario is called.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// All bytes of an object.
    #[default]
    Download,
    /// The value of a key, or to set it.
    Lookup,
    /// To find somebody who has an object.
    Search,
    /// To reach all users.
    Broadcast,
}

impl Demand {
    /// The metric by which contenders are compared: how long it took.
    pub(crate) fn time(self) -> &'static str {
        match self {
            // Not every design reaches the very last user, so that this time may be missing.
            Self::Broadcast => "reach_time_90",
            _ => "completion_time",
        }
    }

    /// The metric that says how many were served.
    pub(crate) fn success(self) -> &'static str {
        match self {
            Self::Broadcast => "reach",
            _ => "success_ratio",
        }
    }

    /// The metrics that a reader sees first, in this order.
    pub(crate) fn headlines(self) -> [&'static str; 3] {
        match self {
            Self::Download => ["completion_time", "makespan", "success_ratio"],
            Self::Lookup | Self::Search => {
                ["completion_time", "completion_time_p99", "success_ratio"]
            }
            Self::Broadcast => ["reach", "reach_time_90", "reach_time_100"],
        }
    }

    /// The metrics drawn against a sweep or as bars, with the first word of their file name.
    /// Where bytes are wanted they are what a broadcast costs, else messages.
    pub(crate) fn charted(self, bytes: bool) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Download => &[
                ("completion_time", "completion"),
                ("makespan", "makespan"),
                ("success_ratio", "success"),
            ],
            Self::Lookup | Self::Search => &[
                ("success_ratio", "success"),
                ("completion_time_p50", "median"),
                ("completion_time_p99", "tail"),
                ("messages_per_request", "messages"),
            ],
            Self::Broadcast if bytes => &[
                ("reach", "reach"),
                ("reach_time_90", "time"),
                ("bytes_per_useful_byte", "bytes"),
            ],
            Self::Broadcast => &[
                ("reach", "reach"),
                ("reach_time_90", "time"),
                ("messages", "messages"),
            ],
        }
    }

    /// What a metric is called where it is not about downloads.
    pub(crate) fn words(self, id: &str) -> Option<&'static str> {
        let answered = matches!(self, Self::Lookup | Self::Search);
        Some(match (id, self) {
            ("completion_time", _) if answered => "mean time to the answer",
            ("completion_time_p50", _) if answered => "median time to the answer",
            ("completion_time_p95", _) if answered => "95th percentile of the time to the answer",
            ("completion_time_p99", _) if answered => "99th percentile of the time to the answer",
            ("makespan", _) if answered => "time until the last request is answered",
            ("goodput", _) if answered => "useful data rate until the last request is answered",
            ("completion_time", Self::Broadcast) => {
                "mean time of broadcasts that reached all users"
            }
            ("completion_time_p50", Self::Broadcast) => {
                "median time of broadcasts that reached all users"
            }
            ("completion_time_p95", Self::Broadcast) => {
                "95th percentile of the time of broadcasts that reached all users"
            }
            ("completion_time_p99", Self::Broadcast) => {
                "99th percentile of the time of broadcasts that reached all users"
            }
            ("makespan", Self::Broadcast) => "time until the last broadcast has reached all users",
            ("goodput", Self::Broadcast) => {
                "useful data rate until the last broadcast has reached all users"
            }
            ("success_ratio", Self::Broadcast) => "share of broadcasts that reached all users",
            ("served", Self::Broadcast) => "broadcasts that reached all users",
            ("issued", Self::Broadcast) => "broadcasts issued",
            ("throughput", Self::Broadcast) => "broadcasts that reached all users per second",
            ("attempts_mean", Self::Broadcast) => "attempts per broadcast",
            ("messages_per_request", Self::Broadcast) => {
                "messages per broadcast that reached all users"
            }
            _ => return None,
        })
    }

    /// The share that grows with time.
    pub(crate) fn share_words(self) -> &'static str {
        match self {
            Self::Download => "share of users served",
            Self::Lookup | Self::Search => "share of requests served",
            Self::Broadcast => "share of users reached",
        }
    }

    /// Those who are counted in that share: "users".
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Self::Download | Self::Broadcast => "users",
            Self::Lookup | Self::Search => "requests",
        }
    }

    /// What became of them.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Broadcast => "reached",
            _ => "served",
        }
    }

    /// What a success is a share of.
    pub(crate) fn whole(self) -> &'static str {
        match self {
            Self::Broadcast => "users",
            _ => "requests",
        }
    }

    /// Those of whom nobody or nothing was served: "nobody" of users, "nothing" of requests.
    pub(crate) fn none_done(self) -> &'static str {
        match self {
            Self::Download => "nobody served",
            Self::Lookup | Self::Search => "nothing served",
            Self::Broadcast => "nobody reached",
        }
    }

    /// The axis of a distribution of times.
    pub(crate) fn time_words(self) -> &'static str {
        match self {
            Self::Download => "completion time",
            Self::Lookup | Self::Search => "time to the answer",
            Self::Broadcast => "time since the broadcast",
        }
    }

    /// What a contender did that served nobody: "served nobody".
    pub(crate) fn did_nothing(self) -> &'static str {
        match self {
            Self::Download => "served nobody",
            Self::Lookup | Self::Search => "served nothing",
            Self::Broadcast => "reached nobody",
        }
    }

    /// What a contender did who has a time: "served anybody".
    pub(crate) fn did(self) -> &'static str {
        match self {
            Self::Download => "served anybody",
            Self::Lookup | Self::Search => "served anything",
            Self::Broadcast => "reached 90 % of the users",
        }
    }

    /// That no contender did.
    pub(crate) fn nobody_did(self) -> &'static str {
        match self {
            Self::Download => "nobody was served",
            Self::Lookup | Self::Search => "nothing was served",
            Self::Broadcast => "no contender reached 90 % of the users",
        }
    }

    /// How the sentence goes on.
    pub(crate) fn by_any(self) -> &'static str {
        match self {
            Self::Broadcast => "",
            _ => " by any contender",
        }
    }

    /// What took the time that is told.
    pub(crate) fn task(self) -> &'static str {
        match self {
            Self::Broadcast => " to reach 90 % of the users",
            _ => "",
        }
    }

    /// Of whom the time is told, when it is not of all who were served.
    pub(crate) fn of_whom(self) -> &'static str {
        match self {
            Self::Broadcast => "90 % of all ",
            _ => "",
        }
    }

    /// Who waited how long.
    pub(crate) fn waited(self) -> &'static str {
        match self {
            Self::Broadcast => "it had reached 90 % of the users after",
            _ => "its users waited",
        }
    }

    /// Who is counted where not everybody was served.
    pub(crate) fn counting(self) -> &'static str {
        match self {
            Self::Download => "users who were served",
            Self::Lookup | Self::Search => "requests that were served",
            Self::Broadcast => "runs that came that far",
        }
    }
}
