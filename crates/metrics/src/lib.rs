//! Turns observations into numbers that may be compared.
