//! An entry: one plugin's file, YAML front matter and a Markdown description, written by people.

mod check;
mod dates;
mod draft;
mod duplicates;
mod front_matter;
mod license;
mod schema;
pub mod shortcode;

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

pub use check::{MAX_IDENTIFIER, MAX_REDIRECT, MAX_REDIRECT_SEGMENT};
pub use dates::UNKNOWN as UNKNOWN_DATE;
pub use draft::says_draft;
pub use draft::{is_draft, is_put_aside};
pub use duplicates::{Named, duplicates};
pub use front_matter::split as front_matter;
pub use license::license;
pub use schema::{KNOWN as KEYS, is_near};

use crate::config::Limits;
use crate::problem::Problem;
use crate::warning::Warning;
use crate::yaml::{Text, Tree};

/// Reads the entry in the file at `path` (relative to the site), of which `bytes` are the content.
///
/// # Errors
/// What makes the entry unusable, in the order of the file, each with its place: a file that is not text, front matter
/// that can't be read, no id, no title, or a name that would leave its folder.
pub fn parse(path: &str, bytes: &[u8], limits: &Limits) -> Result<Parsed, Vec<Problem>> {
    let size = ("limits.entry_size", limits.entry_size);
    let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
    let parts = front_matter::split(&text).map_err(|problem| vec![problem])?;
    let tree = Tree::read(&text, parts.yaml.clone(), limits.yaml)?;
    schema::read(&text, stem(path), &parts, &tree, limits.list_items)
}

/// Whether a text may be an entry's `id`.
pub fn is_identifier(text: &str) -> bool {
    check::identifier(text).is_ok()
}

/// Makes sure that a text is an absolute `http` or `https` URL.
///
/// # Errors
///
/// What was expected.
pub fn web_address(text: &str) -> Result<(), &'static str> {
    check::web_address(text)
}

/// Makes sure that an address is one that a page may have: a path from the site's root.
///
/// # Errors
///
/// What was expected.
pub fn page_address(text: &str) -> Result<(), &'static str> {
    check::redirect(text)
}

/// The day that a text names.
///
/// # Errors
///
/// The day that is meant, where it is written in another way than YYYY-MM-DD; `None` if it names none.
pub fn date(text: &str) -> Result<Date, Option<Date>> {
    dates::read(text)
}

/// Makes sure that a text says which versions of Python a plugin runs on.
///
/// # Errors
///
/// What was expected.
pub fn python_versions(text: &str) -> Result<(), &'static str> {
    check::python(text)
}

/// Makes sure that a text says which versions of OctoPrint a plugin runs on.
///
/// # Errors
///
/// What was expected.
pub fn octoprint_versions(text: &str) -> Result<(), &'static str> {
    check::octoprint(text)
}

/// Whether a text may be the name of an entry's file without `.md`.
pub fn is_stem(text: &str) -> bool {
    check::stem(text).is_ok()
}

/// The name of the file at `path` without its folders and without `.md`.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".md").unwrap_or(name)
}

/// An entry, and what its file alone can't decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The entry.
    pub entry: Arc<Entry>,
    /// Where things stand.
    pub places: Places,
    /// What is wrong with it, though it is published.
    pub warnings: Vec<Warning>,
}

/// Where things stand in an entry's file, in bytes of its text as [`Text`] shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// The value of `id`.
    pub id: Range<usize>,
    /// The value of `date`.
    pub date: Range<usize>,
    /// Each item of [`Entry::redirect_from`].
    pub redirect_from: Vec<Range<usize>>,
    /// Each item of [`Compatibility::os`].
    pub os: Vec<Range<usize>>,
    /// The begin of [`Entry::body`].
    pub body: usize,
}

/// One plugin's file, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's name without `.md`: the plugin's address, and its `id` in `plugins.json`.
    pub stem: String,
    /// The `id` that the front matter declares; usage numbers are kept under it, in lower case.
    pub id: String,
    /// The plugin's name.
    pub title: String,
    /// One sentence about the plugin; may hold HTML.
    pub description: String,
    /// From `authors`, or else the one `author` as written.
    pub authors: Vec<String>,
    /// The licence, as written.
    pub license: String,
    /// When the plugin was registered.
    pub date: Date,
    /// The plugin's own page.
    pub homepage: String,
    /// Where the source code is.
    pub source: String,
    /// What pip installs.
    pub archive: String,
    /// Whether pip needs `--process-dependency-links`.
    pub follow_dependency_links: bool,
    /// Whether pip needs `--no-build-isolation`.
    pub no_build_isolation: bool,
    /// Tags in the order in which they were written.
    pub tags: Vec<String>,
    /// Pictures of the plugin.
    pub screenshots: Vec<Screenshot>,
    /// The picture that stands for the plugin: an absolute URL, or a path from the site's root.
    pub featured_image: Option<String>,
    /// What the plugin runs on, as declared.
    pub compatibility: Compatibility,
    /// Why the plugin can't be installed any more, in Markdown.
    pub disabled: Option<String>,
    /// Set for a plugin without a maintainer; usually the address of a ticket.
    pub abandoned: Option<String>,
    /// Set for a plugin that another one has replaced: what to use instead, in Markdown; empty if the entry doesn't say.
    pub replaced: Option<String>,
    /// Set for a plugin whose maintainer looks for a successor; usually the address of a ticket.
    pub up_for_adoption: Option<String>,
    /// A remark that belongs to the description, in Markdown.
    pub note: Option<String>,
    /// Earlier addresses of the plugin's page, as paths from the site's root.
    pub redirect_from: Vec<String>,
    /// What kind of offer the plugin is: `commercial`, `cloud`, `free-tier`, …
    pub attributes: Vec<String>,
    /// Where the privacy policy is.
    pub privacy_policy: Option<String>,
    /// Front matter under keys that shelflife does not know, for templates.
    pub extra: Map<String, Value>,
    /// The description in Markdown: what follows the front matter, with line ends as `\n`.
    pub body: String,
}

impl Entry {
    /// Whether nobody maintains the plugin any more: one that was replaced is abandoned, too.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.is_some() || self.replaced.is_some()
    }
}

/// One picture of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screenshot {
    /// An absolute URL, or a path from the site's root.
    pub url: String,
    /// What the picture shows, for those who can't see it.
    pub alt: Option<String>,
    /// What to write below the picture.
    pub caption: Option<String>,
}

/// What a plugin says it runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// OctoPrint versions or PEP 440 specifiers, as written; none means all.
    pub octoprint: Vec<String>,
    /// Operating systems or groups of them (`nix`, `posix`), as written; none means all.
    pub os: Vec<String>,
    /// A PEP 440 specifier for Python, as written.
    pub python: Option<String>,
}
