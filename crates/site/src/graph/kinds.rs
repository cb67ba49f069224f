//! Kinds of rendered outputs: the address of each, and its row in the table of outputs.

use super::recorder::Reader;
use super::table::{Each, Modified, OUTPUTS, Row};
use super::{EntryFile, PageFile, own_pages, taxonomies};
use crate::alternate::Alternate;
use crate::config::View;
use crate::entry;
use crate::entry_trace::ShownKind;
use crate::render::address;
use crate::url_path::path_of;

/// The kind of a rendered output.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An output that a site has once.
    Once(&'static Row),
    /// A plugin's page.
    Plugin(EntryFile),
    /// An alternate of a plugin's page.
    Alternate(EntryFile, Alternate),
    /// One of the site's own pages.
    Page(PageFile),
    /// The page of a tag or an author.
    Taxonomy(taxonomies::Key),
    /// A redirect from an old address of a plugin's page.
    Redirect {
        /// The old address.
        from: String,
        /// The path below the output folder.
        file: String,
        /// The entry whose page is the target.
        to: EntryFile,
    },
    /// A part of the sitemap, numbered from 0.
    SitemapPart(usize),
}

impl Kind {
    /// Returns every output that a site can have once.
    pub fn singles() -> impl Iterator<Item = Self> {
        OUTPUTS.iter().filter(|row| row.is_single()).map(Self::Once)
    }

    /// Returns the row in the table of outputs; `None` for alternates and the site's own pages.
    pub(super) fn row(&self) -> Option<&'static Row> {
        let each = match self {
            Self::Once(row) => return Some(row),
            Self::Plugin(_) => Each::Plugin,
            Self::Taxonomy((taxonomies::Taxonomy::Tag, _)) => Each::Tag,
            Self::Taxonomy((taxonomies::Taxonomy::Author, _)) => Each::Author,
            Self::Redirect { .. } => Each::Redirect,
            Self::SitemapPart(_) => Each::SitemapPart,
            Self::Alternate(..) | Self::Page(_) => return None,
        };
        OUTPUTS.iter().find(|row| row.each == each)
    }

    /// Returns the address from the site's root, without the base path.
    pub fn address<'a>(&self, db: impl Into<Reader<'a>>) -> String {
        let db = db.into();
        match self {
            Self::Once(row) => row.address.to_owned(),
            Self::Plugin(file) => address::plugin_page(stem(db, *file)),
            Self::Alternate(file, alternate) => alternate.address(stem(db, *file)),
            Self::Page(file) => own_pages::address(db, *file).to_owned(),
            Self::Taxonomy((taxonomy, slug)) => taxonomy.page(slug),
            Self::Redirect { from, .. } => from.clone(),
            Self::SitemapPart(part) => format!("/sitemap-{}.xml", part + 1),
        }
    }

    /// Returns the page's canonical address for search engines: its own, unless another page has the same content.
    pub(super) fn canonical(&self, db: Reader<'_>) -> String {
        let canonical = self.row().and_then(|row| row.canonical);
        canonical.map_or_else(|| self.address(db), str::to_owned)
    }

    /// Returns the path below the output folder. It is percent-decoded, and addresses of folders get `index.html`, as
    /// web servers look them up.
    pub fn file<'a>(&self, db: impl Into<Reader<'a>>) -> String {
        match self {
            Self::Redirect { file, .. } => file.clone(),
            _ => path_of(&self.address(db)),
        }
    }

    /// Returns the path of an output that a site has once.
    pub fn path(&self) -> Option<String> {
        match self {
            Self::Once(row) => Some(path_of(row.address)),
            _ => None,
        }
    }

    /// Returns the kind of texts that the output consists of, if it is a concatenation of one text for each plugin.
    pub fn lines(&self) -> Option<ShownKind> {
        match self.row()?.content {
            super::table::Content::Lines(kind) => Some(kind),
            _ => None,
        }
    }

    /// Returns whether a site with these settings has the output. The list of topics also depends on whether there are
    /// topics.
    pub(super) fn is_wanted(&self, settings: View<'_>) -> bool {
        match self {
            Self::Once(row) => row.each == Each::Site || (row.each == Each::Api && settings.api()),
            _ => true,
        }
    }

    /// Returns what determines when the output last changed.
    pub(super) fn modified(&self) -> Modified {
        self.row().map_or(Modified::Unknown, |row| row.modified)
    }

    /// Returns whether search engines should list the page.
    pub(super) fn is_listed(&self) -> bool {
        let Some(row) = self.row() else { return matches!(self, Self::Page(_)) };
        let is_page = row.template_name().is_some_and(|template| template.ends_with(".html"));
        is_page && row.canonical.is_none() && row.address != "/404.html" && row.each != Each::Redirect
    }
}

/// Returns the name of an entry's file without `.md`.
pub(super) fn stem(db: Reader<'_>, file: EntryFile) -> &str {
    entry::stem(file.path(db))
}
