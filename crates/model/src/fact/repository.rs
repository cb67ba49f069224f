//! Repositories on GitHub: the name of one, and what GitHub says about it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// `owner/name` of a repository on GitHub, in lower case, because GitHub ignores case there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

impl RepositoryName {
    /// Parses the URL of a page, an archive or a clone on `server` (`https://github.com`, or the URL of an enterprise
    /// server).
    ///
    /// A leading `www.`, a trailing `.git` or slash, and any further path are ignored. `None` if it is not the URL of a
    /// repository on that server.
    pub fn from_url(address: &str, server: &Url) -> Option<Self> {
        let path = path_on(address, server)?;
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let (owner, name) = (segments.next()?, segments.next()?);
        Self::new(owner, name.strip_suffix(".git").unwrap_or(name))
    }

    /// Creates a name; `None` if a part has a character that GitHub doesn't allow there.
    pub fn new(owner: &str, name: &str) -> Option<Self> {
        let allowed = |text: &str, more: &[char]| {
            (1..=100).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
        };
        let ok =
            allowed(owner, &['-', '_']) && allowed(name, &['-', '_', '.']) && name != "." && name != "..";
        ok.then(|| Self { owner: owner.to_ascii_lowercase(), name: name.to_ascii_lowercase() })
    }

    /// The user or organization.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository's name, without its owner.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// The path of a URL on `server`, with or without `www.`; `None` if it is on another server.
pub(super) fn path_on(address: &str, server: &Url) -> Option<String> {
    let url = Url::parse(address.trim()).ok()?;
    let host = url.host_str()?;
    let same_host = host.strip_prefix("www.").unwrap_or(host) == server.host_str()?;
    let is_there = matches!(url.scheme(), "http" | "https") && same_host && url.port() == server.port();
    is_there.then(|| url.path().to_owned())
}

/// A git object id: 40 or 64 hexadecimal digits in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId(String);

impl ObjectId {
    /// Checks the form of an object id.
    pub fn new(text: &str) -> Option<Self> {
        let hexadecimal = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (matches!(text.len(), 40 | 64) && hexadecimal).then(|| Self(text.to_owned()))
    }

    /// The id's digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What GitHub says about a repository. The cache stores its JSON, so new fields go at the end and need a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// `owner/name` as GitHub writes it; differs from the requested name if the repository was renamed.
    pub name: String,
    /// The URL of the repository's page.
    pub url: String,
    /// The number of stars.
    pub stars: u64,
    /// The number of watchers.
    pub watchers: u64,
    /// The number of open issues, without pull requests.
    pub open_issues: u64,
    /// The number of closed issues, without pull requests.
    pub closed_issues: u64,
    /// The number of releases, including pre-releases.
    pub releases: u64,
    /// The latest release that is neither a draft nor a pre-release.
    pub latest_release: Option<Release>,
    /// When the newest commit of the default branch was committed; `None` if the repository is empty or the date is
    /// implausible.
    pub last_push: Option<Timestamp>,
    /// Whether the repository is archived, which makes it read-only.
    pub archived: bool,
}

/// A published release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The title of the release; often empty.
    pub name: String,
    /// The git tag of the release.
    pub tag: String,
    /// When it was published.
    pub date: Timestamp,
    /// The URL of the release's page.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Option<String> {
        let server = Url::parse("https://github.com").unwrap();
        RepositoryName::from_url(address, &server).map(|name| name.to_string())
    }

    #[test]
    fn reads_every_way_to_write_a_repository() {
        for address in [
            "https://github.com/OctoPrint/OctoPrint-MQTT",
            "https://github.com/octoprint/octoprint-mqtt/",
            "http://www.github.com/OctoPrint/OctoPrint-MQTT.git",
            "HTTPS://GitHub.com/OctoPrint/OctoPrint-MQTT/tree/devel/src?x#y",
            " https://github.com//OctoPrint/OctoPrint-MQTT ",
        ] {
            assert_eq!(read(address).as_deref(), Some("octoprint/octoprint-mqtt"), "{address}");
        }
    }

    #[test]
    fn leaves_other_addresses_alone() {
        for address in [
            "https://gitlab.com/a/b",
            "https://github.com/OctoPrint",
            "https://github.com.example.org/a/b",
            "https://github.com/a\"b/c",
            "https://github.com/a/%22%7D",
            "https://github.com/a/..",
            "https://github.com:444/a/b",
            "git@github.com:a/b.git",
            "",
        ] {
            assert_eq!(read(address), None, "{address}");
        }
    }

    #[test]
    fn object_ids_are_hexadecimal() {
        assert!(ObjectId::new(&"a0".repeat(20)).is_some());
        assert!(ObjectId::new(&"A0".repeat(20)).is_none());
        assert!(ObjectId::new("a0").is_none());
    }
}
