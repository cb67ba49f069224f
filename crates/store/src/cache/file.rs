//! The two SQLite files: which is which, what is in the place of one, and what SQLite keeps beside it.

use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::{CacheError, schema, state_beside};

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What nobody can give back.
    State,
    /// What any build can make again.
    Cache,
}

impl Which {
    /// What marks an SQLite file as this one: "shls" and "shlf" in ASCII.
    pub(super) const fn application_id(self) -> i32 {
        match self {
            Self::State => 0x7368_6c73,
            Self::Cache => 0x7368_6c66,
        }
    }

    /// This file of the cache at `path`.
    pub(super) fn path(self, path: &Path) -> PathBuf {
        match self {
            Self::State => state_beside(path),
            Self::Cache => path.to_path_buf(),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::State => "state",
            Self::Cache => "cache",
        })
    }
}

/// The file and its folder are called as no other program would call them.
pub(super) fn has_default_name(path: &Path) -> bool {
    path.ends_with(".shelflife/cache.sqlite")
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
    /// The file that is looked for.
    Ours,
    /// It, but its header asks for a newer SQLite than there is.
    Damaged,
    /// An SQLite file. If it was never closed, what it is may be beside it.
    Database,
    /// The state in the place of a cache, or the other way round.
    Mistaken,
    /// Something else.
    Other,
}

impl Header {
    /// Looks at the file at `path`.
    ///
    /// # Errors
    ///
    /// [`CacheError::NotOurs`] if it is not a regular file; [`CacheError::File`] if it may not be read.
    pub(super) fn of(path: &Path, which: Which) -> Result<Self, CacheError> {
        let io = |source| CacheError::File { action: "read", path: path.to_path_buf(), source };
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Empty),
            Err(error) => return Err(io(error)),
            Ok(metadata) if !metadata.is_file() => {
                return Err(not_ours(path, which, "is not a regular file"));
            }
            Ok(_) => {}
        }
        let mut header = Vec::new();
        std::fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(io)?;
        let other = if which == Which::Cache { Which::State } else { Which::Cache };
        Ok(match header.get(APPLICATION) {
            _ if header.is_empty() => Self::Empty,
            _ if !header.starts_with(MAGIC) => Self::Other,
            Some(id) if id == which.application_id().to_be_bytes() => {
                let is_known = header[VERSIONS].iter().all(|version| matches!(version, 1 | 2));
                if is_known { Self::Ours } else { Self::Damaged }
            }
            Some(id) if id == other.application_id().to_be_bytes() => Self::Mistaken,
            Some(_) => Self::Database,
            None => Self::Other,
        })
    }
}

/// Refuses what is at `path` if it can't be one of our files: nothing was made or changed by then. Where only shelflife
/// puts files, whatever is there counts as a damaged one, unless it is the other file.
///
/// # Errors
///
/// [`CacheError::NotOurs`].
pub(super) fn recognise(path: &Path, which: Which, is_our_place: bool) -> Result<(), CacheError> {
    match Header::of(path, which)? {
        Header::Mistaken if which == Which::Cache => Err(not_ours(path, which, "is a state")),
        Header::Mistaken if !is_our_place => Err(not_ours(path, which, "is a cache")),
        Header::Other if !is_our_place => Err(not_ours(path, which, "holds something else")),
        Header::Database if !is_our_place => schema::recognise(path, which),
        _ => Ok(()),
    }
}

pub(super) fn not_ours(path: &Path, which: Which, reason: &str) -> CacheError {
    CacheError::NotOurs { path: path.to_path_buf(), which, reason: reason.to_owned() }
}

/// What SQLite keeps beside a file.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file beside another with this suffix.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file, and what SQLite keeps beside it, which it would take for the next file's. There may be none.
pub(super) fn remove(path: &Path) -> Result<(), CacheError> {
    for file in BESIDE.map(|suffix| beside(path, suffix)).iter().map(PathBuf::as_path).chain([path]) {
        match std::fs::remove_file(file) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(CacheError::Folder { path: path.to_path_buf(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes sure that a file and those beside it may be written, before SQLite goes on without that and leaves a file
/// beside it that may not be written later either.
pub(super) fn writable(path: &Path) -> Result<(), CacheError> {
    for file in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
        // To close those beside the file would end the locks that this process may have on them, so they are not
        // opened if it can be told without.
        let may_be_written =
            || std::fs::metadata(&file).is_ok_and(|metadata| !metadata.permissions().readonly());
        if file != path && may_be_written() {
            continue;
        }
        match std::fs::File::options().write(true).open(&file) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(CacheError::File { action: "write into", path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cache_has_a_state_of_its_own() {
        for (cache, state) in [
            (".shelflife/cache.sqlite", ".shelflife/state.sqlite"),
            ("cache", "state"),
            ("a/b.sqlite", "a/b.state.sqlite"),
            ("b.c.db", "b.c.state.db"),
            ("mine", "mine.state"),
            ("state.sqlite", "state.state.sqlite"),
        ] {
            assert_eq!(state_beside(Path::new(cache)), Path::new(state));
        }
    }
}
