//! The report of a build that failed: the headline, and what people have to mend.

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

/// What people have to mend, by its places.
pub(super) fn problems(error: &miette::Report) -> Vec<Found> {
    if let Some(problems) = error.downcast_ref::<Problems>() {
        problems.problems.iter().map(Found::from).collect()
    } else if let Some(strict) = error.downcast_ref::<Strict>() {
        strict.refused.iter().map(Found::from).chain(strict.warnings.iter().map(Found::from)).collect()
    } else {
        error.downcast_ref::<Problem>().map(Found::from).into_iter().collect()
    }
}

/// Whether nothing is lost if a report is written to `path`: there is nothing, or a report.
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

/// Writes the report. Why the build failed has been said; that its report can't be written, too, is one more line.
pub(super) fn write(path: &Path, report: &Report) {
    if let Err(error) = build::write(path, report) {
        show::error(&error);
    }
}
