//! Inputs: everything that queries read, set before the graph is evaluated.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;

use crate::config::Settings;
use crate::digest::Digest;
use crate::fact::{Heard, Subject};
use crate::imprint::Imprint;
use crate::page::Section;

/// The site as it was scanned.
#[salsa::input(singleton, debug)]
pub struct Site {
    /// The part of the configuration that outputs depend on.
    pub settings: Arc<Settings>,
    /// Entry files in the order of their names.
    pub entries: Vec<EntryFile>,
    /// Data files in the order of their names.
    pub data: Vec<DataFile>,
    /// Templates in the order of their names.
    pub templates: Vec<TemplateFile>,
    /// Assets in the order of their paths.
    pub assets: Vec<AssetFile>,
    /// Pages of the site's own, in the order of their folders and then of their paths.
    pub pages: Vec<PageFile>,
    /// Files that are copied to the root; of two for one place, the first one counts.
    pub root: Vec<RootFile>,
    /// The day on which the site is built, in its time zone.
    pub today: Date,
    /// When each source was last heard.
    pub heard: Vec<Heard>,
}

/// One entry's file.
#[salsa::input(debug)]
pub struct EntryFile {
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// What the plugin is made of.
    pub source: EntrySource,
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
    Known(Arc<Imprint>),
}

/// One data file.
#[salsa::input(debug)]
pub struct DataFile {
    /// The file's name without its extension, such as `notices`.
    pub name: Arc<str>,
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// The content.
    pub content: Arc<[u8]>,
}

/// One template, the theme's or the site's own.
#[salsa::input(debug)]
pub struct TemplateFile {
    /// The name by which templates include each other.
    pub name: Arc<str>,
    /// The content.
    pub content: Arc<str>,
    /// Whether the site brought it.
    pub own: bool,
}

/// One file to publish as it is.
#[salsa::input(debug)]
pub struct AssetFile {
    /// The path below `/assets/`.
    pub path: Arc<str>,
    /// The content's digest.
    pub digest: Digest,
    /// Where the content is.
    pub location: AssetLocation,
    /// Whether the file is published under a name that changes with its content.
    pub fingerprinted: bool,
}

/// One page of the site's own.
#[salsa::input(debug)]
pub struct PageFile {
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// The path below its folder, without extension.
    pub name: Arc<str>,
    /// What the folder's pages are.
    pub section: Section,
    /// The content.
    pub content: Arc<[u8]>,
}

/// One file that is copied to the root.
#[salsa::input(debug)]
pub struct RootFile {
    /// The path below the output folder.
    pub published: Arc<str>,
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// The content's digest.
    pub digest: Digest,
    /// Where the content is.
    pub place: PathBuf,
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
    pub subject: Subject,
    /// What is known.
    pub state: FactState,
    /// The day on which the value was last confirmed, if it is kept past its life and pages tell its age.
    pub as_of: Option<Date>,
}

/// The history of a plugin.
#[salsa::input(debug)]
pub struct HistoryInput {
    /// What [`crate::history::History::pack`] made of it; empty if there is none.
    pub packed: Arc<[u8]>,
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
