//! Maps request paths to outputs, rejecting paths that could leave the output folder.

use std::path::{Component, Path};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Characters to encode in a path (<https://url.spec.whatwg.org/#path-percent-encode-set>), and also `/` and `\`.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// Folders that never contain outputs.
const RESERVED: [&str; 2] = [".git", ".shelflife"];

/// A path within the site, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    names: Vec<String>,
    /// Whether the path ends with a slash.
    is_folder: bool,
}

impl Address {
    /// Parses the path of a request to a site below `base_path`; `None` if the site can't have this path.
    pub(super) fn parse(path: &str, base_path: &str) -> Option<Self> {
        let below = path.strip_prefix(base_path)?.strip_prefix('/')?;
        let (below, is_folder) = match below.strip_suffix('/') {
            Some(below) => (below, true),
            None => (below, below.is_empty()),
        };
        let names: Option<Vec<String>> = match below {
            "" => Some(Vec::new()),
            below => below.split('/').map(name).collect(),
        };
        Some(Self { names: names?, is_folder })
    }

    /// The outputs that the path may refer to, in order of preference.
    pub(super) fn outputs(&self) -> Vec<String> {
        let path = self.names.join("/");
        let index = if path.is_empty() { "index.html".to_owned() } else { format!("{path}/index.html") };
        if self.is_folder {
            return vec![index];
        }
        // Like web servers that serve pages without their extension.
        let page = format!("{path}.html");
        vec![path, index, page]
    }

    /// Whether the path looks like that of a page.
    pub(super) fn is_page(&self) -> bool {
        let extension = self.names.last().and_then(|name| Path::new(name).extension());
        self.is_folder || extension.is_none_or(|extension| extension == "html")
    }

    /// The path with a slash at the end, below `base_path`.
    pub(super) fn as_folder(&self, base_path: &str) -> String {
        let names = self.names.iter().map(|name| format!("{}/", utf8_percent_encode(name, SEGMENT)));
        format!("{base_path}/{}", names.collect::<String>())
    }
}

/// One segment of a path, decoded; `None` if it is not a plain file name that may be published.
fn name(encoded: &str) -> Option<String> {
    let name = percent_decode_str(encoded).decode_utf8().ok()?.into_owned();
    let is_reserved = RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
    let is_plain = {
        let mut parts = Path::new(&name).components();
        matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name.as_str())
    };
    let is_odd = name.contains(|c: char| c.is_control() || c == '\\');
    (is_plain && !is_reserved && !is_odd).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(path: &str, base_path: &str) -> Option<Vec<String>> {
        Address::parse(path, base_path).map(|address| address.outputs())
    }

    #[test]
    fn paths_become_outputs() {
        for (path, base_path, expected) in [
            ("/", "", vec!["index.html"]),
            ("/a/", "", vec!["a/index.html"]),
            ("/a", "", vec!["a", "a/index.html", "a.html"]),
            ("/a/b.html", "", vec!["a/b.html", "a/b.html/index.html", "a/b.html.html"]),
            ("/sub/", "/sub", vec!["index.html"]),
            ("/sub/c%2B%2B/", "/sub", vec!["c++/index.html"]),
            ("/%C3%A4", "", vec!["ä", "ä/index.html", "ä.html"]),
            ("/.well-known/x", "", vec![".well-known/x", ".well-known/x/index.html", ".well-known/x.html"]),
            ("/.nojekyll", "", vec![".nojekyll", ".nojekyll/index.html", ".nojekyll.html"]),
        ] {
            let expected = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(outputs(path, base_path), Some(expected), "{path}");
        }
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for path in [
            "",
            "a",
            "/../a",
            "/a/../../b",
            "/%2e%2e/a",
            "/..%2fa",
            "/%2E%2E%2Fa",
            "/a%2fb",
            "/./a",
            "/a//b",
            "//a",
            "/a%00",
            "/%5c..%5ca",
            "/a\\b",
            "/.git/config",
            "/.shelflife/x",
            "/a/.GIT/x",
            "/%2egit/config",
            "/%ff",
            "/%0a",
        ] {
            assert_eq!(outputs(path, ""), None, "{path}");
        }
        for path in ["/", "/a", "/subway/", "/sub"] {
            assert_eq!(outputs(path, "/sub"), None, "{path}");
        }
    }

    #[test]
    fn a_folder_is_addressed_with_a_slash() {
        let address = Address::parse("/sub/c%2B%2B/%3F%23", "/sub").unwrap();
        assert_eq!(address.as_folder("/sub"), "/sub/c++/%3F%23/");
        assert!(address.is_page() && !Address::parse("/a.css", "").unwrap().is_page());
    }
}
