//! Why a build failed or stopped.

use std::path::PathBuf;

use super::Stopped;
use crate::cache::{CacheError, corruption};
use crate::publish::PublishError;
use crate::scan::Changed;

/// Why a build failed or stopped.
pub(super) enum Failure {
    /// The cache's content for this path is missing or is not what it should be.
    Lost(String),
    /// The file of the cache, or of the state, is damaged.
    Damaged(CacheError),
    /// This file of the site has changed since the scan.
    Changed(PathBuf),
    /// Any other error, for people to read.
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

/// The error for a cache that lacks content which it should have.
pub(super) fn incomplete(path: &str) -> CacheError {
    corruption(format!("the content of {path} is missing")).into()
}
