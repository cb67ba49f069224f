//! The result of publishing, and its warnings.

use crate::file_stat::Identity;
use crate::report::{self, What};

/// The result of publishing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Paths that were written.
    pub written: Vec<String>,
    /// The number of files that were up to date.
    pub unchanged: usize,
    /// Paths that were removed because they are no longer part of the site.
    pub removed: Vec<String>,
    /// Paths that an earlier build wrote and that are no longer part of the site, but were modified since.
    pub kept: Vec<String>,
    /// Paths that an earlier build removed and that now have files with other content.
    pub returned: Vec<String>,
    /// Paths where a file was overwritten that no earlier build is known to have written.
    pub taken_over: Vec<String>,
    /// Paths of files that are not part of the site, in a folder that no earlier build is known to have published into.
    pub foreign: Vec<String>,
    /// The differences to what the last build published, whatever was in the folder.
    pub changed: Vec<(String, What)>,
    /// Whether an earlier build is known to have published into the folder.
    pub is_known: bool,
    /// The identity of the scanned folder before anything was written into it. A folder that is removed meanwhile comes
    /// back as another one with only a part of the outputs. `None` if the folder was not scanned.
    pub identity: Option<Identity>,
}

/// How many files a message names.
const NAMED: usize = 5;

impl Published {
    /// The warnings about the output folder.
    pub fn warnings(&self) -> Vec<String> {
        let kept = |path: &String| {
            format!("kept {path}: it is no longer part of the site, but was modified since it was written")
        };
        let mut warnings: Vec<String> = self.kept.iter().map(kept).collect();
        match (self.taken_over.len(), self.is_known) {
            (0, _) => {}
            (count, false) => warnings.push(format!(
                "overwrote {} in the output folder, which was not empty and is new to this cache",
                report::count(count, "file"),
            )),
            (_, true) => warnings
                .push(format!("overwrote files that no earlier build wrote: {}", named(&self.taken_over))),
        }
        if !self.foreign.is_empty() {
            warnings.push(format!(
                "kept files that are not part of the site in the output folder, which is new to this cache: {}",
                named(&self.foreign)
            ));
        }
        if !self.returned.is_empty() {
            warnings.push(format!(
                "kept files that an earlier build removed and that reappeared with different content: {}",
                named(&self.returned)
            ));
        }
        warnings
    }
}

/// The first paths and the number of the remaining ones.
fn named(paths: &[String]) -> String {
    let names = paths[..paths.len().min(NAMED)].join(", ");
    if paths.len() > NAMED { format!("{names} and {} more", paths.len() - NAMED) } else { names }
}
