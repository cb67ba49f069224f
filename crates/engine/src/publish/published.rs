//! What publishing did, and what of it the maintainer is told.

use crate::report::{self, What};

/// What publishing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Paths that were written.
    pub written: Vec<String>,
    /// How many files were right already.
    pub unchanged: usize,
    /// Paths that were removed, since the site no longer has them.
    pub removed: Vec<String>,
    /// Paths that an earlier build wrote and the site no longer has, but that somebody changed since.
    pub kept: Vec<String>,
    /// Paths that an earlier build removed, where there are files again that it did not write.
    pub returned: Vec<String>,
    /// Paths that were written over a file that no earlier build is known to have written.
    pub taken_over: Vec<String>,
    /// Paths of files that are not the site's, in a folder into which no earlier build is known to have published.
    pub foreign: Vec<String>,
    /// What is published otherwise than the last build is known to have published it, whatever was in the folder.
    pub changed: Vec<(String, What)>,
    /// Whether an earlier build is known to have published into the folder.
    pub is_known: bool,
}

/// How many files a message names.
const NAMED: usize = 5;

impl Published {
    /// What the maintainer should know about the output folder.
    pub fn warnings(&self) -> Vec<String> {
        let kept = |path: &String| {
            format!("kept {path}: it is no longer part of the site, but was modified since it was written")
        };
        let mut warnings: Vec<String> = self.kept.iter().map(kept).collect();
        match (self.taken_over.len(), self.is_known) {
            (0, _) => {}
            (count, false) => warnings.push(format!(
                "the cache knew nothing of the output folder, in which {} got the content of this site's outputs",
                report::count(count, "file"),
            )),
            (_, true) => warnings.push(format!(
                "no earlier build wrote these files, which outputs have replaced: {}",
                named(&self.taken_over)
            )),
        }
        if !self.foreign.is_empty() {
            warnings.push(format!(
                "the cache knew nothing of the output folder, in which these files are none of this site's outputs, and \
                 stay: {}",
                named(&self.foreign)
            ));
        }
        if !self.returned.is_empty() {
            warnings.push(format!(
                "these files are there again after a build had removed them, and they stay, since they are not what \
                 builds wrote there last: {}",
                named(&self.returned)
            ));
        }
        warnings
    }
}

/// Some paths, as a message names them.
fn named(paths: &[String]) -> String {
    let names = paths[..paths.len().min(NAMED)].join(", ");
    if paths.len() > NAMED { format!("{names} and {} more", paths.len() - NAMED) } else { names }
}
