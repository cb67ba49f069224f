//! Opens the cache's file, and replaces whatever else is in its place.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::aside::{damaged, forget_oldest, removed, set_aside};
use super::file::{Header, not_ours, remove};
use super::shards::Piece;
use super::{CacheError, Manifest, State, Which, manifest, schema};

/// Why a file is unusable.
pub(super) enum Unusable {
    /// It belongs to another program.
    Foreign,
    /// It is a cache of an older version, which kept in it what is now in the state.
    Old,
    /// Another reason, such as damage.
    Other(String),
    Sqlite(rusqlite::Error),
}

impl Unusable {
    pub(super) fn bad_header() -> Self {
        Self::Other("is damaged (invalid header)".to_owned())
    }

    /// The reason, if the file itself is the cause; otherwise an error.
    pub(super) fn reason(self, path: &Path, which: Which) -> Result<String, CacheError> {
        match self {
            Self::Foreign | Self::Old => Ok(schema::FOREIGN.to_owned()),
            Self::Other(reason) => Ok(reason),
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Err(CacheError::Held(path.to_path_buf()))
                }
                _ => match CacheError::from_sqlite(which, error) {
                    CacheError::Damaged { source, .. } => Ok(damaged(&source)),
                    error => Err(error),
                },
            },
        }
    }

    pub(super) fn into_error(self, path: &Path, which: Which) -> CacheError {
        self.reason(path, which).map_or_else(|error| error, |reason| not_ours(path, which, &reason))
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Whether there is an empty file at `path`, which SQLite would silently turn into a database.
pub(super) fn is_empty_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0)
}

/// Opens the cache, or creates one in place of an unusable file. Also returns a message about that file.
pub(super) fn open_cache(path: &Path, state: &State) -> Result<(Connection, Option<String>), CacheError> {
    let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
    let opened = match Header::of(path, Which::Cache)? {
        // Without the main file, SQLite's files beside it belong to a former one.
        Header::Empty => {
            let told = is_empty_file(path).then(|| removed("is an empty file"));
            return Ok((make(path)?, told));
        }
        Header::Damaged => Err(Unusable::bad_header()),
        _ => schema::open(path, Which::Cache),
    };
    let told = match opened {
        Ok(connection) => return Ok((connection, None)),
        Err(Unusable::Old) => {
            let taken = state.take_over(path);
            state.commit()?;
            let manifests = read_manifests(path).unwrap_or_default();
            let told = if taken.is_whole {
                remove(path)?;
                "the cache was written by an older version of shelflife: its facts and histories were moved to the \
                 state, and the rest will be rebuilt"
                    .to_owned()
            } else {
                let moved_to = set_aside(path).map_err(io)?;
                forget_oldest(path);
                format!(
                    "the cache was written by an older version of shelflife and is damaged; it was set aside as {}, \
                     and the facts and histories that could be read were copied to the state",
                    moved_to.display()
                )
            };
            let connection = make(path)?;
            manifests.store(&connection)?;
            return Ok((connection, Some(told)));
        }
        // The file may be needed by another program.
        Err(unusable @ Unusable::Foreign) => {
            let reason = unusable.reason(path, Which::Cache)?;
            let moved_to = set_aside(path).map_err(io)?;
            forget_oldest(path);
            format!(
                "the cache {reason}; it was set aside as {}, and a new one was started",
                moved_to.display()
            )
        }
        Err(unusable) => removed(&unusable.reason(path, Which::Cache)?),
    };
    Ok((make(path)?, Some(told)))
}

/// Creates a cache in place of whatever is there.
pub(super) fn make(path: &Path) -> Result<Connection, CacheError> {
    remove(path)?;
    schema::open(path, Which::Cache).map_err(|unusable| unusable.into_error(path, Which::Cache))
}

/// What an older cache knows of output folders: the files that builds wrote there, and those that they removed.
#[derive(Default)]
struct OfFolders {
    manifests: Vec<(String, Manifest)>,
    removals: Vec<(String, Piece)>,
}

impl OfFolders {
    fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (key, manifest) in &self.manifests {
            manifest::write(connection, key, manifest, None)?;
        }
        for (map, (number, items)) in &self.removals {
            connection.execute("INSERT INTO shard VALUES (?1, ?2, ?3)", (map, number, items))?;
        }
        Ok(())
    }
}

fn read_manifests(path: &Path) -> rusqlite::Result<OfFolders> {
    let old = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let shards = |sql: &str| -> rusqlite::Result<Vec<(String, Piece)>> {
        let mut select = old.prepare(sql)?;
        let rows = select.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
        rows.collect()
    };
    let listed = "SELECT map, number, items FROM shard WHERE map LIKE 'output:%' OR map LIKE 'coming:%'";
    let manifests = manifest::of_older(shards(listed)?);
    Ok(OfFolders {
        manifests,
        removals: shards("SELECT map, number, items FROM shard WHERE map LIKE 'removed:%'")?,
    })
}
