//! Why the cache can't be used, and whether another file in its place would help.

use std::path::PathBuf;

use miette::Diagnostic;
use rusqlite::{Error, ErrorCode};
use thiserror::Error;

/// Why the cache can't be used.
#[derive(Debug, Error, Diagnostic)]
pub enum CacheError {
    /// The file's folder can't be made, or a damaged file can't be moved away.
    #[error("can't write beside the cache {path}")]
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
    Busy(PathBuf),
    /// The file holds something else, which is not touched.
    #[error("{path} is not a cache of shelflife: it {reason}")]
    #[diagnostic(help(
        "give another file with `--cache` or as `paths.cache` in shelflife.toml, or remove this one if nobody needs it"
    ))]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is.
        reason: String,
    },
    /// There is nothing that could be read, or only what another version of the program understands.
    #[error("the cache {path} {reason}")]
    #[diagnostic(help("{help}"))]
    Unready {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        help: &'static str,
    },
    /// The file's content makes no sense; it can be set aside.
    #[error("the cache is damaged")]
    #[diagnostic(help(
        "`shelflife cache clear` sets it aside and begins anew with the facts and histories that can be read; so does \
         a build that meets the damage"
    ))]
    Damaged(#[source] Error),
    /// SQLite failed for a reason outside of the file, such as a full disk.
    #[error("the cache can't be used")]
    Sqlite(#[source] Error),
}

impl From<Error> for CacheError {
    fn from(error: Error) -> Self {
        if is_damage(&error) { Self::Damaged(error) } else { Self::Sqlite(error) }
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
