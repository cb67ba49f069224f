//! The error type of chores and tests: one message.

use std::fmt;
use std::io;
use std::path::Path;

/// A failure of a chore or a test: what was tried, and why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// Returns a failure with this message.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Adds the path of the file to an I/O error.
pub fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |why| Failure(format!("{}: {why}", path.display()))
}
