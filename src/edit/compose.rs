//! The text of a new entry.

use std::fmt::Write as _;

use jiff::civil::Date;
use url::Url;

use super::{scalar, scalar_in_list};
use crate::url_path::segment;

/// The content of a new entry, which is not validated here.
#[derive(Debug, Clone, Default)]
pub struct NewEntry {
    /// The plugin's identifier.
    pub id: String,
    /// The plugin's name.
    pub title: String,
    /// One sentence about the plugin, also used as the first line of the body.
    pub description: String,
    /// The authors.
    pub authors: Vec<String>,
    /// The license as an SPDX expression.
    pub license: String,
    /// The day of registration.
    pub date: Date,
    /// The URL of the homepage.
    pub homepage: String,
    /// The URL of the source code.
    pub source: String,
    /// The URL that pip installs from.
    pub archive: String,
    /// The tags.
    pub tags: Vec<String>,
    /// The OctoPrint versions; empty for all.
    pub octoprint: Vec<String>,
    /// The operating systems; empty for all.
    pub os: Vec<String>,
    /// The Python versions.
    pub python: String,
}

impl NewEntry {
    /// The content of the entry's file.
    pub fn text(&self) -> String {
        let mut text = String::from("---\nlayout: plugin\n\n");
        let mut pair = |key: &str, value: &str| {
            // Writing to a `String` can't fail.
            let _ = writeln!(text, "{key}: {}", scalar(value));
        };
        pair("id", &self.id);
        pair("title", &self.title);
        pair("description", &self.description);
        if let [author] = self.authors.as_slice() {
            pair("author", author);
        } else {
            list(&mut text, "", "authors", &self.authors);
        }
        let _ = writeln!(text, "license: {}\ndate: {}\n", scalar(&self.license), self.date);
        for (key, value) in
            [("homepage", &self.homepage), ("source", &self.source), ("archive", &self.archive)]
        {
            let _ = writeln!(text, "{key}: {}", scalar(value));
        }
        text.push('\n');
        if !self.tags.is_empty() {
            list(&mut text, "", "tags", &self.tags);
            text.push('\n');
        }
        text.push_str("compatibility:\n");
        list(&mut text, "  ", "octoprint", &self.octoprint);
        list(&mut text, "  ", "os", &self.os);
        let _ = writeln!(text, "  python: {}", scalar(&self.python));
        let _ = writeln!(text, "---\n\n{}", self.description);
        text
    }
}

fn list(text: &mut String, indentation: &str, key: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "{indentation}{key}:");
    for item in items {
        // An item with a colon would be read as a mapping; `scalar_in_list` quotes it.
        let _ = writeln!(text, "{indentation}- {}", scalar_in_list(item));
    }
}

/// The URL of a branch's archive in the repository at `source`; `None` unless the host is a known forge. `github` is
/// the host of an additional GitHub server.
pub fn archive(source: &str, branch: &str, github: Option<&str>) -> Option<String> {
    let url = Url::parse(source).ok()?;
    let host = url.host_str()?;
    let path = url.path().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let name = path.rsplit('/').next()?;
    let parts = path.split('/').filter(|part| !part.is_empty()).count();
    let root = format!("{}/{path}", url.origin().ascii_serialization());
    let file = segment(&branch.replace('/', "-")).into_owned();
    // Slashes in a branch name remain slashes in the URL; everything else is percent-encoded.
    let branch = branch.split('/').map(segment).collect::<Vec<_>>().join("/");
    match host {
        "gitlab.com" if parts >= 2 => {
            // GitLab replaces characters that are not allowed in file names with dashes.
            Some(format!("{root}/-/archive/{branch}/{name}-{file}.zip"))
        }
        "bitbucket.org" if parts == 2 => Some(format!("{root}/get/{branch}.zip")),
        "github.com" | "codeberg.org" if parts == 2 => Some(format!("{root}/archive/{branch}.zip")),
        host if Some(host) == github && parts == 2 => Some(format!("{root}/archive/{branch}.zip")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Limits;
    use crate::entry;

    #[test]
    fn an_archive_follows_from_the_branch() {
        for (source, expected) in [
            ("https://github.com/a/b", Some("https://github.com/a/b/archive/main.zip")),
            ("https://github.com/a/b.git", Some("https://github.com/a/b/archive/main.zip")),
            ("https://git.example/a/b/", Some("https://git.example/a/b/archive/main.zip")),
            ("https://gitlab.com/a/b/c", Some("https://gitlab.com/a/b/c/-/archive/main/c-main.zip")),
            ("https://codeberg.org/a/b", Some("https://codeberg.org/a/b/archive/main.zip")),
            ("https://bitbucket.org/a/b", Some("https://bitbucket.org/a/b/get/main.zip")),
            ("https://github.com/a", None),
            ("https://github.com/a/b/tree/main", None),
            ("https://example.org/a/b", None),
            ("a/b", None),
        ] {
            assert_eq!(archive(source, "main", Some("git.example")).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn a_branch_is_encoded_in_the_archive() {
        for (source, branch, expected) in [
            ("https://github.com/a/b", "a b", "https://github.com/a/b/archive/a%20b.zip"),
            ("https://github.com/a/b", "feature/x#1", "https://github.com/a/b/archive/feature/x%231.zip"),
            ("https://bitbucket.org/a/b", "50%?", "https://bitbucket.org/a/b/get/50%25%3F.zip"),
            (
                "https://gitlab.com/a/b",
                "feature/x#1",
                "https://gitlab.com/a/b/-/archive/feature/x%231/b-feature-x%231.zip",
            ),
        ] {
            assert_eq!(archive(source, branch, None).as_deref(), Some(expected));
        }
    }

    fn text() -> impl Strategy<Value = String> {
        "[^\\p{C}\\p{Z}][^\\p{C}]{0,30}[^\\p{C}\\p{Z}]"
    }

    proptest! {
        #[test]
        fn what_a_new_entry_says_is_read(
            title in text(),
            description in text(),
            authors in prop::collection::vec(text(), 1..3),
            tags in prop::collection::vec(text(), 0..3),
        ) {
            let new = NewEntry {
                id: "mqtt".to_owned(),
                title,
                description,
                authors,
                license: "MIT".to_owned(),
                date: jiff::civil::date(2026, 11, 30),
                homepage: "https://a.example/#x".to_owned(),
                source: "https://github.com/a/b".to_owned(),
                archive: "https://github.com/a/b/archive/main.zip".to_owned(),
                tags,
                octoprint: vec!["1.8".to_owned(), ">=1.4,<2".to_owned()],
                os: vec!["linux".to_owned()],
                python: ">=3.7,<4".to_owned(),
            };
            let parsed = entry::parse("entries/mqtt.md", new.text().as_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(parsed.warnings, vec![]);
            let entry = &parsed.entry;
            prop_assert_eq!(&entry.title, &new.title);
            prop_assert_eq!(&entry.description, &new.description);
            prop_assert_eq!(&entry.authors, &new.authors);
            prop_assert_eq!(&entry.tags, &new.tags);
            prop_assert_eq!(&entry.compatibility.octoprint, &new.octoprint);
            prop_assert_eq!(&entry.compatibility.os, &new.os);
            prop_assert_eq!(entry.compatibility.python.as_ref(), Some(&new.python));
            prop_assert_eq!((&entry.homepage, &entry.source), (&new.homepage, &new.source));
            prop_assert_eq!((entry.date, &entry.archive), (new.date, &new.archive));
        }
    }
}
