//! Entries: one file per plugin, with YAML front matter and a Markdown description, written by people.

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

/// Parses the entry in the file at `path`, relative to the site, with the content `bytes`.
///
/// # Errors
/// What makes the entry unusable, in file order, each with its place: a file that is not text, invalid front matter, a
/// missing id or title, or a name that would leave its folder.
pub fn parse(path: &str, bytes: &[u8], limits: &Limits) -> Result<Parsed, Vec<Problem>> {
    let size = ("limits.entry_size", limits.entry_size);
    let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
    let parts = front_matter::split(&text).map_err(|problem| vec![problem])?;
    let tree = Tree::read(&text, parts.yaml.clone(), limits.yaml)?;
    schema::read(&text, stem(path), &parts, &tree, limits.list_items)
}

/// Whether a text is valid as an entry's `id`.
pub fn is_identifier(text: &str) -> bool {
    check::identifier(text).is_ok()
}

/// Checks that a text is an absolute `http` or `https` URL.
///
/// # Errors
///
/// What was expected.
pub fn web_address(text: &str) -> Result<(), &'static str> {
    check::web_address(text)
}

/// Checks that an address is valid for a page: a path from the site's root.
///
/// # Errors
///
/// What was expected.
pub fn page_address(text: &str) -> Result<(), &'static str> {
    check::redirect(text)
}

/// Parses a date.
///
/// # Errors
///
/// The date that was probably meant, if it is in another format than YYYY-MM-DD; `None` if there is none.
pub fn date(text: &str) -> Result<Date, Option<Date>> {
    dates::read(text)
}

/// Checks a specification of Python versions.
///
/// # Errors
///
/// What was expected.
pub fn python_versions(text: &str) -> Result<(), &'static str> {
    check::python(text)
}

/// Checks a specification of OctoPrint versions.
///
/// # Errors
///
/// What was expected.
pub fn octoprint_versions(text: &str) -> Result<(), &'static str> {
    check::octoprint(text)
}

/// Whether a text is valid as the name of an entry's file without `.md`.
pub fn is_stem(text: &str) -> bool {
    check::stem(text).is_ok()
}

/// The name of the file at `path`, without its folders and without `.md`.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".md").unwrap_or(name)
}

/// An entry, with its places and warnings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The entry.
    pub entry: Arc<Entry>,
    /// The places of keys in the file.
    pub places: Places,
    /// Warnings about the entry.
    pub warnings: Vec<Warning>,
}

/// The places of keys in an entry's file, as byte offsets into its text as [`Text`] shows it.
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
    /// The start of [`Entry::body`].
    pub body: usize,
}

/// The content of one plugin's file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's name without `.md`: part of the plugin's address, and its `id` in `plugins.json`.
    pub stem: String,
    /// The `id` declared in the front matter; usage numbers are stored under it, in lower case.
    pub id: String,
    /// The plugin's name.
    pub title: String,
    /// One sentence about the plugin; may contain HTML.
    pub description: String,
    /// The authors: `authors`, or else the one `author` as written.
    pub authors: Vec<String>,
    /// The license, as written.
    pub license: String,
    /// When the plugin was registered.
    pub date: Date,
    /// The URL of the plugin's own page.
    pub homepage: String,
    /// The URL of the source code.
    pub source: String,
    /// The URL of the archive that pip installs.
    pub archive: String,
    /// Whether pip needs `--process-dependency-links`.
    pub follow_dependency_links: bool,
    /// Whether pip needs `--no-build-isolation`.
    pub no_build_isolation: bool,
    /// The tags, as ordered in the file.
    pub tags: Vec<String>,
    /// The screenshots.
    pub screenshots: Vec<Screenshot>,
    /// The plugin's main picture: an absolute URL, or a path from the site's root.
    pub featured_image: Option<String>,
    /// What the plugin runs on, as declared.
    pub compatibility: Compatibility,
    /// Why the plugin can no longer be installed, in Markdown.
    pub disabled: Option<String>,
    /// Set for a plugin without a maintainer; usually the URL of an issue.
    pub abandoned: Option<String>,
    /// Set for a plugin replaced by another one: what to use instead, in Markdown; empty if the entry doesn't say.
    pub replaced: Option<String>,
    /// Set for a plugin whose maintainer is looking for a successor; usually the URL of an issue.
    pub up_for_adoption: Option<String>,
    /// A note to show with the description, in Markdown.
    pub note: Option<String>,
    /// Former addresses of the plugin's page, as paths from the site's root.
    pub redirect_from: Vec<String>,
    /// The kind of offer: `commercial`, `cloud`, `free-tier`, …
    pub attributes: Vec<String>,
    /// The address of the privacy policy.
    pub privacy_policy: Option<String>,
    /// Front matter under unknown keys, for templates.
    pub extra: Map<String, Value>,
    /// The description in Markdown: what follows the front matter, with line ends as `\n`.
    pub body: String,
}

impl Entry {
    /// Whether the plugin is no longer maintained: a replaced plugin also counts as abandoned.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.is_some() || self.replaced.is_some()
    }
}

/// A screenshot of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screenshot {
    /// An absolute URL, or a path from the site's root.
    pub url: String,
    /// A description of the picture for people who can't see it.
    pub alt: Option<String>,
    /// The caption below the picture.
    pub caption: Option<String>,
}

/// What a plugin declares to run on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// OctoPrint versions or PEP 440 specifiers, as written; empty means all.
    pub octoprint: Vec<String>,
    /// Operating systems or groups of them (`nix`, `posix`), as written; empty means all.
    pub os: Vec<String>,
    /// A PEP 440 specifier for Python, as written.
    pub python: Option<String>,
}
