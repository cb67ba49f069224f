//! The two SQLite files: which is which, what is at their paths, and the files that SQLite keeps beside them.

use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::{CacheError, schema, state_beside};

/// One of the two SQLite files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What can't be recreated.
    State,
    /// What any build can recreate.
    Cache,
}

impl Which {
    /// The application id in the file's SQLite header: "shls" or "shlf" in ASCII.
    pub(super) const fn application_id(self) -> i32 {
        match self {
            Self::State => 0x7368_6c73,
            Self::Cache => 0x7368_6c66,
        }
    }

    /// The path of this file for the cache at `path`.
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

/// Whether the cache has its default name and folder, which no other program would use.
pub(super) fn has_default_name(path: &Path) -> bool {
    path.ends_with(".shelflife/cache.sqlite")
}

/// The magic string of SQLite files, and the positions of the application id and the read and write versions in the
/// header (<https://www.sqlite.org/fileformat2.html#the_database_header>).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const APPLICATION: std::ops::Range<usize> = 68..72;
const VERSIONS: std::ops::Range<usize> = 18..20;

/// The kind of a file, judging by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// There is no file, or an empty one.
    Empty,
    /// The expected file.
    Ours,
    /// The expected file, but its header requires an unknown version of SQLite's format.
    Damaged,
    /// An SQLite file. Until it is first closed, its application id may be only in the log beside it.
    Database,
    /// A state in the place of a cache, or the other way round.
    Mistaken,
    /// Any other file.
    Other,
}

impl Header {
    /// Reads the header of the file at `path`.
    ///
    /// # Errors
    ///
    /// [`CacheError::NotOurs`] if it is not a regular file; [`CacheError::File`] if it can't be read.
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

/// Refuses a file at `path` that can't be one of ours, before anything is created or changed. At a path that only
/// shelflife uses, any file counts as a damaged one of ours, unless it is the other one of the two.
///
/// # Errors
///
/// [`CacheError::NotOurs`].
pub(super) fn recognize(path: &Path, which: Which, is_our_place: bool) -> Result<(), CacheError> {
    match Header::of(path, which)? {
        Header::Mistaken if which == Which::Cache => Err(not_ours(path, which, "is a state")),
        Header::Mistaken if !is_our_place => Err(not_ours(path, which, "is a cache")),
        Header::Other if !is_our_place => Err(not_ours(path, which, "is not an SQLite database")),
        Header::Database if !is_our_place => schema::recognize(path, which),
        _ => Ok(()),
    }
}

pub(super) fn not_ours(path: &Path, which: Which, reason: &str) -> CacheError {
    CacheError::NotOurs { path: path.to_path_buf(), which, reason: reason.to_owned() }
}

/// The suffixes of the files that SQLite keeps beside a database.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The path of the file beside `path` with this suffix.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a file, and SQLite's files beside it, which would otherwise be applied to the next file. None has to exist.
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

/// Checks that a file and those beside it are writable. Otherwise SQLite would open the database read-only, and might
/// leave a file beside it that is not writable later.
pub(super) fn writable(path: &Path) -> Result<(), CacheError> {
    for file in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
        // Closing a file beside the database would release the locks that this process may have on it, so such a file
        // is opened only if its permissions don't tell.
        let may_be_written =
            || std::fs::metadata(&file).is_ok_and(|metadata| !metadata.permissions().readonly());
        if file != path && may_be_written() {
            continue;
        }
        match std::fs::File::options().write(true).open(&file) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(CacheError::File { action: "write to", path: file, source });
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
