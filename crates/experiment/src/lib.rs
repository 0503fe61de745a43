//! Turns a plan into tables.
