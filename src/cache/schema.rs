//! Which version of the schema a cache file has, and how it gets to the newest.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{CacheError, Unusable, not_ours};

/// Marks an SQLite file as a cache of shelflife ("shlf" in ASCII).
pub(super) const APPLICATION_ID: i32 = 0x7368_6c66;

/// Every step from an empty file to today's schema. Steps are only ever added.
const STEPS: [&str; 6] = [
    include_str!("../../cache-schema/001-facts.sql"),
    include_str!("../../cache-schema/002-outputs.sql"),
    include_str!("../../cache-schema/003-reuse.sql"),
    include_str!("../../cache-schema/004-origin.sql"),
    include_str!("../../cache-schema/005-outputs-by-folder.sql"),
    include_str!("../../cache-schema/006-fact-checksum.sql"),
];

/// What is said of another program's file.
const FOREIGN: &str = "belongs to another program";

/// Whether the file is a cache, or has nothing in it yet.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(application == APPLICATION_ID || (application == 0 && tables == 0))
}

/// Makes sure that an SQLite file is a cache, without writing into it.
///
/// # Errors
///
/// [`CacheError::NotOurs`] if it isn't or can't be read.
pub(super) fn recognise(path: &Path) -> Result<(), CacheError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match is_ours(&connection) {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_ours(path, FOREIGN)),
        Err(error) => Err(not_ours(path, &format!("is a database that can't be read ({error})"))),
    }
}

/// Brings the file to the newest schema.
pub(super) fn migrate(connection: &Connection) -> Result<(), Unusable> {
    // With a write-ahead log a killed build leaves either all of a checkpoint or nothing of it. A lost
    // last checkpoint costs requests, not correctness, so NORMAL is enough.
    // Only a file without tables can begin to give pages back.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if !is_ours(connection)? {
        return Err(Unusable::Foreign(FOREIGN.to_owned()));
    }
    let newest = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    if version > newest {
        return Err(Unusable::Foreign(format!(
            "was written by a newer version of shelflife (schema {version}, this one knows {newest})"
        )));
    }
    for step in STEPS.iter().skip(version as usize) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", newest)?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}
