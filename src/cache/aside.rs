//! A file that can't be the cache: whether it is ours to move away, and what is taken out of it before.

mod mend;

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row, params};

use super::imprints::IMPRINTS;
use super::listing::OUTPUT;
use super::packing::{self, fasten, pack, unfasten};
use super::schema::APPLICATION_ID;
use super::{CacheError, beside, facts, good, history};
use crate::history::History;

/// A cache that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now; `None` if there was nothing in it, so that it stayed where it was.
    pub moved_to: Option<PathBuf>,
    /// Why it can't be used.
    pub reason: String,
    /// How many facts could be taken over from it.
    pub facts: usize,
    /// Of how many plugins the history could be.
    pub histories: usize,
    /// How many files were removed that had been set aside long before.
    pub removed: usize,
}

/// A cache with nothing in it: something has cut it off, or a build was killed that was about to make it.
pub(super) fn emptied() -> SetAside {
    let reason = "is an empty file, so nothing is there of what earlier builds knew".to_owned();
    SetAside { moved_to: None, reason, facts: 0, histories: 0, removed: 0 }
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
    /// [`CacheError::NotOurs`] if it is not a regular file; [`CacheError::File`] if it may not be read.
    pub(super) fn of(path: &Path) -> Result<Self, CacheError> {
        let io = |source| CacheError::File { action: "read", path: path.to_path_buf(), source };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Empty),
            Err(error) => return Err(io(error)),
            Ok(metadata) if !metadata.is_file() => return Err(not_ours(path, "is not a regular file")),
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

/// How many files that were set aside are kept: each may be as large as the cache.
const KEPT: usize = 2;

/// What SQLite keeps beside a file.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file with this number that is set aside.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 { beside(path, ".set-aside") } else { beside(path, &format!(".set-aside-{number}")) }
}

