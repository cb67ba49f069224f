//! Unusable files: a state is set aside, a cache is removed.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::{BESIDE, beside};
use crate::wording::count;

/// A state that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now; `None` if it was empty and stayed in place.
    pub moved_to: Option<PathBuf>,
    /// Why it is unusable.
    pub reason: String,
    /// The number of facts copied from it.
    pub facts: usize,
    /// The number of plugins whose history was copied from it.
    pub histories: usize,
    /// The number of older set-aside files that were removed.
    pub removed: usize,
}

impl SetAside {
    /// An empty state file: it was truncated, or a build was killed while creating it.
    pub(super) fn emptied() -> Self {
        let reason = "is an empty file, so the facts and histories of earlier builds are lost".to_owned();
        Self { moved_to: None, reason, facts: 0, histories: 0, removed: 0 }
    }
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { moved_to, reason, facts, histories, removed } = self;
        write!(f, "the state {reason}; ")?;
        if let Some(moved_to) = moved_to {
            write!(f, "it was set aside as {}, and ", moved_to.display())?;
        }
        f.write_str("a new one was started")?;
        match (facts, histories) {
            (0, 0) => {}
            (facts, 0) => write!(f, " with {} from it", count(*facts, "fact"))?,
            (0, histories) => write!(f, " with the history of {} from it", count(*histories, "plugin"))?,
            (facts, histories) => write!(
                f,
                " with {} and the history of {} from it",
                count(*facts, "fact"),
                count(*histories, "plugin")
            )?,
        }
        match removed {
            0 => Ok(()),
            1 => f.write_str("; the oldest set-aside file was removed"),
            count => write!(f, "; the {count} oldest set-aside files were removed"),
        }
    }
}

/// The unusable files found while opening the cache and its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// The state, if it could not be used.
    pub state: Option<SetAside>,
    /// A message about a cache that could not be used.
    pub cache: Option<String>,
}

impl Mishaps {
    /// Messages for the user, one per line.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.state.iter().map(ToString::to_string).chain(self.cache.clone())
    }
}

/// The message about a cache that was removed.
pub(super) fn removed(reason: &str) -> String {
    format!("the cache {reason}; it was removed and will be rebuilt")
}

pub(super) fn damaged(error: &rusqlite::Error) -> String {
    match error {
        // The SQL statement may be long, and means nothing to users.
        rusqlite::Error::SqlInputError { msg, .. } => format!("is damaged ({msg})"),
        error => format!("is damaged ({error})"),
    }
}

/// How many set-aside files are kept.
const KEPT: usize = 2;

/// The name of the set-aside file with this number.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 { beside(path, ".set-aside") } else { beside(path, &format!(".set-aside-{number}")) }
}

/// The numbers of the set-aside files, oldest first.
fn set_aside_before(path: &Path) -> Vec<u32> {
    let Some(folder) = path.parent() else { return Vec::new() };
    let name = beside(path, ".set-aside");
    let number = |entry: std::fs::DirEntry| {
        let found = entry.file_name();
        let rest = found.to_str()?.strip_prefix(name.file_name()?.to_str()?)?;
        let number = if rest.is_empty() { 1 } else { rest.strip_prefix('-')?.parse().ok()? };
        // Another spelling of the number is another file.
        (numbered(path, number).file_name()? == found && entry.file_type().ok()?.is_file()).then_some(number)
    };
    let mut numbers: Vec<u32> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Removes the oldest set-aside files, with SQLite's files beside them; returns how many.
pub(super) fn forget_oldest(path: &Path) -> usize {
    let numbers = set_aside_before(path);
    let oldest = &numbers[..numbers.len().saturating_sub(KEPT)];
    let remove = |number: &&u32| {
        let file = numbered(path, **number);
        for suffix in BESIDE {
            // Usually there is none.
            let _ = std::fs::remove_file(beside(&file, suffix));
        }
        std::fs::remove_file(file).is_ok()
    };
    oldest.iter().filter(remove).count()
}

/// Moves the file, and SQLite's files beside it, to the next free name.
pub(super) fn set_aside(path: &Path) -> std::io::Result<PathBuf> {
    let mut number = set_aside_before(path).last().map_or(1, |last| last.saturating_add(1));
    while numbered(path, number).symlink_metadata().is_ok() {
        number = number.wrapping_add(1);
    }
    let free = numbered(path, number);
    std::fs::rename(path, &free)?;
    for suffix in BESIDE {
        match std::fs::rename(beside(path, suffix), beside(&free, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(free)
}
