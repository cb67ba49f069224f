//! Issues on GitHub: the name of one, and what GitHub says about it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::repository::{RepositoryName, path_on};

/// The name of an issue on GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IssueName {
    repository: RepositoryName,
    number: u32,
}

impl IssueName {
    /// Creates a name. `None` for a number that no issue has: they start at 1, and GraphQL's `Int` has 32 bits
    /// (GraphQL, section 3.5.1).
    pub fn new(repository: RepositoryName, number: u32) -> Option<Self> {
        (1..=i32::MAX.unsigned_abs()).contains(&number).then_some(Self { repository, number })
    }

    /// Parses the URL of an issue on `server`, such as `https://github.com/owner/name/issues/12#issuecomment-3`. `None`
    /// if it is not the URL of an issue there.
    pub fn from_url(address: &str, server: &Url) -> Option<Self> {
        let path = path_on(address, server)?;
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let repository = RepositoryName::new(segments.next()?, segments.next()?)?;
        let (kind, number) = (segments.next()?, segments.next()?);
        let is_issue = kind == "issues" && segments.next().is_none();
        // Rust would accept a sign, GitHub doesn't.
        let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
        Self::new(repository, number).filter(|_| is_issue)
    }

    /// The repository that the issue belongs to.
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// The issue's number within its repository.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl fmt::Display for IssueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repository, self.number)
    }
}

/// What GitHub says about an issue. The cache stores its JSON, so new fields go at the end and need a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// When the issue was opened.
    pub created: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str, server: &str) -> Option<String> {
        IssueName::from_url(address, &Url::parse(server).unwrap()).map(|name| name.to_string())
    }

    #[test]
    fn reads_the_ways_to_write_an_issue() {
        for address in [
            "https://github.com/OctoPrint/plugins.octoprint.org/issues/411",
            "http://www.github.com/octoprint/plugins.octoprint.org/issues/0411/",
            " https://GitHub.com/OctoPrint/plugins.octoprint.org/issues/411?x=1#issuecomment-1 ",
        ] {
            let name = read(address, "https://github.com");
            assert_eq!(name.as_deref(), Some("octoprint/plugins.octoprint.org#411"), "{address}");
        }
        let enterprise = read("https://ghe.example:8443/a/b/issues/1", "https://ghe.example:8443");
        assert_eq!(enterprise.as_deref(), Some("a/b#1"));
    }

    #[test]
    fn leaves_everything_else_alone() {
        for address in [
            "https://gitlab.com/a/b/issues/1",
            "https://github.com.example.org/a/b/issues/1",
            "https://github.com/a/b",
            "https://github.com/a/b/issues",
            "https://github.com/a/b/issues/new",
            "https://github.com/a/b/issues/1/more",
            "https://github.com/a/b/issues/0",
            "https://github.com/a/b/issues/+1",
            "https://github.com/a/b/issues/2147483648",
            "https://github.com/a/b/issues/99999999999999999999",
            "https://github.com/a/b/pull/1",
            "https://github.com/a\"/b/issues/1",
            "true",
            "",
        ] {
            assert_eq!(read(address, "https://github.com"), None, "{address}");
        }
    }
}