/// The numbers of the files that were set aside, in the order in which they were.
fn set_aside_before(path: &Path) -> Vec<u32> {
    let Some(folder) = path.parent() else { return Vec::new() };
    let name = beside(path, ".set-aside");
    let number = |entry: std::fs::DirEntry| {
        let found = entry.file_name();
        let rest = found.to_str()?.strip_prefix(name.file_name()?.to_str()?)?;
        let number = if rest.is_empty() { 1 } else { rest.strip_prefix('-')?.parse().ok()? };
        // Another spelling of a number is another file.
        (numbered(path, number).file_name()? == found && entry.file_type().ok()?.is_file()).then_some(number)
    };
    let mut numbers: Vec<u32> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Removes the oldest files that were set aside, with what SQLite keeps beside them, and counts them.
pub(super) fn forget_oldest(path: &Path) -> usize {
    let numbers = set_aside_before(path);
    let oldest = &numbers[..numbers.len().saturating_sub(KEPT)];
    let remove = |number: &&u32| {
        let file = numbered(path, **number);
        for suffix in BESIDE {
            // Nearly always there is none.
            let _ = std::fs::remove_file(beside(&file, suffix));
        }
        std::fs::remove_file(file).is_ok()
    };
    oldest.iter().filter(remove).count()
}

/// Moves the file, and what SQLite keeps beside it, to a free name with a greater number than any other has.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let mut number = set_aside_before(path).last().map_or(1, |last| last.saturating_add(1));
    while numbered(path, number).symlink_metadata().is_ok() {
        number = number.wrapping_add(1);
    }
    let free = numbered(path, number);
    std::fs::rename(path, &free)?;
    for suffix in BESIDE {
        match std::fs::rename(beside(path, suffix), beside(&free, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(free)
}

/// Takes over into `cache` what can still be read in the damaged file at `path` and can't be made again: histories,
/// facts, which took requests to get, and which files are ours. A row is taken over only if it is what was stored, and
/// nothing else: the new file counts its builds from the beginning.
pub(super) fn rescue(cache: &Connection, path: &Path) -> Rescued {
    let mended = mend::readable_copy(path).ok().flatten();
    let rescued = copy_all(cache, mended.as_ref().map_or(path, |copy| copy.path())).unwrap_or_default();
    // What SQLite has made to read the file. An empty log says nothing.
    let _ = std::fs::remove_file(beside(path, "-shm"));
    let log = beside(path, "-wal");
    if std::fs::metadata(&log).is_ok_and(|metadata| metadata.len() == 0) {
        let _ = std::fs::remove_file(log);
    }
    rescued
}

fn copy_all(cache: &Connection, path: &Path) -> rusqlite::Result<Rescued> {
    let damaged = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // An older file may have no checksums, where there is nothing but to believe it.
    let has_seals = damaged.prepare("SELECT seal FROM fact").is_ok();
    let origin = if damaged.prepare("SELECT origin FROM fact").is_ok() { "origin" } else { "NULL" };
    let seal = if has_seals { "seal" } else { "NULL" };
    let facts = format!(
        "SELECT value, fetched, fresh_until, etag, last_modified, refusals, {origin}, {seal}, subject FROM fact
         ORDER BY subject"
    );
    copy(&damaged, &facts, |row| {
        // With checksums, a row without one is damaged, or so old that its fact is worth little.
        let is_sealed = !has_seals || row.get_ref(7)? != ValueRef::Null;
        if let Some((subject, fact)) = facts::Stored::read(row.get(8)?, row)?.unpack().filter(|_| is_sealed) {
            let value = fact.value.as_deref().map(pack);
            facts::write(cache, &subject, &fact, value.as_deref(), 0)?;
        }
        Ok(())
    });
    copy(&damaged, "SELECT plugin, series FROM history ORDER BY plugin", |row| {
        let (plugin, packed) = history::read(row)?;
        if let Some(packed) = packed.filter(|packed| History::unpack(packed).is_some()) {
            let insert = "INSERT OR REPLACE INTO history VALUES (?1, ?2)";
            cache.prepare_cached(insert)?.execute(params![plugin, fasten(&[plugin.as_bytes()], &packed)])?;
        }
        Ok(())
    });
    // Some may be lost, which the published site still has.
    let due = packing::seal(&[history::SEEDING.as_bytes()], &history::DUE.to_le_bytes());
    cache.execute("INSERT OR REPLACE INTO note VALUES (?1, ?2)", params![history::SEEDING, due])?;
    copy(&damaged, "SELECT entry, since, text, digest FROM good ORDER BY entry", |row| {
        if let (entry, Some(_)) = good::read(row)? {
            let insert = "INSERT OR REPLACE INTO good VALUES (?1, ?2, ?3, ?4)";
            let since: i64 = row.get(1)?;
            let (digest, text) = (row.get_ref(3)?.as_blob()?, row.get_ref(2)?.as_blob()?);
            cache.prepare_cached(insert)?.execute(params![entry, since, digest, text])?;
        }
        Ok(())
    });
    copy(&damaged, "SELECT map, number, items FROM shard ORDER BY map", |row| {
        let (map, number, items): (String, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // Imprints point to what is not taken over.
        if map != IMPRINTS && unfasten(&[map.as_bytes(), &number.to_le_bytes()], &items).is_some() {
            let insert = "INSERT OR REPLACE INTO shard VALUES (?1, ?2, ?3)";
            cache.prepare_cached(insert)?.execute(params![map, number, items])?;
        }
        Ok(())
    });
    cache.execute(
        "INSERT OR IGNORE INTO folder
         SELECT DISTINCT substr(map, length(?1) + 1), 0 FROM shard WHERE map LIKE ?1 || '%'",
        [OUTPUT],
    )?;
    let count = |sql: &str| cache.query_row(sql, [], |row| row.get::<_, u32>(0)).map(|count| count as usize);
    Ok(Rescued {
        facts: count("SELECT count(*) FROM fact")?,
        histories: count("SELECT count(*) FROM history")?,
    })
}

/// Calls `take` with the rows that `sql` selects, which ends with their order. What can't be read ends the reading, and
/// then they are read from the other end, too; a row that can't be taken is left out.
fn copy(damaged: &Connection, sql: &str, take: impl Fn(&Row<'_>) -> rusqlite::Result<()>) {
    let copy = |order: &str| -> rusqlite::Result<()> {
        let mut select = damaged.prepare(&format!("{sql} {order}"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let _ = take(row);
        }
        Ok(())
    };
    if copy("ASC").is_err() {
        let _ = copy("DESC");
    }
}
