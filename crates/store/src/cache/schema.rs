//! The schemas of the two files. A cache with another schema is replaced; a state is migrated to the newest one.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::CacheError;
use super::file::{Which, not_ours};
use super::open::Unusable;
use super::read::BUILD;

/// The cache's schema and its version, which increases with every change to the schema or to the data in its tables.
const CACHE: &str = include_str!("../../../../cache-schema/cache.sql");
const CACHE_VERSION: u32 = 12;

/// The last version in which the cache also held what is now in the state.
const LAST_WITH_STATE: u32 = 9;

/// The migrations from an empty file to the current state. Never change one; only add new ones.
const STATE: [&str; 1] = [include_str!("../../../../cache-schema/state/001-state.sql")];

/// The reason for refusing another program's file.
pub(super) const FOREIGN: &str = "belongs to another program";

/// The reason for replacing a cache with another schema.
const OLDER: &str = "was written by an older version of shelflife";

/// The reason for refusing an empty file.
pub(super) const NOTHING: &str = "is empty";

/// How long to wait for another process that uses the same file.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the file is the expected one, or empty.
pub(super) fn is_ours(connection: &Connection, which: Which) -> rusqlite::Result<bool> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == which.application_id() || (application == 0 && tables == 0))
}

/// Checks that an SQLite file is the expected one, without writing to it.
///
/// # Errors
///
/// [`CacheError::NotOurs`] if it is another one or can't be read.
pub(super) fn recognize(path: &Path, which: Which) -> Result<(), CacheError> {
    let result = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| is_ours(&connection, which));
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_ours(path, which, FOREIGN)),
        Err(error) => Err(not_ours(path, which, &format!("is a database that can't be read ({error})"))),
    }
}

/// SQLite's page cache for a file, in KiB.
const KIB_IN_MEMORY: i64 = 16 * 1024;

/// The size of a new cache's pages in bytes: SQLite's default of 4 KiB makes the file 6 % larger, and 16 KiB, which
/// would make it 4 % smaller, cost 2 % of the instructions of a first build. A state has smaller rows, few of which
/// change at a time.
const CACHE_PAGE: i64 = 8 * 1024;

/// The size of the write-ahead log in bytes from which on it is copied to the file.
const BYTES_IN_LOG: i64 = 128 * 1024 * 1024;

/// Opens the file at `path`, creates or migrates its tables, and begins a transaction.
pub(super) fn open(path: &Path, which: Which) -> Result<Connection, Unusable> {
    prepare(Connection::open(path)?, which)
}

/// Opens a database in memory, like [`open`].
pub(super) fn in_memory(which: Which) -> Result<Connection, CacheError> {
    let connection = Connection::open_in_memory().map_err(|error| CacheError::from_sqlite(which, error))?;
    prepare(connection, which).map_err(|unusable| match unusable {
        Unusable::Sqlite(error) => CacheError::from_sqlite(which, error),
        Unusable::Foreign | Unusable::Old | Unusable::Other(_) => not_ours(Path::new(""), which, FOREIGN),
    })
}

fn prepare(connection: Connection, which: Which) -> Result<Connection, Unusable> {
    connection.busy_timeout(PATIENCE)?;
    // With a write-ahead log, a killed build leaves a commit either complete or absent. NORMAL may lose the last
    // commits of either file in a power failure: lost answers of sources are fetched again, and counters reveal a cache
    // that refers to lost writes of the state.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A build reads much of the file; with SQLite's default page cache, it would read the same pages repeatedly.
    connection.pragma_update(None, "cache_size", -KIB_IN_MEMORY)?;
    // Nothing is written to another program's file, not even the journal mode.
    if !is_ours(&connection, which)? {
        return Err(Unusable::Foreign);
    }
    let version = version_of(&connection)?;
    let newest = newest(which);
    match which {
        Which::Cache if version != 0 && version <= LAST_WITH_STATE => return Err(Unusable::Old),
        Which::Cache if version != 0 && version < newest => return Err(Unusable::Other(OLDER.to_owned())),
        _ if version > newest => return Err(Unusable::Other(too_new(version, which))),
        _ => {}
    }
    if version == 0 {
        // These can only be set while a file has no tables.
        if which == Which::Cache {
            connection.pragma_update(None, "page_size", CACHE_PAGE)?;
        }
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The many commits of a build are copied from the log to the file once, when it is closed.
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    connection.pragma_update(None, "wal_autocheckpoint", BYTES_IN_LOG / page.max(1))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // A current file is not written to, so that a build with nothing to do doesn't wait for the disk.
    if version < newest {
        match which {
            Which::Cache => connection.execute_batch(CACHE)?,
            Which::State => {
                STATE.iter().skip(version as usize).try_for_each(|step| connection.execute_batch(step))?;
            }
        }
        connection.pragma_update(None, "application_id", which.application_id())?;
        connection.pragma_update(None, "user_version", newest)?;
    }
    connection.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
    Ok(connection)
}

fn newest(which: Which) -> u32 {
    match which {
        Which::Cache => CACHE_VERSION,
        Which::State => u32::try_from(STATE.len()).unwrap_or(u32::MAX),
    }
}

fn too_new(version: u32, which: Which) -> String {
    let newest = newest(which);
    format!(
        "was written by a newer version of shelflife (schema {version}, this version supports up to {newest})"
    )
}

/// Why the file can't be read as it is, and what to do about it; `None` if it can.
pub(super) fn age_of(
    connection: &Connection,
    which: Which,
) -> rusqlite::Result<Option<(String, &'static str)>> {
    let version = version_of(connection)?;
    let newest = newest(which);
    Ok(match version {
        0 => Some((NOTHING.to_owned(), BUILD)),
        _ if version > newest => Some((too_new(version, which), "use the newer version of shelflife")),
        _ if version < newest => Some((OLDER.to_owned(), "build the site once to update it")),
        _ => None,
    })
}

fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// The number of bytes of a file that are in use.
pub(super) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let size: i64 = connection.query_row(
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(size).unwrap_or_default())
}

/// The number of bytes of a file that are not in use.
pub(super) fn free(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
    let size: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(u64::try_from(size).unwrap_or_default())
}

/// Returns unused pages to the file system, at the next commit.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    // Each step of the statement returns one page, so it has to be stepped to the end.
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}
