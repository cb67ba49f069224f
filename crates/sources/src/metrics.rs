//! Metrics: the requests and bytes of each endpoint, and what is left of GitHub's budget.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

/// What a request is for; each has a line in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A usage export.
    UsageExport,
    /// GitHub's GraphQL API, about repositories.
    GithubRepositories,
    /// GitHub's GraphQL API, about the content of files.
    GithubFiles,
    /// A published site, for the histories of its plugins.
    PublishedHistory,
    /// Thumbnails of videos.
    Thumbnails,
    /// Addresses in entries, which `shelflife check` probes.
    Probe,
}

/// The requests to one endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Requests sent, including retries.
    pub requests: u64,
    /// Requests that retried a failed one.
    pub retries: u64,
    /// Requests without a response, or with an error status.
    pub failures: u64,
    /// Responses with status 304 Not Modified.
    pub not_modified: u64,
    /// Responses that were redirected.
    pub redirected: u64,
    /// Bytes of the response bodies, uncompressed.
    pub bytes: u64,
}

/// GitHub's rate limit
/// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Points per hour.
    pub limit: u64,
    /// Points left.
    pub remaining: u64,
    /// When `limit` points are available again.
    pub resets: Option<Timestamp>,
}

/// Counts requests while they are in flight.
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
    /// Changes the tally of an endpoint.
    pub(super) fn count(&self, endpoint: Endpoint, change: impl FnOnce(&mut Tally)) {
        let mut counts = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(counts.tallies.entry(endpoint).or_default());
    }

    /// Records GitHub's budget. Responses overtake each other, so the lowest remaining number counts.
    pub(super) fn note_budget(&self, budget: Budget) {
        let mut counts = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut counts.budget {
            Some(known) if known.resets == budget.resets && known.remaining <= budget.remaining => {}
            known => *known = Some(budget),
        }
    }

    /// The tallies of all endpoints.
    pub fn tallies(&self) -> BTreeMap<Endpoint, Tally> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).tallies.clone()
    }

    /// The number of requests sent.
    pub fn requests(&self) -> u64 {
        self.tallies().values().map(|tally| tally.requests).sum()
    }

    /// GitHub's budget, if a response reported it.
    pub fn budget(&self) -> Option<Budget> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).budget
    }
}
