//! What was asked of whom: requests, bytes and the budget that is left.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// What a request is about; each has a line in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A usage export.
    UsageExport,
    /// GitHub's GraphQL API, about repositories.
    GithubRepositories,
    /// GitHub's GraphQL API, about the content of files.
    GithubFiles,
    /// A published site, about the history of its plugins.
    PublishedHistory,
    /// Pictures of videos.
    Thumbnails,
    /// Addresses that entries have, which a check looks at.
    Probe,
}

/// What one endpoint was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Requests sent, repeated ones among them.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Requests without an answer, or with an error status.
    pub failures: u64,
    /// Answers that said "not modified".
    pub not_modified: u64,
    /// Answers that came from where a redirect led.
    pub redirected: u64,
    /// Bytes of the answers' bodies, uncompressed.
    pub bytes: u64,
}

/// What GitHub allows until when
/// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Points per hour.
    pub limit: u64,
    /// Points left.
    pub remaining: u64,
    /// When there will be `limit` points again.
    pub resets: Option<Timestamp>,
}

/// Counts while requests are in flight.
#[derive(Debug, Default)]
pub struct Metrics {
    inner: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    tallies: BTreeMap<Endpoint, Tally>,
    budget: Option<Budget>,
}

impl Metrics {
    /// Changes the tally of one endpoint.
    pub(super) fn count(&self, endpoint: Endpoint, change: impl FnOnce(&mut Tally)) {
        let mut counts = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(counts.tallies.entry(endpoint).or_default());
    }

    /// Notes GitHub's budget. Answers overtake each other, so the least that was seen counts.
    pub(super) fn note_budget(&self, budget: Budget) {
        let mut counts = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut counts.budget {
            Some(known) if known.resets == budget.resets && known.remaining <= budget.remaining => {}
            known => *known = Some(budget),
        }
    }

    /// All tallies.
    pub fn tallies(&self) -> BTreeMap<Endpoint, Tally> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).tallies.clone()
    }

    /// How many requests were sent in all.
    pub fn requests(&self) -> u64 {
        self.tallies().values().map(|tally| tally.requests).sum()
    }

    /// GitHub's budget, if it told.
    pub fn budget(&self) -> Option<Budget> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).budget
    }
}
