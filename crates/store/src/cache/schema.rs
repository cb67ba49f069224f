//! The schemas of the two files: the cache has one, and any other is removed; the state gets from each to the newest.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::CacheError;
use super::file::{Which, not_ours};
use super::open::Unusable;
use super::read::BUILD;

/// The cache's schema, and its number. It grows with every change to the schema, or to what tables hold.
const CACHE: &str = include_str!("../../../../cache-schema/cache.sql");
const CACHE_VERSION: u32 = 11;

/// Up to this number caches held what is in the state now.
const LAST_WITH_STATE: u32 = 9;

/// Every step from an empty file to today's state. Steps are only ever added.
const STATE: [&str; 1] = [include_str!("../../../../cache-schema/state/001-state.sql")];

/// What is said of another program's file.
pub(super) const FOREIGN: &str = "belongs to another program";

/// What is said of an empty one.
pub(super) const NOTHING: &str = "has nothing in it yet";

/// How long to wait for another one that uses the same file.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the file is what is looked for, or has nothing in it yet.
pub(super) fn is_ours(connection: &Connection, which: Which) -> rusqlite::Result<bool> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == which.application_id() || (application == 0 && tables == 0))
}

/// Makes sure that an SQLite file is what is looked for, without writing into it.
///
/// # Errors
///
/// [`CacheError::NotOurs`] if it isn't or can't be read.
pub(super) fn recognise(path: &Path, which: Which) -> Result<(), CacheError> {
    let result = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|connection| is_ours(&connection, which));
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_ours(path, which, FOREIGN)),
        Err(error) => Err(not_ours(path, which, &format!("is a database that can't be read ({error})"))),
    }
}

/// How much of a file SQLite holds in memory at most, in KiB.
const KIB_IN_MEMORY: i64 = 16 * 1024;

/// From so many pages on, what is in the write-ahead log is copied into the file.
const PAGES_IN_LOG: i64 = 32 * 1024;

/// Opens the file at `path`, makes its tables or brings them to the newest schema, and begins a transaction.
pub(super) fn open(path: &Path, which: Which) -> Result<Connection, Unusable> {
    prepare(Connection::open(path)?, which)
}

/// The same in memory.
pub(super) fn in_memory(which: Which) -> Result<Connection, CacheError> {
    let connection = Connection::open_in_memory().map_err(|error| CacheError::from_sqlite(which, error))?;
    prepare(connection, which).map_err(|unusable| match unusable {
        Unusable::Sqlite(error) => CacheError::from_sqlite(which, error),
        Unusable::Foreign | Unusable::Old | Unusable::Other(_) => not_ours(Path::new(""), which, FOREIGN),
    })
}

fn prepare(connection: Connection, which: Which) -> Result<Connection, Unusable> {
    connection.busy_timeout(PATIENCE)?;
    // With a write-ahead log a killed build leaves either all of a commit or nothing of it. NORMAL may lose the last
    // commits when the power fails, of one file or of both: what sources have answered is asked for again, and counters
    // tell a cache that refers to what the state has lost.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A build touches much of the file; with what SQLite holds by default, it would read the same pages again and again.
    connection.pragma_update(None, "cache_size", -KIB_IN_MEMORY)?;
    // What a build commits bit by bit is copied from the log into the file once, when it is closed.
    connection.pragma_update(None, "wal_autocheckpoint", PAGES_IN_LOG)?;
    // Nothing is written into another program's file, not even which journal it has.
    if !is_ours(&connection, which)? {
        return Err(Unusable::Foreign);
    }
    let version = version_of(&connection)?;
    let newest = newest(which);
    match which {
        Which::Cache if version != 0 && version <= LAST_WITH_STATE => return Err(Unusable::Old),
        _ if version > newest => return Err(Unusable::Other(too_new(version, which))),
        _ => {}
    }
    if version == 0 {
        // Only a file without tables can begin to give pages back.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // A file that is up to date is not written to, so that a build that has nothing to do waits for no disk.
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
    format!("was written by a newer version of shelflife (schema {version}, this one knows {newest})")
}

/// What keeps a file from being read as it is, and what to do about that; `None` if nothing does.
pub(super) fn age_of(
    connection: &Connection,
    which: Which,
) -> rusqlite::Result<Option<(String, &'static str)>> {
    let version = version_of(connection)?;
    let newest = newest(which);
    Ok(match version {
        0 => Some((NOTHING.to_owned(), BUILD)),
        _ if version > newest => Some((too_new(version, which), "use that version")),
        _ if version < newest => {
            let reason = "was written by an older version of shelflife".to_owned();
            Some((reason, "build the site once, which brings it up to date"))
        }
        _ => None,
    })
}

fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// How many bytes of a file are in use.
pub(super) fn size(connection: &Connection) -> rusqlite::Result<u64> {
    let size: i64 = connection.query_row(
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(size).unwrap_or_default())
}

/// Gives the pages that nothing uses any more back to the file system, at the next commit.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    // Each step of the statement gives back one page, so it has to be run to its end.
    let mut vacuum = connection.prepare("PRAGMA incremental_vacuum")?;
    let mut pages = vacuum.query([])?;
    while pages.next()?.is_some() {}
    Ok(())
}
