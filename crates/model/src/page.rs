//! Pages of the site's own, such as topics or help pages: front matter and a Markdown body.

use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::config::Limits;
use crate::entry;
use crate::markdown;
use crate::problem::Problem;
use crate::rule::Rule;
use crate::warning::Warning;
use crate::yaml::{Meaning, Node, Reader, Scalar, Text, Tree, quote};

/// The kind of pages in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// Pages of any kind.
    Pages,
    /// Topics: pages that list the plugins for a purpose.
    Topics,
}

impl Section {
    /// The prefix of the pages' addresses, unless the front matter sets one.
    fn prefix(self) -> &'static str {
        match self {
            Self::Pages => "/",
            Self::Topics => "/topics/",
        }
    }

    /// The theme's template for such pages.
    pub fn template(self) -> &'static str {
        match self {
            Self::Pages => "page.html",
            Self::Topics => "topic.html",
        }
    }
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The title; without one in the front matter, the file's name in words.
    pub title: String,
    /// One sentence about the page; may be empty.
    pub description: String,
    /// The path from the site's root, percent-encoded.
    pub address: String,
    /// Whether the front matter sets the address; otherwise it follows from the file's name.
    pub asks_for_address: bool,
    /// The template named in the front matter.
    pub template: Option<Template>,
    /// The text of the link in the navigation; `None` if the page is not linked there.
    pub nav: Option<String>,
    /// The ids of the plugins to list.
    pub plugins: Vec<Mention>,
    /// The tags whose plugins to list.
    pub tags: Vec<Mention>,
    /// Front matter under unknown keys, for templates.
    pub extra: Map<String, Value>,
    /// The Markdown, with line ends as `\n`.
    pub body: String,
    /// The places of keys in the text.
    pub places: Places,
}

/// A name in the front matter, with its place in the text.
pub type Mention = (String, Range<usize>);

/// The template named by a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The template's file name.
    pub name: String,
    /// The place of the name, if the key is `template`. Jekyll's `layout` may name a template that doesn't exist here.
    pub place: Option<Range<usize>>,
}

/// The places of keys in a page's file, as byte offsets into its text as [`Text`] shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The address, or else the line that opens the front matter.
    pub address: Range<usize>,
    /// The start of the body.
    pub body: usize,
}

/// The result of reading a page's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The page; `None` if it is a draft, or can't be read.
    pub page: Option<Page>,
    /// Warnings about the file. A page is published despite warnings if possible.
    pub warnings: Vec<Warning>,
}

/// The keys that shelflife reads; all others go to [`Page::extra`].
const KNOWN: [&str; 11] = [
    "layout",
    "template",
    "title",
    "description",
    "address",
    "permalink",
    "nav",
    "plugins",
    "tags",
    "published",
    "draft",
];

/// Jekyll permalinks that are styles, not addresses (<https://jekyllrb.com/docs/permalinks/>).
const STYLES: [&str; 5] = ["pretty", "date", "ordinal", "weekdate", "none"];

/// What is percent-encoded in an address derived from a file's name (RFC 3986, section 2.3).
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What is percent-encoded in an address from front matter, besides non-ASCII characters. It may be encoded already.
const BLANK: &AsciiSet = &CONTROLS.add(b' ');

