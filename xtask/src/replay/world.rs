//! What there is to know at one moment: repositories with their files, and how much each plugin is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::git::{Oid, Tree, tree};

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

/// Who may see a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    #[default]
    Public,
    /// Its members: for the rest of the world it doesn't exist.
    Private,
    /// Nobody: taken down on a legal ground. REST says 451.
    Blocked,
}

/// A repository as GitHub shows it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The account it belongs to, in its own letter case.
    pub owner: String,
    /// Its name, in its own letter case.
    pub name: String,
    /// Who may see it.
    pub access: Access,
    /// Stargazers.
    pub stars: u64,
    /// Watchers in today's sense (REST: `subscribers_count`).
    pub watchers: u64,
    /// Open issues, without pull requests.
    pub open_issues: u64,
    /// Closed issues, without pull requests.
    pub closed_issues: u64,
    /// Releases, newest first. Drafts are in the list and nobody sees them.
    pub releases: Vec<Release>,
    /// The branch that `HEAD` points to. `None` for an empty repository.
    pub default_branch: Option<String>,
    /// When the default branch's newest commit was made.
    pub committed_at: Timestamp,
    /// When anything was last pushed, to whichever branch.
    pub pushed_at: Timestamp,
    /// Read-only since its owner archived it.
    pub archived: bool,
    /// Disabled by GitHub.
    pub disabled: bool,
    /// Locked, as while it moves.
    pub locked: bool,
    /// A fork of another.
    pub fork: bool,
    /// The line below the name.
    pub description: Option<String>,
    /// The link beside the description.
    pub homepage: Option<String>,
    /// The SPDX id of its licence, where GitHub recognised one.
    pub license: Option<String>,
    files: BTreeMap<String, Blob>,
}

impl Repository {
    /// An empty public repository `owner/name` with the default branch `master`, last pushed in 1970.
    pub fn new(name_with_owner: &str) -> Self {
        let (owner, name) = split(name_with_owner);
        Self {
            owner,
            name,
            access: Access::Public,
            stars: 0,
            watchers: 0,
            open_issues: 0,
            closed_issues: 0,
            releases: Vec::new(),
            default_branch: Some("master".into()),
            committed_at: Timestamp::UNIX_EPOCH,
            pushed_at: Timestamp::UNIX_EPOCH,
            archived: false,
            disabled: false,
            locked: false,
            fork: false,
            description: None,
            homepage: None,
            license: None,
            files: BTreeMap::new(),
        }
    }

    /// The same with stars.
    #[must_use]
    pub fn with_stars(mut self, stars: u64) -> Self {
        self.stars = stars;
        self
    }

    /// The same with issues.
    #[must_use]
    pub fn with_issues(mut self, open: u64, closed: u64) -> Self {
        (self.open_issues, self.closed_issues) = (open, closed);
        self
    }

    /// The same, pushed to its default branch at this time.
    #[must_use]
    pub fn with_push(mut self, at: Timestamp) -> Self {
        (self.committed_at, self.pushed_at) = (at, at);
        self
    }

    /// The same with a release that is newer than those it has.
    #[must_use]
    pub fn with_release(mut self, release: Release) -> Self {
        self.releases.insert(0, release);
        self
    }

    /// The same with a file.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> Self {
        self.set_file(path, content);
        self
    }

    /// Writes a file on the default branch. Moves no time stamp.
    pub fn set_file(&mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> &mut Self {
        self.files.insert(path.into(), Blob::new(content.as_ref()));
        self
    }

    /// Removes a file from the default branch.
    pub fn remove_file(&mut self, path: &str) -> Option<Blob> {
        self.files.remove(path)
    }

    /// The files of the default branch, by path.
    pub fn files(&self) -> &BTreeMap<String, Blob> {
        &self.files
    }

    /// `owner/name`, in its own letter case.
    pub fn name_with_owner(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Its page.
    pub fn url(&self) -> String {
        format!("https://github.com/{}/{}", self.owner, self.name)
    }

    /// The newest release that is neither a draft nor a prerelease.
    pub fn latest_release(&self) -> Option<&Release> {
        self.releases.iter().find(|release| !release.draft && !release.prerelease)
    }

    /// The releases that visitors see.
    pub(crate) fn visible_releases(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter().filter(|release| !release.draft)
    }

    /// The tree of a folder (`""` for the root) on the default branch.
    pub(crate) fn tree(&self, folder: &str) -> Option<Tree> {
        tree(&self.files, folder)
    }

    /// The id of the default branch's newest commit: a commit of its files, at its time, by its owner.
    pub(crate) fn head(&self) -> Option<Oid> {
        self.default_branch.as_ref()?;
        let root = self.tree("")?.oid;
        let who = format!(
            "{0} <{0}@users.noreply.github.com> {1} +0000",
            self.owner,
            self.committed_at.as_second()
        );
        Some(Oid::of_commit(&format!("tree {root}\nauthor {who}\ncommitter {who}\n\n{}\n", self.headline())))
    }

    /// The newest commit's message.
    pub(crate) fn headline(&self) -> String {
        self.releases
            .first()
            .map_or_else(|| "Initial commit".into(), |release| format!("Release {}", release.tag))
    }
}

/// A release of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// What people called it. GitHub has both `null` and `""` for one without a name.
    pub name: Option<String>,
    /// The tag that it is of.
    pub tag: String,
    /// When it became visible.
    pub published_at: Timestamp,
    /// The date of the commit that it is of.
    pub created_at: Timestamp,
    /// Marked as not ready for production.
    pub prerelease: bool,
    /// Not published yet.
    pub draft: bool,
}

impl Release {
    /// A full release, created and published at the same moment.
    pub fn new(tag: impl Into<String>, name: impl Into<String>, at: Timestamp) -> Self {
        Self {
            name: Some(name.into()),
            tag: tag.into(),
            published_at: at,
            created_at: at,
            prerelease: false,
            draft: false,
        }
    }

    /// Its page.
    pub(crate) fn url(&self, repository: &Repository) -> String {
        format!("{}/releases/tag/{}", repository.url(), self.tag)
    }
}

/// A file's content, cheap to clone.
#[derive(Debug, Clone)]
pub struct Blob {
    oid: Oid,
    bytes: Arc<[u8]>,
}

impl Blob {
    /// A blob of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self { oid: Oid::of_blob(bytes), bytes: bytes.into() }
    }

    /// Its git id.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn key(name_with_owner: &str) -> String {
    name_with_owner.to_ascii_lowercase()
}

fn split(name_with_owner: &str) -> (String, String) {
    let (owner, name) = name_with_owner.split_once('/').unwrap_or(("", name_with_owner));
    (owner.into(), name.into())
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

    #[test]
    fn the_latest_release_is_a_full_one() {
        let at = Timestamp::UNIX_EPOCH;
        let repository = Repository::new("a/b")
            .with_release(Release::new("1.0", "", at))
            .with_release(Release { prerelease: true, ..Release::new("1.1rc1", "", at) })
            .with_release(Release { draft: true, ..Release::new("2.0", "", at) });
        assert_eq!(repository.latest_release().map(|it| it.tag.as_str()), Some("1.0"));
        assert_eq!(repository.visible_releases().count(), 2);
    }
}
