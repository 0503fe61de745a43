//! Why the command line did not do what was asked.

use std::{error::Error as _, fmt, io, path::PathBuf};

use netduel_report::ReportError;
use netduel_scenario::ScenarioError;

/// What a process ends with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Exit {
    Fine = 0,
    Failed = 1,
    Usage = 2,
    InvalidScenario = 3,
    ClaimDoesNotHold = 4,
    Interrupted = 130,
}

/// Why the command line did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The scenario is not valid.
    Scenario(ScenarioError),
    /// There are no results.
    Experiment(netduel_experiment::Error),
    /// The charts could not be drawn.
    Report {
        folder: PathBuf,
        source: Box<ReportError>,
    },
    /// A run made for an explanation failed.
    Run(netduel_experiment::RunFailed),
    /// A file cannot be written.
    Write { path: PathBuf, source: io::Error },
    /// A file that must not be overwritten is there.
    Exists { path: PathBuf },
    /// No experiment is about this.
    NothingToVerify { about: String },
    /// The results are complete but the charts are not.
    DrawingInterrupted { folder: PathBuf },
    /// Nobody reads what is printed.
    Unheard(io::Error),
}

impl Failure {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Scenario(_) => Exit::InvalidScenario,
            Self::Experiment(netduel_experiment::Error::Interrupted { .. })
            | Self::DrawingInterrupted { .. } => Exit::Interrupted,
            // `netduel list | head` is no mistake.
            Self::Unheard(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Fine,
            _ => Exit::Failed,
        }
    }

    /// Whether there is anything to say about it.
    pub(super) fn is_silent(&self) -> bool {
        self.exit() == Exit::Fine
    }

    pub(super) fn hint(&self) -> Option<String> {
        match self {
            Self::Experiment(error) => error.hint(),
            Self::Report { folder, .. } => Some(format!(
                "{} is to be a folder that `netduel run` filled",
                folder.display()
            )),
            Self::Exists { .. } => Some("give it another name, or remove the file".into()),
            Self::DrawingInterrupted { folder } => {
                Some(format!("`netduel report {}` draws them", folder.display()))
            }
            // The scenario's errors print their hint themselves.
            Self::NothingToVerify { .. } => Some(
                "`--slow` brings in those that take minutes; without a text all are run".into(),
            ),
            Self::Scenario(_) | Self::Run(_) | Self::Write { .. } | Self::Unheard(_) => None,
        }
    }

    /// The chain of causes, from the failed deed to the reason.
    pub(super) fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scenario(error) => error.fmt(f),
            Self::Experiment(error) => error.fmt(f),
            Self::Run(failed) => failed.fmt(f),
            Self::Report { folder, .. } => write!(f, "cannot draw {}", folder.display()),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::NothingToVerify { about } => {
                write!(f, "no experiment of this cost is about \"{about}\"")
            }
            Self::Exists { path } => write!(f, "{} exists already", path.display()),
            Self::DrawingInterrupted { .. } => {
                f.write_str("interrupted; the tables are complete, some charts are missing")
            }
            Self::Unheard(_) => f.write_str("cannot print"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Experiment(error) => error.source(),
            Self::Run(failed) => failed.source(),
            Self::Report { source, .. } => Some(&**source),
            Self::Write { source, .. } | Self::Unheard(source) => Some(source),
            Self::Scenario(_)
            | Self::Exists { .. }
            | Self::NothingToVerify { .. }
            | Self::DrawingInterrupted { .. } => None,
        }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Self::Scenario(error)
    }
}

impl From<netduel_experiment::Error> for Failure {
    fn from(error: netduel_experiment::Error) -> Self {
        Self::Experiment(error)
    }
}
