//! Turns a file into a checked plan.
