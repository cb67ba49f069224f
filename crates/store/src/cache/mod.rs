//! The two SQLite files in which builds remember things. They are beside each other and can be moved between machines:
//! the [`State`] holds what can't be recreated, the [`Cache`] what any build can recreate.

mod aside;
mod dictionaries;
mod entry_traces;
mod error;
mod file;
mod garbage;
mod inspect;
mod lock;
mod made;
mod manifest;
mod memory;
mod notes;
mod open;
mod outputs;
mod packing;
mod pause;
mod read;
mod removed;
mod schema;
mod shards;
mod state;
mod traces;
mod used;
mod verify;

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use crate::config::state_beside;
pub use crate::manifest::{Listed, Manifest};
pub use aside::{Mishaps, SetAside};
pub use entry_traces::{EntryTraces, Texts};
pub use error::{CacheError, corruption};
pub use file::Which;
pub use garbage::Collected;
pub use inspect::{Amount, Stats};
pub use made::{Change, Made};
pub use manifest::Tree;
pub use pause::{Meanwhile, Paused};
pub use removed::{Removal, Removals};
pub use state::{Counter, Good, State};
pub use traces::Traces;
pub use used::MemoCount;

use crate::entry_trace::ShownKind;
use aside::{damaged, removed};
use dictionaries::Dictionaries;
use file::{has_default_name, recognize, writable};
use lock::Lock;
use open::{make, open_cache};
use packing::{seal, unseal};
use schema::PATIENCE;
use used::Used;

/// An open cache with its state. It dereferences to the state, so all methods of the state can be called on the cache.
///
/// Writes become permanent at the next [`Cache::commit`]; until then, no other process can write.
#[derive(Debug)]
pub struct Cache {
    state: State,
    /// The file; `None` for a cache in memory.
    path: Option<PathBuf>,
    connection: Mutex<Connection>,
    failed: Mutex<Option<rusqlite::Error>>,
    used: Mutex<Used>,
    lost: Mutex<Option<String>>,
    /// Maps with a damaged shard.
    damaged: Mutex<HashSet<String>>,
    /// Manifests as stored in the file, by key.
    manifests: Mutex<HashMap<String, Arc<Manifest>>>,
    dictionaries: Mutex<Dictionaries>,
    /// Texts kept in memory for the next build; `None` unless there may be one.
    texts: Mutex<Option<HashMap<ShownKind, Arc<Texts>>>>,
    /// Held while the two files are in use.
    lock: Mutex<Option<Lock>>,
}

impl Deref for Cache {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl Cache {
    /// Opens or creates the cache at `path` and the state beside it. An unusable cache is removed and created again; an
    /// unusable state is set aside, and what can be read from it is copied to a new one. While another build uses them,
    /// this waits, and calls `waiting` once.
    ///
    /// A file that is neither a cache nor a state is removed or set aside only at paths that shelflife alone uses: the
    /// cache is called `.shelflife/cache.sqlite`, or there was a cache at the same path before.
    ///
    /// # Errors
    ///
    /// When the folder is not writable, one of the files is something else, or another build uses them for longer than
    /// a minute.
    pub fn open(path: &Path, waiting: &dyn Fn()) -> Result<(Self, Mishaps), CacheError> {
        Self::open_at(path, waiting).map_err(|error| error.of(path))
    }

    fn open_at(path: &Path, waiting: &dyn Fn()) -> Result<(Self, Mishaps), CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        let state_path = state_beside(path);
        let is_our_place = has_default_name(path) || Lock::was_taken(path);
        recognize(path, Which::Cache, is_our_place)?;
        recognize(&state_path, Which::State, is_our_place)?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock =
            Lock::take(path, PATIENCE, waiting)?.ok_or_else(|| CacheError::Busy(path.to_path_buf()))?;
        writable(&state_path)?;
        writable(path)?;
        let (state, of_state) = State::open(&state_path)?;
        let (connection, of_cache) = open_cache(path, &state)?;
        let cache = Self::with(Some(path.to_path_buf()), connection, state);
        *cache.lock.lock().unwrap_or_else(PoisonError::into_inner) = Some(lock);
        Ok((cache, Mishaps { state: of_state, cache: of_cache }))
    }

    /// Creates a cache and its state in memory; both are gone when it is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite fails to start.
    pub fn in_memory() -> Result<Self, CacheError> {
        Ok(Self::with(None, schema::in_memory(Which::Cache)?, State::in_memory()?))
    }

