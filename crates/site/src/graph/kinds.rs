//! Kinds of rendered outputs: each one's address, and its row in the table of outputs.

use super::recorder::Reader;
use super::table::{Each, Modified, OUTPUTS, Row};
use super::{EntryFile, PageFile, own_pages, taxonomies};
use crate::alternate::Alternate;
use crate::config::View;
use crate::entry;
use crate::entry_trace::ShownKind;
use crate::render::address;
use crate::url_path::path_of;

/// What a rendered output is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One that a site has once.
    Once(&'static Row),
    /// A plugin's page.
    Plugin(EntryFile),
    /// A file beside that.
    Alternate(EntryFile, Alternate),
    /// A page of the site's own.
    Page(PageFile),
    /// The page of a tag or an author.
    Taxonomy(taxonomies::Key),
    /// An earlier address of a plugin's page.
    Redirect {
        /// That address.
        from: String,
        /// The path below the output folder.
        file: String,
        /// The entry to whose page it leads.
        to: EntryFile,
    },
    /// A part of the site map, by its number from 0.
    SitemapPart(usize),
}

impl Kind {
    /// Every output that a site may have once.
    pub fn singles() -> impl Iterator<Item = Self> {
        OUTPUTS.iter().filter(|row| row.is_single()).map(Self::Once)
    }

    /// Its row in the table of outputs; alternates of plugins' pages and the site's own pages have none.
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

    /// The output's address from the site's root, without the base path.
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

    /// The address that search engines should know the page by: its own, unless another page shows the same.
    pub(super) fn canonical(&self, db: Reader<'_>) -> String {
        let canonical = self.row().and_then(|row| row.canonical);
        canonical.map_or_else(|| self.address(db), str::to_owned)
    }

    /// The output's path below the output folder, as a web server looks for it: decoded, and an address that ends
    /// without a file's name is a folder.
    pub fn file<'a>(&self, db: impl Into<Reader<'a>>) -> String {
        match self {
            Self::Redirect { file, .. } => file.clone(),
            _ => path_of(&self.address(db)),
        }
    }

    /// The same, for one that a site has once.
    pub fn path(&self) -> Option<String> {
        match self {
            Self::Once(row) => Some(path_of(row.address)),
            _ => None,
        }
    }

    /// The texts that the output is made up of, where it is nothing but all plugins' texts of one kind.
    pub fn lines(&self) -> Option<ShownKind> {
        match self.row()?.content {
            super::table::Content::Lines(kind) => Some(kind),
            _ => None,
        }
    }

    /// Whether a site with these settings has it; one with topics has a list of them, too.
    pub(super) fn is_wanted(&self, settings: View<'_>) -> bool {
        match self {
            Self::Once(row) => row.each == Each::Site || (row.each == Each::Api && settings.api()),
            _ => true,
        }
    }

    /// When it was last different, as far as anybody can know.
    pub(super) fn modified(&self) -> Modified {
        self.row().map_or(Modified::Unknown, |row| row.modified)
    }

    /// Whether search engines should know the page.
    pub(super) fn is_listed(&self) -> bool {
        let Some(row) = self.row() else { return matches!(self, Self::Page(_)) };
        let is_page = row.template_name().is_some_and(|template| template.ends_with(".html"));
        is_page && row.canonical.is_none() && row.address != "/404.html" && row.each != Each::Redirect
    }
}

/// The name of an entry's file without `.md`.
pub(super) fn stem(db: Reader<'_>, file: EntryFile) -> &str {
    entry::stem(file.path(db))
}
