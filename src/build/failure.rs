//! Why a build did not come to its end, and what is said of a cache that was to blame.

use std::path::PathBuf;

use super::Stopped;
use crate::cache::{CacheError, SetAside, corruption};
use crate::publish::PublishError;
use crate::report;
use crate::scan::Changed;

/// Why a build did not come to its end.
pub(super) enum Failure {
    /// The cache holds a blob whose bytes are not what they should be: the content of this path.
    Lost(String),
    /// The cache's file is damaged.
    Damaged(rusqlite::Error),
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
            Self::Damaged(error) => CacheError::Damaged(error).into(),
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
            CacheError::Damaged(error) => Self::Damaged(error),
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

/// The error that a cache amounts to which lost `path`, though it was just stored.
pub(super) fn unreliable(path: &str) -> rusqlite::Error {
    corruption(format!("it lost {path}"))
}

/// What the maintainer is told of a cache that was set aside.
pub fn told(SetAside { moved_to, reason, facts, histories, removed }: &SetAside) -> String {
    let mut kept = Vec::new();
    if *facts > 0 {
        kept.push(format!("{} of it", report::count(*facts, "fact")));
    }
    if *histories > 0 {
        kept.push(format!("the history of {}", report::count(*histories, "plugin")));
    }
    let with = if kept.is_empty() { String::new() } else { format!(" with {}", kept.join(" and ")) };
    let anew = format!("begins anew{with}");
    match moved_to {
        Some(moved_to) => {
            let older = match removed {
                0 => String::new(),
                1 => "; the oldest that was set aside is removed".to_owned(),
                count => format!("; the {count} oldest that were set aside are removed"),
            };
            format!("the cache {reason}; it was set aside as {} and {anew}{older}", moved_to.display())
        }
        None => format!("the cache {reason}; it {anew}"),
    }
}