/// Reads the page in the file at `path`, relative to the site. `name` is its path below its folder, with `/` and
/// without the extension.
pub fn read(path: &str, name: &str, section: Section, bytes: &[u8], limits: &Limits) -> Read {
    let unreadable = |problems: Vec<Problem>| {
        let warning = |problem: &Problem| {
            let message = format!("{}; the page is not published", problem.message());
            let warning = Warning::at(Rule::BadPage, problem).message(message);
            problem.advice().map_or_else(|| warning.clone(), |advice| warning.clone().help(advice))
        };
        Read { page: None, warnings: problems.iter().map(warning).collect() }
    };
    let text = match Text::within(path, bytes, ("limits.entry_size", limits.entry_size)) {
        Ok(text) => text,
        Err(problem) => return unreadable(vec![problem]),
    };
    let parts = match entry::front_matter(&text) {
        Ok(parts) => parts,
        Err(problem) => {
            const HELP: &str = "a page begins with a line `---`, its keys, and another line `---`";
            return unreadable(vec![problem.help(HELP)]);
        }
    };
    let tree = match Tree::read(&text, parts.yaml.clone(), limits.yaml) {
        Ok(tree) => tree,
        Err(problems) => return unreadable(problems),
    };
    let root = tree.root();
    if root.is_some_and(entry::says_draft) {
        return Read::default();
    }
    if let Some(root) = root.filter(|root| root.fields().is_none()) {
        let message =
            format!("the front matter must hold keys such as `title: …`, found {}", root.describe());
        return unreadable(vec![text.problem(root.span(), message)]);
    }
    let mut front = Front { reader: Reader::new(&text, &tree), root, list_items: limits.list_items };
    let own = front.address();
    let place = own.as_ref().map_or_else(|| parts.opening.clone(), |(_, place)| place.clone());
    let default = default_address(name, section);
    let address = own.map_or_else(|| default.clone(), |(address, _)| address);
    if let Err(expected) = entry::page_address(&address) {
        let message = format!("the page can't have the address {}: {expected}", quote(&address));
        let help = "rename the file, or give the page an `address`";
        return unreadable(vec![text.problem(place, message).help(help)]);
    }
    let title = front.text("title").unwrap_or_else(|| title_of(name));
    let page = Page {
        description: front.text("description").map(|text| markdown::strip_tags(&text)).unwrap_or_default(),
        template: front.template(),
        nav: front.nav(&title),
        plugins: front.texts("plugins"),
        tags: front.texts("tags"),
        extra: front.extra(),
        body: text.as_str()[parts.body.clone()].to_owned(),
        places: Places { address: place, body: parts.body.start },
        title,
        asks_for_address: address != default,
        address,
    };
    Read { page: Some(page), warnings: front.warnings() }
}

/// The address of a page whose front matter sets none: a folder named after the file.
fn default_address(name: &str, section: Section) -> String {
    // The page `index` has the address of its folder.
    let name = match name.rsplit_once('/') {
        Some((folder, "index")) => folder,
        None if name == "index" => "",
        _ => name,
    };
    let slash = if name.is_empty() { "" } else { "/" };
    format!("{}{}{slash}", section.prefix(), utf8_percent_encode(name, UNSAFE))
}

/// The title of a page without one: its file's name in words.
fn title_of(name: &str) -> String {
    let words = name.rsplit('/').next().unwrap_or(name).replace(['_', '-'], " ");
    let mut letters = words.trim().chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Front matter in which every problem is a warning.
struct Front<'t> {
    reader: Reader<'t>,
    root: Option<Node<'t>>,
    /// The most items that a list may have.
    list_items: usize,
}

impl<'t> Front<'t> {
    fn text(&mut self, key: &str) -> Option<String> {
        let field = self.root?.field(key);
        self.reader.text_in(field)
    }

    fn texts(&mut self, key: &str) -> Vec<Mention> {
        let field = self.root.and_then(|root| root.field(key));
        let texts = self.reader.texts(field, true);
        let texts = self.reader.few(key, texts, self.list_items, |(_, place)| place.clone());
        texts.into_iter().map(|(text, place)| (text.trim().to_owned(), place)).collect()
    }

    /// The address set in the front matter, with its place. An invalid one is ignored, with a warning.
    fn address(&mut self) -> Option<(String, Range<usize>)> {
        let field = ["address", "permalink"].iter().find_map(|key| self.root?.field(key))?;
        let written = self.reader.text_in(Some(field))?;
        let written = written.trim();
        if field.key == "permalink" && STYLES.contains(&written) {
            return None;
        }
        let rooted = format!("/{}", written.strip_prefix('/').unwrap_or(written));
        let address = utf8_percent_encode(&rooted, BLANK).to_string();
        match entry::page_address(&address) {
            Ok(()) => Some((address, field.value.span())),
            Err(expected) => {
                let message = format!("bad `{}` {}: {expected}; it is ignored", field.key, quote(written));
                self.reader.warn(Rule::BadPage, field.value.span(), message, "");
                None
            }
        }
    }

    fn template(&mut self) -> Option<Template> {
        if let Some(field) = self.root?.field("template") {
            let name = self.reader.text_in(Some(field))?.trim().to_owned();
            return Some(Template { name, place: Some(field.value.span()) });
        }
        let layout = self.text("layout")?;
        Some(Template { name: format!("{}.html", layout.trim()), place: None })
    }

