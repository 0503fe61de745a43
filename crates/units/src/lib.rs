//! Gives every number its unit.
//!
//! Scenario files write quantities as text, a number and a unit; a bare number is refused. Each
//! type upholds its range when it is made, so nothing downstream checks again.

mod parse;
mod quantity;

pub use parse::ParseError;
pub use quantity::{BitsPerSecond, Bytes, PerHour, PerSecond, Seconds, Share};
