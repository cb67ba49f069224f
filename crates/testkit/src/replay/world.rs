//! What there is to know at one moment: which repositories there are, and how much each plugin is used.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::repository::{Repository, split};

/// The outside world at one moment.
///
/// Repositories are found as on GitHub: letter case doesn't matter, and an old name leads to the new one.
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
    /// An empty world at this time, which is what the exports give as their Last-Modified.
    pub fn new(time: Timestamp) -> Self {
        Self { time, ..Self::default() }
    }

    /// When this is.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Moves the clock.
    pub fn set_time(&mut self, time: Timestamp) -> &mut Self {
        self.time = time;
        self
    }

    /// Which build of a trace this world belongs to, if any.
    pub fn tick(&self) -> Option<u32> {
        self.tick
    }

    /// Says which build of a trace this world belongs to.
    pub fn set_tick(&mut self, tick: u32) -> &mut Self {
        self.tick = Some(tick);
        self
    }

    /// Adds a repository, in place of one of the same name.
    pub fn add(&mut self, repository: Repository) -> &mut Self {
        let key = key(&repository.name_with_owner());
        self.renamed.remove(&key);
        self.repositories.insert(key, repository);
        self
    }

    /// Removes the repository of this name: from now on GitHub doesn't know it.
    pub fn remove(&mut self, name_with_owner: &str) -> Option<Repository> {
        self.repositories.remove(&key(name_with_owner))
    }

    /// Gives a repository another name; the old one leads to it. Returns whether there was such a repository.
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

    /// The repository that GitHub gives for this name, old names included.
    pub fn repository(&self, name_with_owner: &str) -> Option<&Repository> {
        self.exact(name_with_owner)
            .or_else(|| self.renamed.get(&key(name_with_owner)).and_then(|to| self.repositories.get(to)))
    }

    /// The repository that bears this name today.
    pub fn exact(&self, name_with_owner: &str) -> Option<&Repository> {
        self.repositories.get(&key(name_with_owner))
    }

    /// The repository that bears this name today, to be changed. Use [`World::rename`] for its name.
    pub fn repository_mut(&mut self, name_with_owner: &str) -> Option<&mut Repository> {
        self.repositories.get_mut(&key(name_with_owner))
    }

    /// All repositories, by lower-case name.
    pub fn repositories(&self) -> impl Iterator<Item = &Repository> {
        self.repositories.values()
    }

    /// Sets what an export says of a plugin. The id is written as given; real exports have it in lower case.
    pub fn set_usage(&mut self, window: Window, id: impl Into<String>, usage: Usage) -> &mut Self {
        self.table(window).insert(id.into(), usage);
        self
    }

    /// Takes a plugin out of an export.
    pub fn remove_usage(&mut self, window: Window, id: &str) -> Option<Usage> {
        self.table(window).remove(id)
    }

    /// What an export says, by plugin.
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

    /// The picture of a video.
    pub fn thumbnail(&self, video: &str) -> Option<&[u8]> {
        self.thumbnails.get(video).map(Vec::as_slice)
    }

    /// Gives a video another picture, or none.
    pub fn set_thumbnail(&mut self, video: &str, picture: Option<Vec<u8>>) -> &mut Self {
        match picture {
            Some(picture) => drop(self.thumbnails.insert(video.to_owned(), picture)),
            None => drop(self.thumbnails.remove(video)),
        }
        self
    }

    /// Whether exports are in the older format, which has no object `plugins` around everything.
    pub fn bare_exports(&self) -> bool {
        self.bare_exports
    }

    /// Chooses the export's format: see [`World::bare_exports`].
    pub fn set_bare_exports(&mut self, bare: bool) -> &mut Self {
        self.bare_exports = bare;
        self
    }
}

/// The span that an export covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

impl Window {
    /// The file that the export is served as.
    pub fn file(self) -> &'static str {
        match self {
            Self::Week => "plugin_stats_7d.json",
            Self::Month => "plugin_stats_30d.json",
        }
    }
}

/// What an export says of one plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// OctoPrint instances that had it installed.
    pub instances: u64,
    /// Times it was installed.
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
        // A new repository under an old name ends the redirect, as on GitHub.
        world.add(Repository::new("owner/one").with_stars(7));
        assert_eq!(world.repository("Owner/One").map(|it| it.stars), Some(7));
        // A change of letter case alone isn't a redirect to itself.
        assert!(world.rename("owner/one", "Owner/ONE"));
        assert_eq!(world.repository("owner/one").map(|it| it.name.as_str()), Some("ONE"));
    }
}
