//! Pauses: a long-running process lets other processes use the two files between its builds.

use std::path::Path;
use std::sync::PoisonError;

use rusqlite::Connection;

use super::lock::Lock;
use super::schema::{self, PATIENCE};
use super::{Cache, CacheError, Which};
use crate::file_stat::Identity;

/// The two files at the beginning of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paused {
    state: Mark,
    cache: Mark,
}

/// One of the files at the beginning of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// SQLite's counter of writes by other connections (<https://www.sqlite.org/pragma.html#pragma_data_version>).
    version: i64,
    file: Option<Identity>,
}

impl Mark {
    /// Whether the same file is still at `path`.
    pub(super) fn is_of(self, path: Option<&Path>) -> bool {
        self.file == path.and_then(Identity::of)
    }
}

/// Commits, and lets other processes use the file at `path`.
pub(super) fn leave(connection: &Connection, path: Option<&Path>) -> rusqlite::Result<Mark> {
    connection.execute_batch("COMMIT")?;
    let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
    Ok(Mark { version, file: path.and_then(Identity::of) })
}

/// Ends a pause of one file. Returns whether it is unchanged.
pub(super) fn come_back(connection: &Connection, mark: Mark) -> rusqlite::Result<bool> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
    Ok(version == mark.version)
}

/// What happened during a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// Nothing was written.
    Nothing,
    /// One of the files was written to, so values read from them before may be outdated.
    Written,
    /// One of the files was replaced or removed. The cache must be opened again.
    Replaced,
}

impl Cache {
    /// Commits, and lets other processes use the cache until [`Cache::resume`].
    ///
    /// # Errors
    ///
    /// As [`Cache::commit`].
    pub fn pause(&self) -> Result<Paused, CacheError> {
        self.check_writes()?;
        let state = self.state.pause()?;
        let cache = leave(&self.connection(), self.path.as_deref())?;
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(Paused { state, cache })
    }

    /// Closes the files even if this cache is never dropped. Writes since the last commit are lost. From then on, the
    /// cache acts as if it were empty.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn close(&self) -> Result<(), CacheError> {
        self.state.close()?;
        let mut connection = self.connection();
        let open = std::mem::replace(&mut *connection, schema::in_memory(Which::Cache)?);
        open.close().map_err(|(_, error)| error)?;
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Returns a function that interrupts SQLite's current statements. They fail, and what they have changed is rolled
    /// back.
    pub fn interrupter(&self) -> impl Fn() + Send + 'static {
        let handles = [self.state.interrupt_handle(), self.connection().get_interrupt_handle()];
        move || handles.iter().for_each(rusqlite::InterruptHandle::interrupt)
    }

    /// Ends a pause. While another build uses the cache, this waits, and calls `waiting` once.
    ///
    /// # Errors
    ///
    /// When another build uses the cache for longer than a minute, or a file can't be read.
    pub fn resume(&self, paused: Paused, waiting: &dyn Fn()) -> Result<Meanwhile, CacheError> {
        if let Some(path) = &self.path {
            if !path.exists() {
                return Ok(Meanwhile::Replaced);
            }
            let lock = Lock::take(path, PATIENCE, waiting)?;
            let lock = lock.ok_or_else(|| CacheError::Busy(path.clone()))?;
            if !paused.cache.is_of(Some(path)) || !self.state.is_in_place(paused.state) {
                return Ok(Meanwhile::Replaced);
            }
            *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        }
        let is_state_the_same = self.state.resume(paused.state)?;
        let is_cache_the_same = come_back(&self.connection(), paused.cache)?;
        if is_state_the_same && is_cache_the_same {
            return Ok(Meanwhile::Nothing);
        }
        self.forget_manifests();
        self.forget_dictionaries();
        Ok(Meanwhile::Written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_no_damage_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, _) = Cache::open(&folder.path().join("cache.sqlite"), &|| {}).unwrap();
        cache.set_number("builds", 1).unwrap();
        cache.commit().unwrap();
        let pages = |number: i64| cache.connection().pragma_update(None, "max_page_count", number).unwrap();
        // A limit below the current size stops the file from growing.
        pages(1);
        for number in 0..2000u32 {
            cache.put_blob(blake3::hash(&number.to_le_bytes()).as_bytes());
        }
        let error = cache.commit().unwrap_err();
        assert!(matches!(error, CacheError::Sqlite { .. }), "{error:?}");
        cache.roll_back().unwrap();
        assert_eq!(cache.number("builds").unwrap(), 1);
        pages(1_000_000);
        cache.set_number("builds", 2).unwrap();
        let paused = cache.pause().unwrap();
        assert_eq!(cache.resume(paused, &|| {}).unwrap(), Meanwhile::Nothing);
        assert_eq!(cache.verify().unwrap(), [""; 0]);
    }

    #[test]
    fn a_pause_lets_others_in_and_notices_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        let open = || Cache::open(&path, &|| {}).unwrap().0;
        let cache = open();
        let paused = cache.pause().unwrap();
        assert_eq!(cache.resume(paused, &|| {}).unwrap(), Meanwhile::Nothing);
        cache.set_number("builds", 1).unwrap();
        let paused = cache.pause().unwrap();
        let other = open();
        assert_eq!(other.number("builds").unwrap(), 1);
        other.set_number("builds", 2).unwrap();
        other.commit().unwrap();
        drop(other);
        assert_eq!(cache.resume(paused, &|| {}).unwrap(), Meanwhile::Written);
        assert_eq!(cache.number("builds").unwrap(), 2);
        let paused = cache.pause().unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        assert_eq!(cache.resume(paused, &|| {}).unwrap(), Meanwhile::Replaced);
        drop(open());
        assert_eq!(cache.resume(paused, &|| {}).unwrap(), Meanwhile::Replaced);
    }
}
