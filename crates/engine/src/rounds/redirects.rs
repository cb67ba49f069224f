//! Redirects: to which entry's page each of them leads, noted for the next build and for who asks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cache::{Cache, CacheError};
use crate::entry;
use crate::graph::Database;
use crate::graph::kinds::Kind;
use crate::graph::plan::{Output, Plan};

/// For each redirect, by its path below the output folder, the name of the entry's file without `.md`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redirects(BTreeMap<String, String>);

/// The note in the cache that holds them.
const NOTE: &str = "redirects";

impl Redirects {
    /// The redirects of a site.
    pub(super) fn of(db: &Database, plan: &Plan) -> Self {
        let redirect = |(path, output): (&String, &Output)| match output {
            Output::Rendered(Kind::Redirect { to, .. }) => {
                Some((path.clone(), entry::stem(to.path(db)).to_owned()))
            }
            _ => None,
        };
        Self(plan.outputs.iter().filter_map(redirect).collect())
    }

    /// What the last build kept; `None` if none did.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn load(cache: &Cache) -> Result<Option<Self>, CacheError> {
        Ok(cache.note(NOTE)?.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// The name of the entry's file without `.md` to whose page the output at `path` leads; `None` if that is no
    /// redirect.
    pub fn target(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }
}
