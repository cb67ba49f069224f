//! Reads a cache and its state without writing to them or beside them, even while another process has them open.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use url::Url;

use super::file::{Header, beside, not_ours};
use super::schema::{self, PATIENCE};
use super::{Cache, CacheError, State, Which, state_beside};
use crate::file_stat::FileStat;

/// How many times to start over while a build writes to the files.
const ATTEMPTS: usize = 5;

impl Cache {
    /// Calls `read` with the cache at `path` as of the last commit. This takes no lock, so it works during a build.
    /// `read` may be called several times, and can't write.
    ///
    /// # Errors
    ///
    /// When neither a cache nor a state exists, one of them is something else or has to be updated by a build first, or
    /// a file can't be read; also any error of `read`.
    pub fn read<T>(path: &Path, read: impl Fn(&Self) -> Result<T, CacheError>) -> Result<T, CacheError> {
        Self::read_shared(path, |cache| read(cache))
    }

    /// Like [`Cache::read`], for callers that share the cache, such as a graph.
    ///
    /// # Errors
    ///
    /// As [`Cache::read`].
    pub fn read_shared<T>(
        path: &Path,
        read: impl Fn(&Arc<Self>) -> Result<T, CacheError>,
    ) -> Result<T, CacheError> {
        let state_path = state_beside(path);
        for _ in 0..ATTEMPTS {
            let before = [path, &state_path].map(File::stat);
            let result = open(path, &state_path, before).and_then(|cache| read(&Arc::new(cache)));
            let is_settled = |file: &Path, before: File| before.has_log || File::stat(file) == before;
            if is_settled(path, before[0]) && is_settled(&state_path, before[1]) {
                return result.map_err(|error| error.of(path));
            }
        }
        Err(CacheError::Busy(path.to_path_buf()))
    }
}

/// The stat of a database file, and whether it has a log. With a log it is in use, or was left by a killed build:
/// SQLite then reads both without changing them. Without one, SQLite would create a log and leave it behind unless it
/// is told that the file is immutable; the file stat shows afterwards whether that was true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct File {
    stat: Option<FileStat>,
    has_log: bool,
}

impl File {
    fn stat(path: &Path) -> Self {
        let stat = std::fs::metadata(path).ok().as_ref().and_then(FileStat::of);
        Self { stat, has_log: beside(path, "-wal").exists() }
    }
}

/// Opens both files. One of them may be missing: the cache was deleted, or the state lost.
fn open(path: &Path, state_path: &Path, files: [File; 2]) -> Result<Cache, CacheError> {
    // The state is written before the cache that refers to it.
    let (has_cache, has_state) = (path.exists(), state_path.exists());
    let cache = if has_cache || !has_state {
        open_file(path, Which::Cache, files[0].has_log)?
    } else {
        schema::in_memory(Which::Cache)?
    };
    let state = if has_state {
        State::with_connection(None, open_file(state_path, Which::State, files[1].has_log)?)
    } else {
        State::in_memory()?
    };
    Ok(Cache::with(None, cache, state))
}

fn open_file(path: &Path, which: Which, has_log: bool) -> Result<Connection, CacheError> {
    let unready = |(reason, help): (String, &'static str)| CacheError::Unready {
        path: path.to_path_buf(),
        which,
        reason,
        help,
    };
    match Header::of(path, which)? {
        Header::Empty if path.exists() => return Err(unready((schema::NOTHING.to_owned(), BUILD))),
        Header::Empty => return Err(unready(("does not exist".to_owned(), BUILD))),
        Header::Other => return Err(not_ours(path, which, "is not an SQLite database")),
        Header::Mistaken if which == Which::Cache => return Err(not_ours(path, which, "is a state")),
        Header::Mistaken => return Err(not_ours(path, which, "is a cache")),
        Header::Damaged => return Err(unready(("is damaged (invalid header)".to_owned(), BUILD))),
        // The header of a new file may still be in the log.
        Header::Ours | Header::Database => {}
    }
    connect(path, which, has_log).map_err(|error| CacheError::from_sqlite(which, error)).and_then(
        |(connection, is_ours)| {
            if !is_ours {
                return Err(not_ours(path, which, schema::FOREIGN));
            }
            match schema::age_of(&connection, which) {
                Ok(None) => Ok(connection),
                Ok(Some(reason)) => Err(unready(reason)),
                Err(error) => Err(CacheError::from_sqlite(which, error)),
            }
        },
    )
}

/// Opens a file, and returns whether it is ours. All later reads see the same snapshot.
fn connect(path: &Path, which: Which, has_log: bool) -> rusqlite::Result<(Connection, bool)> {
    let address = Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()));
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = match address {
        Ok(mut address) if !has_log => {
            address.set_query(Some("immutable=1"));
            Connection::open_with_flags(address.as_str(), read_only | OpenFlags::SQLITE_OPEN_URI)
        }
        _ => Connection::open_with_flags(path, read_only),
    }?;
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch("BEGIN")?;
    let is_ours = schema::is_ours(&connection, which)?;
    Ok((connection, is_ours))
}

/// The help for a cache that is missing or empty.
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
        // Characters with a meaning in URLs have none in file names.
        let path = folder.path().join("a?b=c#d%20e.sqlite");
        let (cache, _) = Cache::open(&path, &|| {}).unwrap();
        cache.set_number("x", 1).unwrap();
        cache.commit().unwrap();
        cache.set_number("x", 2).unwrap();
        assert_eq!(number(&path).unwrap(), 1, "while another process has it open");
        cache.commit().unwrap();
        assert_eq!(number(&path).unwrap(), 2);
        drop(cache);
        let before = files(folder.path());
        assert_eq!(number(&path).unwrap(), 2, "while no other process has it open");
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
            cache.commit().unwrap();
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
        assert!(refusal().contains("is not an SQLite database"));
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
