//! The cache: one SQLite file that holds facts, blobs, memos and the manifest, and travels between machines.

mod facts;
mod files;
mod garbage;
mod inspect;
mod lock;
mod outputs;
mod packing;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use thiserror::Error;

pub use facts::FACTS;
pub use files::{Looks, Tree};
pub use outputs::Manifest;

pub use garbage::{Collected, KEEP_BUILDS};
pub use inspect::{Amount, Stats};

use garbage::{BUILDS, Used};
use lock::Lock;
use packing::{checksum, pack, seal, unpack, unseal};

/// How long a build waits for another one that uses the same cache.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(60);

/// An open cache.
///
/// What is written becomes permanent at the next [`Cache::checkpoint`]; until then nobody else can write.
#[derive(Debug)]
pub struct Cache {
    connection: Mutex<Connection>,
    failed: Mutex<Option<rusqlite::Error>>,
    used: Mutex<Used>,
    distrusted: AtomicBool,
    /// Held as long as the cache is open.
    _lock: Option<Lock>,
}

/// Why the cache can't be used.
#[derive(Debug, Error)]
pub enum CacheError {
    /// The file's folder can't be made, or a damaged file can't be moved away.
    #[error("can't write beside the cache {path}")]
    Folder {
        /// The cache file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another build holds the file.
    #[error("the cache {0} is in use by another build that does not end")]
    Busy(PathBuf),
    /// SQLite failed.
    #[error("the cache can't be used")]
    Sqlite(#[from] rusqlite::Error),
}

/// A cache that could not be used was moved away, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now.
    pub moved_to: PathBuf,
    /// Why it can't be used.
    pub reason: String,
}

impl Cache {
    /// Opens the cache at `path`, or makes one. A file that is damaged, or that a newer version of the program
    /// or another program wrote, is set aside. While another build has the cache, it waits, and calls `waiting`
    /// once to say so.
    ///
    /// # Errors
    ///
    /// When the folder can't be written, or another build holds the cache for longer than a minute.
    pub fn open(path: &Path, waiting: &dyn Fn()) -> Result<(Self, Option<SetAside>), CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = Lock::take(path, WAIT_FOR_OTHERS, waiting)
            .map_err(io)?
            .ok_or_else(|| CacheError::Busy(path.to_path_buf()))?;
        let (mut cache, set_aside) = Self::open_or_set_aside(path)?;
        cache._lock = Some(lock);
        Ok((cache, set_aside))
    }

    fn open_or_set_aside(path: &Path) -> Result<(Self, Option<SetAside>), CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        let reason = match Self::try_open(path) {
            Ok(cache) => return Ok((cache, None)),
            Err(Unusable::Foreign(reason)) => reason,
            Err(Unusable::Sqlite(error)) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => format!("is damaged ({error})"),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    return Err(CacheError::Busy(path.to_path_buf()));
                }
                _ => return Err(error.into()),
            },
        };
        let moved_to = set_aside(path).map_err(io)?;
        let cache = Self::try_open(path).map_err(|unusable| match unusable {
            Unusable::Sqlite(error) => CacheError::Sqlite(error),
            Unusable::Foreign(_) => CacheError::Busy(path.to_path_buf()),
        })?;
        Ok((cache, Some(SetAside { moved_to, reason })))
    }

    /// A cache that lives in memory and is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// When SQLite can't be started.
    pub fn in_memory() -> Result<Self, CacheError> {
        Self::prepare(Connection::open_in_memory()?).map_err(|unusable| match unusable {
            Unusable::Sqlite(error) => CacheError::Sqlite(error),
            Unusable::Foreign(_) => CacheError::Busy(PathBuf::new()),
        })
    }

    fn try_open(path: &Path) -> Result<Self, Unusable> {
        Self::prepare(Connection::open(path)?)
    }

    fn prepare(connection: Connection) -> Result<Self, Unusable> {
        connection.busy_timeout(WAIT_FOR_OTHERS)?;
        schema::migrate(&connection)?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self {
            connection: Mutex::new(connection),
            failed: Mutex::default(),
            used: Mutex::default(),
            distrusted: AtomicBool::new(false),
            _lock: None,
        })
    }

    /// Makes permanent what was written so far.
    ///
    /// # Errors
    ///
    /// When this write, or one since the last checkpoint, failed: the disk may be full.
    pub fn checkpoint(&self) -> Result<(), CacheError> {
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error.into());
        }
        self.connection().execute_batch("COMMIT; BEGIN IMMEDIATE")?;
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a write whose failure can wait for the next checkpoint, since its caller is a query.
    fn write_soon(&self, write: impl FnOnce(&Connection) -> rusqlite::Result<usize>) {
        if let Err(error) = write(&self.connection()) {
            self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }
}

enum Unusable {
    Foreign(String),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Moves the file, and what SQLite keeps beside it, to the first free name.
fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let name = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let mut free = name(".set-aside");
    let mut number = 1;
    while free.exists() {
        number += 1;
        free = name(&format!(".set-aside-{number}"));
    }
    std::fs::rename(path, &free)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        match std::fs::remove_file(name(suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_aside_what_is_not_a_cache() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        for (number, content) in
            [&b"not a database, but something long enough to look at"[..], b"SQLite format 3\0?"]
                .into_iter()
                .enumerate()
        {
            std::fs::write(&path, content).unwrap();
            let (cache, aside) = Cache::open(&path, &|| {}).unwrap();
            cache.checkpoint().unwrap();
            let aside = aside.unwrap_or_else(|| panic!("{number} was taken for a cache"));
            assert_eq!(std::fs::read(&aside.moved_to).unwrap(), content);
            drop(cache);
            std::fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn sets_aside_a_newer_cache_and_another_programs_database() {
        for (pragma, expected) in
            [("PRAGMA user_version = 999", "newer version"), ("PRAGMA application_id = 7", "another program")]
        {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("cache.sqlite");
            drop(Cache::open(&path, &|| {}).unwrap());
            Connection::open(&path).unwrap().execute_batch(pragma).unwrap();
            let (_, aside) = Cache::open(&path, &|| {}).unwrap();
            assert!(aside.unwrap().reason.contains(expected));
        }
    }

    #[test]
    fn a_new_cache_is_one_file_when_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.sqlite");
        let (cache, aside) = Cache::open(&path, &|| {}).unwrap();
        assert_eq!(aside, None);
        cache.checkpoint().unwrap();
        drop(cache);
        let files: Vec<_> =
            std::fs::read_dir(path.parent().unwrap()).unwrap().map(|f| f.unwrap().path()).collect();
        assert_eq!(
            files.iter().filter(|file| !file.to_string_lossy().ends_with(".lock")).collect::<Vec<_>>(),
            [&path]
        );
    }
}
