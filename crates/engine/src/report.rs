//! What a build did and why: the summary line and the report file come out of the same numbers.

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

/// What a build did. One that failed has the same members; what it had not counted yet is `None`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The version of shelflife.
    pub version: &'static str,
    /// The moment at which freshness was judged.
    pub now: Timestamp,
    /// How the build ended.
    pub outcome: Outcome,
    /// What the process ends with; `None` if that is a signal.
    pub exit_code: Option<u8>,
    /// What is wrong with the whole build.
    pub error: Option<Headline>,
    /// What people have to mend: why entries can't be read, or what keeps the site from being built.
    pub problems: Vec<Found>,
    /// Entries.
    pub entries: Option<Entries>,
    /// Files of the output folder.
    pub outputs: Option<Outputs>,
    /// For each output that is not what was published before, what had changed of the things it is made from.
    /// Empty for an output that there was not.
    pub why: BTreeMap<String, Vec<Change>>,
    /// Facts.
    pub facts: Option<Facts>,
    /// Requests by endpoint.
    pub requests: BTreeMap<Endpoint, Tally>,
    /// GitHub's budget, if it was asked.
    pub github_budget: Option<Budget>,
    /// How often each query was computed and reused.
    pub queries: BTreeMap<String, QueryCount>,
    /// How often each function whose results are kept between builds was computed and reused.
    pub memos: BTreeMap<String, MemoCount>,
    /// How often the graph was evaluated.
    pub rounds: usize,
    /// How long each phase took.
    pub durations: Durations,
    /// Facts that were asked for in vain.
    pub unrefreshed: Vec<Unrefreshed>,
    /// What is missing from the site, and how to get it.
    pub left_out: Vec<String>,
    /// What the maintainer should look at.
    pub warnings: Vec<Warning>,
}

/// Entries of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entries {
    /// Files.
    pub total: usize,
    /// Files that can't be read and are left out, since none of their versions was ever published.
    pub left_out: usize,
    /// Files that can't be read and are published as they last were.
    pub kept: usize,
}

/// Files of the output folder.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outputs {
    /// Files that were written.
    pub written: usize,
    /// Files that were right already.
    pub unchanged: usize,
    /// Files that were removed.
    pub removed: usize,
    /// The paths of the files that were written.
    pub written_paths: Vec<String>,
    /// The paths of the files that were removed.
    pub removed_paths: Vec<String>,
    /// What is published otherwise than before at an address, but for assets, whether or not its file was in the output
    /// folder.
    pub changed: Vec<Changed>,
}

/// A file that is published otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Where everybody finds it.
    pub address: String,
    /// Its path in the output folder.
    pub path: String,
    /// What happened to it.
    pub what: What,
    /// Whether it is a page, and not data.
    pub is_page: bool,
}

/// What happened to a published file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// There was none.
    Added,
    /// It has other bytes.
    Changed,
    /// The site has it no longer.
    Removed,
}

/// Facts of a build: each one that the site depends on is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Not asked for, since what is known is fresh.
    pub fresh: usize,
    /// Asked for and answered.
    pub refreshed: usize,
    /// Stale, but no source could be asked or answered: the last known value stays.
    pub stale: usize,
    /// Not known at all.
    pub missing: usize,
}

/// How long the phases took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Durations {
    /// Reading the site's folder.
    pub scan_ms: u64,
    /// Evaluating the graph.
    pub evaluate_ms: u64,
    /// Asking sources.
    pub fetch_ms: u64,
    /// Rendering outputs.
    pub render_ms: u64,
    /// Writing outputs.
    pub publish_ms: u64,
    /// All of it.
    pub total_ms: u64,
}

/// A duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Report {
    /// How many facts the site shows that are stale, or would show if they were known.
    pub fn lacking(&self) -> usize {
        self.facts.map_or(0, |facts| facts.stale + facts.missing)
    }

    /// One line for a person, about a build that came to its end.
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
