//! Reads a registry's settings from Jekyll's `_config.yml` (<https://jekyllrb.com/docs/configuration/>).

use std::io::ErrorKind;
use std::path::Path;

use url::Url;

use crate::access::denied;
use crate::config::YamlLimits;
use crate::problem::Problem;
use crate::yaml::{Text, Tree};

/// The file names from which Jekyll reads its configuration, in its order.
const NAMES: [&str; 2] = ["_config.yml", "_config.yaml"];

/// The settings of a `_config.yml` that shelflife has as well. Empty values are `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Jekyll {
    /// The file's name, for messages.
    pub(super) name: &'static str,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) url: Option<String>,
    pub(super) base_path: Option<String>,
    pub(super) timezone: Option<String>,
    /// The folder of collections such as `_plugins`, relative to the site; empty for the site itself.
    pub(super) collections: String,
    /// The folder of data files.
    pub(super) data: Option<String>,
}

impl Jekyll {
    /// Reads the configuration in a folder; `None` if the folder has none.
    pub(super) fn in_folder(folder: &Path) -> miette::Result<Option<Self>> {
        for name in NAMES {
            let path = folder.join(name);
            match std::fs::read(&path) {
                Ok(bytes) => return Ok(Some(Self::read(name, &bytes)?)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(denied("read", &path)(error).into()),
            }
        }
        Ok(None)
    }

    fn read(name: &'static str, bytes: &[u8]) -> Result<Self, Problem> {
        let text = Text::read(name, bytes)?;
        let tree = Tree::read(&text, 0..text.as_str().len(), YamlLimits::default()).map_err(|problems| {
            problems.into_iter().next().unwrap_or_else(|| text.problem(0..0, "can't be read"))
        })?;
        let value = |key: &str| {
            let field = tree.root()?.field(key)?;
            let scalar = field.value.scalar().filter(|_| !field.value.is_null())?;
            // Titles and descriptions often span several lines.
            let value = scalar.text.split_whitespace().collect::<Vec<_>>().join(" ");
            (!value.is_empty()).then_some(value)
        };
        let (url, below) = value("url").and_then(|url| split(&url)).unzip();
        let base_path =
            value("baseurl").map(|path| base_path(&path)).or(below).filter(|path| !path.is_empty());
        let folder = |key: &str| value(key).map(|folder| folder.trim_matches('/').to_owned());
        Ok(Self {
            name,
            title: value("title"),
            description: value("description"),
            url,
            base_path,
            timezone: value("timezone"),
            collections: folder("collections_dir").filter(|folder| folder != ".").unwrap_or_default(),
            data: folder("data_dir"),
        })
    }
}

/// Splits a URL into the values of `url` and `base_path`. The URL of Jekyll's own server is `None`.
fn split(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let is_local = matches!(url.host_str()?, "localhost" | "127.0.0.1" | "0.0.0.0");
    (!is_local && url.username().is_empty() && url.password().is_none())
        .then(|| (url.origin().ascii_serialization(), base_path(url.path())))
}

/// A path in the form that `base_path` expects.
fn base_path(path: &str) -> String {
    let bare = path.trim_matches('/');
    if bare.is_empty() { String::new() } else { format!("/{bare}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_registry_says() {
        let read = |text: &str| Jekyll::read("_config.yml", text.as_bytes()).unwrap();
        let jekyll = read(
            "title: >\n  The\n  registry\nurl: https://plugins.example.org/\nbaseurl: ''\ntimezone: America/Chicago\n\
             collections_dir: /content/\ndata_dir: facts\nplugins: [jekyll-feed]\n",
        );
        assert_eq!(jekyll.title.as_deref(), Some("The registry"));
        assert_eq!(jekyll.url.as_deref(), Some("https://plugins.example.org"));
        assert_eq!((jekyll.base_path, jekyll.description), (None, None));
        assert_eq!(jekyll.timezone.as_deref(), Some("America/Chicago"));
        assert_eq!((jekyll.collections.as_str(), jekyll.data.as_deref()), ("content", Some("facts")));
        for (text, expected) in [
            ("url: https://a.org/x/\n", (Some("https://a.org"), Some("/x"))),
            ("url: https://a.org\nbaseurl: x/y/\n", (Some("https://a.org"), Some("/x/y"))),
            ("url: http://localhost:4000\nbaseurl: /\n", (None, None)),
            ("url: https://me:secret@a.org\n", (None, None)),
            ("url:\n", (None, None)),
            ("", (None, None)),
        ] {
            let jekyll = read(text);
            assert_eq!((jekyll.url.as_deref(), jekyll.base_path.as_deref()), expected, "{text}");
        }
        let error = Jekyll::read("_config.yml", b"title: [\n").unwrap_err().to_string();
        assert!(error.starts_with("_config.yml:"), "{error}");
    }
}
