//! Entry traces: what a build made of an entry, and the trace of what it read to do so.
//!
//! An entry trace stands in for its entry in later builds: while its trace holds, neither the entry's file nor any fact
//! about it is read.

use std::marker::PhantomData;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::alternate::Alternate;
use crate::digest::Digest;
use crate::fact::Picture;
use crate::trace::Trace;
use crate::warning::{Place, Warning};

/// What a build made of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryTrace {
    /// What other outputs than the entry's own page depend on.
    pub front: Front,
    /// The digests of the texts in lists and feeds.
    pub shown: Shown,
    /// The digest of the plugin's page.
    pub page: Digest,
    /// The digests of the plugin's alternates.
    pub alternates: Vec<(Alternate, Digest)>,
    /// Whether the plugin is known not to run on Python 2.7.
    pub left_python2: bool,
    /// When the plugin was last registered, released or worked on, in seconds since 1970.
    pub modified: i64,
    /// Warnings about the entry.
    pub warnings: Vec<Warning>,
    /// The entry's links within the site.
    pub links: Packed<Vec<Link>>,
    /// What was read to make all of this.
    pub reads: Trace,
    /// The memos that were used, by function and digest of the inputs.
    pub memos: Packed<Vec<(String, Digest)>>,
    /// The video thumbnails in the entry's description.
    pub pictures: Vec<Picture>,
    /// When the plugin was abandoned, if a GitHub issue says so.
    pub abandonment: Option<Abandonment>,
    /// The digest of the inputs of the memo with the description for feeds, if the entry was in one.
    pub feed: Option<Digest>,
    /// Whether this was made from the last good version, to which the current limits don't apply. It doesn't tell
    /// whether the current file can be read.
    pub is_kept: bool,
}

impl EntryTrace {
    /// The digest of one of the plugin's alternates.
    pub fn alternate(&self, wanted: Alternate) -> Option<Digest> {
        self.alternates.iter().find(|(alternate, _)| *alternate == wanted).map(|(_, digest)| *digest)
    }
}

/// What is known about an entry before any fact is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// The declared id.
    pub id: String,
    /// The place of the id in the file.
    pub id_place: Place,
    /// The date of registration.
    pub date: Date,
    /// The line and column of the date, from 1.
    pub date_at: (u32, u32),
    /// Whether usage is counted for the plugin.
    pub counted: bool,
    /// The former addresses of the plugin's page.
    pub redirects: Vec<Redirect>,
    /// What decides which plugins are related to this one.
    pub kin: Kin,
}

/// What decides which plugins are related. Names are replaced by numbers, which is enough to compare them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kin {
    /// The tags.
    pub tags: Vec<u64>,
    /// The words of the title and the tags.
    pub words: Vec<u64>,
    /// The authors.
    pub authors: Vec<u64>,
    /// The digest of what other plugins' pages show of this one.
    pub shown: Digest,
    /// Whether the plugin is disabled.
    pub is_disabled: bool,
    /// Whether other plugins' pages may recommend this one.
    pub is_recommended: bool,
}

/// The abandonment of a plugin, declared in a GitHub issue.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Abandonment {
    /// When the issue was opened.
    pub since: Timestamp,
    /// The URL of the issue, as written in the entry.
    pub link: String,
}

/// A former address of a plugin's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The path from the site's root.
    pub from: String,
    /// The place of the address in the file.
    pub place: Place,
}

/// A link to, or a picture from, a path of the site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The path from the site's root, without the base path.
    pub to: String,
    /// Whether this is a picture.
    pub is_picture: bool,
    /// The line in the entry's file, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// The kinds of texts about a plugin that outputs other than its page contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShownKind {
    /// The summary in lists, as JSON.
    Summary,
    /// The record in `plugins.json`.
    Record,
    /// The document in `search.json`.
    Document,
}

impl ShownKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Record, Self::Document];

    /// The name of the kind in the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Record => "record",
            Self::Document => "document",
        }
    }
}

/// The digests of a plugin's texts, one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The summary in lists.
    pub summary: Digest,
    /// The record in `plugins.json`.
    pub record: Digest,
    /// The document in `search.json`.
    pub document: Digest,
    /// The item of long lists, a part of the summary without a text of its own.
    pub listed: Digest,
}

impl Shown {
    /// The digest of the text of one kind.
    pub fn of(&self, kind: ShownKind) -> Digest {
        match kind {
            ShownKind::Summary => self.summary,
            ShownKind::Record => self.record,
            ShownKind::Document => self.document,
        }
    }
}

/// A value that is rarely needed, kept serialized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Packed<T> {
    bytes: Vec<u8>,
    #[serde(skip)]
    value: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + Default> Packed<T> {
    /// Serializes a value.
    pub fn new(value: &T) -> Self {
        Self { bytes: postcard::to_stdvec(value).unwrap_or_default(), value: PhantomData }
    }

    /// Deserializes the value; the default if that fails.
    pub fn get(&self) -> T {
        postcard::from_bytes(&self.bytes).unwrap_or_default()
    }
}

impl EntryTrace {
    /// An entry trace for tests, with only the plugin's id filled in.
    #[doc(hidden)]
    pub fn sample(id: &str) -> Self {
        let digest = Digest::of(id.as_bytes());
        Self {
            front: Front {
                id: id.to_owned(),
                id_place: Place { path: format!("entries/{id}.md"), line: 1, column: 1 },
                date: jiff::civil::date(2020, 2, 3),
                date_at: (1, 1),
                counted: true,
                redirects: Vec::new(),
                kin: Kin {
                    tags: Vec::new(),
                    words: Vec::new(),
                    authors: Vec::new(),
                    shown: digest,
                    is_disabled: false,
                    is_recommended: true,
                },
            },
            shown: Shown { summary: digest, record: digest, document: digest, listed: digest },
            page: digest,
            alternates: Vec::new(),
            left_python2: false,
            modified: 0,
            warnings: Vec::new(),
            links: Packed::new(&Vec::new()),
            reads: Trace { shared: digest, own: Vec::new(), facts: Packed::new(&Vec::new()) },
            memos: Packed::new(&Vec::new()),
            pictures: Vec::new(),
            abandonment: None,
            feed: None,
            is_kept: false,
        }
    }
}
