//! Inputs: everything that queries read, set before the graph is evaluated. What they hold is reached by a [`Reader`]
//! alone; what is `pub` here is what they are called.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;

use super::recorder::Reader;
use crate::digest::Digest;
use crate::entry_trace::EntryTrace;
use crate::fact::{SourceStatus, Subject};
use crate::page::Section;

/// The site as it was scanned.
#[salsa::input(singleton, debug)]
pub struct Site {
    /// Entry files in the order of their names.
    pub(super) entries: Vec<EntryFile>,
    /// Assets in the order of their paths.
    pub(super) assets: Vec<AssetFile>,
    /// Pages of the site's own, in the order of their folders and then of their paths.
    pub(super) pages: Vec<PageFile>,
    /// Files that are copied to the root; of two for one place, the first one counts.
    pub(super) root: Vec<RootFile>,
    /// The day on which the site is built, in its time zone.
    pub(super) today: Date,
    /// When each source last answered.
    pub(super) source_statuses: Vec<SourceStatus>,
}

/// What something is that all targets share: a setting, a template, the address of an asset, or a data file. What it
/// holds is in the [`super::snapshot::Snapshot`].
#[salsa::input(debug)]
pub struct Cell {
    /// Its digest; `None` if there is no such thing.
    pub(super) digest: Option<Digest>,
}

/// One entry's file.
#[salsa::input(debug)]
pub struct EntryFile {
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// What the plugin is made of.
    pub(super) source: EntrySource,
}

/// What a plugin is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntrySource {
    /// The content of the entry's file.
    Text(Arc<[u8]>),
    /// The content that the file had when it was last published, since it can't be read now. What was within the limits
    /// then is not held to those of today.
    Kept(Arc<[u8]>),
    /// What an earlier build made of the same content, and of everything else that is the same.
    Known(Arc<EntryTrace>),
}

/// One file to publish as it is.
#[salsa::input(debug)]
pub struct AssetFile {
    /// The path below `/assets/`.
    pub(super) at: Arc<str>,
    /// Where the content is, its digest, and the path under which it is published, below the output folder.
    pub(super) asset: Asset,
}

/// What is published of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The content's digest.
    pub digest: Digest,
    /// Where the content is.
    pub location: AssetLocation,
    /// The path from the site's root under which it is published.
    pub published: Arc<str>,
}

/// One page of the site's own.
#[salsa::input(debug)]
pub struct PageFile {
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// The path below its folder, without extension.
    pub(super) called: Arc<str>,
    /// What the folder's pages are.
    pub(super) part: Section,
    /// The content.
    pub(super) content: Arc<[u8]>,
}

/// One file that is copied to the root.
#[salsa::input(debug)]
pub struct RootFile {
    /// The path below the output folder.
    pub(super) to: Arc<str>,
    /// The path relative to the site, with `/`.
    pub(super) at: Arc<str>,
    /// The content's digest, and where it is.
    pub(super) copy: (Digest, PathBuf),
}

/// Where an asset's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssetLocation {
    /// In the program: a part of the theme.
    Theme(&'static [u8]),
    /// Here: made from the configuration.
    Made(Arc<[u8]>),
    /// In a file.
    File(PathBuf),
}

/// The fact about a subject, as far as it is known.
#[salsa::input(debug)]
pub struct FactInput {
    /// What the fact is about.
    pub(super) subject: Subject,
    /// What is known.
    pub(super) state: FactState,
    /// The day on which the value was last confirmed, if it is stale and pages tell its age.
    pub(super) as_of: Option<Date>,
}

/// The history of a plugin.
#[salsa::input(debug)]
pub struct HistoryInput {
    /// What [`crate::history::History::pack`] made of it; empty if there is none.
    pub(super) packed: Arc<[u8]>,
}

/// What the graph sees of a fact's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactState {
    /// Nobody has looked, or nobody could say.
    Unknown,
    /// There is no such thing.
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

    /// What the folder's pages are.
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
