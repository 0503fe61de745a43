//! Serves requests from machines an operator runs.
