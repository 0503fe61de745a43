//! Decides when, and whether, bytes arrive.
