//! Inputs: everything that queries read. They are set before the graph is evaluated. Their values can only be read
//! through a [`Reader`]; the public items only name them.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;

use super::recorder::Reader;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;
use crate::fact::{SourceStatus, Subject};
use crate::page::Section;

/// The scanned site.
#[salsa::input(singleton, debug)]
pub struct Site {
    /// Entry files in the order of their names.
    pub(super) entries: Vec<EntryFile>,
    /// Assets in the order of their paths.
    pub(super) assets: Vec<AssetFile>,
    /// The site's own pages, in the order of their folders and then of their paths.
    pub(super) pages: Vec<PageFile>,
    /// Files to copy to the root. If two have the same target, the first one wins.
    pub(super) root: Vec<RootFile>,
    /// The date of the build, in the site's time zone.
    pub(super) today: Date,
    /// When each source last answered.
    pub(super) source_statuses: Vec<SourceStatus>,
}

/// An input that all targets share: a setting, a template, the path of an asset, or a data file. The
/// [`super::snapshot::Snapshot`] holds its value.
#[salsa::input(debug)]
pub struct Cell {
    /// The digest of the value; `None` if the input does not exist.
    pub(super) digest: Option<Digest>,
}

/// The file of an entry.
#[salsa::input(debug)]
pub struct EntryFile {
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// The content, or an entry trace that replaces it.
    pub(super) source: EntrySource,
}

/// Where the data of a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntrySource {
    /// The content of the entry's file.
    Text(Arc<[u8]>),
    /// The content that was last published, because the file can't be read or parsed now. Limits do not apply to it,
    /// because they may have become stricter since then.
    Kept(Arc<[u8]>),
    /// The entry trace of an earlier build, whose inputs have not changed.
    Known(Arc<EntryTrace>),
}

/// A file to publish unchanged.
#[salsa::input(debug)]
pub struct AssetFile {
    /// The path below `/assets/`.
    pub(super) at: Arc<str>,
    /// The content's digest and location, and the path below the output folder.
    pub(super) asset: Asset,
}

/// The published form of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The content's digest.
    pub digest: Digest,
    /// Where the content is.
    pub location: AssetLocation,
    /// The path from the site's root under which it is published.
    pub published: Arc<str>,
}

/// One of the site's own pages.
#[salsa::input(debug)]
pub struct PageFile {
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// The path below its folder, without extension.
    pub(super) called: Arc<str>,
    /// The kind of page, which depends on the folder.
    pub(super) part: Section,
    /// The content.
    pub(super) content: Arc<[u8]>,
}

/// A file that is copied to the root.
#[salsa::input(debug)]
pub struct RootFile {
    /// The path below the output folder.
    pub(super) to: Arc<str>,
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// The content's digest and its location.
    pub(super) copy: (Digest, PathBuf),
}

/// Where the bytes of an asset are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssetLocation {
    /// In the program: the asset is part of the theme.
    Theme(&'static [u8]),
    /// In memory: the asset was generated from the configuration.
    Made(Arc<[u8]>),
    /// In this file.
    File(PathBuf),
}

/// The fact about a subject.
#[salsa::input(debug)]
pub struct FactInput {
    /// What the fact is about.
    pub(super) subject: Subject,
    /// The fact's value, if known.
    pub(super) state: FactState,
    /// The date when the value was last confirmed, if it is stale and pages show that.
    pub(super) as_of: Option<Date>,
}

/// The history of a plugin.
#[salsa::input(debug)]
pub struct HistoryInput {
    /// The result of [`crate::history::History::pack`]; empty if there is no history.
    pub(super) packed: Arc<[u8]>,
}

/// A fact's value as the graph sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactState {
    /// Not fetched yet, or the source could not answer.
    Unknown,
    /// The source says that the subject does not exist.
    Absent,
    /// The value.
    Value(Arc<[u8]>),
}

impl EntryFile {
    /// The path relative to the site, with `/`.
    pub fn path<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.at(db.into().salsa())
    }
}

impl AssetFile {
    /// The path from the site's root under which it is published.
    pub fn published<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        &self.asset(db.into().salsa()).published
    }

    /// The path below `/assets/`.
    pub fn path<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.at(db.into().salsa())
    }
}

impl PageFile {
    /// The path relative to the site, with `/`.
    pub fn path<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.at(db.into().salsa())
    }

    /// The path below its folder, without extension.
    pub fn name<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.called(db.into().salsa())
    }

    /// The kind of page, which depends on the folder.
    pub fn section<'a>(self, db: impl Into<Reader<'a>>) -> Section {
        *self.part(db.into().salsa())
    }
}

impl RootFile {
    /// The path relative to the site, with `/`.
    pub fn path<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.at(db.into().salsa())
    }

    /// The path below the output folder.
    pub fn published<'a>(self, db: impl Into<Reader<'a>>) -> &'a Arc<str> {
        self.to(db.into().salsa())
    }
}

impl FactInput {
    /// What the fact is about.
    pub(super) fn about<'a>(self, db: Reader<'a>) -> &'a Subject {
        self.subject(db.salsa())
    }
}
