//! What can be wrong with a scenario, and where.

use std::{fmt, path::PathBuf};

/// A mistake in a scenario file or in a table that it reads.
///
/// It reads after "error:". The hint, if any, stands on a line of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScenarioError {
    /// The file.
    pub path: PathBuf,
    /// The place in the file; none when the file itself cannot be read.
    pub position: Option<Position>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
}

/// A place in a text; both counts start at 1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{}:{line}:{column}: ", self.path.display())?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ScenarioError {}
