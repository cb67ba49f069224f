//! What becomes of a file that can't be used: a state is set aside, a cache is removed.

use std::fmt;
use std::path::{Path, PathBuf};

use super::file::{BESIDE, beside};
use crate::wording::count;

/// A state that could not be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where the file is now; `None` if there was nothing in it, so that it stayed where it was.
    pub moved_to: Option<PathBuf>,
    /// Why it can't be used.
    pub reason: String,
    /// How many facts could be taken over from it.
    pub facts: usize,
    /// Of how many plugins the history could be.
    pub histories: usize,
    /// How many files were removed that had been set aside long before.
    pub removed: usize,
}

impl SetAside {
    /// A state with nothing in it: something has cut it off, or a build was killed that was about to make it.
    pub(super) fn emptied() -> Self {
        let reason = "is an empty file, so nothing is there of what earlier builds knew".to_owned();
        Self { moved_to: None, reason, facts: 0, histories: 0, removed: 0 }
    }
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { moved_to, reason, facts, histories, removed } = self;
        write!(f, "the state {reason}; it ")?;
        if let Some(moved_to) = moved_to {
            write!(f, "was set aside as {} and ", moved_to.display())?;
        }
        f.write_str("begins anew")?;
        match (facts, histories) {
            (0, 0) => {}
            (facts, 0) => write!(f, " with {} of it", count(*facts, "fact"))?,
            (0, histories) => write!(f, " with the history of {}", count(*histories, "plugin"))?,
            (facts, histories) => write!(
                f,
                " with {} of it and the history of {}",
                count(*facts, "fact"),
                count(*histories, "plugin")
            )?,
        }
        match removed {
            0 => Ok(()),
            1 => f.write_str("; the oldest that was set aside is removed"),
            count => write!(f, "; the {count} oldest that were set aside are removed"),
        }
    }
}

/// What was wrong with the two files when they were opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// The state, if it could not be used.
    pub state: Option<SetAside>,
    /// What became of a cache that could not be used.
    pub cache: Option<String>,
}

impl Mishaps {
    /// What the maintainer is told, a line each.
    pub fn told(&self) -> impl Iterator<Item = String> {
        self.state.iter().map(ToString::to_string).chain(self.cache.clone())
    }
}

/// What is said of a cache that was removed.
pub(super) fn removed(reason: &str) -> String {
    format!("the cache {reason}; it was removed, and what was in it is made again")
}

pub(super) fn damaged(error: &rusqlite::Error) -> String {
    match error {
        // The statement, which may be long, says nothing to whoever reads this.
        rusqlite::Error::SqlInputError { msg, .. } => format!("is damaged ({msg})"),
        error => format!("is damaged ({error})"),
    }
}

/// How many files that were set aside are kept.
const KEPT: usize = 2;

/// The file with this number that is set aside.
fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 1 { beside(path, ".set-aside") } else { beside(path, &format!(".set-aside-{number}")) }
}

/// The numbers of the files that were set aside, in the order in which they were.
fn set_aside_before(path: &Path) -> Vec<u32> {
    let Some(folder) = path.parent() else { return Vec::new() };
    let name = beside(path, ".set-aside");
    let number = |entry: std::fs::DirEntry| {
        let found = entry.file_name();
        let rest = found.to_str()?.strip_prefix(name.file_name()?.to_str()?)?;
        let number = if rest.is_empty() { 1 } else { rest.strip_prefix('-')?.parse().ok()? };
        // Another spelling of a number is another file.
        (numbered(path, number).file_name()? == found && entry.file_type().ok()?.is_file()).then_some(number)
    };
    let mut numbers: Vec<u32> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Removes the oldest files that were set aside, with what SQLite keeps beside them, and counts them.
pub(super) fn forget_oldest(path: &Path) -> usize {
    let numbers = set_aside_before(path);
    let oldest = &numbers[..numbers.len().saturating_sub(KEPT)];
    let remove = |number: &&u32| {
        let file = numbered(path, **number);
        for suffix in BESIDE {
            // Nearly always there is none.
            let _ = std::fs::remove_file(beside(&file, suffix));
        }
        std::fs::remove_file(file).is_ok()
    };
    oldest.iter().filter(remove).count()
}

/// Moves the file, and what SQLite keeps beside it, to a free name with a greater number than any other has.
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
