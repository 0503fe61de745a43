//! Why a plan has no results.

use std::{fmt, io, path::PathBuf};

use netduel_world::RunError;

use crate::plan::RunFailed;

/// Why a plan has no results.
#[derive(Debug)]
pub enum Error {
    /// The folder holds results already.
    Taken {
        /// The folder.
        folder: PathBuf,
        /// What was found there.
        found: Found,
    },
    /// The journal in the folder belongs to other runs.
    OtherPlan {
        /// The journal.
        journal: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// A line of the journal cannot be read.
    Damaged {
        /// The journal.
        journal: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A file cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A run could not be made.
    Run(RunFailed),
    /// A run broke an assertion: a defect of Netduel or of an architecture.
    Panicked {
        /// Which point.
        point: usize,
        /// The point's swept values; empty without a sweep.
        values: String,
        /// Which replication of it.
        replication: u32,
        /// What was asserted.
        message: String,
    },
    /// It was told to stop.
    Interrupted {
        /// Jobs that were finished and are kept.
        finished: usize,
        /// Jobs in all.
        planned: usize,
    },
}

/// What a folder for results holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found {
    /// Results of an earlier run.
    Results,
    /// Finished runs of an interrupted run.
    Journal,
    /// Files of other origin where results would go.
    Files,
}

impl Error {
    /// What may help.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Taken {
                found: Found::Results,
                ..
            } => {
                "--overwrite makes them again; another --out leaves them alone; `netduel report` \
                 draws charts that are missing"
            }
            Self::Taken {
                found: Found::Journal,
                ..
            } => {
                "--resume goes on from there; --overwrite starts again; another --out leaves it alone"
            }
            Self::Taken {
                found: Found::Files,
                ..
            } => "another --out leaves them alone; --overwrite puts results in their place",
            Self::OtherPlan { .. } | Self::Damaged { .. } => {
                "--overwrite starts again; another --out leaves the journal alone"
            }
            Self::Write { .. } => {
                "finished runs are kept where a journal was written; --resume goes on from there"
            }
            Self::Interrupted { .. } => "--resume goes on from there",
            Self::Panicked { .. } => {
                "this is a defect; the scenario and this message make it repeatable"
            }
            Self::Read { .. } | Self::Run(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken {
                folder,
                found: Found::Results,
            } => {
                write!(f, "{} holds results already", folder.display())
            }
            Self::Taken {
                folder,
                found: Found::Journal,
            } => {
                write!(f, "{} holds an interrupted run", folder.display())
            }
            Self::Taken {
                folder,
                found: Found::Files,
            } => {
                let folder = folder.display();
                write!(f, "{folder} holds files of the names that results have")
            }
            Self::OtherPlan { journal, what } => {
                write!(f, "{} was written for {what}", journal.display())
            }
            Self::Damaged { journal, line } => {
                write!(f, "{}:{line}: the line cannot be read", journal.display())
            }
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::Run(failed) => failed.fmt(f),
            Self::Panicked {
                values,
                replication,
                message,
                ..
            } => {
                write!(f, "replication {replication}")?;
                if !values.is_empty() {
                    write!(f, " at {values}")?;
                }
                write!(f, " broke off: {message}")
            }
            Self::Interrupted { finished, planned } => {
                write!(
                    f,
                    "interrupted; {finished} of {planned} jobs are finished and kept"
                )
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Run(failed) => failed.source(),
            _ => None,
        }
    }
}

impl From<RunFailed> for Error {
    fn from(failed: RunFailed) -> Self {
        assert_ne!(failed.source, RunError::Interrupted, "a stop is no failure");
        Self::Run(failed)
    }
}
