//! Turns observations into numbers that may be compared.
//!
//! Everything here is a pure function of the numbers it is given: the same numbers in the same
//! order give the same result to the last bit, on every platform. Quantiles of the t distribution
//! come from `statrs` and are rounded so far that its last bits cannot show.

pub mod concentration;
pub mod distribution;
pub mod interval;
pub mod queueing;
pub mod recovery;
pub mod theory;
mod verdict;

/// `value` rounded to `digits` significant digits, so that a last bit that differs between
/// platforms does not reach a printed table.
fn round_significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1))
        .parse()
        .expect("a float printed in scientific notation parses again")
}
