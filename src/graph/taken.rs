//! Which paths of the output folder are taken, compared as disks do that ignore letter case.

use std::collections::HashMap;

/// Paths that are taken.
#[derive(Default)]
pub(super) struct Taken {
    /// Each file, by its path in lower case.
    files: HashMap<String, String>,
    /// A file in each folder, by the folder's path in lower case.
    folders: HashMap<String, String>,
}

impl Taken {
    pub(super) fn take(&mut self, path: &str) {
        let key = path.to_lowercase();
        for folder in folders(&key) {
            self.folders.entry(folder.to_owned()).or_insert_with(|| path.to_owned());
        }
        self.files.insert(key, path.to_owned());
    }

    /// The file that leaves no room for one at `path`: the same, one where it needs a folder, or one in a folder of
    /// its name.
    pub(super) fn obstacle(&self, path: &str) -> Option<&str> {
        let key = path.to_lowercase();
        let found = self.files.get(&key).or_else(|| self.folders.get(&key));
        found.or_else(|| folders(&key).find_map(|folder| self.files.get(folder))).map(String::as_str)
    }
}

/// The folders on the way to the file at `path`, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// The first part of a path, as disks compare it that ignore letter case.
pub(super) fn top(path: &str) -> String {
    path.split('/').next().unwrap_or_default().to_lowercase()
}