    fn nav(&mut self, title: &str) -> Option<String> {
        let field = self.root?.field("nav")?;
        match field.value.scalar().map(Scalar::meaning) {
            Some(Meaning::Boolean(true)) => Some(title.to_owned()),
            Some(Meaning::Boolean(false)) => None,
            _ => self.reader.text_in(Some(field)).map(|text| text.trim().to_owned()),
        }
    }

    fn extra(&self) -> Map<String, Value> {
        let fields = self.root.and_then(Node::fields).into_iter().flatten();
        let unknown = fields.filter(|field| !KNOWN.contains(&field.key));
        unknown.map(|field| (field.key.to_owned(), field.value.to_json())).collect()
    }

    fn warnings(self) -> Vec<Warning> {
        self.reader.finish(Some(())).map_or_else(|_| Vec::new(), |((), warnings)| warnings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, section: Section, front: &str) -> Read {
        let file = format!("---\n{front}\n---\nText");
        read(&format!("pages/{name}.md"), name, section, file.as_bytes(), &Limits::default())
    }

    fn page(front: &str) -> Page {
        let read = of("about_us", Section::Pages, front);
        assert_eq!(read.warnings, [], "{front}");
        read.page.unwrap()
    }

    #[test]
    fn every_key_has_a_default() {
        let page = page("");
        assert_eq!((&*page.title, &*page.address, &*page.body), ("About us", "/about_us/", "Text"));
        assert_eq!((page.template, page.nav, page.plugins), (None, None, Vec::new()));
    }

    #[test]
    fn addresses_follow_from_names_and_front_matter() {
        for (name, section, front, expected) in [
            ("a", Section::Topics, "", "/topics/a/"),
            ("index", Section::Topics, "", "/topics/"),
            ("help/x", Section::Pages, "", "/help/x/"),
            ("help/index", Section::Pages, "", "/help/"),
            ("Über uns", Section::Pages, "", "/%C3%9Cber%20uns/"),
            ("a", Section::Pages, "address: /help/x/", "/help/x/"),
            ("a", Section::Topics, "permalink: help/x.html", "/help/x.html"),
            ("a", Section::Pages, "permalink: pretty", "/a/"),
            ("a", Section::Pages, "address: /ä b/", "/%C3%A4%20b/"),
        ] {
            let read = of(name, section, front);
            assert_eq!(read.page.unwrap().address, expected, "{name} {front}");
            assert_eq!(read.warnings, [], "{name} {front}");
        }
        for front in
            ["address: //evil.example/", "address: /../x/", "permalink: /:title/", "address: /.git/x"]
        {
            let read = of("a", Section::Pages, front);
            assert_eq!((read.page.unwrap().address.as_str(), read.warnings.len()), ("/a/", 1), "{front}");
        }
    }

    #[test]
    fn the_navigation_has_the_title_or_another_name() {
        let nav = |value: &str| page(&format!("title: T\nnav: {value}")).nav;
        assert_eq!(nav("true").as_deref(), Some("T"));
        assert_eq!(nav("Short").as_deref(), Some("Short"));
        assert_eq!((nav("false"), nav("")), (None, None));
    }

    #[test]
    fn drafts_and_files_without_front_matter_are_no_pages() {
        for front in ["draft: true", "published: false"] {
            assert_eq!(of("a", Section::Pages, front), Read::default(), "{front}");
        }
        for (file, expected) in [
            (&b"Text"[..], "a.md:1:1: the file has no front matter"),
            (b"---\n- a\n---\n", "a.md:2:1: the front matter must hold keys"),
            (b"---\na: [\n---\n", "a.md:2:4: "),
            (b"\xff", "a.md:1:1: "),
        ] {
            let read = read("a.md", "a", Section::Pages, file, &Limits::default());
            assert!(read.page.is_none(), "{expected}");
            let told = read.warnings.first().map(ToString::to_string).unwrap_or_default();
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn a_list_of_one_may_be_a_text_and_what_is_no_list_is_told() {
        let plugins = |value: &str| of("a", Section::Topics, &format!("plugins: {value}"));
        assert_eq!(plugins("one").page.unwrap().plugins, [("one".to_owned(), 13..16)]);
        let wrong = plugins("{a: b}");
        assert_eq!(wrong.page.unwrap().plugins[0].0, "a: b");
        assert!(wrong.warnings[0].to_string().contains("`plugins` must be a list"), "{:?}", wrong.warnings);
    }
}
