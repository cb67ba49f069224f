//! What the cache may forget: what no recent build had a use for.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use rusqlite::{Connection, params};
use serde::Serialize;

use super::files::{OUTPUT, SITE};
use super::{Cache, CacheError};
use crate::digest::Digest;
use crate::fact::Subject;

/// How many builds back something must have been of use to be kept. Builds that found nothing changed do not
/// count: they have no use for anything.
pub const KEEP_BUILDS: i64 = 8;

/// The name of the number that counts the builds that evaluated the graph.
pub(super) const BUILDS: &str = "builds";

/// What this build had a use for and an earlier one stored. Noted in the file only when what is noted there
/// grows old, since a note costs a write and most builds use the same things.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// The number of this build.
    pub(super) build: i64,
    memos: Vec<(String, Digest)>,
    blobs: Vec<Digest>,
    facts: Vec<String>,
    counts: BTreeMap<String, MemoCount>,
}

/// How often a function's result was made, and how often it was taken from a memo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoCount {
    /// Made, and kept as a memo.
    pub computed: u64,
    /// Taken from a memo.
    pub reused: u64,
}

impl Used {
    fn grows_old(&self, used: i64) -> bool {
        used < self.build - KEEP_BUILDS / 2
    }

    /// A memo was made. Returns the number of this build.
    pub(super) fn made(&mut self, function: &str) -> i64 {
        self.count(function).computed += 1;
        self.build
    }

    fn count(&mut self, function: &str) -> &mut MemoCount {
        // The version that follows the name is of no interest to who reads a report.
        let name = function.rsplit_once('.').map_or(function, |(name, _)| name);
        self.counts.entry(name.to_owned()).or_default()
    }

    pub(super) fn memo(&mut self, function: &str, inputs: Digest, used: i64) {
        self.count(function).reused += 1;
        if self.grows_old(used) {
            self.memos.push((function.to_owned(), inputs));
        }
    }

    pub(super) fn blob(&mut self, digest: Digest, used: i64) {
        if self.grows_old(used) {
            self.blobs.push(digest);
        }
    }

    pub(super) fn fact(&mut self, subject: &Subject, used: i64) {
        if self.grows_old(used) {
            self.facts.push(subject.to_string());
        }
    }
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Collected {
    /// Memos.
    pub memos: usize,
    /// Blobs.
    pub blobs: usize,
    /// Facts that no entry asks for any more.
    pub facts: usize,
}

impl Cache {
    pub(super) fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often each function's result was made and reused since the cache was opened, by the function's name.
    pub fn memo_counts(&self) -> BTreeMap<String, MemoCount> {
        self.used().counts.clone()
    }

    /// Counts a build that is about to evaluate the graph.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn begin_build(&self) -> Result<(), CacheError> {
        let build = self.advance(BUILDS)?;
        self.used().build = build;
        Ok(())
    }

