//! What a build did and why. The summary line and the report file come from the same numbers.

pub mod outcome;
pub mod unrefreshed;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cache::{Change, MemoCount};
use crate::graph::QueryCount;
use crate::source::{Budget, Endpoint, Tally};
use crate::warning::Warning;

pub use outcome::{Found, Headline, Outcome};
pub use unrefreshed::Unrefreshed;

pub use crate::wording::{count, did_you_mean, length};

/// What a build did. The report of a failed build has the same members; those that it did not get to are `None`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The version of shelflife.
    pub version: &'static str,
    /// The moment at which freshness was judged.
    pub now: Timestamp,
    /// How the build ended.
    pub outcome: Outcome,
    /// The exit code of the process; `None` if a signal ends it.
    pub exit_code: Option<u8>,
    /// The error that ended the build.
    pub error: Option<Headline>,
    /// What people have to fix: why entries can't be read, or what keeps the site from being built.
    pub problems: Vec<Found>,
    /// Entries.
    pub entries: Option<Entries>,
    /// Files of the output folder.
    pub outputs: Option<Outputs>,
    /// For each changed output, the inputs that changed. Empty for a new output.
    pub why: BTreeMap<String, Vec<Change>>,
    /// Facts.
    pub facts: Option<Facts>,
    /// Requests by endpoint.
    pub requests: BTreeMap<Endpoint, Tally>,
    /// GitHub's rate limit, if GitHub was asked.
    pub github_budget: Option<Budget>,
    /// How often each query was computed and reused.
    pub queries: BTreeMap<String, QueryCount>,
    /// How often each memoised function was computed and reused.
    pub memos: BTreeMap<String, MemoCount>,
    /// How many rounds it took: how often the graph was evaluated.
    pub rounds: usize,
    /// How long each phase took.
    pub durations: Durations,
    /// Facts that could not be refreshed.
    pub unrefreshed: Vec<Unrefreshed>,
    /// What is missing from the site, and how to get it.
    pub left_out: Vec<String>,
    /// Warnings.
    pub warnings: Vec<Warning>,
}

/// Entries of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// All entry files.
    pub total: usize,
    /// Files that can't be read and are left out, because no version of them was ever published.
    pub left_out: usize,
    /// Files that can't be read and keep their last published version.
    pub kept: usize,
}

/// Files of the output folder.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outputs {
    /// Files that were written.
    pub written: usize,
    /// Files that were up to date.
    pub unchanged: usize,
    /// Files that were removed.
    pub removed: usize,
    /// The paths of the files that were written.
    pub written_paths: Vec<String>,
    /// The paths of the files that were removed.
    pub removed_paths: Vec<String>,
    /// The differences to the site as published before, except assets, whatever was in the output folder.
    pub changed: Vec<Changed>,
}

/// A file whose published content has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its public address.
    pub address: String,
    /// Its path in the output folder.
    pub path: String,
    /// What happened to it.
    pub what: What,
    /// Whether it is a page rather than data.
    pub is_page: bool,
}

/// What happened to a published file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It is new.
    Added,
    /// Its content changed.
    Changed,
    /// It is no longer part of the site.
    Removed,
}

/// The facts of a build: each fact that the site depends on is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Fresh, so not asked for.
    pub fresh: usize,
    /// Asked for and answered.
    pub refreshed: usize,
    /// Stale, because no source could be asked or answered; the last known value is kept.
    pub stale: usize,
    /// Not known, or expired.
    pub missing: usize,
}

/// How long the phases took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Durations {
    /// Reading the site's folder.
    pub scan_ms: u64,
    /// Evaluating the graph.
    pub evaluate_ms: u64,
    /// Fetching from sources.
    pub fetch_ms: u64,
    /// Rendering outputs.
    pub render_ms: u64,
    /// Writing outputs.
    pub publish_ms: u64,
    /// The whole build.
    pub total_ms: u64,
}

/// A duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Report {
    /// How many facts are stale or missing.
    pub fn lacking(&self) -> usize {
        self.facts.map_or(0, |facts| facts.stale + facts.missing)
    }

    /// The summary line for a build that finished.
    pub fn summary(&self) -> String {
        let (entries, facts) = (self.entries.unwrap_or_default(), self.facts.unwrap_or_default());
        let requests: u64 = self.requests.values().map(|tally| tally.requests).sum();
        let (written, unchanged, removed) =
            self.outputs.as_ref().map_or((0, 0, 0), |it| (it.written, it.unchanged, it.removed));
        let mut parts =
            vec![format!("{} written, {unchanged} unchanged, {removed} removed", count(written, "output"))];
        let mut known = format!("{} fresh, {} refreshed", count(facts.fresh, "fact"), facts.refreshed);
        if facts.stale > 0 {
            known.push_str(&format!(", {} stale", facts.stale));
        }
        known.push_str(&format!(", {} missing", facts.missing));
        parts.push(known);
        parts.push(count(usize::try_from(requests).unwrap_or(usize::MAX), "request"));
        let published = entries.total - entries.left_out;
        let mut built = if entries.left_out == 0 {
            count(published, "entry")
        } else {
            format!("{published} of {}", count(entries.total, "entry"))
        };
        if entries.kept > 0 {
            built.push_str(&format!(" ({} as last published)", entries.kept));
        }
        format!("Built {built}: {} in {}", parts.join("; "), seconds(self.durations.total_ms))
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(12_345), "12.34 s");
    }
}
