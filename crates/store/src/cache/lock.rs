//! One build at a time: a lock on a file beside the cache.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::CacheError;
use super::file::beside;

/// How long to sleep between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Holds a cache for one process until it is dropped or the process ends.
///
/// The lock is on a file of its own: SQLite's locks belong to the process, and closing any other handle of
/// the database file would give them up.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// The lock file's name after the cache's.
const SUFFIX: &str = ".lock";

impl Lock {
    /// Whether a cache at `path` was ever locked: the lock's file stays, and there is nothing in it.
    pub(super) fn was_taken(path: &Path) -> bool {
        std::fs::symlink_metadata(beside(path, SUFFIX)).is_ok_and(|file| file.is_file() && file.len() == 0)
    }

    /// Takes the lock of the cache at `path`; calls `waiting` once if another process has it. `None` if that
    /// process still has it after `patience`.
    pub(super) fn take(
        path: &Path,
        patience: Duration,
        waiting: &dyn Fn(),
    ) -> Result<Option<Self>, CacheError> {
        let place = beside(path, SUFFIX);
        let file = File::options()
            .create(true)
            .append(true)
            .open(&place)
            .map_err(|source| CacheError::File { action: "write into", path: place.clone(), source })?;
        let started = Instant::now();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => {
                    if !told {
                        waiting();
                        told = true;
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks: SQLite's own care is all there is.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Some(Self { _file: file }));
                }
                Err(TryLockError::Error(source)) => {
                    return Err(CacheError::Unlockable { path: place, source });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_second_holder_waits_and_says_so_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        let told = Cell::new(0);
        let take = |patience| Lock::take(&path, patience, &|| told.set(told.get() + 1)).unwrap();
        let first = take(Duration::ZERO);
        assert!(first.is_some());
        assert!(take(Duration::from_millis(120)).is_none());
        assert_eq!(told.get(), 1);
        drop(first);
        assert!(take(Duration::ZERO).is_some());
    }
}
