//! Taken paths of the output folder, compared like a case-insensitive file system does.

use std::collections::HashMap;

/// The taken paths.
#[derive(Default)]
pub(super) struct Taken {
    /// Each file, by its path in lower case.
    files: HashMap<String, String>,
    /// One file in each folder, by the folder's path in lower case.
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

    /// Returns the path at which the redirect for `path` can be written, or the file that is in its way. Web servers
    /// distinguish `plugins/gpx` from `plugins/GPX`, but some file systems don't; in that case the redirect becomes the
    /// file beside the folder, which servers such as GitHub Pages also look for.
    pub(super) fn room(&self, path: &str) -> Result<String, &str> {
        let Some(obstacle) = self.obstacle(path) else { return Ok(path.to_owned()) };
        let is_same_but_for_case = obstacle != path && obstacle.to_lowercase() == path.to_lowercase();
        let beside = beside(path).filter(|beside| is_same_but_for_case && self.obstacle(beside).is_none());
        beside.ok_or(obstacle)
    }

    /// Returns the file that is in the way of one at `path`: the same file, a file where it needs a folder, or a file
    /// in a folder of the same name.
    pub(super) fn obstacle(&self, path: &str) -> Option<&str> {
        let key = path.to_lowercase();
        let found = self.files.get(&key).or_else(|| self.folders.get(&key));
        found.or_else(|| folders(&key).find_map(|folder| self.files.get(folder))).map(String::as_str)
    }
}

/// Returns the file beside the folder whose page is at `path`.
pub(super) fn beside(path: &str) -> Option<String> {
    path.strip_suffix("/index.html").map(|folder| format!("{folder}.html"))
}

/// Returns the parent folders of the file at `path`, outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

/// Returns the first component of a path, as case-insensitive file systems compare it.
pub(super) fn top(path: &str) -> String {
    path.split('/').next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_finds_room_where_servers_look_for_it() {
        let mut taken = Taken::default();
        for path in ["plugins/GPX/index.html", "plugins/both/index.html", "plugins/BOTH.html", "old.html"] {
            taken.take(path);
        }
        for (path, expected) in [
            ("plugins/other/index.html", Ok("plugins/other/index.html")),
            ("plugins/gpx/index.html", Ok("plugins/gpx.html")),
            ("plugins/GPX/index.html", Err("plugins/GPX/index.html")),
            ("plugins/Both/index.html", Err("plugins/both/index.html")),
            ("old.html/index.html", Err("old.html")),
            ("OLD.html", Err("old.html")),
            ("plugins/GPX/index.html/index.html", Err("plugins/GPX/index.html")),
        ] {
            assert_eq!(taken.room(path).as_deref(), expected.as_ref().map(|path| *path), "{path}");
        }
    }
}
