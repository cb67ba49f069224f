//! A published site as a plain web server serves it: files by address, and what an address leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use percent_encoding::percent_decode_str;
use scraper::{Html, Selector};
use url::Url;

/// One published site.
pub struct Tree {
    /// What failures call it.
    pub name: &'static str,
    /// The address of its home page, with a slash at the end.
    pub home: Url,
    /// Every file, by its path below the output folder.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Every HTML page, parsed.
    pub pages: BTreeMap<String, Page>,
    /// What begins like this, below the home page, need not exist.
    pub exempt: &'static [&'static str],
}

/// One HTML page: its elements, and those that are within a `noscript`.
pub struct Page {
    /// In document order.
    pub tags: Vec<Tag>,
    /// The ids among them.
    pub ids: BTreeSet<String>,
}

/// An element without what is in it.
pub struct Tag {
    /// The local name.
    pub name: String,
    /// Attributes, by local name.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

/// The elements of this HTML. Its parser runs scripts, as it were: what `noscript` holds is text, and parsed here.
pub fn tags(html: &Html) -> Vec<Tag> {
    let all = Selector::parse("*").unwrap();
    let mut tags = Vec::new();
    for element in html.select(&all) {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let attributes = element.value().attrs().map(own).collect();
        tags.push(Tag { name: element.value().name().to_owned(), attributes });
        if element.value().name() == "noscript" {
            tags.extend(self::tags(&Html::parse_fragment(&element.text().collect::<String>())));
        }
    }
    tags
}

/// What an address leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Target<'t> {
    /// A file of the site, by its path.
    File(&'t str),
    /// Another site, or an address that is not of the web.
    Elsewhere,
    /// Nothing, and why.
    Nowhere(String),
}

impl Tree {
    /// Reads the folder into which a site was published whose home page is to be at `home`.
    pub fn read(name: &'static str, home: &str, folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        gather(folder, "", &mut files);
        let pages = files
            .iter()
            .filter(|(path, _)| path.ends_with(".html"))
            .map(|(path, bytes)| (path.clone(), Page::parse(text(path, bytes))))
            .collect();
        Self { name, home: Url::parse(home).unwrap(), files, pages, exempt: &[] }
    }

    /// The text of a file that must be there.
    #[track_caller]
    pub fn text(&self, path: &str) -> &str {
        let bytes = self.files.get(path).unwrap_or_else(|| panic!("{}: there is no {path}", self.name));
        text(path, bytes)
    }

    /// The address under which a file is served.
    pub fn address(&self, path: &str) -> Url {
        let path =
            path.strip_suffix("index.html").filter(|it| it.is_empty() || it.ends_with('/')).unwrap_or(path);
        let mut address = self.home.clone();
        // By segments, so that a `%` in a file's name doesn't become one of an encoding.
        address.path_segments_mut().unwrap().pop_if_empty().extend(path.split('/'));
        address
    }

    /// Where `link` leads on the page at `base`, its `#fragment` included.
    pub fn follow(&self, base: &Url, link: &str) -> Target<'_> {
        let address = match base.join(link) {
            Ok(address) => address,
            Err(error) => return Target::Nowhere(error.to_string()),
        };
        if address.origin() != self.home.origin() {
            return Target::Elsewhere;
        }
        let Some(path) = address.path().strip_prefix(self.home.path()) else {
            return Target::Nowhere(format!("outside of {}", self.home));
        };
        if self.exempt.iter().any(|exempt| path.starts_with(exempt)) {
            return Target::Elsewhere;
        }
        let Ok(path) = percent_decode_str(path).decode_utf8() else {
            return Target::Nowhere("not UTF-8".into());
        };
        let folder = |path: &str| format!("{path}index.html");
        let names = match path.as_ref() {
            path if path.is_empty() || path.ends_with('/') => vec![folder(path)],
            // Web servers answer for a folder without its slash with a redirect to the folder, and GitHub's for a page
            // without its extension with the page.
            path => vec![path.to_owned(), folder(&format!("{path}/")), format!("{path}.html")],
        };
        let found = names.iter().find_map(|name| self.files.get_key_value(name));
        let Some((file, _)) = found else {
            return Target::Nowhere(format!("there is no file {}", names[0]));
        };
        match address.fragment() {
            None | Some("") => Target::File(file),
            Some(fragment) => match self.pages.get(file) {
                None => Target::Nowhere(format!("{file} is no page with parts")),
                Some(page) if page.has(fragment) => Target::File(file),
                Some(_) => Target::Nowhere(format!("{file} has no part #{fragment}")),
            },
        }
    }
}

impl Page {
    fn parse(html: &str) -> Self {
        let tags = tags(&Html::parse_document(html));
        let ids = tags.iter().filter_map(|tag| tag.attribute("id")).map(str::to_owned).collect();
        Self { tags, ids }
    }

    /// Finds a fragment as browsers do: as it is written, then decoded (HTML Standard, section 7.4.6.4).
    fn has(&self, fragment: &str) -> bool {
        let decoded = percent_decode_str(fragment).decode_utf8_lossy();
        self.ids.contains(fragment) || self.ids.contains(&*decoded)
    }
}

fn text<'b>(path: &str, bytes: &'b [u8]) -> &'b str {
    std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn gather(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let item = item.unwrap();
        let name = format!("{below}{}", item.file_name().to_str().unwrap());
        if item.file_type().unwrap().is_dir() {
            gather(&item.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(item.path()).unwrap());
        }
    }
}
