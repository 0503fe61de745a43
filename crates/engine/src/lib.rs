//! Puts events in order: clock, queue, random streams, digest.

mod digest;
mod queue;
mod sample;
mod stream;
mod time;

pub use digest::Digest;
pub use queue::{EventId, EventQueue};
pub use sample::{Law, LawError, Zipf};
pub use stream::{SmallStream, Stream, Streams, uniform, uniform_below};
pub use time::{SimDuration, SimTime};
