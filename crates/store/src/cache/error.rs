//! Errors of the cache, and whether replacing the file would help.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rusqlite::{Error, ErrorCode};
use thiserror::Error;

use super::file::Which;
use crate::access::MAKE_ROOM;

/// Why the cache can't be used.
#[derive(Debug, Error, Diagnostic)]
pub enum CacheError {
    /// The file's folder can't be created, or an unusable file can't be moved or removed.
    #[error("can't write to the folder of the cache {path}")]
    #[diagnostic(help(
        "make the folder writable for the user that runs shelflife, or choose another cache file with `--cache` or \
         `paths.cache` in shelflife.toml"
    ))]
    Folder {
        /// The cache file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The file, or one that SQLite keeps beside it, can't be read or written.
    #[error("can't {action} {path}, which is part of the cache")]
    #[diagnostic(help(
        "make the file readable and writable for the user that runs shelflife, or choose another cache file with \
         `--cache` or `paths.cache` in shelflife.toml"
    ))]
    File {
        /// The action that failed.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// Another build uses the file.
    #[error("the cache {0} is still in use by another build")]
    #[diagnostic(help(
        "end that process, which holds the lock file beside the cache, or use another cache with `--cache`"
    ))]
    Busy(PathBuf),
    /// The file is locked, but not by another build.
    #[error("the cache {0} is locked by another program")]
    #[diagnostic(help(
        "close the program that has it open; if its file system doesn't support locks, choose a cache file on a local \
         disk with `--cache` or `paths.cache` in shelflife.toml"
    ))]
    Held(PathBuf),
    /// The file is something else, and is left alone.
    #[error("{path} is not a shelflife {which}: it {reason}")]
    #[diagnostic(help(
        "choose another cache file with `--cache` or `paths.cache` in shelflife.toml, or remove this file if you don't \
         need it"
    ))]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it should be.
        which: Which,
        /// What it is instead.
        reason: String,
    },
    /// There is no file to read, or only one that another version of shelflife can read.
    #[error("the {which} {path} {reason}")]
    #[diagnostic(help("{help}"))]
    Unready {
        /// The file.
        path: PathBuf,
        /// Which of the two files it is.
        which: Which,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// A file's content is invalid, see [`super::Cache::begin_anew`].
    #[error("the {which} is damaged")]
    #[diagnostic(help(
        "run `shelflife cache clear` or build the site: both start over with the facts and histories that can still be \
         read"
    ))]
    Damaged {
        /// Which of the two files it is.
        which: Which,
        /// The error of SQLite.
        #[source]
        source: Error,
    },
    /// SQLite failed for a reason outside of the file, such as a full disk.
    #[error("the {which} can't be used")]
    Sqlite {
        /// The file concerned.
        which: Which,
        /// The error of SQLite.
        #[source]
        source: Error,
    },
    /// Like [`CacheError::Sqlite`], with the path of the file.
    #[error("the {which} {path} can't be used")]
    #[diagnostic(help("{help}"))]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Which of the two files it is.
        which: Which,
        /// What to do.
        help: &'static str,
        /// The error of SQLite.
        #[source]
        source: Error,
    },
    /// The lock file can't be locked.
    #[error("can't lock {path} to keep other builds from using the cache")]
    #[diagnostic(help("{LOCAL}"))]
    Unlockable {
        /// The lock file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// The help for a file system that lacks what SQLite needs.
const LOCAL: &str = "the file system may be full, or may not support file locks or shared memory, as is the case for \
                     some network file systems: free some disk space, or choose a cache file on a local disk with \
                     `--cache` or `paths.cache` in shelflife.toml";

impl CacheError {
    /// Which file is damaged, if this error is about damage.
    pub fn which(&self) -> Option<Which> {
        if let Self::Damaged { which, .. } = self { Some(*which) } else { None }
    }

    /// An error of SQLite about one of the two files.
    pub(super) fn from_sqlite(which: Which, source: Error) -> Self {
        if is_damage(&source) { Self::Damaged { which, source } } else { Self::Sqlite { which, source } }
    }

    /// Adds the path of the cache to the error.
    #[must_use]
    pub fn of(self, path: &Path) -> Self {
        let Self::Sqlite { which, source } = self else { return self };
        let help = match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => MAKE_ROOM,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "SQLite keeps files beside it: make its folder writable for the user that runs shelflife, or choose \
                 another cache file with `--cache` or `paths.cache` in shelflife.toml"
            }
            _ => LOCAL,
        };
        Self::Unusable { path: which.path(path), which, help, source }
    }

    /// Adds the path of the cache to a report about it.
    pub fn name(report: miette::Report, path: &Path) -> miette::Report {
        match report.downcast::<Self>() {
            Ok(error) => error.of(path).into(),
            Err(report) => report,
        }
    }
}

impl From<Error> for CacheError {
    fn from(error: Error) -> Self {
        Self::from_sqlite(Which::Cache, error)
    }
}

/// An error for damage that SQLite itself doesn't notice.
pub fn corruption(what: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(what))
}

/// Whether the file is the cause. The statements are correct and fit the schema, so a statement that doesn't fit the
/// file has met a damaged one.
fn is_damage(error: &Error) -> bool {
    match error {
        // A page number that leads behind the end of the file.
        Error::SqliteFailure(failure, _)
            if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ =>
        {
            true
        }
        Error::SqliteFailure(failure, _) | Error::SqlInputError { error: failure, .. } => matches!(
            failure.code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::Unknown
        ),
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}
