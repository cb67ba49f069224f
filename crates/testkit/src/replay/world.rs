//! The world: the repositories, the usage of each plugin and the thumbnails at one moment.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::repository::{Repository, split};

/// The outside world at one moment.
///
/// Repositories are found as on GitHub: letter case doesn't matter, and an old name redirects to the new one.
#[derive(Debug, Clone, Default)]
pub struct World {
    tick: Option<u32>,
    time: Timestamp,
    repositories: BTreeMap<String, Repository>,
    renamed: BTreeMap<String, String>,
    week: BTreeMap<String, Usage>,
    month: BTreeMap<String, Usage>,
    bare_exports: bool,
    thumbnails: BTreeMap<String, Vec<u8>>,
}

impl World {
    /// Returns an empty world at this time, which the exports send as Last-Modified.
    pub fn new(time: Timestamp) -> Self {
        Self { time, ..Self::default() }
    }

    /// Returns the world's time.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Sets the world's time.
    pub fn set_time(&mut self, time: Timestamp) -> &mut Self {
        self.time = time;
        self
    }

    /// Returns the tick of a trace that this world belongs to, if any.
    pub fn tick(&self) -> Option<u32> {
        self.tick
    }

    /// Sets the tick of a trace that this world belongs to.
    pub fn set_tick(&mut self, tick: u32) -> &mut Self {
        self.tick = Some(tick);
        self
    }

    /// Adds a repository, or replaces the one of the same name.
    pub fn add(&mut self, repository: Repository) -> &mut Self {
        let key = key(&repository.name_with_owner());
        self.renamed.remove(&key);
        self.repositories.insert(key, repository);
        self
    }

    /// Removes the repository of this name, which GitHub then reports as not found.
    pub fn remove(&mut self, name_with_owner: &str) -> Option<Repository> {
        self.repositories.remove(&key(name_with_owner))
    }

    /// Renames a repository; the old name redirects to the new one. Returns whether the repository existed.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(mut repository) = self.remove(from) else { return false };
        (repository.owner, repository.name) = split(to);
        let to = key(to);
        self.renamed
            .values_mut()
            .filter(|target| **target == key(from))
            .for_each(|target| *target = to.clone());
        if key(from) != to {
            self.renamed.insert(key(from), to);
        }
        self.add(repository);
        true
    }

    /// Returns the repository that GitHub finds by this name, including old names.
    pub fn repository(&self, name_with_owner: &str) -> Option<&Repository> {
        self.exact(name_with_owner)
            .or_else(|| self.renamed.get(&key(name_with_owner)).and_then(|to| self.repositories.get(to)))
    }

    /// Returns the repository that has this name now.
    pub fn exact(&self, name_with_owner: &str) -> Option<&Repository> {
        self.repositories.get(&key(name_with_owner))
    }

    /// Returns the repository that has this name now, to be changed. Use [`World::rename`] to rename it.
    pub fn repository_mut(&mut self, name_with_owner: &str) -> Option<&mut Repository> {
        self.repositories.get_mut(&key(name_with_owner))
    }

    /// Returns all repositories, sorted by lower-case name.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// Sets a plugin's usage in an export. The id is written as given; real exports use lower case.
    pub fn set_usage(&mut self, window: Window, id: impl Into<String>, usage: Usage) -> &mut Self {
        self.table(window).insert(id.into(), usage);
        self
    }

    /// Removes a plugin from an export.
    pub fn remove_usage(&mut self, window: Window, id: &str) -> Option<Usage> {
        self.table(window).remove(id)
    }

    /// Returns the usage in an export, by plugin.
    pub fn usage(&self, window: Window) -> &BTreeMap<String, Usage> {
        match window {
            Window::Week => &self.week,
            Window::Month => &self.month,
        }
    }

    fn table(&mut self, window: Window) -> &mut BTreeMap<String, Usage> {
        match window {
            Window::Week => &mut self.week,
            Window::Month => &mut self.month,
        }
    }

    /// Returns a video's thumbnail.
    pub fn thumbnail(&self, video: &str) -> Option<&[u8]> {
        self.thumbnails.get(video).map(Vec::as_slice)
    }

    /// Sets or removes a video's thumbnail.
    pub fn set_thumbnail(&mut self, video: &str, picture: Option<Vec<u8>>) -> &mut Self {
        match picture {
            Some(picture) => drop(self.thumbnails.insert(video.to_owned(), picture)),
            None => drop(self.thumbnails.remove(video)),
        }
        self
    }

    /// Returns whether exports have the older format, without a `plugins` object around everything.
    pub fn bare_exports(&self) -> bool {
        self.bare_exports
    }

    /// Sets the exports' format: see [`World::bare_exports`].
    pub fn set_bare_exports(&mut self, bare: bool) -> &mut Self {
        self.bare_exports = bare;
        self
    }
}

/// The period of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

impl Window {
    /// Returns the file name of the export.
    pub fn file(self) -> &'static str {
        match self {
            Self::Week => "plugin_stats_7d.json",
            Self::Month => "plugin_stats_30d.json",
        }
    }
}

/// The usage of a plugin in an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// OctoPrint instances that had the plugin installed.
    pub instances: u64,
    /// Number of installations.
    pub install_events: u64,
    /// Instances by version of the plugin.
    pub versions: BTreeMap<String, u64>,
}

fn key(name_with_owner: &str) -> String {
    name_with_owner.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_ignore_case_and_old_names_lead_to_the_new_one() {
        let mut world = World::default();
        world.add(Repository::new("Owner/One"));
        assert!(world.rename("owner/ONE", "Other/Two"));
        assert!(world.rename("other/two", "Third/Three"));
        assert!(!world.rename("nobody/nothing", "a/b"));
        for name in ["OWNER/one", "Other/Two", "third/three"] {
            let found = world.repository(name).map(Repository::name_with_owner);
            assert_eq!(found.as_deref(), Some("Third/Three"), "{name}");
        }
        assert!(world.exact("owner/one").is_none());
        // A new repository with an old name ends the redirect, as on GitHub.
        world.add(Repository::new("owner/one").with_stars(7));
        assert_eq!(world.repository("Owner/One").map(|it| it.stars), Some(7));
        // Changing only the letter case must not create a redirect to itself.
        assert!(world.rename("owner/one", "Owner/ONE"));
        assert_eq!(world.repository("owner/one").map(|it| it.name.as_str()), Some("ONE"));
    }
}
