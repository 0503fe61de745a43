//! Reports on folders made up for the purpose.

mod answers;
mod folders;
mod looks;
mod pages;
mod reading;
