//! The few lines of an entry's front matter that the world is built from.
//!
//! This reads lines, not YAML: the server must not share a reader with the program that it tests.

/// The values that an entry declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// `id`, in its own letter case.
    pub(crate) id: String,
    /// `title`.
    pub(crate) title: String,
    /// `source`, as written.
    pub(crate) source: Option<String>,
    /// `abandoned`, as written.
    pub(crate) abandoned: Option<String>,
    /// `license`, as written.
    pub(crate) license: Option<String>,
    /// `compatibility.python`, if declared.
    pub(crate) python: Option<String>,
}

impl Head {
    /// Reads an entry's file; returns `None` if it has no front matter with an id.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = text.lines().map(str::trim_end);
        if lines.next()? != "---" {
            return None;
        }
        let mut head = Self::default();
        let mut section = "";
        for line in lines.take_while(|line| *line != "---") {
            let Some((key, rest)) = line.split_once(':') else { continue };
            if line.trim_start().starts_with('#') {
                continue;
            }
            let value = scalar(rest);
            if key.trim_start() == key {
                section = key;
                match key {
                    "id" => head.id = value.unwrap_or_default(),
                    "title" => head.title = value.unwrap_or_default(),
                    "source" => head.source = value,
                    "abandoned" => head.abandoned = value,
                    "license" => head.license = value,
                    _ => {}
                }
            } else if section == "compatibility" && key.trim() == "python" {
                head.python = value;
            }
        }
        (!head.id.is_empty()).then_some(head)
    }

    /// Returns the repository on GitHub that `source` names, as `owner/name`.
    pub(crate) fn repository(&self) -> Option<String> {
        on_github(self.source.as_deref()?).map(|(name, _)| name)
    }

    /// Returns the issue on GitHub that `abandoned` names, as `owner/name` and a number.
    pub(crate) fn issue(&self) -> Option<(String, u64)> {
        let (name, rest) = on_github(self.abandoned.as_deref()?)?;
        let number = rest.strip_prefix("issues/")?.split(['/', '?', '#']).next()?;
        Some((name, number.parse().ok()?))
    }
}

/// Returns the repository of an address on GitHub as `owner/name`, and the rest of the address.
fn on_github(address: &str) -> Option<(String, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let mut parts = rest.splitn(4, ['/', '?', '#']);
    let host = parts.next()?.to_ascii_lowercase();
    let is_github = matches!(host.strip_prefix("www.").unwrap_or(&host), "github.com");
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.strip_suffix(".git").unwrap_or(name);
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let is_one = is_github && web && !owner.is_empty() && !name.is_empty();
    is_one.then(|| (format!("{owner}/{name}"), parts.next().unwrap_or_default()))
}

/// Reads a value on its key's line, without quotes and comments. Returns `None` if it is empty.
pub(crate) fn scalar(text: &str) -> Option<String> {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some((inside, _)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return Some(inside.to_owned());
        }
    }
    let text = if text.starts_with('#') { "" } else { text.split(" #").next().unwrap_or("").trim_end() };
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_entries_really_look_like() {
        let text = "\u{feff}---\r\nlayout: plugin\r\n\r\nid: Some_Id # why\r\ntitle: 'A: b'\r\n# python: \">=9\"\r\n\
                    source: https://www.GitHub.com/Own/Er.git/tree/main\r\ntags:\r\n- python: no\r\n\
                    compatibility:\r\n  os:\r\n  - linux\r\n\r\n  python: \">=2.7,<4\" \r\n---\r\nid: body\r\n";
        let head = Head::read(text).expect("front matter");
        assert_eq!((head.id.as_str(), head.title.as_str()), ("Some_Id", "A: b"));
        assert_eq!(head.python.as_deref(), Some(">=2.7,<4"));
        assert_eq!(head.repository().as_deref(), Some("Own/Er"));
        assert_eq!(Head::read("no front matter"), None);
        assert_eq!(Head::read("---\nid: x\npython: '>=3'\n---\n").and_then(|head| head.python), None);
    }

    #[test]
    fn a_repository_is_on_github_or_none() {
        for (source, expected) in [
            ("https://github.com/a/b", Some("a/b")),
            ("http://github.com/a/b/", Some("a/b")),
            ("https://github.com/a/b?tab=readme#x", Some("a/b")),
            ("https://gitlab.com/a/b", None),
            ("https://github.com.evil.example/a/b", None),
            ("https://github.com/a", None),
            ("git@github.com:a/b.git", None),
        ] {
            let head = Head { source: Some(source.into()), ..Head::default() };
            assert_eq!(head.repository().as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn an_issue_is_on_github_or_none() {
        for (abandoned, expected) in [
            ("https://github.com/a/b.c/issues/411", Some(("a/b.c", 411))),
            ("https://github.com/a/b/issues/7#comment", Some(("a/b", 7))),
            ("https://github.com/a/b/pull/7", None),
            ("https://github.com/a/b", None),
            ("https://gitlab.com/a/b/issues/7", None),
            ("true", None),
        ] {
            let head = Head { abandoned: Some(abandoned.into()), ..Head::default() };
            let expected = expected.map(|(name, number): (&str, u64)| (name.to_owned(), number));
            assert_eq!(head.issue(), expected, "{abandoned}");
        }
    }
}
