//! A file that can't be the cache: whether it is ours to move away, and what is taken out of it before.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Params, Statement, params_from_iter};

use super::schema::APPLICATION_ID;
use super::{CacheError, beside};

/// A cache that could not be used was moved away, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now.
    pub moved_to: PathBuf,
    /// Why it can't be used.
    pub reason: String,
    /// How many facts could be taken over from it.
    pub facts: usize,
    /// Of how many plugins the history could be.
    pub histories: usize,
}

/// How much could be taken over from a damaged file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rescued {
    pub(super) facts: usize,
    pub(super) histories: usize,
}

/// What every SQLite file begins with, and where in its header the application's number and the versions are
/// that are needed to write and read it (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const APPLICATION: std::ops::Range<usize> = 68..72;
const VERSIONS: std::ops::Range<usize> = 18..20;

/// What a file is, as far as its header tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// There is no file, or nothing in it.
    Empty,
    /// A cache.
    Ours,
    /// A cache whose header asks for a newer SQLite than there is.
    Damaged,
    /// An SQLite file. If it was never closed, what it is may be beside it.
    Database,
    /// Something else.
    Other,
}

impl Header {
    /// Looks at the file at `path`.
    ///
    /// # Errors
    ///
    /// [`CacheError::NotOurs`] if it is no file.
    pub(super) fn of(path: &Path) -> Result<Self, CacheError> {
        let io = |source| CacheError::Folder { path: path.to_path_buf(), source };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Empty),
            Err(error) => return Err(io(error)),
            Ok(metadata) if !metadata.is_file() => return Err(not_ours(path, "is no file")),
            Ok(_) => {}
        }
        let mut header = Vec::new();
        std::fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(io)?;
        Ok(match header.get(APPLICATION) {
            _ if header.is_empty() => Self::Empty,
            _ if !header.starts_with(MAGIC) => Self::Other,
            Some(id) if id == APPLICATION_ID.to_be_bytes() => {
                let is_known = header[VERSIONS].iter().all(|version| matches!(version, 1 | 2));
                if is_known { Self::Ours } else { Self::Damaged }
            }
            Some(_) => Self::Database,
            None => Self::Other,
        })
    }
}

/// The file and its folder are called as no other program would call them.
pub(super) fn has_default_name(path: &Path) -> bool {
    path.ends_with(".shelflife/cache.sqlite")
}

pub(super) fn not_ours(path: &Path, reason: &str) -> CacheError {
    CacheError::NotOurs { path: path.to_path_buf(), reason: reason.to_owned() }
}

/// Moves the file, and what SQLite keeps beside it, to the first free name.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let mut free = beside(path, ".set-aside");
    let mut number = 1;
    while free.exists() {
        number += 1;
        free = beside(path, &format!(".set-aside-{number}"));
    }
    std::fs::rename(path, &free)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        match std::fs::rename(beside(path, suffix), beside(&free, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(free)
}

/// Copies into `cache` what can still be read in the damaged file at `path` and can't be made again: histories,
/// facts, which took requests to get, and which files are ours.
pub(super) fn rescue(cache: &Connection, path: &Path) -> Rescued {
    // What can't be read ends the reading, so the rows are read from both ends.
    let copy = |table, key| -> usize {
        let orders = ["ASC", "DESC"].into_iter();
        orders.map(|order| copy_rows(cache, path, table, key, order).unwrap_or_default()).sum()
    };
    copy("folder", "name");
    copy("shard", "map");
    Rescued { facts: copy("fact", "subject"), histories: copy("history", "plugin") }
}

fn copy_rows(
    cache: &Connection,
    path: &Path,
    table: &str,
    key: &str,
    order: &str,
) -> rusqlite::Result<usize> {
    let damaged = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // An older file may lack columns, which then have their defaults.
    let columns = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
        let select = connection.prepare(&format!("SELECT * FROM {table} LIMIT 0"))?;
        Ok(select.column_names().map(str::to_owned).collect())
    };
    let known = columns(cache)?;
    let columns: Vec<String> = columns(&damaged)?.into_iter().filter(|name| known.contains(name)).collect();
    let (names, places) = (columns.join(", "), vec!["?"; columns.len()].join(", "));
    let mut select = damaged.prepare(&format!("SELECT {names} FROM {table} ORDER BY {key} {order}"))?;
    let mut insert = cache.prepare(&format!("INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})"))?;
    let mut copied = 0;
    let mut rows = select.query([])?;
    while let Ok(Some(row)) = rows.next() {
        let values = (0..columns.len()).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>();
        // A row that does not fit is as damaged as one that can't be read.
        copied += values.map_or(0, |values| insert_or_skip(&mut insert, params_from_iter(values)));
    }
    Ok(copied)
}

fn insert_or_skip(insert: &mut Statement<'_>, values: impl Params) -> usize {
    insert.execute(values).unwrap_or_default()
}
