//! The report of a build that failed: the headline, and the problems to fix.

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Exit, build, show};
use crate::build::{Problems, Strict};
use crate::problem::Problem;
use crate::report::{Found, Headline, Outcome, Report};

/// The report of a build that ended with this error.
pub(super) fn report(error: &miette::Report, outcome: Outcome, exit: Exit, now: Option<Timestamp>) -> Report {
    Report {
        version: env!("CARGO_PKG_VERSION"),
        now: now.unwrap_or_else(Timestamp::now),
        outcome,
        exit_code: (outcome != Outcome::Stopped).then_some(exit as u8),
        error: Some(Headline::of(error)),
        problems: problems(error),
        entries: error.downcast_ref::<Strict>().map(|strict| strict.entries),
        ..Report::default()
    }
}

/// The problems to fix, each with its place.
pub(super) fn problems(error: &miette::Report) -> Vec<Found> {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        problems.problems.iter().map(Found::from).collect()
    } else if let Some(strict) = error.downcast_ref::<Strict>() {
        strict.refused.iter().map(Found::from).chain(strict.warnings.iter().map(Found::from)).collect()
    } else {
        error.downcast_ref::<Problem>().map(Found::from).into_iter().collect()
    }
}

/// Whether a report may be written to `path`: the path is free, or holds an earlier report.
pub(super) fn may_replace(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Earlier {
        #[serde(rename = "version")]
        _version: String,
        #[serde(rename = "outcome")]
        _outcome: String,
    }
    match std::fs::symlink_metadata(path) {
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        Ok(metadata) if !metadata.is_file() => false,
        Ok(_) => std::fs::read(path).is_ok_and(|json| serde_json::from_slice::<Earlier>(&json).is_ok()),
    }
}

/// Writes the report. The build's own error is already printed; failing to write the report adds one more.
pub(super) fn write(path: &Path, report: &Report) {
    if let Err(error) = build::write(path, report) {
        show::error(&error);
    }
}
