//! The pages of groups that the last build made: a page whose group and template are what they were is not rendered
//! again, and costs no look into the cache of its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cache::{Cache, CacheError};
use crate::digest::Digest;
use crate::graph::context;
use crate::graph::facets::{self, Facet, Key};
use crate::graph::{Database, Db as _};

/// The note in the cache that holds them.
const NOTE: &str = "groups";

/// What the pages of groups were made from, and their digests.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// What all pages of a facet have in common.
    common: BTreeMap<Facet, Digest>,
    /// The digest of each group, and of its page.
    pages: BTreeMap<Key, (Digest, Digest)>,
    /// Whether they are just what the cache has.
    #[serde(skip)]
    is_kept: bool,
}

impl Pages {
    /// What the last build kept; what can't be read counts as nothing.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn load(cache: &Cache) -> Result<Self, CacheError> {
        let kept = cache.note(NOTE)?.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Ok(kept.map_or_else(Self::default, |pages| Self { is_kept: true, ..pages }))
    }

    /// What is left of them in this build.
    pub(super) fn current(mut self, db: &Database) -> Self {
        let common = common(db);
        let groups = facets::digests(db);
        let before = self.pages.len();
        self.pages.retain(|key, (group, _)| {
            self.common.get(&key.0) == common.get(&key.0) && groups.get(key) == Some(group)
        });
        let is_kept = self.is_kept && self.common == common && self.pages.len() == before;
        Self { common, is_kept, ..self }
    }

    /// The digest of what the page of a group shows.
    pub fn group(&self, key: &Key) -> Option<Digest> {
        self.pages.get(key).map(|(group, _)| *group)
    }

    /// The digest of a group's page, if it is known.
    pub(super) fn page(&self, key: &Key) -> Option<Digest> {
        self.pages.get(key).map(|(_, page)| *page)
    }

    /// Adds the page of a group.
    pub(super) fn add(&mut self, db: &Database, key: &Key, page: Digest) {
        self.is_kept = false;
        self.pages.insert(key.clone(), (facets::digest(db, key), page));
    }

    /// Keeps them for the next build.
    pub(super) fn save(&self, db: &Database) -> Result<(), CacheError> {
        if self.is_kept {
            return Ok(());
        }
        db.cache().set_note(NOTE, Some(&postcard::to_stdvec(self).unwrap_or_default()))
    }
}

/// The digest of everything that the pages of each facet have in common.
fn common(db: &Database) -> BTreeMap<Facet, Digest> {
    Facet::ALL.map(|facet| (facet, context::identity(db, facet.template()))).into()
}
