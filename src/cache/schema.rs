//! Which version of the schema a cache file has, and how it gets to the newest.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::listing::{self, Listed, Listing};
use super::read::BUILD;
use super::{CacheError, Unusable, not_ours};
use crate::digest::Digest;

/// Marks an SQLite file as a cache of shelflife ("shlf" in ASCII).
pub(super) const APPLICATION_ID: i32 = 0x7368_6c66;

/// Every step from an empty file to today's schema. Steps are only ever added.
const STEPS: [&str; 9] = [
    include_str!("../../cache-schema/001-facts.sql"),
    include_str!("../../cache-schema/002-outputs.sql"),
    include_str!("../../cache-schema/003-reuse.sql"),
    include_str!("../../cache-schema/004-origin.sql"),
    include_str!("../../cache-schema/005-outputs-by-folder.sql"),
    include_str!("../../cache-schema/006-fact-checksum.sql"),
    include_str!("../../cache-schema/007-imprints.sql"),
    include_str!("../../cache-schema/008-history.sql"),
    include_str!("../../cache-schema/009-good.sql"),
];

/// What is said of another program's file.
pub(super) const FOREIGN: &str = "belongs to another program";

/// What is said of an empty one.
pub(super) const NOTHING: &str = "has nothing in it yet";

/// Whether the file is a cache, or has nothing in it yet.
pub(super) fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
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

/// How much of the file SQLite holds in memory at most, in KiB.
const KIB_IN_MEMORY: i64 = 16 * 1024;

/// From so many pages on, what is in the write-ahead log is copied into the file.
const PAGES_IN_LOG: i64 = 32 * 1024;

/// Brings the file to the newest schema.
pub(super) fn migrate(connection: &Connection) -> Result<(), Unusable> {
    // With a write-ahead log a killed build leaves either all of a checkpoint or nothing of it. A lost
    // last checkpoint costs requests, not correctness, so NORMAL is enough.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // A build touches much of the file; with what SQLite holds by default, it would read the same pages again and again.
    connection.pragma_update(None, "cache_size", -KIB_IN_MEMORY)?;
    // What a build commits bit by bit is copied from the log into the file once, when it is closed.
    connection.pragma_update(None, "wal_autocheckpoint", PAGES_IN_LOG)?;
    // Nothing is written into another program's file, not even which journal it has.
    if !is_ours(connection)? {
        return Err(Unusable::Foreign(FOREIGN.to_owned()));
    }
    if version_of(connection)? == 0 {
        // Only a file without tables can begin to give pages back.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let version = version_of(connection)?;
    let newest = newest();
    if version > newest {
        return Err(Unusable::Foreign(too_new(version)));
    }
    // A file that is up to date is not written to, so that a build that has nothing to do waits for no disk.
    if version < newest {
        for (step, number) in STEPS.iter().zip(1u32..).skip(version as usize) {
            connection.execute_batch(step)?;
            if number == 7 {
                manifests_to_listings(connection)?;
            }
        }
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", newest)?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(())
}

fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

fn too_new(version: u32) -> String {
    let newest = newest();
    format!("was written by a newer version of shelflife (schema {version}, this one knows {newest})")
}

/// What keeps a cache from being read as it is, and what to do about that; `None` if nothing does.
pub(super) fn age_of(connection: &Connection) -> rusqlite::Result<Option<(String, &'static str)>> {
    let version = version_of(connection)?;
    Ok(match version {
        0 => Some((NOTHING.to_owned(), BUILD)),
        _ if version > newest() => Some((too_new(version), "use that version")),
        _ if version < newest() => {
            let reason = "was written by an older version of shelflife".to_owned();
            Some((reason, "build the site once, which brings it up to date"))
        }
        _ => None,
    })
}

fn version_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// What SQL can't do of step 7: makes a listing of each folder's rows. Where a build was killed a path has two
/// digests, of which one is what was about to come.
fn manifests_to_listings(connection: &Connection) -> rusqlite::Result<()> {
    let mut folders: BTreeMap<String, [Listing; 2]> = BTreeMap::new();
    {
        let mut select = connection.prepare("SELECT folder, path, digest FROM manifest")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (folder, path): (String, String) = (row.get(0)?, row.get(1)?);
            let Some(digest) = Digest::from_bytes(row.get_ref(2)?.as_blob().unwrap_or_default()) else {
                continue;
            };
            let [known, coming] = folders.entry(folder).or_default();
            let listing = if known.contains_key(&path) { coming } else { known };
            listing.insert(path, Listed { digest, look: None });
        }
    }
    for (folder, [known, coming]) in folders {
        listing::write(connection, &format!("{}{folder}", listing::OUTPUT), &known, true)?;
        if !coming.is_empty() {
            listing::write(connection, &format!("{}{folder}", listing::COMING), &coming, true)?;
        }
    }
    connection.execute_batch("DROP TABLE manifest; ALTER TABLE folder DROP COLUMN publishing")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::shards;

    #[test]
    fn manifests_become_listings() {
        let connection = Connection::open_in_memory().unwrap();
        for step in &STEPS[..6] {
            connection.execute_batch(step).unwrap();
        }
        connection
            .execute_batch(
                "PRAGMA user_version = 6; PRAGMA application_id = 0x73686c66;
                 INSERT INTO folder VALUES ('public', 3, 1);
                 INSERT INTO manifest VALUES ('public', 'a', zeroblob(32)), ('public', 'b', zeroblob(32)),
                     ('public', 'a', CAST(x'00' || zeroblob(30) || x'01' AS BLOB));
                 INSERT INTO blob VALUES (zeroblob(32), x'0061', 2);",
            )
            .unwrap();
        assert!(migrate(&connection).is_ok());
        let listing = |tree: &str| {
            let (files, _) =
                shards::unpack::<Listed>(tree, &shards::pieces(&connection, tree).unwrap()).unwrap();
            let mut paths: Vec<String> = files.into_iter().map(|(path, _)| path).collect();
            paths.sort();
            paths
        };
        assert_eq!(listing("output:public"), ["a", "b"]);
        assert_eq!(listing("coming:public"), ["a"]);
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT used FROM folder"), 3);
        assert_eq!(count("SELECT used FROM blob"), 2);
    }
    #[test]
    fn what_is_known_without_histories_stays_and_imprints_are_made_anew() {
        let connection = Connection::open_in_memory().unwrap();
        for step in &STEPS[..7] {
            connection.execute_batch(step).unwrap();
        }
        manifests_to_listings(&connection).unwrap();
        connection
            .execute_batch(
                "PRAGMA user_version = 7; PRAGMA application_id = 0x73686c66;
                 INSERT INTO fact VALUES ('usage:week', x'007B7D', 1, 2, NULL, NULL, 0, 0, NULL, NULL);
                 INSERT INTO shard VALUES ('imprint', 0, x'00'), ('site', 0, x'00');",
            )
            .unwrap();
        assert!(migrate(&connection).is_ok());
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM fact"), 1);
        assert_eq!(count("SELECT count(*) FROM history"), 0);
        assert_eq!(count("SELECT count(*) FROM shard WHERE map = 'imprint'"), 0);
        assert_eq!(count("SELECT count(*) FROM shard WHERE map = 'site'"), 1);
    }
}
