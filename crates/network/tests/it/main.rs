//! The network as others use it.

mod twin;
