//! Entry traces: what a build made of an entry, and the trace of what it read for that.
//!
//! An entry trace stands in for its entry in later builds: as long as its trace holds, neither the entry's file nor any fact
//! about it has to be read again.

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
    /// What decides about other outputs than the entry's own page.
    pub front: Front,
    /// The digests of what lists and feeds show.
    pub shown: Shown,
    /// The digest of the plugin's page.
    pub page: Digest,
    /// The digests of the files beside it.
    pub alternates: Vec<(Alternate, Digest)>,
    /// Whether the plugin is known not to run on Python 2.7.
    pub left_python2: bool,
    /// When the plugin was last registered, released or worked on, in seconds since 1970.
    pub modified: i64,
    /// What is wrong with the entry, though it is published.
    pub warnings: Vec<Warning>,
    /// The links within the site that it has.
    pub links: Packed<Vec<Link>>,
    /// What was read for all of it.
    pub reads: Trace,
    /// The memos that were of use, by function and inputs.
    pub memos: Packed<Vec<(String, Digest)>>,
    /// The pictures of videos that its description shows.
    pub pictures: Vec<Picture>,
    /// Since when it is abandoned, if a GitHub issue tells.
    pub abandonment: Option<Abandonment>,
    /// The inputs of the memo that has the description for feeds, if a feed had it.
    pub feed: Option<Digest>,
    /// Whether it was made of a last good version, which is not held to today's limits. It says nothing of whether a file
    /// with the same content can be read.
    pub is_kept: bool,
}

impl EntryTrace {
    /// The digest of a file beside the page.
    pub fn alternate(&self, wanted: Alternate) -> Option<Digest> {
        self.alternates.iter().find(|(alternate, _)| *alternate == wanted).map(|(_, digest)| *digest)
    }
}

/// What is known of an entry before any fact about it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// The id that it declares.
    pub id: String,
    /// Where it declares it.
    pub id_place: Place,
    /// When it was registered.
    pub date: Date,
    /// The line and column, from 1, at which that stands.
    pub date_at: (u32, u32),
    /// Whether usage is counted for it.
    pub counted: bool,
    /// Earlier addresses of its page.
    pub redirects: Vec<Redirect>,
    /// What makes other plugins name it.
    pub kin: Kin,
}

/// What an entry says by which plugins are found to be like each other. Names are numbers, which is all that it takes
/// to compare them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kin {
    /// Its tags.
    pub tags: Vec<u64>,
    /// The words of its title and its tags.
    pub words: Vec<u64>,
    /// Its authors.
    pub authors: Vec<u64>,
    /// The digest of what other plugins' pages show of it.
    pub shown: Digest,
    /// Whether it is disabled.
    pub is_disabled: bool,
    /// Whether other plugins' pages may lead to it for what it does.
    pub is_recommended: bool,
}

/// That a plugin is abandoned, as a GitHub issue says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Abandonment {
    /// When the issue was opened.
    pub since: Timestamp,
    /// The page, as the entry has it.
    pub link: String,
}

/// An earlier address of a plugin's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The path from the site's root.
    pub from: String,
    /// Where it stands.
    pub place: Place,
}

/// A link within the site, or the address of a picture there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The path from the site's root to which it leads, without the base path.
    pub to: String,
    /// Whether it is that of a picture.
    pub is_picture: bool,
    /// The line in the entry's file, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// The texts of a plugin that outputs beside its own page consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShownKind {
    /// What lists show, as JSON.
    Summary,
    /// The line in `plugins.json`.
    Record,
    /// The line in `search.json`.
    Document,
}

impl ShownKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Record, Self::Document];

    /// The name under which the cache has such texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Record => "record",
            Self::Document => "document",
        }
    }
}

/// The digests of the texts of a plugin, one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What lists show.
    pub summary: Digest,
    /// The line in `plugins.json`.
    pub record: Digest,
    /// The line in `search.json`.
    pub document: Digest,
    /// What long lists show, of which there is no text of its own: a part of what is in the summary.
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

/// A value that is seldom looked at, as the bytes of which it can be made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Packed<T> {
    bytes: Vec<u8>,
    #[serde(skip)]
    value: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned + Default> Packed<T> {
    /// Packs a value.
    pub fn new(value: &T) -> Self {
        Self { bytes: postcard::to_stdvec(value).unwrap_or_default(), value: PhantomData }
    }

    /// Makes the value again.
    pub fn get(&self) -> T {
        postcard::from_bytes(&self.bytes).unwrap_or_default()
    }
}

impl EntryTrace {
    /// An entry trace for tests, which tells nothing but the plugin's id.
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
