//! What stopped something, in a sentence.

use std::fmt;
use std::io;
use std::path::Path;

/// What stopped a chore or a test: what was tried, and what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure of which this is to be said.
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

/// Says which file an operation failed on.
pub fn at(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |why| Failure(format!("{}: {why}", path.display()))
}
