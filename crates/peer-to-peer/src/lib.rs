//! Serves requests from the users' own machines.