    fn with(path: Option<PathBuf>, connection: Connection, state: State) -> Self {
        Self {
            state,
            path,
            connection: Mutex::new(connection),
            failed: Mutex::default(),
            used: Mutex::default(),
            lost: Mutex::default(),
            damaged: Mutex::default(),
            manifests: Mutex::default(),
            dictionaries: Mutex::default(),
            texts: Mutex::default(),
            lock: Mutex::default(),
        }
    }

    /// Replaces the file that `damage` has shown to be damaged, and returns a message about it: a cache is removed and
    /// created again, a state is set aside. Writes since the last commit are rolled back.
    ///
    /// # Errors
    ///
    /// When the file can't be moved or removed, or a new one can't be created; also any error that is not about damage.
    pub fn begin_anew(&self, damage: CacheError) -> Result<String, CacheError> {
        match damage {
            CacheError::Damaged { which: Which::Cache, source } => {
                self.state.roll_back()?;
                self.make_anew()?;
                Ok(removed(&damaged(&source)))
            }
            CacheError::Damaged { which: Which::State, source } => {
                let set_aside = self.state.begin_anew(source)?;
                self.roll_back_cache()?;
                self.forget_what_is_held();
                Ok(set_aside.to_string())
            }
            error => Err(error),
        }
    }

    /// Removes the cache's file and creates a new one.
    fn make_anew(&self) -> Result<(), CacheError> {
        let mut connection = self.connection();
        // The file must be closed before it is removed.
        *connection = schema::in_memory(Which::Cache)?;
        if let Some(path) = &self.path {
            *connection = make(path)?;
        }
        drop(connection);
        self.forget_what_is_held();
        Ok(())
    }

    fn forget_what_is_held(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.used() = Used::default();
        self.lost();
        self.damaged().clear();
        self.forget_manifests();
        self.forget_dictionaries();
        self.forget_texts();
    }

    /// The file; `None` for a cache in memory.
    pub fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// Commits all writes: those of the state first, because the cache refers to them.
    ///
    /// # Errors
    ///
    /// When this write, or one since the last commit, failed, for example because the disk is full.
    pub fn commit(&self) -> Result<(), CacheError> {
        self.check_writes()?;
        self.state.commit()?;
        self.connection().execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        Ok(())
    }

    /// Fails with the first failed write since the last commit.
    fn check_writes(&self) -> Result<(), CacheError> {
        match self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Rolls back all writes since the last commit.
    ///
    /// # Errors
    ///
    /// When the files can't be read.
    pub fn roll_back(&self) -> Result<(), CacheError> {
        self.state.roll_back()?;
        self.roll_back_cache()
    }

    fn roll_back_cache(&self) -> Result<(), CacheError> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.forget_manifests();
        self.forget_dictionaries();
        let connection = self.connection();
        // When the disk is full, SQLite has already rolled back.
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(())
    }

