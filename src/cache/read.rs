//! Reading a cache without writing: neither into it nor beside it, and no matter who has it open.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use url::Url;

use super::aside::Header;
use super::{Cache, CacheError, WAIT_FOR_OTHERS, beside, not_ours, schema};
use crate::look::Look;

/// How often to begin again while a build writes into the file.
const ATTEMPTS: usize = 5;

impl Cache {
    /// Calls `read` with the cache at `path` as the last checkpoint left it. No lock is taken, so that this works
    /// while a build has the cache; `read` may be called more than once, and can write nothing.
    ///
    /// # Errors
    ///
    /// When there is no cache, when it is none, or one that a build has to bring up to date first; when the file
    /// can't be read; and whatever `read` returns.
    pub fn read<T>(path: &Path, read: impl Fn(&Self) -> Result<T, CacheError>) -> Result<T, CacheError> {
        Self::read_shared(path, |cache| read(cache))
    }

    /// The same for whoever shares the cache, such as a graph.
    ///
    /// # Errors
    ///
    /// As [`Cache::read`].
    pub fn read_shared<T>(
        path: &Path,
        read: impl Fn(&Arc<Self>) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        for _ in 0..ATTEMPTS {
            // With a log beside it, the file is in use, or was left by a build that was killed: then SQLite has to
            // look into both, and does so without touching either. Without one it would make a log and leave it
            // behind, unless it is told that nobody writes; whether that was so is seen from the file.
            let before = look(path);
            let has_log = beside(path, "-wal").exists();
            let result = open(path, has_log).and_then(|cache| read(&Arc::new(cache)));
            if has_log || look(path) == before {
                return result.map_err(|error| error.of(path));
            }
        }
        Err(CacheError::Busy(path.to_path_buf()))
    }
}

fn look(path: &Path) -> Option<Look> {
    std::fs::metadata(path).ok().as_ref().and_then(Look::of)
}

fn open(path: &Path, has_log: bool) -> Result<Cache, CacheError> {
    let unready = |(reason, help): (String, &'static str)| CacheError::Unready {
        path: path.to_path_buf(),
        reason,
        help,
    };
    match Header::of(path)? {
        Header::Empty if path.exists() => return Err(unready((schema::NOTHING.to_owned(), BUILD))),
        Header::Empty => return Err(unready(("does not exist".to_owned(), BUILD))),
        Header::Other => return Err(not_ours(path, "holds something else")),
        Header::Damaged => return Err(unready(("is damaged (its header makes no sense)".to_owned(), BUILD))),
        // The header of a new cache may still be in the log.
        Header::Ours | Header::Database => {}
    }
    let address = Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = match address {
        Ok(mut address) if !has_log => {
            address.set_query(Some("immutable=1"));
            Connection::open_with_flags(address.as_str(), read_only | OpenFlags::SQLITE_OPEN_URI)
        }
        _ => Connection::open_with_flags(path, read_only),
    }?;
    connection.busy_timeout(WAIT_FOR_OTHERS)?;
    // Whatever is read from here on is of one moment.
    connection.execute_batch("BEGIN")?;
    if !schema::is_ours(&connection)? {
        return Err(not_ours(path, schema::FOREIGN));
    }
    match schema::age_of(&connection)? {
        None => Ok(Cache::with(None, connection)),
        Some(reason) => Err(unready(reason)),
    }
}

/// What to do about a cache that nothing can be read from.
pub(super) const BUILD: &str = "build the site first";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
        let read = |path: &Path| std::fs::read(path).unwrap_or_default();
        entries.map(|entry| (entry.file_name().into_string().unwrap(), read(&entry.path()))).collect()
    }

    fn number(path: &Path) -> Result<i64, CacheError> {
        Cache::read(path, |cache| cache.number("x"))
    }

    #[test]
    fn reads_what_is_permanent_whether_or_not_a_build_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        // What has a meaning in an address is but a character in a name.
        let path = folder.path().join("a?b=c#d%20e.sqlite");
        let (cache, _) = Cache::open(&path, &|| {}).unwrap();
        cache.set_number("x", 1).unwrap();
        cache.checkpoint().unwrap();
        cache.set_number("x", 2).unwrap();
        assert_eq!(number(&path).unwrap(), 1, "another has it");
        cache.checkpoint().unwrap();
        assert_eq!(number(&path).unwrap(), 2);
        drop(cache);
        let before = files(folder.path());
        assert_eq!(number(&path).unwrap(), 2, "nobody has it");
        assert_eq!(files(folder.path()), before);
        let written = Cache::read(&path, |cache| cache.set_number("x", 3));
        assert!(written.is_err());
        assert_eq!(files(folder.path()), before);
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        let set = |number| {
            let (cache, _) = Cache::open(&path, &|| {}).unwrap();
            cache.set_number("x", number).unwrap();
            cache.checkpoint().unwrap();
        };
        set(1);
        let calls = std::cell::Cell::new(0);
        let read = Cache::read(&path, |cache| {
            calls.set(calls.get() + 1);
            let number = cache.number("x");
            if calls.get() == 1 {
                set(2);
            }
            number
        });
        assert_eq!((read.unwrap(), calls.get()), (2, 2));
    }

    #[test]
    fn what_is_no_current_cache_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        let refusal = || {
            let before = files(folder.path());
            let error = number(&path).unwrap_err();
            assert_eq!(files(folder.path()), before, "{error}");
            error.to_string()
        };
        assert!(refusal().contains("does not exist"));
        std::fs::write(&path, "not a database, but something long enough to look at").unwrap();
        assert!(refusal().contains("holds something else"));
        std::fs::remove_file(&path).unwrap();
        drop(Cache::open(&path, &|| {}).unwrap());
        for (pragma, expected) in [
            ("PRAGMA user_version = 3", "an older version"),
            ("PRAGMA user_version = 999", "a newer version"),
            ("PRAGMA application_id = 7", "another program"),
        ] {
            Connection::open(&path).unwrap().execute_batch(pragma).unwrap();
            let refused = refusal();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
