//! The lock file beside the cache, which allows one build at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::CacheError;
use super::file::beside;

/// The time between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Reserves a cache for one process until it is dropped or the process ends.
///
/// The lock is on a separate file: SQLite's locks belong to the process, and closing any other handle of the database
/// file would release them.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// The suffix of the lock file's name.
const SUFFIX: &str = ".lock";

impl Lock {
    /// Whether a cache at `path` was ever locked: the lock file remains, and is empty.
    pub(super) fn was_taken(path: &Path) -> bool {
        std::fs::symlink_metadata(beside(path, SUFFIX)).is_ok_and(|file| file.is_file() && file.len() == 0)
    }

    /// Locks the cache at `path`; calls `waiting` once if another process has locked it. `None` if it is still locked
    /// after `patience`.
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
            .map_err(|source| CacheError::File { action: "write to", path: place.clone(), source })?;
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
                // On a file system without locks, only SQLite's own protection remains.
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
