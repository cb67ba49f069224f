//! A repository as GitHub shows it: its numbers, its releases, and the files of its default branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::git::{Oid, Tree, tree};

/// The visibility of a repository.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Everyone may see it.
    #[default]
    Public,
    /// Only its members may see it; for everyone else it doesn't exist.
    Private,
    /// Taken down for legal reasons: it is hidden from everyone, and REST answers 451.
    Blocked,
}

/// A repository as GitHub shows it.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The owning account, in its own letter case.
    pub owner: String,
    /// The name, in its own letter case.
    pub name: String,
    /// The visibility.
    pub access: Access,
    /// Stargazers.
    pub stars: u64,
    /// Watchers in today's sense (REST: `subscribers_count`).
    pub watchers: u64,
    /// Open issues, without pull requests.
    pub open_issues: u64,
    /// Closed issues, without pull requests.
    pub closed_issues: u64,
    /// The opening times of the issues that can be asked for by number.
    pub issues: BTreeMap<u64, Timestamp>,
    /// Releases, newest first. The list includes drafts, which visitors can't see.
    pub releases: Vec<Release>,
    /// The branch that `HEAD` points to; `None` for an empty repository.
    pub default_branch: Option<String>,
    /// The time of the default branch's newest commit.
    pub committed_at: Timestamp,
    /// The time of the last push to any branch.
    pub pushed_at: Timestamp,
    /// Whether the owner archived it.
    pub archived: bool,
    /// Whether GitHub disabled it.
    pub disabled: bool,
    /// Whether it is locked, as during a move.
    pub locked: bool,
    /// Whether it is a fork.
    pub fork: bool,
    /// The line below the name.
    pub description: Option<String>,
    /// The link beside the description.
    pub homepage: Option<String>,
    /// The SPDX id of the license, if GitHub recognized one.
    pub license: Option<String>,
    files: BTreeMap<String, Blob>,
}

/// 2020-01-01T00:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::constant(1_577_836_800, 0);

impl Repository {
    /// Returns an empty public repository `owner/name` with the default branch `master`, last pushed when 2020 began.
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
            issues: BTreeMap::new(),
            releases: Vec::new(),
            default_branch: Some("master".into()),
            committed_at: NEW_YEAR,
            pushed_at: NEW_YEAR,
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

    /// Sets the visibility.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets the number of stars.
    #[must_use]
    pub fn with_stars(mut self, stars: u64) -> Self {
        self.stars = stars;
        self
    }

    /// Sets the numbers of issues.
    #[must_use]
    pub fn with_issues(mut self, open: u64, closed: u64) -> Self {
        (self.open_issues, self.closed_issues) = (open, closed);
        self
    }

    /// Adds an issue opened at this time, without changing the numbers of issues.
    #[must_use]
    pub fn with_issue(mut self, number: u64, opened: Timestamp) -> Self {
        self.issues.insert(number, opened);
        self
    }

    /// Sets the time of the last push to the default branch.
    #[must_use]
    pub fn with_push(mut self, at: Timestamp) -> Self {
        (self.committed_at, self.pushed_at) = (at, at);
        self
    }

    /// Adds a release that is newer than all others.
    #[must_use]
    pub fn with_release(mut self, release: Release) -> Self {
        self.releases.insert(0, release);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> Self {
        self.set_file(path, content);
        self
    }

    /// Writes a file on the default branch, without changing timestamps.
    pub fn set_file(&mut self, path: impl Into<String>, content: impl AsRef<[u8]>) -> &mut Self {
        self.files.insert(path.into(), Blob::new(content.as_ref()));
        self
    }

    /// Removes a file from the default branch.
    pub fn remove_file(&mut self, path: &str) -> Option<Blob> {
        self.files.remove(path)
    }

    /// Returns the files of the default branch, by path.
    pub fn files(&self) -> &BTreeMap<String, Blob> {
        &self.files
    }

    /// Returns `owner/name`, in its own letter case.
    pub fn name_with_owner(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Returns the address of its page.
    pub fn url(&self) -> String {
        format!("https://github.com/{}/{}", self.owner, self.name)
    }

    /// Returns the newest release that is neither a draft nor a prerelease.
    pub fn latest_release(&self) -> Option<&Release> {
        self.releases.iter().find(|release| !release.draft && !release.prerelease)
    }

    /// Returns the releases that visitors see.
    pub(crate) fn visible_releases(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter().filter(|release| !release.draft)
    }

    /// Returns the tree of a folder (`""` for the root) on the default branch.
    pub(crate) fn tree(&self, folder: &str) -> Option<Tree> {
        tree(&self.files, folder)
    }

    /// Returns the id of the default branch's newest commit, computed from its files, time and owner.
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

    /// Returns the newest commit's message.
    pub(crate) fn headline(&self) -> String {
        self.releases
            .first()
            .map_or_else(|| "Initial commit".into(), |release| format!("Release {}", release.tag))
    }
}

/// A release of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The title. GitHub has both `null` and `""` for a release without one.
    pub name: Option<String>,
    /// The tag.
    pub tag: String,
    /// When the release became visible.
    pub published_at: Timestamp,
    /// The date of the tagged commit.
    pub created_at: Timestamp,
    /// Whether the release is marked as not ready for production.
    pub prerelease: bool,
    /// Whether the release is not published yet.
    pub draft: bool,
}

impl Release {
    /// Returns a full release, created and published at the same moment.
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

    /// Returns the address of its page.
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
    /// Returns a blob of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self { oid: Oid::of_blob(bytes), bytes: bytes.into() }
    }

    /// Returns the git id.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// Returns the content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Splits `owner/name`.
pub(crate) fn split(name_with_owner: &str) -> (String, String) {
    let (owner, name) = name_with_owner.split_once('/').unwrap_or(("", name_with_owner));
    (owner.into(), name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

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
