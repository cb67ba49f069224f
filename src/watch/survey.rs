//! Compares the sizes and times of all files that a build reads, to find changes without an event.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::places::Places;
use crate::file_stat::Identity;

/// The state of all files at one time.
#[derive(Debug, Default)]
pub(super) struct Survey {
    files: BTreeMap<PathBuf, Stamp>,
    /// The identities of the watched folders. The system watches a folder, not its path, so a replaced folder goes
    /// unwatched.
    folders: BTreeMap<PathBuf, Option<Identity>>,
    /// How long the survey took.
    pub(super) took: Duration,
}

/// The data that writing to a file changes. The inode's change time is left out, because hard links change it without
/// an event.
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
    /// Reads the current state of all files.
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

    /// The files that differ from the survey `before`.
    pub(super) fn changed_since(&self, before: &Self) -> BTreeSet<PathBuf> {
        let is_same = |path: &PathBuf| self.files.get(path) == before.files.get(path);
        let all = self.files.keys().chain(before.files.keys());
        all.filter(|path| !is_same(path)).cloned().collect()
    }

    /// Whether a folder was replaced since `before`, so that the system watches one that is no longer part of the site.
    pub(super) fn has_other_folders(&self, before: &Self) -> bool {
        self.folders != before.folders
    }
}
