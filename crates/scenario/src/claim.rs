//! What the author expects of the results.

/// Names of the metrics that a claim may speak of.
pub const METRICS: &[&str] = &[
    "completion_time",
    "completion_time_p50",
    "completion_time_p95",
    "makespan",
    "success_ratio",
    "load_gini",
    "load_top_share",
    "infrastructure_bytes",
    "bytes_per_useful_byte",
    "dip_depth",
    "recovery_90",
];

/// An expectation that the results uphold or not.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The claim in words.
    pub text: String,
    /// The estimate on the left.
    pub left: Term,
    /// How it must compare.
    pub op: Relation,
    /// What it is compared with.
    pub right: Bound,
    /// Indices of the points at which it must hold.
    pub points: Vec<usize>,
    /// The comparison as written.
    pub expect: String,
}

/// A metric of a contender.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Term {
    /// Index of the contender.
    pub contender: usize,
    /// Name of the metric.
    pub metric: String,
}

/// A comparison.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// The right side of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A number, in the unit of the metric on the left.
    Number(f64),
    /// Another estimate, times a factor.
    Term {
        /// The estimate.
        term: Term,
        /// The factor; `/ 10` is written here as 0.1.
        factor: f64,
    },
}
