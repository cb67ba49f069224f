//! Files and folders that the system does not let us read or write, and what to do about it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// The system did not do what was tried with a file or folder.
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

/// Makes an error of what the system says when one tries to do `action` with `path`.
pub fn denied<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> AccessError + 'a {
    move |source| AccessError { action, path: path.to_path_buf(), source }
}

/// What helps where there is no room.
pub const MAKE_ROOM: &str =
    "make room on the disk and run this again; nothing is lost, and what was written is whole";

/// What helps against an error of the system's; `None` if that is not known.
pub fn advice(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Some(MAKE_ROOM),
        ErrorKind::PermissionDenied => Some(
            "run shelflife as a user with that permission, or change the owner or mode of the file and its folders",
        ),
        ErrorKind::ReadOnlyFilesystem => {
            Some("nothing can be written on that disk: choose another place for it")
        }
        _ => None,
    }
}
