//! A look at the sizes and times of all files that a build reads: it finds what no event has told of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::places::Places;
use crate::file_stat::Identity;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Survey {
    files: BTreeMap<PathBuf, Stamp>,
    /// The folders that are watched. The system watches a folder, and not what has its name later.
    folders: BTreeMap<PathBuf, Option<Identity>>,
    /// How long it took to look.
    pub(super) took: Duration,
}

/// What differs if somebody has written a file. The time at which its inode changed is none of it: that changes also
/// when somebody else makes a hard link, of which no event tells.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self { size: metadata.len(), modified: metadata.modified().ok(), inode }
    }
}

impl Survey {
    /// Looks at what is there now.
    pub(super) fn of(places: &Places) -> Self {
        let began = Instant::now();
        let mut files = BTreeMap::new();
        places.visit(&mut |path, metadata| {
            files.insert(path, Stamp::of(&metadata));
        });
        let folders = places.watched().into_keys();
        let folders = folders.map(|folder| (folder.clone(), Identity::of(&folder))).collect();
        Self { files, folders, took: began.elapsed() }
    }

    /// The files that are not as they were `before`.
    pub(super) fn changed_since(&self, before: &Self) -> BTreeSet<PathBuf> {
        let is_same = |path: &PathBuf| self.files.get(path) == before.files.get(path);
        let all = self.files.keys().chain(before.files.keys());
        all.filter(|path| !is_same(path)).cloned().collect()
    }

    /// Whether another folder is where one was `before`, so that the system watches one that is not the site's any more.
    pub(super) fn has_other_folders(&self, before: &Self) -> bool {
        self.folders != before.folders
    }
}