    /// Records that something expected is missing, see [`Cache::lost`].
    pub fn lose(&self, what: &str) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| what.to_owned());
    }

    /// What queries found missing since the last call. Everything computed since then is worthless.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn damaged(&self) -> MutexGuard<'_, HashSet<String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a shard of a map is damaged, so that the next write of the map rewrites all shards.
    fn note_damage(&self, map: &str) {
        self.damaged().insert(map.to_owned());
    }

    fn is_damaged(&self, map: &str) -> bool {
        self.damaged().contains(map)
    }

    #[cfg(test)]
    fn with_state(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) {
        self.state.with_raw(work).unwrap();
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a write for a query, which can't return an error: the next commit reports it.
    fn write_soon(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<usize>) {
        if let Err(error) = write(&self.connection()) {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_CACHES: [&[u8]; 2] =
        [b"not a database, but something long enough to look at", b"SQLite format 3\0?"];

    #[test]
    fn what_is_not_a_cache_goes_in_a_caches_place() {
        for (place, locked) in [(".shelflife/cache.sqlite", false), ("my.sqlite", true)] {
            for content in NO_CACHES {
                for which in [Which::Cache, Which::State] {
                    let folder = tempfile::tempdir().unwrap();
                    let cache = folder.path().join(place);
                    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
                    if locked {
                        drop(Cache::open(&cache, &|| {}).unwrap());
                    }
                    std::fs::write(which.path(&cache), content).unwrap();
                    let (opened, mishaps) = Cache::open(&cache, &|| {}).unwrap();
                    opened.commit().unwrap();
                    match which {
                        Which::Cache => assert!(mishaps.state.is_none() && mishaps.cache.is_some()),
                        Which::State => {
                            let moved_to = mishaps.state.unwrap().moved_to.unwrap();
                            assert_eq!(std::fs::read(moved_to).unwrap(), content);
                            assert_eq!(mishaps.cache, None);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_state_in_the_place_of_a_cache_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".shelflife/cache.sqlite");
        drop(Cache::open(&path, &|| {}).unwrap());
        std::fs::rename(state_beside(&path), &path).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(Cache::open(&path, &|| {}), Err(CacheError::NotOurs { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(!state_beside(&path).exists());
    }

    #[test]
    fn refuses_what_is_not_a_cache_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelflife.toml");
        let refuse = |path: &Path| {
            let error = Cache::open(path, &|| {}).unwrap_err();
            assert!(matches!(error, CacheError::NotOurs { .. }), "{error}");
        };
        for content in NO_CACHES {
            std::fs::write(&path, content).unwrap();
            // A refusal must not leave anything that changes the result of the next attempt.
            refuse(&path);
            refuse(&path);
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmark (url TEXT)").unwrap();
        let before = std::fs::read(&path).unwrap();
        refuse(&path);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        refuse(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_states_place_is_as_little_to_be_written_into() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.sqlite");
        std::fs::write(state_beside(&path), NO_CACHES[0]).unwrap();
        let error = Cache::open(&path, &|| {}).unwrap_err();
        assert!(matches!(error, CacheError::NotOurs { which: Which::State, .. }), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_file_begins_anew_and_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        std::fs::write(&path, "").unwrap();
        std::fs::write(state_beside(&path), "").unwrap();
        let told = Cache::open(&path, &|| {}).unwrap().1;
        assert_eq!(told.state.unwrap().moved_to, None);
        assert!(told.cache.is_some());
        assert_eq!(Cache::open(&path, &|| {}).unwrap().1, Mishaps::default());
    }

    /// The mishaps of opening a cache and its state after `damage` was done to one of them, and the files in the
    /// folder.
    fn told(which: Which, damage: &dyn Fn(&Path)) -> (Mishaps, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        drop(Cache::open(&path, &|| {}).unwrap());
        damage(&which.path(&path));
        let told = Cache::open(&path, &|| {}).unwrap().1;
        let name =
            |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut files: Vec<String> = std::fs::read_dir(folder.path()).unwrap().map(name).collect();
        files.sort();
        (told, files)
    }

    #[test]
    fn of_an_unusable_file_the_state_is_kept_and_the_cache_is_not() {
        let pragma = |pragma: &'static str| {
            move |path: &Path| Connection::open(path).unwrap().execute_batch(pragma).unwrap()
        };
        let bad_header = |path: &Path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[18] = 9;
            std::fs::write(path, bytes).unwrap();
        };
        let (newer, foreign) = (pragma("PRAGMA user_version = 999"), pragma("PRAGMA application_id = 7"));
        let damages = [
            (&newer as &dyn Fn(&Path), "newer version"),
            (&bad_header, "is damaged"),
            (&foreign, "another program"),
        ];
        for (damage, expected) in damages {
            let (mishaps, files) = told(Which::State, damage);
            assert!(mishaps.state.unwrap().reason.contains(expected), "{expected}");
            assert_eq!(
                files,
                ["cache.sqlite", "cache.sqlite.lock", "state.sqlite", "state.sqlite.set-aside"]
            );
            let (mishaps, files) = told(Which::Cache, damage);
            assert!(mishaps.cache.unwrap().contains(expected), "{expected}");
            // A file that may belong to another program is not removed.
            let kept = if expected == "another program" { &["cache.sqlite.set-aside"][..] } else { &[] };
            let mut all = [&["cache.sqlite", "cache.sqlite.lock"], kept, &["state.sqlite"]].concat();
            all.sort_unstable();
            assert_eq!(files, all);
        }
    }

    #[test]
    fn a_new_cache_is_two_files_when_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.sqlite");
        let (cache, mishaps) = Cache::open(&path, &|| {}).unwrap();
        assert_eq!(mishaps, Mishaps::default());
        cache.commit().unwrap();
        drop(cache);
        let mut files: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|f| f.unwrap().path()).collect();
        files.sort();
        assert_eq!(files, [path.clone(), file::beside(&path, ".lock"), state_beside(&path)]);
    }
}
