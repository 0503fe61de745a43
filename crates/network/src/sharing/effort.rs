//! Counters of work.

/// How much work has been done, to see that it stays in proportion.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Effort {
    /// Instants at which rates had to be settled.
    pub batches: u64,
    /// Links settled, each as often as it was.
    pub settles: u64,
    /// Levels that came out different.
    pub changes: u64,
    /// Classes that changed their bottleneck.
    pub moves: u64,
    /// Edges to which a new level was pushed.
    pub pushes: u64,
}
