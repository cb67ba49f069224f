//! The table `fetch` of `shelflife.toml`: time limits of fetching.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

use super::values::Span;

/// Time limits of fetching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// The longest total time to wait when the server at one address asks to retry later.
    pub max_wait: Duration,
    /// The longest time that fetching the facts of one round may take.
    pub timeout: Duration,
    /// How long a fact is shown after it was last confirmed, while its source fails or is not queried: `stale-if-error`
    /// of RFC 5861, counted from the last confirmation.
    pub stale_if_error: SignedDuration,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            max_wait: Duration::from_secs(60),
            timeout: Duration::from_secs(300),
            stale_if_error: SignedDuration::from_hours(90 * 24),
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    max_wait: Span,
    timeout: Span,
    stale_if_error: Span,
}

impl Default for Table {
    fn default() -> Self {
        let Fetch { max_wait, timeout, stale_if_error } = Fetch::default();
        Self {
            max_wait: Span(max_wait),
            timeout: Span(timeout),
            stale_if_error: Span(stale_if_error.unsigned_abs()),
        }
    }
}

impl From<Table> for Fetch {
    fn from(table: Table) -> Self {
        let stale_if_error = SignedDuration::try_from(table.stale_if_error.0).unwrap_or(SignedDuration::MAX);
        Self { max_wait: table.max_wait.0, timeout: table.timeout.0, stale_if_error }
    }
}
