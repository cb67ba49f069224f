//! Last uses: the build that last used each item that nothing refers to.
//!
//! An item that an entry trace or a manifest stops referring to counts as used by the build that changed it.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use rusqlite::params;
use serde::Serialize;

use super::{Cache, CacheError};
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;

/// The name of the number of builds that evaluated the graph.
pub(super) const BUILDS: &str = "builds";

/// What this build used and stored.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// The number of this build.
    pub(super) build: i64,
    /// Memos that were last used by an earlier build.
    pub(super) memos: Vec<(String, Digest)>,
    counts: BTreeMap<String, MemoCount>,
    /// The number of bytes stored.
    pub(super) added: u64,
}

/// How many times a function was computed, and how many times its result came from a memo.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoCount {
    /// Computed, and stored as a memo.
    pub computed: u64,
    /// Taken from a memo.
    pub reused: u64,
}

impl Used {
    /// Counts a computed memo. Returns the number of this build.
    pub(super) fn made(&mut self, function: &str) -> i64 {
        self.count(function).computed += 1;
        self.build
    }

    fn count(&mut self, function: &str) -> &mut MemoCount {
        // Readers of a report don't need the version after the name.
        let name = function.rsplit_once('.').map_or(function, |(name, _)| name);
        self.counts.entry(name.to_owned()).or_default()
    }

    pub(super) fn memo(&mut self, function: &str, inputs: Digest, used: i64) {
        self.count(function).reused += 1;
        if used < self.build {
            self.memos.push((function.to_owned(), inputs));
        }
    }

    /// Counts stored bytes.
    pub(super) fn stored(&mut self, bytes: usize) {
        self.added += bytes as u64;
    }
}

impl Cache {
    pub(super) fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many times each function was computed and reused since the build began, by the function's name.
    pub fn memo_counts(&self) -> BTreeMap<String, MemoCount> {
        self.used().counts.clone()
    }

    /// Counts a build that is about to evaluate the graph, and returns its number.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn begin_build(&self) -> Result<i64, CacheError> {
        self.state.begin_build()?;
        let build = self.advance(BUILDS)?;
        let mut used = self.used();
        used.build = build;
        used.counts.clear();
        Ok(build)
    }

    /// Records that what an entry's old trace referred to, but not its new one, was last used by this build.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn let_go(&self, old: &EntryTrace, new: Option<&EntryTrace>) -> Result<(), CacheError> {
        let build = self.used().build;
        let connection = self.connection();
        let (memos, facts) = new.map(|new| (new.memos.get(), new.reads.subjects())).unwrap_or_default();
        let mut touch =
            connection.prepare_cached("UPDATE memo SET used = ?3 WHERE function = ?1 AND inputs = ?2")?;
        for (function, inputs) in old.memos.get().iter().filter(|memo| !memos.contains(memo)) {
            touch.execute(params![function, inputs.as_bytes(), build])?;
        }
        let gone = old.reads.subjects();
        self.state.let_go(gone.iter().filter(|subject| !facts.contains(subject)))
    }

    /// Records that this build uses an output folder, and that it is the last to use these blobs, whose bytes are no
    /// longer published there. Returns the number of this build.
    ///
    /// # Errors
    ///
    /// When the file can't be written.
    pub fn use_folder(&self, folder: &str, left: impl Iterator<Item = Digest>) -> Result<i64, CacheError> {
        let build = self.used().build.max(self.number(BUILDS)?);
        let connection = self.connection();
        connection
            .prepare_cached(
                "INSERT INTO folder VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET used = ?2 WHERE used < ?2",
            )?
            .execute(params![folder, build])?;
        let mut touch = connection.prepare_cached("UPDATE blob SET used = ?2 WHERE digest = ?1")?;
        for digest in left {
            touch.execute(params![digest.as_bytes(), build])?;
        }
        Ok(build)
    }
}
