//! The table `fetch` of `shelflife.toml`: how patient a build is.

use std::time::Duration;

use serde::Deserialize;

use super::file::Span;

/// How patient a build is with the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    /// How long requests to one address wait in all because its server asks for it.
    pub max_wait: Duration,
    /// How long fetching may take in all, each time that something is fetched.
    pub timeout: Duration,
}

impl Default for Fetch {
    fn default() -> Self {
        Self { max_wait: Duration::from_secs(60), timeout: Duration::from_secs(300) }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    max_wait: Span,
    timeout: Span,
}

impl Default for Table {
    fn default() -> Self {
        let Fetch { max_wait, timeout } = Fetch::default();
        Self { max_wait: Span(max_wait), timeout: Span(timeout) }
    }
}

impl From<Table> for Fetch {
    fn from(table: Table) -> Self {
        Self { max_wait: table.max_wait.0, timeout: table.timeout.0 }
    }
}
