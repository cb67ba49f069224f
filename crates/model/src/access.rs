//! Errors of the operating system about files and folders, with advice.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// The operating system refused an action on a file or folder.
#[derive(Debug, Error)]
#[error("can't {action} {path}")]
pub struct AccessError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Diagnostic for AccessError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        advice(&self.source).map(|advice| Box::new(advice) as Box<dyn fmt::Display>)
    }
}

/// Returns a function that turns an I/O error of trying to `action` the file at `path` into an [`AccessError`].
pub fn denied<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> AccessError + 'a {
    move |source| AccessError { action, path: path.to_path_buf(), source }
}

/// Advice for a full disk.
pub const MAKE_ROOM: &str =
    "free some disk space and run this again; no data was lost, and all written files are complete";

/// Advice on an I/O error; `None` if there is none.
pub fn advice(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Some(MAKE_ROOM),
        ErrorKind::PermissionDenied => Some(
            "run shelflife as a user with access, or change the owner or mode of the file and its folders",
        ),
        ErrorKind::ReadOnlyFilesystem => Some("the file system is read-only: choose another path"),
        _ => None,
    }
}