    /// Forgets what the last `keep` builds had no use for, output folders among it. Whatever a manifest names
    /// stays, and so does the content of a file that a fact names: it is a fact itself, though its memo spares
    /// reading it.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn collect_garbage(&self, keep: i64) -> Result<Collected, CacheError> {
        let used = std::mem::take(&mut *self.used());
        let build = used.build.max(self.number(BUILDS)?);
        let connection = self.connection();
        for (function, inputs) in &used.memos {
            connection
                .prepare_cached("UPDATE memo SET used = ?3 WHERE function = ?1 AND inputs = ?2")?
                .execute(params![function, inputs.as_bytes(), build])?;
        }
        for digest in &used.blobs {
            connection
                .prepare_cached("UPDATE blob SET used = ?2 WHERE digest = ?1")?
                .execute(params![digest.as_bytes(), build])?;
        }
        for subject in &used.facts {
            connection
                .prepare_cached("UPDATE fact SET used = ?2 WHERE subject = ?1")?
                .execute(params![subject, build])?;
        }
        let oldest = build - keep;
        connection.execute("DELETE FROM folder WHERE used < ?1", [oldest])?;
        connection.execute("DELETE FROM manifest WHERE folder NOT IN (SELECT name FROM folder)", [])?;
        connection.execute(
            "DELETE FROM file WHERE tree <> ?1 AND tree NOT IN (SELECT ?2 || name FROM folder)",
            [SITE, OUTPUT],
        )?;
        let collected = Collected {
            memos: connection.execute("DELETE FROM memo WHERE used < ?1", [oldest])?,
            blobs: connection.execute(
                "DELETE FROM blob WHERE used < ?1 AND digest NOT IN (SELECT digest FROM manifest)",
                [oldest],
            )?,
            // A file's fact is its object id, too short to be compressed: after the first byte comes the id.
            facts: connection.execute(
                "DELETE FROM fact WHERE used < ?1 AND substr(subject, 9) NOT IN (
                     SELECT CAST(substr(value, 2) AS TEXT) FROM fact
                     WHERE subject LIKE 'file:%' AND used >= ?1 AND value IS NOT NULL
                 )",
                [oldest],
            )?,
        };
        give_back(&connection)?;
        drop(connection);
        *self.used() = Used { build, counts: used.counts, ..Used::default() };
        Ok(collected)
    }
}

/// Gives the pages that nothing uses any more back to the file system, at the next checkpoint.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    // Each step of the statement gives back one page, so it has to be run to its end.
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::fact::{Fact, ObjectId, RepositoryName, Validators};

    fn build(cache: &Cache, touch: impl FnOnce()) -> Collected {
        cache.begin_build().unwrap();
        touch();
        cache.collect_garbage(KEEP_BUILDS).unwrap()
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let cache = Cache::in_memory().unwrap();
        let (kept, lost) = (Digest::of(b"kept"), Digest::of(b"lost"));
        build(&cache, || {
            cache.keep_memo("f", kept, b"1");
            cache.keep_memo("f", lost, b"2");
            cache.put_blob(b"kept");
            cache.put_blob(b"lost");
            cache.put_blob(b"published");
        });
        let published = BTreeMap::from([("p".to_owned(), vec![Digest::of(b"published")])]);
        cache.set_manifest("left", &published, false).unwrap();
        for _ in 0..3 * KEEP_BUILDS {
            build(&cache, || {
                cache.set_manifest("public", &published, false).unwrap();
                assert!(cache.memo("f", kept).is_some());
                assert!(cache.has_blob(kept));
            });
        }
        assert_eq!(cache.memo("f", lost), None);
        assert!(!cache.has_blob(lost) && cache.has_blob(Digest::of(b"published")));
        assert_eq!(cache.manifest("public").unwrap(), published);
        assert!(cache.manifest("left").unwrap().is_empty(), "nobody publishes there any more");
    }

    #[test]
    fn a_content_stays_as_long_as_its_file_does() {
        let cache = Cache::in_memory().unwrap();
        let repository = RepositoryName::new("o", "n").unwrap();
        let id = ObjectId::new(&"0a".repeat(20)).unwrap();
        let file = Subject::File { repository: repository.clone(), path: "setup.py".into() };
        let content = Subject::Content { repository, object: id.clone() };
        let fact = |value: &[u8]| Fact {
            value: Some(Arc::from(value)),
            fetched: jiff::Timestamp::UNIX_EPOCH,
            fresh_until: jiff::Timestamp::UNIX_EPOCH,
            validators: Validators::default(),
            refusals: 0,
        };
        build(&cache, || {
            cache.record(&file, &fact(id.as_str().as_bytes())).unwrap();
            cache.record(&content, &fact(b"source")).unwrap();
        });
        for _ in 0..3 * KEEP_BUILDS {
            build(&cache, || assert!(cache.fact(&file).unwrap().is_some()));
        }
        assert!(cache.fact(&content).unwrap().is_some());
        for _ in 0..3 * KEEP_BUILDS {
            build(&cache, || {});
        }
        assert!(cache.fact(&file).unwrap().is_none() && cache.fact(&content).unwrap().is_none());
    }
}
