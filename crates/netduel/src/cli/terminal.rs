//! What is said, and where.

use std::io::{self, IsTerminal as _, Write as _};

use super::failure::{Exit, Failure};

/// Prints data on stdout.
///
/// # Errors
/// [`Failure::Unheard`] when nobody reads it.
pub(super) fn say(text: &str) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{text}").and_then(|()| out.flush());
    said.map(|()| Exit::Fine).map_err(Failure::Unheard)
}

/// Prints data on stdout; when nobody reads on, that changes nothing about what it says.
///
/// # Errors
/// [`Failure::Unheard`] when printing fails in any other way.
pub(super) fn say_to_whoever_reads(text: &str) -> Result<(), Failure> {
    match say(text) {
        Err(failure) if !failure.is_silent() => Err(failure),
        _ => Ok(()),
    }
}

/// Says on stderr what went wrong, and what may help.
pub(super) fn complain(failure: &Failure) {
    if failure.is_silent() {
        return;
    }
    let error = format!("{} {}", emphasised("error:", "1;31"), failure.chain());
    let hint = failure.hint();
    let hint = hint.map(|hint| format!("\n{} {hint}", emphasised("hint:", "1;36")));
    note(&(error + &hint.unwrap_or_default()));
}

/// Says something on stderr. When nobody reads it there, nobody misses it.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// `text` in a colour that terminals know by number, unless colours are unwanted.
fn emphasised(text: &str, colour: &str) -> String {
    if colours_wanted(io::stderr().is_terminal()) {
        format!("\x1b[{colour}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Whether colours may be used, by <https://no-color.org>.
pub(super) fn colours_wanted(is_terminal: bool) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    is_terminal && !refused
}
