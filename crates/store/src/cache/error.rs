//! Why the cache can't be used, and whether another file in its place would help.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rusqlite::{Error, ErrorCode};
use thiserror::Error;

use super::file::Which;
use crate::access::MAKE_ROOM;

/// Why the cache can't be used.
#[derive(Debug, Error, Diagnostic)]
pub enum CacheError {
    /// The file's folder can't be made, or a file that can't be used not be moved away or removed.
    #[error("can't write beside the cache {path}")]
    #[diagnostic(help(
        "let whoever runs shelflife write there, or give another file with `--cache` or as `paths.cache` in \
         shelflife.toml"
    ))]
    Folder {
        /// The cache file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file, or one that SQLite keeps beside it, may not be read or written.
    #[error("can't {action} {path}, which is the cache or belongs to it")]
    #[diagnostic(help(
        "let whoever runs shelflife read and write it, or give another file with `--cache` or as `paths.cache` in \
         shelflife.toml"
    ))]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another build holds the file.
    #[error("the cache {0} is in use by another build that does not end")]
    #[diagnostic(help(
        "end that process, which has the lock file beside the cache open, or give another cache with `--cache`"
    ))]
    Busy(PathBuf),
    /// No other build has the file, and yet it is locked.
    #[error("the cache {0} is locked, though by no other build")]
    #[diagnostic(help(
        "end the program that has it open; or, if it lies on a file system without locks, give a file on a local disk \
         with `--cache` or as `paths.cache` in shelflife.toml"
    ))]
    Held(PathBuf),
    /// The file holds something else, which is not touched.
    #[error("{path} is not a {which} of shelflife: it {reason}")]
    #[diagnostic(help(
        "give another file with `--cache` or as `paths.cache` in shelflife.toml, or remove this one if nobody needs it"
    ))]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it should be.
        which: Which,
        /// What it is.
        reason: String,
    },
    /// There is nothing that could be read, or only what another version of the program understands.
    #[error("the {which} {path} {reason}")]
    #[diagnostic(help("{help}"))]
    Unready {
        /// The file.
        path: PathBuf,
        /// What it is.
        which: Which,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// A file's content makes no sense, see [`super::Cache::begin_anew`].
    #[error("the {which} is damaged")]
    #[diagnostic(help(
        "`shelflife cache clear` begins anew, with the facts and histories that can be read; so does a build that meets \
         the damage"
    ))]
    Damaged {
        /// Which of the two it is.
        which: Which,
        /// What SQLite said.
        #[source]
        source: Error,
    },
    /// SQLite failed for a reason outside of the file, such as a full disk.
    #[error("the {which} can't be used")]
    Sqlite {
        /// The file that it is about.
        which: Which,
        /// What SQLite said.
        #[source]
        source: Error,
    },
    /// The same, of a file that is known.
    #[error("the {which} {path} can't be used")]
    #[diagnostic(help("{help}"))]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What it is.
        which: Which,
        /// What to do.
        help: &'static str,
        /// What SQLite said.
        #[source]
        source: Error,
    },
    /// The system does not let the file be locked.
    #[error("can't lock {path}, so that no other build uses the cache meanwhile")]
    #[diagnostic(help("{LOCAL}"))]
    Unlockable {
        /// The lock's file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// What helps where a file system can't do what SQLite needs of it.
const LOCAL: &str = "the file system may be full, or one that lacks file locks or shared memory, as some that are reached \
                     through a network do: make room, or give a file on a local disk with `--cache` or as `paths.cache` in \
                     shelflife.toml";

impl CacheError {
    /// Which file is damaged, if one is.
    pub fn which(&self) -> Option<Which> {
        if let Self::Damaged { which, .. } = self { Some(*which) } else { None }
    }

    /// What SQLite said about one of the two files.
    pub(super) fn from_sqlite(which: Which, source: Error) -> Self {
        if is_damage(&source) { Self::Damaged { which, source } } else { Self::Sqlite { which, source } }
    }

    /// The error, of the cache at `path`.
    #[must_use]
    pub fn of(self, path: &Path) -> Self {
        let Self::Sqlite { which, source } = self else { return self };
        let help = match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => MAKE_ROOM,
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                "SQLite keeps files beside it: let whoever runs shelflife write into its folder, or give another file \
                 with `--cache` or as `paths.cache` in shelflife.toml"
            }
            _ => LOCAL,
        };
        Self::Unusable { path: which.path(path), which, help, source }
    }

    /// Names the cache at `path` where it is what `report` is about.
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

/// The error that damage amounts to which SQLite does not notice.
pub fn corruption(what: String) -> Error {
    Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), Some(what))
}

/// Whether the file is to blame. The statements are this program's and they fit the schema, so one that
/// does not fit what it finds has met a file that was damaged.
fn is_damage(error: &Error) -> bool {
    match error {
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
