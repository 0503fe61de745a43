//! Lets things happen: population, demand, failures, the contract of an architecture, the ledger.
