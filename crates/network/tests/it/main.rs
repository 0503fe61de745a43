//! The network as others use it.

mod routers;
mod twin;
