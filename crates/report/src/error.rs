//! What can be wrong with a result folder.

use std::fmt;

/// Why a result folder cannot be turned into charts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReportError {
    /// A file that every result folder has is not there.
    Missing {
        /// Name of the file inside the folder.
        file: &'static str,
    },
    /// A file is not what the run wrote.
    Altered {
        /// Name of the file inside the folder.
        file: &'static str,
    },
    /// The manifest is not what a manifest looks like.
    Manifest {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the reader of JSON has to say.
        what: String,
    },
    /// A table lacks a column.
    Column {
        /// Name of the table's file.
        file: &'static str,
        /// The column that should be there.
        column: String,
        /// The columns that are.
        found: Vec<String>,
    },
    /// A table's line does not have as many fields as its header.
    Fields {
        /// Name of the table's file.
        file: &'static str,
        /// What the reader of CSV has to say, with the line.
        what: String,
    },
    /// A table's field does not hold what it should.
    Field {
        /// Name of the table's file.
        file: &'static str,
        /// Line, from 1, the header included.
        line: u64,
        /// Position of the field in its line, from 1.
        field: usize,
        /// Name of the field's column.
        column: String,
        /// What the field holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// A finished figure could not be painted as a PNG.
    Paint {
        /// Name of the figure.
        chart: String,
        /// Why not.
        what: String,
    },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { file } => write!(f, "the result folder has no `{file}`"),
            Self::Altered { file } => write!(
                f,
                "`{file}` is not as the run wrote it: its digest is not the one in manifest.json; \
                 expected the table untouched, so run the scenario again"
            ),
            Self::Manifest { line, column, what } => {
                write!(f, "manifest.json:{line}:{column}: {what}")
            }
            Self::Column {
                file,
                column,
                found,
            } => {
                write!(f, "{file}:1: there is no column `{column}`; found ")?;
                let found: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
                f.write_str(&found.join(", "))
            }
            Self::Fields { file, what } => write!(f, "{file}: {what}"),
            Self::Field {
                file,
                line,
                field,
                column,
                found,
                expected,
            } => {
                write!(
                    f,
                    "{file}:{line}:{field}: `{column}` is `{found}`; expected {expected}"
                )
            }
            Self::Paint { chart, what } => write!(f, "cannot paint {chart}.png: {what}"),
        }
    }
}

impl std::error::Error for ReportError {}
