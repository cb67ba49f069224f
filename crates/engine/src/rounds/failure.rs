//! Why a build did not come to its end.

use std::path::PathBuf;

use super::Stopped;
use crate::cache::{CacheError, corruption};
use crate::publish::PublishError;
use crate::scan::Changed;

/// Why a build did not come to its end.
pub(super) enum Failure {
    /// The cache holds a blob whose bytes are not what they should be: the content of this path.
    Lost(String),
    /// The file of the cache, or of the state, is damaged.
    Damaged(CacheError),
    /// This file of the site is another one than the build has looked at.
    Changed(PathBuf),
    /// Something that a person has to look at.
    Report(miette::Report),
}

impl Failure {
    pub(super) fn into_report(self) -> miette::Report {
        match self {
            Self::Lost(path) => PublishError::Lost(path).into_report(),
            Self::Changed(path) => Changed(path).into(),
            Self::Damaged(error) => error.into(),
            Self::Report(report) => report,
        }
    }
}

impl From<miette::Report> for Failure {
    fn from(report: miette::Report) -> Self {
        match report.downcast::<CacheError>() {
            Ok(error) => error.into(),
            Err(report) => match report.downcast::<Changed>() {
                Ok(Changed(path)) => Self::Changed(path),
                Err(report) => report.downcast::<PublishError>().map_or_else(Self::Report, Self::from),
            },
        }
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        Self::Report(stopped.into())
    }
}

impl From<super::Strict> for Failure {
    fn from(strict: super::Strict) -> Self {
        Self::Report(strict.into())
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        match error {
            error @ CacheError::Damaged { .. } => Self::Damaged(error),
            error => Self::Report(error.into()),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Lost(path) => Self::Lost(path),
            PublishError::Changed(path) => Self::Changed(path),
            PublishError::Cache(error) => error.into(),
            PublishError::Stopped { written, all } => Stopped::Publishing { written, all }.into(),
            error => Self::Report(error.into_report()),
        }
    }
}

/// The error that a cache amounts to which has no longer what it should have.
pub(super) fn incomplete(path: &str) -> CacheError {
    corruption(format!("its copy of {path} is lost")).into()
}
