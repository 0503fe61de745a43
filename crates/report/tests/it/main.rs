//! Reports on folders made up for the purpose.

mod folders;
mod looks;
