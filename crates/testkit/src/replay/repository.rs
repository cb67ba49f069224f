//! A repository as GitHub shows it: what people said of it, its releases, and the files of its default branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::git::{Oid, Tree, tree};

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
    /// When those of its issues were opened that can be asked for one by one, by their numbers.
    pub issues: BTreeMap<u64, Timestamp>,
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

/// 2020-01-01T00:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::constant(1_577_836_800, 0);

impl Repository {
    /// An empty public repository `owner/name` with the default branch `master`, last pushed when 2020 began.
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

    /// The same, seen by these.
    #[must_use]
    pub fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
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

    /// The same with an issue that was opened at this time. Moves no count.
    #[must_use]
    pub fn with_issue(mut self, number: u64, opened: Timestamp) -> Self {
        self.issues.insert(number, opened);
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

/// The owner and the name in `owner/name`.
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
